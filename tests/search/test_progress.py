import io
import re
import threading

import optuna
import pytest
from rich.console import Console

from search.progress import SearchProgress
from search.progress_view import RunningTrial, Snapshot, describe_config, duration, render
from trainable.objective import Objective

CONFIG = {
    "backbone/name": "test_efficientnet",
    "optimizer/name": "adamw",
    "optimizer/lr": 0.00213,
    "loss/name": "focal",
    "epochs": 9,
}


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def console(*, terminal: bool, width: int = 120) -> Console:
    return Console(record=True, force_terminal=terminal, width=width, file=io.StringIO())


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def progress(clock):
    return SearchProgress(
        "run",
        objective=Objective("val/f1"),
        num_trials=8,
        console=console(terminal=False),
        clock=clock,
    )


def shown(progress: SearchProgress) -> str:
    screen = console(terminal=True)
    screen.print(render(progress.snapshot()))
    return screen.export_text()


def end(progress, number, state="complete", reason="epochs", value=0.5, epochs=9):
    progress.trial_ended(number, state, reason=reason, value=value, epochs=epochs)


def test_a_running_trial_shows_its_epochs_and_its_values(progress):
    progress.trial_started(3, CONFIG)
    progress.epoch_reported(3, 1, 0.5, 0.5)
    progress.epoch_reported(3, 2, 0.4, 0.5)
    (trial,) = progress.snapshot().running
    assert (trial.number, trial.epoch, trial.epochs) == (3, 2, 9)
    assert (trial.value, trial.best) == (0.4, 0.5)
    line = next(line for line in shown(progress).splitlines() if "0003" in line and "2/9" in line)
    assert "0.4000   0.5000   test_efficientnet · adamw 0.0021 · focal" in line


def test_trials_are_counted_by_how_they_ended(progress):
    for number in range(5):
        progress.trial_started(number, CONFIG)
    end(progress, 0)
    end(progress, 1, "pruned", "asha", epochs=2)
    end(progress, 2, "failed", "loss: not a number", value=None)
    snapshot = progress.snapshot()
    counts = (snapshot.num_finished, snapshot.num_stopped, snapshot.num_failed)
    assert counts == (1, 1, 1)
    assert (len(snapshot.running), snapshot.num_waiting) == (2, 3)
    assert "2 running   1 finished   1 stopped early   1 failed   3 waiting" in shown(progress)


def test_the_size_on_disk_is_shown_once_there_is_one(progress):
    assert "on disk" not in shown(progress)
    progress.disk_used(12_300_000)
    assert "0 epochs   12.3 MB on disk" in shown(progress)


def test_an_interrupted_trial_waits_again(progress):
    progress.trial_started(0, CONFIG)
    end(progress, 0, "waiting", "interrupted", value=None, epochs=1)
    snapshot = progress.snapshot()
    assert (snapshot.num_ended, snapshot.num_waiting) == (0, 8)


def test_the_best_value_so_far_is_whose_it_is(progress):
    for number, value in enumerate((0.3, 0.6, 0.5)):
        progress.trial_started(number, CONFIG)
        progress.epoch_reported(number, 1, value, value)
    best = progress.snapshot().best
    assert (best.number, best.value) == (1, 0.6)


def test_the_lowest_loss_is_the_best():
    progress = SearchProgress(
        "run", objective=Objective("val/loss"), num_trials=2, console=console(terminal=False)
    )
    for number, value in enumerate((0.6, 0.3)):
        progress.trial_started(number, CONFIG)
        progress.epoch_reported(number, 1, value, value)
    assert progress.snapshot().best.number == 1


def test_a_trial_that_has_ended_counts_with_the_value_it_is_ranked_by(progress):
    for number, best in enumerate((0.6, 0.9, 0.8)):
        progress.trial_started(number, CONFIG)
        progress.epoch_reported(number, 1, best, best)
    assert progress.snapshot().best.number == 1
    end(progress, 1, "failed", "loss: not a number", value=None)
    assert progress.snapshot().best.number == 2
    end(progress, 2, "pruned", "asha", value=0.5)
    best = progress.snapshot().best
    assert (best.number, best.value) == (0, 0.6)


@pytest.mark.parametrize("value", ["fast", None, [1], True, float("nan"), {}])
def test_no_value_of_a_hyperparameter_breaks_the_view(progress, value):
    config = CONFIG | {"optimizer/lr": value, "epochs": value, "loss/name": value}
    progress.trial_started(0, config)
    progress.epoch_reported(0, 1, float("nan"), float("nan"))
    assert "0000" in shown(progress)


def test_time_left_follows_the_pace(progress, clock):
    for number in range(2):
        progress.trial_started(number, CONFIG)
        end(progress, number)
    clock.now_s = 60.0
    assert progress.snapshot().left_s == 180.0
    assert "1 min 00 s · about 3 min 00 s left" in shown(progress)


def test_time_left_is_unknown_before_two_trials_have_ended(progress, clock):
    progress.trial_started(0, CONFIG)
    end(progress, 0)
    clock.now_s = 60.0
    assert progress.snapshot().left_s is None


def test_time_left_is_at_most_that_of_the_budget(clock):
    progress = SearchProgress(
        "run",
        objective=Objective(),
        num_trials=100,
        time_budget_s=90,
        console=console(terminal=False),
        clock=clock,
    )
    clock.now_s = 60.0
    assert progress.snapshot().left_s == 30.0


