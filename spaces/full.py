"""Everything at once, for a machine or a cluster with GPUs: pretrained backbones of several kinds.

40 choices and numbers, of which 22 are only there with what they belong to. The first trials are
configurations known to be good, one a backbone; then Optuna suggests.
Weights come from timm's hub, once a machine, or from the folder of --weights-dir. Data without
attributes and ages needs --set head/name=linear --set label_shift=60.

    python -m search.run --space spaces/full.py --set precision=bf16

It has not been run on a GPU yet. On two busy CPU cores, with --set backbone/name=test_efficientnet
--set backbone/pretrained=small --set resize=64x48 --trials 24 --max-epochs 4 on 200 people, it
took 8 min 20 s and reached 0.52 on validation, 0.31 on people never seen: that tries its parts,
not what it can reach.
"""

from optuna import Trial

from spaces.listed import Configuration
from spaces.suggest import (
    suggest_augmentation,
    suggest_backbone,
    suggest_cutmix,
    suggest_freeze,
    suggest_head,
    suggest_loss,
    suggest_optimizer,
    suggest_sampler,
    suggest_schedule,
    suggest_training,
)

DEFAULTS = {"trials": 200, "max_epochs": 30, "grace_period": 3, "reduction_factor": 3}
BACKBONES = [
    "convnext_tiny",
    "convnext_small",
    "swin_small_patch4_window7_224",
    "swin_base_patch4_window7_224",
    "efficientnet_b2",
    "tf_efficientnet_b6",
    "tf_efficientnetv2_l",
    "densenet121",
    "densenet201",
    "resnext50_32x4d",
    "resnext101_32x8d",
]

FOCAL_SMOOTHED: Configuration = {
    "loss": {"name": "focal_label_smoothing", "gamma": 2.0, "smoothing": 0.1}
}
IMBALANCED: Configuration = {"sampler": {"name": "imbalanced"}}
LARGE: Configuration = {"resize": "256x192"}
EXPONENTIAL: Configuration = {"schedule": {"name": "exponential", "warmup": 0.05, "final": 0.05}}
NO_HUE: Configuration = {"augmentation": {"name": "no_hue_contrast"}}
ADAMW: Configuration = {
    "optimizer": {
        "name": "adamw",
        "lr": 1e-4,
        "weight_decay": 5e-4,
        "layer_decay": 0.9,
        "beta2": 0.999,
    }
}
NOISE: Configuration = {"augmentation": {"name": "noise"}}
MELTING: Configuration = {
    "freeze": {"name": "melt", "after": "share", "share": 0.1, "warmup": 0.05}
}
SHIFTED: Configuration = {"label_shift": 58}


def start(backbone: str, *changes: Configuration) -> Configuration:
    """Return what has worked for all of these backbones, with changes that may work better."""
    configuration: Configuration = {
        "backbone": {"name": backbone, "pretrained": "hub"},
        "head": {"name": "linear", "dropout": 0.0},
        "resize": "128x96",
        "sampler": {"name": "weighted", "power": 1.0},
        "loss": {"name": "focal", "gamma": 2.0},
        "optimizer": {
            "name": "adamp",
            "lr": 1e-4,
            "weight_decay": 5e-4,
            "layer_decay": 1.0,
            "beta2": 0.999,
            "nesterov": False,
        },
        "schedule": {
            "name": "cosine",
            "warmup": 0.1,
            "floor": 0.01,
            "num_cycles": 1,
        },
        "augmentation": {"name": "base"},
        "cutmix": {"name": "cutmix", "probability": 0.4, "beta": 0.4},
        "freeze": {"name": "none"},
        "label_shift": 60,
        "batch_size": 64,
        "gradient_clip": None,
        "ema": None,
    }
    for change in changes:
        configuration = {**configuration, **change}
    return configuration


STARTS = [
    start("convnext_small"),
    start("convnext_tiny", FOCAL_SMOOTHED, IMBALANCED, NO_HUE),
    start("swin_base_patch4_window7_224", FOCAL_SMOOTHED, IMBALANCED, NOISE),
    start("swin_small_patch4_window7_224", FOCAL_SMOOTHED, LARGE, ADAMW),
    start("efficientnet_b2", IMBALANCED, LARGE, EXPONENTIAL, ADAMW),
    start("tf_efficientnet_b6", FOCAL_SMOOTHED, SHIFTED, ADAMW),
    start("tf_efficientnetv2_l", FOCAL_SMOOTHED, LARGE, MELTING),
    start("densenet121", EXPONENTIAL, NO_HUE, ADAMW),
    start("densenet201", IMBALANCED, LARGE, NOISE),
    start("resnext50_32x4d", FOCAL_SMOOTHED, EXPONENTIAL, SHIFTED),
    start("resnext101_32x8d", IMBALANCED, NO_HUE, MELTING),
]


def space(trial: Trial) -> None:
    """Suggest one configuration."""
    suggest_backbone(trial, BACKBONES, pretrained=["hub"])
    suggest_head(trial)
    trial.suggest_categorical("resize", ["128x96", "256x192"])
    suggest_sampler(trial)
    suggest_loss(trial)
    freeze = suggest_freeze(trial, after=["share", "plateau"], warmup=(0.0, 0.2))
    suggest_optimizer(
        trial,
        lr=(1e-5, 3e-2),
        layer_decay=None if freeze == "all" else (0.7, 1.0),
        momentum=(0.8, 0.99),
        nesterov=[False, True],
        beta2=(0.95, 0.9995),
    )
    suggest_schedule(
        trial,
        floor=(1e-3, 0.1),
        patience=(0.05, 0.3),
        max_cycles=3,
        cycle_growth=(1.0, 2.0),
        cycle_decay=(0.5, 1.0),
    )
    suggest_augmentation(trial)
    suggest_cutmix(trial)
    suggest_training(
        trial,
        batch_size=[32, 64, 128],
        gradient_clip=[None, 1.0, 5.0],
        ema=[None, 0.99, 0.999],
        label_shift=[60, 58],
    )
