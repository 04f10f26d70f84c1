"""The training loop: one epoch, in the order of the mathematics."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from trainable.cutmix import Mixer
from trainable.data.batches import Batches
from trainable.data.on_device import moved_ahead
from trainable.errors import TrialError
from trainable.freezing.base import FreezePlan
from trainable.in_parts import InParts
from trainable.losses.base import LossFn
from trainable.model import Classifier
from trainable.precision import Precision
from trainable.schedules.base import Schedule
from trainable.seeds import mixed_seed
from trainable.timm_import import timm

MIXING_STREAM = 2
REPEATED_STREAM = 3


@dataclass(frozen=True)
class Loop:
    """What an epoch of training works with.

    Args:
        model: The network being trained.
        network: What computes logits from the batches: the model, or the rest of it where the
            batches are features.
        ema: Moving average of its weights, or None.
        batches: The training part.
        mixer: Mixes images of a batch and their targets.
        loss: Logits [N, C] and soft targets [N, C] -> mean loss.
        optimizer: Its groups hold ``initial_lr``, which the schedule's factor multiplies.
        schedule: Learning-rate factor by epochs done.
        freeze: Which layers train, and the backbone's own factor where it has just thawed.
        precision: Autocast and gradient scaling.
        parts: How many parts a batch is worked on in, one as long as memory suffices.
        gradient_clip: Largest norm of the gradients, or None.
        num_classes: Number of classes.
        seed: The trial's seed.
    """

    model: Classifier
    network: Callable[[Tensor], Tensor]
    ema: timm.utils.ModelEmaV3 | None
    batches: Batches
    mixer: Mixer
    loss: LossFn
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    freeze: FreezePlan
    precision: Precision
    parts: InParts
    gradient_clip: float | None
    num_classes: int
    seed: int

    def train_epoch(self, epoch: int) -> float:
        """Train one epoch, counted from 0, and return the mean training loss.

        A batch that does not fit into memory is worked on in parts, whose gradients add up to
        those of the whole: mixing, clipping, the step and the average of weights are the batch's.
        Two things are then the part's own: the statistics of batch norms, and what a loss takes
        from the batch as a whole, which among ours is the soft F1's counts by class.

        Raises:
            TrialError: If the loss is not a finite number, the gradients never are, or memory
                does not suffice for the smallest parts.
        """
        total = torch.zeros((), device=self.precision.device)
        for number, (images, targets) in enumerate(self._mixed_batches(epoch)):
            self._set_learning_rate(epoch + (number + 0.5) / len(self.batches))
            losses = self.parts.fitted(
                partial(self._gradients, images, targets),
                num_images=len(images),
                device=self.precision.device,
                start_over=partial(self._start_over, epoch, number),
            )
            self.precision.step(self.optimizer, self.model, self.gradient_clip)
            if self.ema is not None:
                self.ema.update(self.model, step=epoch * len(self.batches) + number + 1)
            for loss, share in losses:
                total.add_(loss, alpha=share)
        self.precision.check(epoch)
        return _finite(total.item() / len(self.batches), epoch)

    def _gradients(
        self, images: Tensor, targets: Tensor, num_parts: int
    ) -> list[tuple[Tensor, float]]:
        """Add up the gradients of a batch; return each part's loss and its share of images."""
        losses = []
        parts = zip(images.tensor_split(num_parts), targets.tensor_split(num_parts), strict=True)
        for part_images, part_targets in parts:
            share = len(part_images) / len(images)
            with self.precision.autocast():
                logits = self.network(part_images)
                loss = self.loss(logits, part_targets)
            self.precision.backward(loss, share)
            losses.append((loss.detach(), share))
        return losses

    def _start_over(self, epoch: int, number: int) -> None:
        """Forget the gradients of a batch that ran out of memory.

        What is drawn from here on does not depend on where that was.
        """
        self.optimizer.zero_grad(set_to_none=True)
        torch.manual_seed(mixed_seed(self.seed, epoch, number, REPEATED_STREAM))

    def learning_rate(self) -> float:
        """Return the learning rate of the head."""
        return float(next(g["lr"] for g in self.optimizer.param_groups if g["is_head"]))

    def _mixed_batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        batches = moved_ahead(self.batches.of_epoch(epoch), self.precision.device)
        for number, (images, labels) in enumerate(batches):
            rng = np.random.default_rng([self.seed, epoch, number, MIXING_STREAM])
            # Not one_hot: on a CPU it looks at the numbers of the labels first.
            targets = torch.zeros(len(labels), self.num_classes, device=labels.device)
            targets.scatter_(1, labels[:, None], 1.0)
            yield images, self.mixer(images, targets, rng)

    def _set_learning_rate(self, epochs_done: float) -> None:
        factor = self.schedule.factor(epochs_done)
        of_backbone = factor * self.freeze.backbone_factor(epochs_done)
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * (factor if group["is_head"] else of_backbone)


def _finite(loss: float, epoch: int) -> float:
    if not math.isfinite(loss):
        raise TrialError(f"train/loss: expected a finite number, got {loss} in epoch {epoch + 1}.")
    return loss
