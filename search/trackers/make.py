"""The trackers by their names."""

from collections.abc import Iterable

from search.trackers.base import Tracker
from search.trackers.mlflow_tracker import MlflowTracker
from search.trackers.wandb_tracker import WandbTracker
from trainable.errors import ConfigError

TRACKERS: dict[str, type[Tracker]] = {
    tracker.name: tracker for tracker in (MlflowTracker, WandbTracker)
}


def check_trackers(names: Iterable[str]) -> None:
    """Check that trackers can be logged to; TensorBoard, whose files trials write, always can.

    Raises:
        ConfigError: With a problem for each that cannot.
    """
    problems: list[str] = []
    for name in names:
        try:
            if name in TRACKERS:
                TRACKERS[name].check()
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)


def make_trackers(names: Iterable[str]) -> list[Tracker]:
    """Return new trackers."""
    return [TRACKERS[name]() for name in names if name in TRACKERS]
