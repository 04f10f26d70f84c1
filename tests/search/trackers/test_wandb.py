"""Offline, where W&B's client writes what it would send into files."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.trackers.wandb_tracker import WandbTracker
from trainable.errors import ConfigError

# W&B's files are LevelDB's logs: blocks of chunks, each with checksum, length and kind.
HEADER, BLOCK, CHUNK = 7, 2**15, struct.Struct("<IHB")
WHOLE, FIRST, LAST = 1, 2, 4


@pytest.fixture
def offline(monkeypatch):
    wandb = pytest.importorskip("wandb")
    for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")
    wandb.teardown()  # it reads its environment once
    yield
    wandb.teardown()


def written(path: Path) -> Iterator[object]:
    """Yield the records of a file of W&B, parsed by its own classes."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, message = path.read_bytes(), HEADER, b""
    while at + CHUNK.size <= len(data):
        if BLOCK - at % BLOCK < CHUNK.size:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = CHUNK.unpack_from(data, at)
        chunk = data[at + CHUNK.size : at + CHUNK.size + length]
        at += CHUNK.size + length
        message = chunk if kind in (WHOLE, FIRST) else message + chunk
        if kind in (WHOLE, LAST):
            yield Record.FromString(message)


def key(item) -> str:
    return item.key or "/".join(item.nested_key)


@pytest.mark.slow
def test_a_trial_that_goes_on_is_one_run_with_each_epoch_once(
    offline, new_story, run, tell_of_an_interrupted_search
):
    WandbTracker.check()
    tell_of_an_interrupted_search(new_story(WandbTracker))
    files = sorted(run.glob("wandb/offline-run-*/*.wandb"))
    assert [file.name for file in files].count("run-5ea4c4-0000.wandb") == 1
    records = [r for file in files if file.stem == "run-5ea4c4-0001" for r in written(file)]
    begun = [record.run for record in records if record.HasField("run")]
    assert {(r.run_id, r.run_group, r.display_name) for r in begun} == {
        ("5ea4c4-0001", "a-run", "a-run/0001")
    }
    config = {key(item): json.loads(item.value_json) for item in begun[0].config.update}
    assert {name: config[name] for name in ("optimizer/lr", "loss/name", "resize")} == {
        "optimizer/lr": 0.01,
        "loss/name": "focal",
        "resize": "64x48",
    }
    rows = [
        {key(item): json.loads(item.value_json) for item in record.history.item}
        for record in records
        if record.HasField("history")
    ]
    curve = [(row["_step"], row["epoch"], row["val/f1"]) for row in rows]
    assert curve == [(1, 1, 0.1), (2, 2, 0.2), (3, 3, 0.3), (4, 4, 0.4)]
    summary = {
        key(item): json.loads(item.value_json) for r in records for item in r.summary.update
    }
    assert (summary["state"], summary["value"]) == ("pruned", 0.4)
    kept = {file.name for file in run.glob("wandb/offline-run-*-0001*/files/*")}
    assert {"config.json", "metrics.csv"} <= kept


def test_without_a_key_nothing_runs(offline, monkeypatch, tmp_path):
    import wandb

    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    wandb.teardown()
    with pytest.raises(ConfigError) as raised:
        WandbTracker.check()
    assert str(raised.value) == (
        "--log-to wandb: expected credentials for wandb.example.org, got none. "
        "Run `wandb login`, set WANDB_API_KEY, or set WANDB_MODE=offline."
    )
    (tmp_path / "netrc").write_text("machine wandb.example.org login user password 0123\n")
    WandbTracker.check()
