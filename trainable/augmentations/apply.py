"""Augments an image with randomness that is a function of a key and of nothing else."""

import random

import numpy as np

from trainable.augmentations.base import Pipeline


def augment(pipeline: Pipeline, image: np.ndarray, generator_key: tuple[int, ...]) -> np.ndarray:
    """Return the image as the pipeline changes it under this key.

    The same key gives the same bits, in whatever order and in whatever process images come. All
    transforms draw from one stream: seeding each alike would tie them together, as in flipping
    exactly the bright images.

    Args:
        pipeline: What to draw and apply. Its random state is replaced; do not share it between
            threads.
        image: uint8 RGB [H, W, 3].
        generator_key: Non-negative numbers that tell this draw from all others, such as (seed,
            epoch, sample).

    Returns:
        uint8 RGB [H, W, 3], a new array.
    """
    generator = np.random.default_rng(generator_key)
    python_random = random.Random(int(generator.integers(2**63)))  # noqa: S311
    pipeline.set_random_state(generator, python_random)
    augmented: np.ndarray = pipeline(image=image)["image"]
    return augmented
