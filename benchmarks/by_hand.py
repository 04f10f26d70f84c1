"""What the presets do, as one writes it with albumentations: what ours is measured against."""

from typing import Any

from trainable.augmentations.library import A
from trainable.augmentations.photo import (
    BRIGHTNESS,
    ROTATION_DEGREES,
    SHEAR_DEGREES,
    PhotoAugmentation,
)


def by_hand(pipeline: object) -> list[Any]:
    """Return the transforms of albumentations that do what a pipeline of the product does.

    Args:
        pipeline: What an augmentation builds; None, or one of albumentations, is as it is.

    Example:
        >>> from trainable.augmentations.presets import BaseAugmentation
        >>> [type(change).__name__ for change in by_hand(BaseAugmentation().build((128, 96)))]
        ['Affine', 'HorizontalFlip', 'ColorJitter']
        >>> by_hand(None)
        []
    """
    if not isinstance(pipeline, PhotoAugmentation):
        return [] if pipeline is None else [pipeline]
    rotate = (-ROTATION_DEGREES, ROTATION_DEGREES)
    shear = {"x": (-SHEAR_DEGREES, SHEAR_DEGREES), "y": (0, 0)}
    levels = (BRIGHTNESS, pipeline.contrast, pipeline.saturation)
    changes = [
        A.Affine(rotate=rotate, shear=shear, p=1.0),
        A.HorizontalFlip(p=0.5),
        A.ColorJitter(*((1 - by, 1 + by) for by in levels), (-pipeline.hue, pipeline.hue), p=1.0),
    ]
    if pipeline.gray:
        changes.append(A.ToGray(p=pipeline.gray))
    return changes if pipeline.then is None else [*changes, pipeline.then]
