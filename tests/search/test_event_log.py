import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from search.event_log import EventLog
from trainable.files import UnwritableError
from trainable.objective import Objective

AT = datetime(2026, 11, 27, 12, 30, 0, 250_000, tzinfo=UTC)


def open_log(run_folder: Path) -> EventLog:
    return EventLog(run_folder, objective=Objective(), num_trials=2, clock=lambda: AT)


def lines(run_folder: Path) -> list[dict]:
    text = (run_folder / "events.jsonl").read_text()
    assert text.endswith("\n")
    return [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]


def test_every_event_is_a_line_with_the_fields_that_are_documented(tmp_path):
    with open_log(tmp_path) as log:
        log.trial_started(0, {"optimizer/lr": 0.1, "resize": (64, 48)})
        log.epoch_reported(0, 1, 0.25, 0.25)
        log.trial_ended(0, "pruned", reason="asha", value=0.25, epochs=1)
        log.disk_used(1234)
        log.note("two\nlines")
        log.search_ended("done")
    start, *events, end = lines(tmp_path)
    assert start == {
        "at": "2026-11-27T12:30:00.250+00:00",
        "event": "search_started",
        "run": tmp_path.name,
        "metric": "val/f1",
        "mode": "max",
        "trials": 2,
        "resumed": False,
    }
    assert {event.pop("at") for event in [*events, end]} == {start["at"]}
    assert events == [
        {
            "event": "trial_started",
            "trial": 0,
            "config": {"optimizer/lr": 0.1, "resize": [64, 48]},
        },
        {"event": "epoch", "trial": 0, "epoch": 1, "value": 0.25, "best": 0.25},
        {
            "event": "trial_ended",
            "trial": 0,
            "state": "pruned",
            "reason": "asha",
            "value": 0.25,
            "epochs": 1,
        },
        {"event": "disk_used", "bytes": 1234},
        {"event": "note", "text": "two\nlines"},
    ]
    assert end == {"event": "search_ended", "how": "done", "reason": ""}


def test_a_value_that_is_no_number_is_null(tmp_path):
    with open_log(tmp_path) as log:
        log.trial_started(0, {"loss/gamma": float("inf")})
        log.epoch_reported(0, 1, float("nan"), float("-inf"))
    _, started, epoch, *_ = lines(tmp_path)
    assert started["config"] == {"loss/gamma": None}
    assert (epoch["value"], epoch["best"]) == (None, None)


def test_a_line_can_be_read_as_soon_as_it_is_written(tmp_path):
    with open_log(tmp_path) as log:
        log.note("now")
        assert lines(tmp_path)[-1]["text"] == "now"


def test_a_search_that_goes_on_appends(tmp_path):
    with open_log(tmp_path) as log:
        log.search_ended("interrupted")
    before = (tmp_path / "events.jsonl").read_text()
    with open_log(tmp_path) as log:
        log.search_ended("done")
    assert (tmp_path / "events.jsonl").read_text().startswith(before)
    assert [line.get("resumed") for line in lines(tmp_path)] == [False, None, True, None]


def test_what_a_full_disk_left_of_a_line_is_dropped(tmp_path):
    with open_log(tmp_path) as log:
        log.note("whole")
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"at": "2026')
    with open_log(tmp_path):
        pass
    assert [line["event"] for line in lines(tmp_path)] == [
        "search_started",
        "note",
        "search_started",
    ]


@pytest.mark.parametrize(
    ("error", "how", "reason"),
    [(KeyboardInterrupt(), "interrupted", ""), (ValueError("too bad"), "failed", "too bad")],
)
def test_an_error_ends_the_log_too(tmp_path, error, how, reason):
    with pytest.raises(type(error)), open_log(tmp_path):
        raise error
    end = lines(tmp_path)[-1]
    assert (end["event"], end["how"], end["reason"]) == ("search_ended", how, reason)


def test_a_full_disk_is_said_with_the_file(tmp_path):
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    with pytest.raises(UnwritableError, match=r"events\.jsonl") as raised, open_log(tmp_path):
        pass
    assert raised.value.strerror == "No space left on device"
