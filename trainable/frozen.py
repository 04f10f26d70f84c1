"""Epochs that train the head alone, on features of the frozen backbone that are computed once.

While nothing of the backbone is trained, it is as in evaluation, and what it makes of an image is
a function of its weights and of the image. Where training neither augments nor mixes images, the
head is trained on these features, kept; and it is always validated on them. They are computed in
batches of ``BATCH_SIZE`` in the order of the data, which an interrupted trial does again.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from trainable.backbones import num_features
from trainable.cutmix import leave
from trainable.data.on_device import KeptRows
from trainable.evaluate import Pixels, in_batches
from trainable.kernels import EVALUATION
from trainable.loop import Loop
from trainable.memory import Kept
from trainable.model import Classifier

# Of 1,280 numbers an image, 2 % of 64 GB hold 250,000. What takes more is computed every epoch.
KEPT_FEATURES = Kept(share=0.02)
BYTES_OF_FLOAT32 = 4


@dataclass(frozen=True)
class FrozenBackbone:
    """What a backbone makes of images, of use as long as nothing of it is trained.

    Args:
        model: The network; its backbone is in evaluation mode and does not change any more.
        images: All images, by row.
        name: Tells images, their size and the kind of backbone from all others of this process.
    """

    model: Classifier
    images: Pixels
    name: Hashable

    def loop(self, loop: Loop, rows: np.ndarray) -> Loop:
        """Return the loop of an epoch that trains the head alone.

        Args:
            loop: The loop of any epoch.
            rows: int64 [num_train], rows of the training part.
        """
        if loop.mixer is leave and loop.batches.as_stored:
            kept = self._kept(rows, loop.precision.name, partial(self._as_trained, loop, rows))
            if kept is not None:
                batches = loop.batches.of_kept(kept, np.arange(len(rows)))
                return replace(loop, network=self.model.classify, batches=batches)
        return replace(loop, network=self.model.with_frozen_backbone)

    def for_evaluation(self, rows: np.ndarray) -> KeptRows | None:
        """Return features by position in the rows, or None where they have no room."""
        kept = self._kept(rows, "evaluation", partial(self._as_evaluated, rows))
        return None if kept is None else KeptRows(kept)

    def _kept(self, rows: np.ndarray, use: str, compute: Callable[[], Tensor]) -> Tensor | None:
        return KEPT_FEATURES.get(
            (self.name, self._weights, use, rows.tobytes(), str(self._device)),
            compute,
            num_bytes=len(rows) * num_features(self.model.backbone) * BYTES_OF_FLOAT32,
            device=self._device,
        )

    @torch.inference_mode()
    def _as_trained(self, loop: Loop, rows: np.ndarray) -> Tensor:
        with loop.precision.autocast():
            return in_batches(self.model.features, self.images, rows, device=self._device)

    @torch.inference_mode()
    def _as_evaluated(self, rows: np.ndarray) -> Tensor:
        with EVALUATION.in_use():
            return in_batches(self.model.features, self.images, rows, device=self._device)

    @property
    def _device(self) -> torch.device:
        return self.model.mean.device

    @cached_property
    def _weights(self) -> bytes:
        """The hash of the backbone's weights."""
        digest = blake2b(digest_size=16)
        for name, tensor in self.model.backbone.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.digest()
