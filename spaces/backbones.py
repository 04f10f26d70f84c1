"""Backbones compared: each of eleven once, all under the same recipe, none stopped early.

17 choices, of which 0 depend on another. More trials than backbones repeat those that look
best, with other seeds; fewer try the first ones. The recipe is the same for all and tuned for
none: what does well here is worth a search of its own, what does badly may want other rates.
Weights come from timm's hub, once a machine. A recipe of one's own is a matter of --set. Data of
any kind will do.

    python -m search.run --space spaces/backbones.py --set precision=bf16

It has not been run on a GPU yet.
"""

from optuna import Trial

from spaces.listed import Configuration, suggest_listed

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
RECIPE: Configuration = {
    "resize": "128x96",
    "sampler": {"name": "imbalanced"},
    "loss": {"name": "focal_label_smoothing", "gamma": 2.0, "smoothing": 0.1},
    "optimizer": {"name": "adamp", "lr": 1e-4, "weight_decay": 5e-4},
    "schedule": {"name": "cosine", "warmup": 0.1},
    "augmentation": {"name": "no_hue_contrast"},
    "cutmix": {"name": "cutmix", "probability": 0.4, "beta": 0.4},
    "freeze": {"name": "none"},
}
STARTS: list[Configuration] = [
    {"backbone": {"name": backbone, "pretrained": "hub"}, **RECIPE} for backbone in BACKBONES
]
DEFAULTS = {"trials": len(STARTS), "max_epochs": 30, "scheduler": "none"}


def space(trial: Trial) -> None:
    """Suggest one configuration."""
    suggest_listed(trial, STARTS)
