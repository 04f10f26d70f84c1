"""The training loop: one epoch, in the order of the mathematics."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's name for it

from trainable.cutmix import Mixer
from trainable.data.batches import Batch, TrainingBatches
from trainable.errors import TrialError
from trainable.freezing.base import FreezePlan
from trainable.losses.base import LossFn
from trainable.model import Classifier
from trainable.precision import Precision
from trainable.schedules.base import Schedule
from trainable.timm_import import timm

MIXING_STREAM = 2


@dataclass(frozen=True)
class Loop:
    """What an epoch of training works with.

    Args:
        model: The network being trained.
        ema: Moving average of its weights, or None.
        batches: The training part.
        mixer: Mixes images of a batch and their targets.
        loss: Logits [N, C] and soft targets [N, C] -> mean loss.
        optimizer: Its groups hold ``initial_lr``, which the schedule's factor multiplies.
        schedule: Learning-rate factor by epochs done.
        freeze: Which layers train, and the backbone's own factor where it has just thawed.
        precision: Autocast and gradient scaling.
        gradient_clip: Largest norm of the gradients, or None.
        num_classes: Number of classes.
        seed: The trial's seed.
    """

    model: Classifier
    ema: timm.utils.ModelEmaV3 | None
    batches: TrainingBatches
    mixer: Mixer
    loss: LossFn
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    freeze: FreezePlan
    precision: Precision
    gradient_clip: float | None
    num_classes: int
    seed: int

    def train_epoch(self, epoch: int) -> float:
        """Train one epoch, counted from 0, and return the mean training loss.

        Raises:
            TrialError: If the loss is not a finite number.
        """
        total = torch.zeros((), device=self.precision.device)
        for number, (images, targets) in enumerate(self._mixed_batches(epoch)):
            self._set_learning_rate(epoch + (number + 0.5) / len(self.batches))
            with self.precision.autocast():
                logits = self.model(images)
                loss = self.loss(logits, targets)
            self.precision.backward(loss)
            self.precision.step(self.optimizer, self.model, self.gradient_clip)
            if self.ema is not None:
                self.ema.update(self.model, step=epoch * len(self.batches) + number + 1)
            total += loss.detach()
        return _finite(total.item() / len(self.batches), epoch)

    def learning_rate(self) -> float:
        """Return the learning rate of the head."""
        return float(next(g["lr"] for g in self.optimizer.param_groups if g["is_head"]))

    def _mixed_batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        for number, batch in enumerate(self.batches.of_epoch(epoch)):
            rng = np.random.default_rng([self.seed, epoch, number, MIXING_STREAM])
            yield self._mixed(batch, rng)

    def _mixed(self, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        device = self.precision.device
        images = batch.images.to(device, non_blocking=True)
        labels = batch.labels.to(device, non_blocking=True)
        targets = F.one_hot(labels, self.num_classes).float()
        return images, self.mixer(images, targets, rng)

    def _set_learning_rate(self, epochs_done: float) -> None:
        factor = self.schedule.factor(epochs_done)
        of_backbone = factor * self.freeze.backbone_factor(epochs_done)
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * (factor if group["is_head"] else of_backbone)


def _finite(loss: float, epoch: int) -> float:
    if not math.isfinite(loss):
        raise TrialError(f"train/loss: expected a finite number, got {loss} in epoch {epoch + 1}.")
    return loss
