"""An ablation: a base configuration, and every variation of one family at a time, each once.

34 choices, of which 15 are only there with what they belong to. 46 rows, the base first, none
stopped early. More trials than rows are combinations of the variations, suggested by Optuna in
the light of the rows; fewer try the first rows. Each row trains with a seed of its own, with
--set seed=0 all with the same. Differences smaller than those between seeds mean nothing: run it
again with another --seed to see how large those are.
Weights come from timm's hub, once a machine. Data without attributes and ages needs
--set head/name=linear --set label_shift=60. Rows that --set makes equal are tried once.

    python -m search.run --space spaces/one_at_a_time.py --set precision=bf16

It has not been run on a GPU yet.
"""

from optuna import Trial

from spaces.listed import Configuration, suggest_listed
from spaces.suggest import Value

BASE: Configuration = {
    "backbone": {"name": "convnext_small", "pretrained": "hub"},
    "head": {"name": "linear", "dropout": 0.0},
    "resize": "128x96",
    "sampler": {"name": "weighted", "power": 1.0},
    "loss": {"name": "focal", "gamma": 2.0},
    "optimizer": {"name": "adamw", "lr": 1e-4, "weight_decay": 5e-4, "layer_decay": 1.0},
    "schedule": {"name": "cosine", "warmup": 0.1},
    "augmentation": {"name": "base"},
    "cutmix": {"name": "cutmix", "probability": 0.4, "beta": 0.4},
    "freeze": {"name": "none"},
    "label_shift": 60,
    "batch_size": 64,
    "gradient_clip": None,
    "ema": None,
}
VARIATIONS: dict[str, list[Value | dict[str, Value]]] = {
    "backbone": [
        {"name": "swin_small_patch4_window7_224", "pretrained": "hub"},
        {"name": "efficientnet_b2", "pretrained": "hub"},
        {"name": "densenet121", "pretrained": "hub"},
        {"name": "resnext50_32x4d", "pretrained": "hub"},
    ],
    "head": [
        {"name": "linear", "dropout": 0.3},
        {"name": "shallow", "dropout": 0.0, "hidden": 512},
        {"name": "deep", "dropout": 0.0, "hidden": 512},
        {"name": "multi", "dropout": 0.0},
    ],
    "resize": ["256x192"],
    "sampler": [{"name": "none"}, {"name": "weighted", "power": 0.5}, {"name": "imbalanced"}],
    "loss": [
        {"name": "cross_entropy"},
        {"name": "label_smoothing", "smoothing": 0.1},
        {"name": "focal_label_smoothing", "gamma": 2.0, "smoothing": 0.1},
        {"name": "f1"},
    ],
    "optimizer": [
        {"name": "adamw", "lr": 3e-5, "weight_decay": 5e-4, "layer_decay": 1.0},
        {"name": "adamw", "lr": 1e-3, "weight_decay": 5e-4, "layer_decay": 1.0},
        {"name": "adamw", "lr": 1e-4, "weight_decay": 5e-2, "layer_decay": 1.0},
        {"name": "adamw", "lr": 1e-4, "weight_decay": 5e-4, "layer_decay": 0.8},
        {"name": "adam", "lr": 1e-4, "weight_decay": 5e-4, "layer_decay": 1.0},
        {"name": "nadam", "lr": 1e-4, "weight_decay": 5e-4, "layer_decay": 1.0},
        {"name": "adamp", "lr": 1e-4, "weight_decay": 5e-4, "layer_decay": 1.0},
        {"name": "sgd", "lr": 1e-2, "weight_decay": 5e-4, "layer_decay": 1.0, "momentum": 0.9},
    ],
    "schedule": [
        {"name": "none"},
        {"name": "warmup", "share": 0.1},
        {"name": "step", "share": 0.25, "factor": 0.5},
        {"name": "exponential", "warmup": 0.1, "final": 0.05},
        {"name": "plateau", "warmup": 0.1, "factor": 0.3, "patience": 0.1},
    ],
    "augmentation": [
        {"name": "none"},
        {"name": "no_hue"},
        {"name": "contrast"},
        {"name": "no_hue_contrast"},
        {"name": "random_gray"},
        {"name": "always_gray"},
        {"name": "noise"},
    ],
    "cutmix": [{"name": "none"}],
    "freeze": [
        {"name": "all"},
        {"name": "front", "share": 0.5},
        {"name": "melt", "after": "share", "share": 0.1, "warmup": 0.1},
        {"name": "melt", "after": "plateau", "share": 0.1, "warmup": 0.1},
    ],
    "label_shift": [58],
    "batch_size": [32],
    "gradient_clip": [1.0],
    "ema": [0.999],
}
STARTS: list[Configuration] = [
    BASE,
    *({**BASE, family: value} for family, values in VARIATIONS.items() for value in values),
]
DEFAULTS = {"trials": len(STARTS), "max_epochs": 30, "scheduler": "none"}


def space(trial: Trial) -> None:
    """Suggest one configuration."""
    suggest_listed(trial, STARTS)
