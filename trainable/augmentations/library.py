"""Imports albumentations without its look for a newer version on the network."""

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A  # noqa: N812

__all__ = ["A"]
