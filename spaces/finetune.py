"""A small strong space for under 30 trials: pretrained backbones, and what matters most of them.

15 choices and numbers, of which 1 is only there with what it belongs to. What all successful
recipes share is fixed; what is searched is the backbone, the size, the loss, and above all the
learning rate. The first trials are configurations known to be good.
Weights come from timm's hub, once a machine; other backbones by --set backbone/name=NAME. Data of
any kind will do.

    python -m search.run --space spaces/finetune.py --set precision=bf16

It has not been run on a GPU yet.
"""

from optuna import Trial

from spaces.listed import Configuration
from spaces.suggest import (
    suggest_augmentation,
    suggest_backbone,
    suggest_cutmix,
    suggest_loss,
    suggest_optimizer,
    suggest_sampler,
    suggest_schedule,
)

DEFAULTS = {"trials": 24, "max_epochs": 20, "grace_period": 3, "reduction_factor": 3}


def start(backbone: str, *, resize: str, augmentation: str) -> Configuration:
    """Return a configuration that has worked for all of these backbones."""
    return {
        "backbone": {"name": backbone, "pretrained": "hub"},
        "resize": resize,
        "sampler": {"name": "imbalanced"},
        "loss": {"name": "focal_label_smoothing", "gamma": 2.0},
        "optimizer": {"name": "adamp", "lr": 1e-4, "weight_decay": 5e-4, "layer_decay": 0.9},
        "schedule": {"name": "cosine", "warmup": 0.1},
        "augmentation": {"name": augmentation},
        "cutmix": {"name": "cutmix", "probability": 0.4},
    }


STARTS = [
    start("convnext_small", resize="128x96", augmentation="no_hue_contrast"),
    start("efficientnet_b2", resize="256x192", augmentation="noise"),
    start("swin_small_patch4_window7_224", resize="128x96", augmentation="noise"),
]


def space(trial: Trial) -> None:
    """Suggest one configuration."""
    suggest_backbone(
        trial,
        ["convnext_small", "efficientnet_b2", "swin_small_patch4_window7_224"],
        pretrained=["hub"],
    )
    trial.suggest_categorical("resize", ["128x96", "256x192"])
    suggest_sampler(trial, ["imbalanced"])
    suggest_loss(
        trial, ["cross_entropy", "focal_label_smoothing"], gamma=(1.0, 3.0), smoothing=None
    )
    suggest_optimizer(
        trial, ["adamp"], lr=(2e-5, 2e-3), weight_decay=(1e-5, 1e-1), layer_decay=(0.75, 1.0)
    )
    suggest_schedule(trial, ["cosine"], warmup=(0.05, 0.2))
    suggest_augmentation(trial, ["no_hue_contrast", "noise"])
    suggest_cutmix(trial, ["cutmix"], probability=(0.1, 0.6), beta=None)
