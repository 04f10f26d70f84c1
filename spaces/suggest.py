"""Suggestions for the parts of a trial: the choice, and the fields that matter for what it chose.

Each function takes the names to choose from, one name being a fixed choice, and ranges as (low,
high). A range that is None leaves the field at its default. The names suggested are those of a
trial's configuration, such as ``optimizer/lr``.
"""

from collections.abc import Sequence

from optuna import Trial

Range = tuple[float, float]


def suggest_backbone(
    trial: Trial, names: Sequence[str], *, pretrained: Sequence[str] = ("none",)
) -> None:
    """Suggest a timm model and what it starts from.

    Args:
        trial: The trial.
        names: Names of timm models.
        pretrained: ``none``, ``hub``, ``small``, or paths of safetensors.
    """
    trial.suggest_categorical("backbone/name", names)
    trial.suggest_categorical("backbone/pretrained", pretrained)


def suggest_head(
    trial: Trial,
    names: Sequence[str] = ("linear", "shallow", "deep", "multi"),
    *,
    dropout: Range | None = (0.0, 0.5),
    hidden: Sequence[int] = (128, 256, 512, 1024),
) -> None:
    """Suggest a head, its dropout, and the width of its hidden layers where it has any."""
    name = trial.suggest_categorical("head/name", names)
    if dropout is not None:
        trial.suggest_float("head/dropout", *dropout)
    if name in ("shallow", "deep"):
        trial.suggest_categorical("head/hidden", hidden)


def suggest_sampler(
    trial: Trial,
    names: Sequence[str] = ("none", "weighted", "imbalanced"),
    *,
    power: Range = (0.25, 1.0),
) -> None:
    """Suggest which training images an epoch sees."""
    name = trial.suggest_categorical("sampler/name", names)
    if name == "weighted":
        trial.suggest_float("sampler/power", *power)


def suggest_loss(
    trial: Trial,
    names: Sequence[str] = (
        "cross_entropy",
        "focal",
        "label_smoothing",
        "focal_label_smoothing",
        "f1",
    ),
    *,
    gamma: Range = (0.5, 5.0),
    smoothing: Range = (0.01, 0.2),
) -> None:
    """Suggest a loss, with gamma where it is focal and smoothing where labels are smoothed."""
    name = trial.suggest_categorical("loss/name", names)
    if name in ("focal", "focal_label_smoothing"):
        trial.suggest_float("loss/gamma", *gamma)
    if name in ("label_smoothing", "focal_label_smoothing"):
        trial.suggest_float("loss/smoothing", *smoothing, log=True)


def suggest_optimizer(
    trial: Trial,
    names: Sequence[str] = ("sgd", "adam", "adamw", "nadam", "adamp"),
    *,
    lr: Range = (1e-5, 1e-1),
    weight_decay: Range | None = (1e-6, 1e-1),
    layer_decay: Range | None = None,
    momentum: Range | None = None,
) -> None:
    """Suggest an optimizer and its rates; momentum only where it is SGD.

    The learning rate has one range for all of them: what is learnt about one then says something
    about the others.
    """
    name = trial.suggest_categorical("optimizer/name", names)
    trial.suggest_float("optimizer/lr", *lr, log=True)
    if weight_decay is not None:
        trial.suggest_float("optimizer/weight_decay", *weight_decay, log=True)
    if layer_decay is not None:
        trial.suggest_float("optimizer/layer_decay", *layer_decay)
    if name == "sgd" and momentum is not None:
        trial.suggest_float("optimizer/momentum", *momentum)


def suggest_schedule(
    trial: Trial,
    names: Sequence[str] = ("none", "warmup", "step", "exponential", "cosine", "plateau"),
    *,
    warmup: Range = (0.0, 0.3),
    share: Range = (0.05, 0.5),
    factor: Range = (0.1, 0.7),
    final: Range = (1e-3, 0.3),
    max_cycles: int = 1,
) -> None:
    """Suggest a schedule of the learning rate.

    Args:
        trial: The trial.
        names: Schedules to choose from.
        warmup: Share of the trial for the warm-up of those that end lower than they begin.
        share: Share of the trial for ``warmup``, or for each stretch of ``step``.
        factor: What ``step`` and ``plateau`` multiply the rate by.
        final: What ``exponential`` ends with, as a share of the rate.
        max_cycles: Most cycles of ``cosine``.
    """
    name = trial.suggest_categorical("schedule/name", names)
    if name in ("exponential", "cosine", "plateau"):
        trial.suggest_float("schedule/warmup", *warmup)
    if name in ("warmup", "step"):
        trial.suggest_float("schedule/share", *share)
    if name in ("step", "plateau"):
        trial.suggest_float("schedule/factor", *factor)
    if name == "exponential":
        trial.suggest_float("schedule/final", *final, log=True)
    if name == "cosine" and max_cycles > 1:
        trial.suggest_int("schedule/num_cycles", 1, max_cycles)


def suggest_augmentation(
    trial: Trial,
    names: Sequence[str] = (
        "none",
        "base",
        "no_hue",
        "contrast",
        "no_hue_contrast",
        "random_gray",
        "always_gray",
        "noise",
    ),
) -> None:
    """Suggest how training images are changed at random."""
    trial.suggest_categorical("augmentation/name", names)


def suggest_cutmix(
    trial: Trial,
    names: Sequence[str] = ("none", "cutmix"),
    *,
    probability: Range = (0.2, 1.0),
    beta: Range | None = (0.2, 2.0),
) -> None:
    """Suggest whether batches are mixed, how often, and how evenly."""
    name = trial.suggest_categorical("cutmix/name", names)
    if name == "cutmix":
        trial.suggest_float("cutmix/probability", *probability)
        if beta is not None:
            trial.suggest_float("cutmix/beta", *beta, log=True)


def suggest_freeze(
    trial: Trial,
    names: Sequence[str] = ("none", "all", "front", "melt"),
    *,
    share: Range = (0.1, 0.75),
) -> None:
    """Suggest which layers are frozen.

    Args:
        trial: The trial.
        names: Ways of freezing to choose from.
        share: Share of the layer groups for ``front``, of the epochs for ``melt``.
    """
    name = trial.suggest_categorical("freeze/name", names)
    if name in ("front", "melt"):
        trial.suggest_float("freeze/share", *share)
