"""Everything at once, for a machine or a cluster with GPUs: pretrained backbones of several kinds.

32 choices and numbers, of which 13 are only there with what they belong to.
Weights come from timm's hub, once a machine; without network, download them elsewhere and give
the folder by --set backbone/pretrained=FOLDER. Data without attributes and ages needs
--set head/name=linear --set label_shift=60.

    python -m search.run --space spaces/full.py --set precision=bf16
"""

from optuna import Trial

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


def space(trial: Trial) -> None:
    """Suggest one configuration."""
    suggest_backbone(trial, BACKBONES, pretrained=["hub"])
    suggest_head(trial)
    trial.suggest_categorical("resize", ["128x96", "256x192"])
    suggest_sampler(trial)
    suggest_loss(trial)
    suggest_optimizer(trial, lr=(1e-5, 3e-2), layer_decay=(0.7, 1.0), momentum=(0.8, 0.99))
    suggest_schedule(trial, max_cycles=3)
    suggest_augmentation(trial)
    suggest_cutmix(trial)
    suggest_freeze(trial)
    trial.suggest_categorical("label_shift", [60, 58])
    trial.suggest_categorical("batch_size", [32, 64, 128])
    trial.suggest_float("gradient_clip", 0.5, 10.0, log=True)
    trial.suggest_categorical("ema", [None, 0.99, 0.999])
