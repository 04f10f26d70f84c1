"""A trained network read from its files, ready to predict."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError

from trainable.checkpoint import load_weights
from trainable.config import TrialConfig, parse_config
from trainable.data.index import LabelSpace
from trainable.errors import ConfigError, expected
from trainable.evaluate import BATCH_SIZE, Images, predict_probabilities
from trainable.model import Classifier, build_classifier


@dataclass(frozen=True)
class Member:
    """A trained network on a device.

    Args:
        config: How it was trained.
        model: The network, in evaluation mode.
        device: Where it is.
    """

    config: TrialConfig
    model: Classifier
    device: torch.device

    @property
    def mean(self) -> tuple[float, float, float]:
        """Return the mean that the network subtracts, by channel, in [0, 1]."""
        return _channels(self.model.mean)

    @property
    def std(self) -> tuple[float, float, float]:
        """Return the standard deviation that the network divides by, by channel, in [0, 1]."""
        return _channels(self.model.std)

    def probabilities(
        self, images: Images, rows_N: np.ndarray, *, batch_size: int = BATCH_SIZE
    ) -> np.ndarray:
        """Return class probabilities, float32 [N, num_classes], as in training.

        Args:
            images: Decoded images of the network's size by row number.
            rows_N: int64 [N], the rows to predict.
            batch_size: Images at a time.
        """
        probabilities_NC = predict_probabilities(
            self.model, images, rows_N, device=self.device, batch_size=batch_size
        )
        return np.asarray(probabilities_NC.cpu(), np.float32)


def load_member(
    config_file: Path, weights_file: Path, labels: LabelSpace, device: torch.device
) -> Member:
    """Build the network of a configuration and give it its trained weights.

    Raises:
        ConfigError: If one of the files is missing or damaged, or they do not fit each other.
    """
    config = read_config(config_file)
    model = build_classifier(config, labels, load_pretrained=False)
    try:
        model.load_state_dict(load_weights(weights_file))
    except (OSError, SafetensorError) as error:
        raise ConfigError(expected(str(weights_file), "trained weights", f"'{error}'")) from error
    except RuntimeError as error:
        what = f"the weights of {config.backbone.name} as in {config_file.name}"
        raise ConfigError(expected(str(weights_file), what, "others")) from error
    return Member(config, model.to(device).eval(), device)


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of ``--device``: a GPU where there is one, or the one asked for.

    Raises:
        ConfigError: If a GPU is asked for and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise ConfigError(expected("--device", "a CUDA device", "a machine without"))
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


def read_config(file: Path) -> TrialConfig:
    """Read a trial's ``config.json``.

    Raises:
        ConfigError: If it is missing, damaged, or not a configuration of this version.
    """
    try:
        return parse_config(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ConfigError(expected(str(file), "a configuration", "no file")) from error
    except (OSError, ValueError) as error:
        raise ConfigError(expected(str(file), "a configuration", f"'{error}'")) from error
    except ConfigError as error:
        raise ConfigError([f"{file}: {problem}" for problem in error.problems]) from error


def _channels(buffer: torch.Tensor) -> tuple[float, float, float]:
    red, green, blue = (round(value, 6) for value in (buffer.flatten() / 255).tolist())
    return red, green, blue
