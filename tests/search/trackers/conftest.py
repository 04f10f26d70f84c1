"""A run folder with trials' curves, and what a search tells a feed of them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from search.trackers.base import TrackedSearch, Tracker
from search.trackers.feed import Feed
from trainable.trial_folder import TrialFolder

# What a trial of the story is made of.
CONFIG = {"optimizer/lr": 0.01, "loss/name": "focal", "resize": "64x48"}


class Story:
    """Tells a feed of a search, as its ledger does, and writes what workers write.

    Each ``feed`` is a new process's: a feed and a tracker of its own on the same folder.
    """

    config = CONFIG

    def __init__(self, run: Path, tracker: type[Tracker] | Callable[[], Tracker]) -> None:
        self.run = run
        self.notes: list[str] = []
        self._tracker = tracker
        (run / "run.json").write_text("{}")

    def feed(self, **arguments) -> Feed:
        search = TrackedSearch(self.run.name, "5ea4c4", self.run)
        feed = Feed(self._tracker(), search, self.notes.append, retry_s=0.2, **arguments)
        feed.start()
        return feed

    def train(self, feed: Feed, number: int, epochs: range) -> None:
        """Have a trial do epochs, of values 0.1, 0.2 …; one class occurs in no image."""
        folder = TrialFolder.of(self.run, number)
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.write_config({"optimizer": {"lr": 0.01}})
        if epochs.start == 1:
            feed.trial_started(number, CONFIG)
        for epoch in epochs:
            rows = [
                {"epoch": e, "val/f1": e / 10, "val/class_f1/65+ years": float("nan")}
                for e in range(1, epoch + 1)
            ]
            folder.write_metrics(rows)
            feed.epoch_reported(number, epoch, epoch / 10, epoch / 10)

    def end(self, feed: Feed, number: int, state: str, epochs: int) -> None:
        value = None if state in ("failed", "waiting") else epochs / 10
        feed.trial_ended(number, state, reason="so it was", value=value, epochs=epochs)


@pytest.fixture
def run(tmp_path):
    run = tmp_path / "a-run"
    run.mkdir()
    return run


@pytest.fixture
def new_story(run):
    """Return a function that begins a story for a kind of tracker."""
    return partial(Story, run)


@pytest.fixture
def tell_of_an_interrupted_search():
    """Return a function that tells a whole story."""
    return _tell_of_an_interrupted_search


def _tell_of_an_interrupted_search(story: Story) -> None:
    """Tell of two trials, one of them cut off after two epochs and ended by another process."""
    feed = story.feed()
    story.train(feed, 0, range(1, 4))
    story.end(feed, 0, "complete", 3)
    story.train(feed, 1, range(1, 3))
    story.end(feed, 1, "waiting", 2)
    feed.close(is_done=False)
    feed = story.feed()
    feed.trial_started(1, CONFIG)
    story.train(feed, 1, range(3, 5))
    story.end(feed, 1, "pruned", 4)
    feed.close(is_done=True)
    assert story.notes == []
