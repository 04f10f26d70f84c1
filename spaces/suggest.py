"""Suggestions for the parts of a trial: the choice, and the fields that matter for what it chose.

Each function takes the names to choose from, one name being a fixed choice, and ranges as (low,
high). A range that is None leaves the field at its default. The names suggested are those of a
trial's configuration, such as ``optimizer/lr``. Each returns the name that was chosen.
"""

from collections.abc import Sequence

from optuna import Trial

Range = tuple[float, float]
Value = None | bool | int | float | str


def suggest_backbone(
    trial: Trial, names: Sequence[str], *, pretrained: Sequence[str] = ("none",)
) -> str:
    """Suggest a timm model and what it starts from.

    Args:
        trial: The trial.
        names: Names of timm models.
        pretrained: ``none``, ``hub``, ``small``, or paths of safetensors.
    """
    name = trial.suggest_categorical("backbone/name", names)
    trial.suggest_categorical("backbone/pretrained", pretrained)
    return name


def suggest_head(
    trial: Trial,
    names: Sequence[str] = ("linear", "shallow", "deep", "multi"),
    *,
    dropout: Range | None = (0.0, 0.5),
    hidden: Sequence[int] = (128, 256, 512, 1024),
) -> str:
    """Suggest a head, its dropout, and the width of its hidden layers where it has any."""
    name = trial.suggest_categorical("head/name", names)
    _suggest_range(trial, "head/dropout", dropout)
    if name in ("shallow", "deep"):
        trial.suggest_categorical("head/hidden", hidden)
    return name


def suggest_sampler(
    trial: Trial,
    names: Sequence[str] = ("none", "weighted", "imbalanced"),
    *,
    power: Range | None = (0.25, 1.0),
) -> str:
    """Suggest which training images an epoch sees."""
    name = trial.suggest_categorical("sampler/name", names)
    if name == "weighted":
        _suggest_range(trial, "sampler/power", power)
    return name


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
    gamma: Range | None = (0.5, 5.0),
    smoothing: Range | None = (0.01, 0.2),
) -> str:
    """Suggest a loss, with gamma where it is focal and smoothing where labels are smoothed."""
    name = trial.suggest_categorical("loss/name", names)
    if name in ("focal", "focal_label_smoothing"):
        _suggest_range(trial, "loss/gamma", gamma)
    if name in ("label_smoothing", "focal_label_smoothing"):
        _suggest_range(trial, "loss/smoothing", smoothing, log=True)
    return name


def suggest_optimizer(
    trial: Trial,
    names: Sequence[str] = ("sgd", "adam", "adamw", "nadam", "adamp"),
    *,
    lr: Range = (1e-5, 1e-1),
    weight_decay: Range | None = (1e-6, 1e-1),
    layer_decay: Range | None = None,
    momentum: Range | None = None,
    nesterov: Sequence[bool] | None = None,
    beta1: Range | None = None,
    beta2: Range | None = None,
    eps: Range | None = None,
) -> str:
    """Suggest an optimizer, its rates, and its memory of earlier gradients.

    The learning rate has one range for all of them: what is learnt about one then says something
    about the others.

    Args:
        trial: The trial.
        names: Optimizers to choose from.
        lr: Learning rate of the head, and without layer decay of everything.
        weight_decay: Weight decay of everything but norms and biases.
        layer_decay: Factor from each layer's rate to that of the one before it; of no effect
            where the whole backbone is frozen.
        momentum: Momentum of ``sgd``, above 0.
        nesterov: Whether ``sgd`` and ``adamp`` look ahead.
        beta1: Memory of the gradient, of ``adam`` and its relatives.
        beta2: Memory of the squared gradient, of ``adam`` and its relatives.
        eps: What their steps are damped by.
    """
    name = trial.suggest_categorical("optimizer/name", names)
    _suggest_range(trial, "optimizer/lr", lr, log=True)
    _suggest_range(trial, "optimizer/weight_decay", weight_decay, log=True)
    _suggest_range(trial, "optimizer/layer_decay", layer_decay)
    if name == "sgd":
        _suggest_range(trial, "optimizer/momentum", momentum)
    else:
        _suggest_range(trial, "optimizer/beta1", beta1)
        _suggest_range(trial, "optimizer/beta2", beta2)
        _suggest_range(trial, "optimizer/eps", eps, log=True)
    if name in ("sgd", "adamp"):
        _suggest_choice(trial, "optimizer/nesterov", nesterov)
    return name


