"""A search as Ray's PyTorch, Optuna and ASHA tutorials write one: what ours is measured against.

``python -m benchmarks.tutorial TRIALS.json RUN`` trains the configurations of a search, each for
as many epochs as it was trained for there. As in the tutorials: a training function, a data
loader over image files decoded by PIL, augmentation by albumentations, ``loss.item()`` a step, F1
by torchmetrics, ``tune.report`` with a checkpoint an epoch, ``ASHAScheduler``, and Ray's defaults.

Network, loss, optimizer, schedule, sampler and mixing are the product's own, channels_last and
fused steps included, so that the work is the same; the tutorials' would be slower. Only what
decides is replaced: the configurations come from a list in place of ``OptunaSearch``, and ASHA's
grace is the longest training.

References:
    https://docs.ray.io/en/latest/tune/examples/tune-pytorch-cifar.html,
    https://docs.ray.io/en/latest/tune/examples/optuna_example.html
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
from PIL import Image
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's name for it
from torch.utils.data import DataLoader, Dataset

from benchmarks.by_hand import by_hand
from trainable.augmentations.library import A
from trainable.config import parse_config
from trainable.data.prepared import PreparedData, read_data
from trainable.freezing.apply import apply_freeze
from trainable.model import Classifier, build_classifier
from trainable.timm_import import import_torchvision

import_torchvision()  # torchmetrics imports it too

from torchmetrics.classification import MulticlassF1Score  # noqa: E402


class Photos(Dataset[tuple[Tensor, int]]):
    """Image files, decoded and augmented each time they are asked for.

    Args:
        data: The images.
        rows: int64 [N], which of them.
        size: Height and width.
        augmentation: An albumentations pipeline, or None.
    """

    def __init__(
        self,
        data: PreparedData,
        rows: np.ndarray,
        *,
        size: tuple[int, int],
        augmentation: Any = None,  # noqa: ANN401 - albumentations has no types
    ) -> None:
        self.paths = [data.index.root / path for path in data.index.table["path"].iloc[rows]]
        self.labels = data.labels()[rows]
        self.size = size
        self.augmentation = augmentation

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.paths)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        """Return an image uint8 [H, W, 3] and its class number."""
        height, width = self.size
        with Image.open(self.paths[number]) as file:
            pixels = np.asarray(file.convert("RGB").resize((width, height)))
        if self.augmentation is not None:
            pixels = self.augmentation(image=pixels)["image"]
        return torch.from_numpy(np.ascontiguousarray(pixels)), int(self.labels[number])


def train(config: dict[str, Any]) -> None:
    """Train a configuration: the training function of the tutorials.

    Args:
        config: ``trial`` with the hyperparameters under ``config`` and the number of ``epochs`` to
            train, ``run_folder``, whose data is used, and ``stamps``, a file for times, or None.
    """
    trial = parse_config(config["trial"]["config"])
    data = read_data(Path(config["run_folder"]))
    num_classes = data.label_space.num_classes
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = build_classifier(trial, data.label_space, load_pretrained=True).to(device)
    groups = model.layer_groups()
    optimizer = trial.optimizer.build(groups)
    schedule, freeze = trial.schedule.build(trial.epochs), trial.freeze.build(trial.epochs)
    loss_fn, mixer = trial.loss.build(), trial.cutmix.build()
    train_rows, val_rows = data.rows("train"), data.rows("val")
    augmentation = A.Compose(by_hand(trial.augmentation.build(trial.resize)))
    photos = Photos(data, train_rows, size=trial.resize, augmentation=augmentation)
    sampler = trial.sampler.build(photos.labels, num_classes=num_classes, seed=trial.seed)
    val_loader = DataLoader(Photos(data, val_rows, size=trial.resize), batch_size=256)
    for epoch in range(config["trial"]["epochs"]):
        order: list[int] = sampler.draw(epoch).tolist()
        loader = DataLoader(photos, trial.batch_size, sampler=order, drop_last=True)
        apply_freeze(model, groups, freeze.first_trainable(epoch, len(groups)))
        running_loss = 0.0
        for number, (on_host, labels) in enumerate(loader):
            images = on_host.to(device)
            if epoch == number == 0:
                stamp(config["stamps"], "first batch")
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * schedule.factor(epoch + number / len(loader))
            targets = F.one_hot(labels.to(device), num_classes).float()
            targets = mixer(images, targets, np.random.default_rng([trial.seed, epoch, number]))
            optimizer.zero_grad()
            loss = loss_fn(model(images), targets)
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
            optimizer.step()
            running_loss += loss.item()
        with tempfile.TemporaryDirectory() as folder:
            state = (model.state_dict(), optimizer.state_dict())
            torch.save(state, Path(folder, "checkpoint.pt"))
            f1 = validated(model, val_loader, num_classes=num_classes)
            metrics = {"f1": f1, "loss": running_loss / len(loader)}
            if epoch + 1 == config["trial"]["epochs"]:
                stamp(config["stamps"], "end")  # ASHA ends the function in its last report
            tune.report(metrics, checkpoint=tune.Checkpoint.from_directory(folder))


@torch.no_grad()
def validated(model: Classifier, loader: DataLoader[Any], *, num_classes: int) -> float:
    """Return the macro F1 of a network."""
    model.eval()
    device = next(model.parameters()).device
    metric = MulticlassF1Score(num_classes, average="macro").to(device)
    for images, labels in loader:
        metric.update(model(images.to(device)).argmax(dim=1), labels.to(device))
    return float(metric.compute())


def stamp(file: str | None, what: str) -> None:
    """Add the time at which something happened to a file of times."""
    if file is not None:
        with Path(file).open("a") as stamps:
            stamps.write(f"{time.time()},{what}\n")


def search(
    trials: Sequence[dict[str, Any]],
    run_folder: Path,
    *,
    concurrent: int,
    stamps: Path | None = None,
) -> None:
    """Train configurations on a Ray of this machine.

    Args:
        trials: ``config`` (flat hyperparameters) and ``epochs`` of each.
        run_folder: Run folder of a search, whose data is used.
        concurrent: Trials at a time.
        stamps: A file for times.
    """
    longest = max(trial["epochs"] for trial in trials)
    ray.init(address="local", num_cpus=concurrent, log_to_driver=False)
    # As in the tutorials, a trial has a GPU to itself where there is one.
    resources = {"cpu": 1, "gpu": 1} if torch.cuda.is_available() else {"cpu": 1}
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(train, resources),
            param_space={
                "trial": tune.grid_search(list(trials)),
                "run_folder": str(run_folder.resolve()),
                "stamps": str(stamps) if stamps else None,
            },
            tune_config=tune.TuneConfig(
                metric="f1",
                mode="max",
                scheduler=ASHAScheduler(max_t=longest, grace_period=longest),
            ),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        best = tuner.fit().get_best_result()
        print(f"best F1 {best.metrics['f1']:.4f}")
    ray.shutdown()


def main() -> None:
    """Train the configurations of a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", type=Path)
    parser.add_argument("run_folder", type=Path)
    parser.add_argument("--concurrent", type=int, default=2)
    options = parser.parse_args()
    trials = json.loads(options.trials.read_text())
    search(trials, options.run_folder, concurrent=options.concurrent)


if __name__ == "__main__":
    main()
