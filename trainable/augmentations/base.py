"""What every augmentation has in common: uint8 RGB [H, W, 3] in and out, never resized."""

from abc import abstractmethod

from trainable.augmentations.library import A
from trainable.part import Part


class AugmentationPart(Part):
    """An augmentation of training images."""

    @abstractmethod
    def build(self, size: tuple[int, int]) -> A.Compose | None:
        """Return the pipeline for images of this height and width, None if it does nothing."""