def suggest_schedule(
    trial: Trial,
    names: Sequence[str] = ("none", "warmup", "step", "exponential", "cosine", "plateau"),
    *,
    warmup: Range | None = (0.0, 0.3),
    share: Range | None = (0.05, 0.5),
    factor: Range | None = (0.1, 0.7),
    final: Range | None = (1e-3, 0.3),
    floor: Range | None = None,
    patience: Range | None = None,
    max_cycles: int = 1,
    cycle_growth: Range | None = None,
    cycle_decay: Range | None = None,
) -> str:
    """Suggest a schedule of the learning rate.

    Args:
        trial: The trial.
        names: Schedules to choose from.
        warmup: Share of the trial for the warm-up of those that end lower than they begin.
        share: Share of the trial for ``warmup``, or for each stretch of ``step``.
        factor: What ``step`` and ``plateau`` multiply the rate by.
        final: What ``exponential`` ends with, as a share of the rate.
        floor: Below what share of the rate ``cosine`` and ``plateau`` do not fall.
        patience: Share of the trial without a new best value after which ``plateau`` falls.
        max_cycles: Most cycles of ``cosine``.
        cycle_growth: How much longer each cycle is than the one before.
        cycle_decay: How high each cycle starts, as a share of the one before; its power
            ``max_cycles`` - 1 stays above the floor, which is 0.01 by default.
    """
    name = trial.suggest_categorical("schedule/name", names)
    if name in ("exponential", "cosine", "plateau"):
        _suggest_range(trial, "schedule/warmup", warmup)
    if name in ("warmup", "step"):
        _suggest_range(trial, "schedule/share", share)
    if name in ("step", "plateau"):
        _suggest_range(trial, "schedule/factor", factor)
    if name == "exponential":
        _suggest_range(trial, "schedule/final", final, log=True)
    if name in ("cosine", "plateau"):
        _suggest_range(trial, "schedule/floor", floor, log=True)
    if name == "plateau":
        _suggest_range(trial, "schedule/patience", patience)
    if name == "cosine" and max_cycles > 1:
        _suggest_cycles(trial, max_cycles, growth=cycle_growth, decay=cycle_decay)
    return name


def _suggest_cycles(
    trial: Trial, max_cycles: int, *, growth: Range | None, decay: Range | None
) -> None:
    if trial.suggest_int("schedule/num_cycles", 1, max_cycles) > 1:
        _suggest_range(trial, "schedule/cycle_growth", growth)
        _suggest_range(trial, "schedule/cycle_decay", decay)


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
    *,
    files: Sequence[str] = (),
) -> str:
    """Suggest how training images are changed at random.

    Args:
        trial: The trial.
        names: Augmentations to choose from; ``custom`` is added where there are files.
        files: Pipelines that albumentations has saved, for ``custom``: paths beside the space,
            from where the search is started, or absolute.
    """
    custom = ["custom"] if files and "custom" not in names else []
    choices: list[str] = [*names, *custom]
    name = trial.suggest_categorical("augmentation/name", choices)
    if name == "custom" and files:
        trial.suggest_categorical("augmentation/file", files)
    return name


def suggest_cutmix(
    trial: Trial,
    names: Sequence[str] = ("none", "cutmix"),
    *,
    probability: Range | None = (0.2, 1.0),
    beta: Range | None = (0.2, 2.0),
) -> str:
    """Suggest whether batches are mixed, how often, and how evenly."""
    name = trial.suggest_categorical("cutmix/name", names)
    if name == "cutmix":
        _suggest_range(trial, "cutmix/probability", probability)
        _suggest_range(trial, "cutmix/beta", beta, log=True)
    return name


def suggest_freeze(
    trial: Trial,
    names: Sequence[str] = ("none", "all", "front", "melt"),
    *,
    share: Range | None = (0.1, 0.75),
    after: Sequence[str] | None = None,
    warmup: Range | None = None,
) -> str:
    """Suggest which layers are frozen.

    Args:
        trial: The trial.
        names: Ways of freezing to choose from.
        share: Share of the layer groups for ``front``, of the epochs for ``melt``.
        after: What ``melt`` waits for: ``share`` of the epochs in all, or ``plateau``, that
            share of them without a new best value.
        warmup: Share of the trial over which the rates of what has melted rise.
    """
    name = trial.suggest_categorical("freeze/name", names)
    if name == "melt":
        _suggest_choice(trial, "freeze/after", after)
    if name in ("front", "melt"):
        _suggest_range(trial, "freeze/share", share)
    if name == "melt":
        _suggest_range(trial, "freeze/warmup", warmup)
    return name


def suggest_training(
    trial: Trial,
    *,
    batch_size: Sequence[int] | None = None,
    gradient_clip: Sequence[float | None] | None = None,
    ema: Sequence[float | None] | None = None,
    patience: Sequence[int | None] | None = None,
    precision: Sequence[str] | None = None,
    label_shift: Sequence[int] | None = None,
) -> None:
    """Suggest the single values of a trial that are given choices; the others keep defaults.

    Args:
        trial: The trial.
        batch_size: Images a step.
        gradient_clip: Largest norms of the gradients, None for no limit.
        ema: Decays of the weights' moving average, None for none.
        patience: Epochs without a new best value after which a trial ends, None for no end.
        precision: ``fp32``, ``bf16``, ``fp16``; for time, which is the same for all trials,
            rather pin it by ``--set precision=bf16``.
        label_shift: Ages from which a training image counts as the oldest group's, 60 for none.
    """
    _suggest_choice(trial, "batch_size", batch_size)
    _suggest_choice(trial, "gradient_clip", gradient_clip)
    _suggest_choice(trial, "ema", ema)
    _suggest_choice(trial, "patience", patience)
    _suggest_choice(trial, "precision", precision)
    _suggest_choice(trial, "label_shift", label_shift)


def _suggest_range(trial: Trial, name: str, of: Range | None, *, log: bool = False) -> None:
    if of is not None:
        trial.suggest_float(name, *of, log=log)


def _suggest_choice(trial: Trial, name: str, of: Sequence[Value] | None) -> None:
    if of is not None:
        trial.suggest_categorical(name, of)
