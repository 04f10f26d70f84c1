"""A pipeline of one's own: what albumentations' ``save`` wrote, as YAML or JSON."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import field_validator

from trainable.augmentations.base import AugmentationPart
from trainable.augmentations.library import A
from trainable.errors import ConfigError, expected
from trainable.user_paths import absolute_if_there, on_this_machine

FORMATS: dict[str, Literal["json", "yaml"]] = {
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
}


class Custom(AugmentationPart):
    """Custom: an albumentations pipeline from a YAML or JSON file."""

    name: Literal["custom"] = "custom"
    file: str

    @field_validator("file")
    @classmethod
    def _is_absolute(cls, file: str) -> str:
        return absolute_if_there(file)

    def build(self, size: tuple[int, int]) -> A.Compose:
        """Return the pipeline that the file describes.

        Raises:
            ConfigError: If the file is missing, does not describe a pipeline, or describes one
                that changes the size or the type of images.
        """
        pipeline = _load(on_this_machine(self.file))
        _check_output(pipeline, size)
        return pipeline


def _load(file: Path) -> A.Compose:
    if file.suffix not in FORMATS:
        raise ConfigError(_wrong("a .yaml or .json file", file))
    try:
        pipeline = A.load(file, data_format=FORMATS[file.suffix])
    except FileNotFoundError:
        raise ConfigError(_wrong("a file that exists", file)) from None
    # The file is the user's: whatever albumentations makes of it goes back to them.
    except Exception as error:
        raise ConfigError(_wrong(f"a pipeline of albumentations ({error!r})", file)) from error
    return pipeline if isinstance(pipeline, A.Compose) else A.Compose([pipeline])


def _check_output(pipeline: A.Compose, size: tuple[int, int]) -> None:
    result = pipeline(image=np.zeros((*size, 3), np.uint8))["image"]
    if not isinstance(result, np.ndarray) or result.dtype != np.uint8:
        got = getattr(result, "dtype", type(result).__name__)
        raise ConfigError(_wrong("a pipeline that gives uint8 arrays", got))
    if result.shape != (*size, 3):
        raise ConfigError(_wrong(f"a pipeline that keeps [{size[0]}, {size[1]}, 3]", result.shape))


def _wrong(what: str, got: object) -> str:
    remedy = "Write it with albumentations.save(pipeline, file, data_format='yaml')."
    return expected("augmentation/file", what, got, remedy)
