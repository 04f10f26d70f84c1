"""The space whose every configuration has been trained: a finite one, for replaying searches.

Six ways of starting and freezing, two optimizers with six learning rates, two schedules, two
losses: 288 configurations. Which way of freezing has a share is conditional, as in the spaces
that the product ships. Learning rate and share are drawn from a range and rounded to the nearest
value recorded, so that every sampler sees the numbers that it would in a real search.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from optuna import Trial

LEARNING_RATES = (1e-3, 2.5e-3, 6.3e-3, 1.6e-2, 4e-2, 1e-1)
FRONT_SHARES = (0.3, 0.6)
MELT_SHARES = (0.25, 0.5)
SHARES = {"none": (None,), "front": FRONT_SHARES, "melt": MELT_SHARES}
OPTIMIZERS = ("sgd", "adamw")
SCHEDULES = ("none", "cosine")
LOSSES = ("cross_entropy", "f1")
COLUMNS = ("pretrained", "freeze", "share", "optimizer", "lr", "schedule", "loss")

Configuration = tuple[str, str, float | None, str, float, str, str]


def space(trial: Trial) -> None:
    """Suggest one configuration."""
    pretrained = trial.suggest_categorical("backbone/pretrained", ["none", "small"])
    if pretrained == "small":
        freeze = trial.suggest_categorical("freeze/name", list(SHARES))
        if freeze != "none":
            trial.suggest_float("freeze/share", 0.2, 0.7)
    trial.suggest_categorical("optimizer/name", OPTIMIZERS)
    trial.suggest_float("optimizer/lr", LEARNING_RATES[0], LEARNING_RATES[-1], log=True)
    trial.suggest_categorical("schedule/name", SCHEDULES)
    trial.suggest_categorical("loss/name", LOSSES)


def configurations() -> list[Configuration]:
    """Return every configuration, in one order for all time; fields as in ``COLUMNS``."""
    return [
        (*start, *rest)
        for start in _starts()
        for rest in product(OPTIMIZERS, LEARNING_RATES, SCHEDULES, LOSSES)
    ]


def _starts() -> Iterator[tuple[str, str, float | None]]:
    yield "none", "none", None
    for freeze, shares in SHARES.items():
        for share in shares:
            yield "small", freeze, share


def nearest(params: Mapping[str, Any]) -> Configuration:
    """Return the recorded configuration that a suggestion stands for.

    Args:
        params: What ``space`` suggested, by name.

    Example:
        >>> nearest({"backbone/pretrained": "none", "optimizer/name": "sgd", "optimizer/lr": 0.09,
        ...          "schedule/name": "none", "loss/name": "f1"})
        ('none', 'none', None, 'sgd', 0.1, 'none', 'f1')
    """
    freeze = params.get("freeze/name", "none")
    share = params.get("freeze/share")
    return (
        params["backbone/pretrained"],
        freeze,
        None if share is None else _closest(share, SHARES[freeze]),
        params["optimizer/name"],
        _closest(math.log(params["optimizer/lr"]), LEARNING_RATES, key=math.log),
        params["schedule/name"],
        params["loss/name"],
    )


def _closest(value: float, known: Sequence[Any], key: Any = float) -> Any:  # noqa: ANN401
    return min(known, key=lambda candidate: abs(key(candidate) - value))


def trial_config(configuration: Configuration, *, num_epochs: int) -> dict[str, Any]:
    """Return a configuration as a trial reads it, by flat name."""
    pretrained, freeze, share, optimizer, lr, schedule, loss = configuration
    return {
        "backbone/name": "test_efficientnet",
        "backbone/pretrained": pretrained,
        "resize": "64x48",
        "freeze/name": freeze,
        **({} if share is None else {"freeze/share": share}),
        "optimizer/name": optimizer,
        "optimizer/lr": lr,
        "schedule/name": schedule,
        "loss/name": loss,
        "epochs": num_epochs,
        "seed": 0,
    }
