"""A search to the end within minutes on two CPU cores: a tiny model on tiny images.

For trying the product out, and for tests. 19 choices and numbers, two of them with one value; 7
are only there with what they belong to.

    python -m search.run --space spaces/quick.py
"""

from optuna import Trial

from spaces.suggest import (
    suggest_augmentation,
    suggest_backbone,
    suggest_cutmix,
    suggest_freeze,
    suggest_loss,
    suggest_optimizer,
    suggest_sampler,
    suggest_schedule,
)

DEFAULTS = {"trials": 16, "max_epochs": 9, "grace_period": 2, "reduction_factor": 3}


def space(trial: Trial) -> None:
    """Suggest one configuration."""
    suggest_backbone(trial, ["test_efficientnet"], pretrained=["none", "small"])
    trial.suggest_categorical("resize", ["64x48"])
    suggest_sampler(trial, ["none", "weighted", "imbalanced"])
    suggest_loss(trial, ["cross_entropy", "focal", "label_smoothing", "f1"])
    suggest_optimizer(trial, ["sgd", "adamw", "nadam", "adamp"], lr=(1e-4, 1e-1))
    suggest_schedule(trial, ["none", "cosine", "exponential"])
    suggest_augmentation(trial, ["none", "base"])
    suggest_cutmix(trial, beta=None)
    suggest_freeze(trial, ["none", "front", "melt"], share=(0.2, 0.6))