def test_what_earlier_processes_did_is_counted_but_not_in_the_pace(progress, clock):
    states = ((0.9, "COMPLETE"), (0.2, "PRUNED"), (None, "FAIL"), (None, "WAITING"))
    for number, (value, state) in enumerate(states):
        trial = optuna.trial.create_trial(
            value=value,
            state=optuna.trial.TrialState[state],
            intermediate_values={1: 0.95},
            user_attrs={"config": CONFIG},
        )
        trial.number = number
        progress.trial_known(trial)
    snapshot = progress.snapshot()
    assert (snapshot.num_ended, snapshot.num_waiting, snapshot.num_epochs) == (3, 5, 0)
    assert snapshot.best.value == 0.9
    for number in (10, 11):
        end(progress, number)
    clock.now_s = 10.0
    assert progress.snapshot().left_s == 15.0


def test_without_a_terminal_each_trial_that_ends_is_a_line(progress):
    with progress:
        progress.trial_started(0, CONFIG)
        progress.epoch_reported(0, 1, 0.25, 0.25)
        end(progress, 0, "pruned", "asha", value=0.25, epochs=2)
    assert progress.console.export_text() == (
        "trial 0000 stopped early at epoch 2/9: val/f1 0.2500, best 0.2500 by 0000, "
        "test_efficientnet · adamw 0.0021 · focal\n"
    )


def test_a_failure_is_a_line_that_stays(progress):
    progress.trial_started(4, CONFIG)
    end(progress, 4, "failed", "CUDA out of memory.\nTried 2 GiB", value=None, epochs=1)
    assert progress.console.export_text() == (
        "trial 0004 failed after 1 epoch: CUDA out of memory. Tried 2 GiB\n"
    )


def test_notes_are_printed_as_they_are(progress):
    progress.note("[bold] is no markup here")
    assert progress.console.export_text() == "[bold] is no markup here\n"


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    screen = console(terminal=True)
    assert not SearchProgress("a", objective=Objective(), num_trials=1, console=screen).is_live


def test_the_live_view_leaves_its_last_state_on_the_screen(clock):
    screen = console(terminal=True)
    progress = SearchProgress(
        "run", objective=Objective(), num_trials=1, console=screen, clock=clock
    )
    with progress:
        progress.trial_started(0, CONFIG)
        end(progress, 0, value=0.5)
    assert "1 of 1 trials" in screen.export_text()


@pytest.mark.parametrize(("environment", "has_colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color_takes_the_colours_of_the_live_view_away(monkeypatch, environment, has_colours):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm-256color"} | environment).items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    screen = Console(file=out, force_terminal=True, width=100)
    with SearchProgress("run", objective=Objective(), num_trials=1, console=screen) as progress:
        progress.trial_started(0, CONFIG)
        end(progress, 0, value=0.5)
    codes = set(";".join(re.findall(r"\x1b\[([0-9;]*)m", out.getvalue())).split(";"))
    assert bool(codes & {"31", "32", "33", "36"}) is has_colours
    assert "1 of 1 trials" in out.getvalue()


def test_before_the_first_trial_the_view_says_what_it_waits_for(progress):
    assert "starting workers" in shown(progress)
    with progress:
        pass
    assert "starting workers" not in shown(progress)


def test_a_view_of_many_trials_says_how_many_more_there_are():
    running = tuple(RunningTrial(number, 9, "resnet") for number in range(40))
    screen = console(terminal=True)
    screen.print(render(Snapshot("run", "val/f1", 100, running=running)))
    assert "and 24 more" in screen.export_text()


def test_the_height_stays_when_one_of_several_trials_has_ended(progress):
    for number in range(2):
        progress.trial_started(number, CONFIG)
    progress.epoch_reported(0, 1, 0.5, 0.5)
    before = shown(progress)
    end(progress, 0)
    assert len(shown(progress).splitlines()) == len(before.splitlines())


def test_the_view_fits_a_narrow_terminal(progress):
    progress.trial_started(0, CONFIG | {"backbone/name": "a_very_long_name_of_a_backbone" * 3})
    progress.epoch_reported(0, 1, 0.5, 0.5)
    screen = console(terminal=True, width=80)
    screen.print(render(progress.snapshot()))
    assert max(map(len, screen.export_text().splitlines())) <= 80


def test_events_may_come_from_many_threads(progress):
    def report(number):
        progress.trial_started(number, CONFIG)
        for epoch in range(1, 101):
            progress.epoch_reported(number, epoch, 0.1, 0.1)
        end(progress, number, value=0.1)

    threads = [threading.Thread(target=report, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    snapshot = progress.snapshot()
    assert (snapshot.num_epochs, snapshot.num_finished) == (800, 8)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"backbone/name": "resnet18"}, "resnet18"),
        ({"optimizer/lr": 0.1}, "lr 0.1"),
        ({"optimizer/name": "sgd"}, "sgd"),
        ({}, ""),
    ],
)
def test_a_configuration_is_described_by_what_it_has(config, text):
    assert describe_config(config) == text


@pytest.mark.parametrize(("seconds", "text"), [(59.6, "1 min 00 s"), (3600, "1 h 00 min")])
def test_durations_are_rounded_before_they_are_split(seconds, text):
    assert duration(seconds) == text
