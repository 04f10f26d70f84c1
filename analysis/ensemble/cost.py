"""What a prediction costs: milliseconds an image, measured where the ensemble is chosen."""

import time
from collections.abc import Sequence

import numpy as np
import torch

from analysis.candidate import Candidate
from analysis.member import Member
from trainable.config import TrialConfig
from trainable.data.index import LabelSpace
from trainable.model import build_classifier

BATCH_SIZE = 64
NUM_MEASUREMENTS = 5


def costs_ms(
    candidates: Sequence[Candidate], labels: LabelSpace, device: torch.device
) -> tuple[float, ...]:
    """Return the milliseconds that each candidate takes for an image, in batches of 64.

    Candidates of the same backbone, head and size are measured once: what they have learnt does
    not matter. Decoding the image comes on top, once for all members of a size.

    Args:
        candidates: The candidates.
        labels: Classes and attributes of the data.
        device: Where the ensemble shall run.
    """
    keys = [_architecture(candidate.config) for candidate in candidates]
    of_key = {
        key: _measured_ms(candidate.config, labels, device)
        for key, candidate in dict(zip(keys, candidates, strict=True)).items()
    }
    return tuple(of_key[key] for key in keys)


def _architecture(config: TrialConfig) -> tuple[str, str, tuple[int, int]]:
    head = config.head.model_dump_json(exclude={"dropout"})
    return config.backbone.name, head, config.resize


def _measured_ms(config: TrialConfig, labels: LabelSpace, device: torch.device) -> float:
    model = build_classifier(config, labels, load_pretrained=False).to(device).eval()
    member = Member(config, model, device)
    images = np.zeros((BATCH_SIZE, *config.resize, 3), np.uint8)
    rows = np.arange(BATCH_SIZE)
    member.probabilities(images, rows)  # the first call makes kernels and plans
    # Probabilities arrive on the CPU: the device has finished by then.
    seconds = []
    for _ in range(NUM_MEASUREMENTS):
        start = time.perf_counter()
        member.probabilities(images, rows)
        seconds.append(time.perf_counter() - start)
    return 1_000 * float(np.median(seconds)) / BATCH_SIZE
