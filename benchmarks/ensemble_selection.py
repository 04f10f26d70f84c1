"""How long does greedy selection take? ``python -m benchmarks.ensemble_selection``.

Hands out votes among simulated candidates, 1,000 of them by default on 4,000 images of 18 classes,
once with the product's selection and once with the straightforward loop: for every vote and every
candidate, average and call torchmetrics. The loop is timed on its first votes and multiplied.
Times are those of one core, whatever else runs on the machine.
"""

import argparse
import os
import time
from collections.abc import Sequence

# Threads that wait for each other cost more than they give; read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from analysis.ensemble.ballot import Ballot
from analysis.ensemble.selection.greedy import Greedy
from analysis.estimates.labelled import Labelled
from analysis.estimates.stack import Stack
from benchmarks.side_by_side import row
from trainable.data.index import LabelSpace
from trainable.timm_import import import_torchvision

import_torchvision()  # torchmetrics imports it too

from torchmetrics.functional.classification import multiclass_f1_score  # noqa: E402

NUM_CLASSES = 18
IMAGES_A_PERSON = 7
GOAL = 50


def main() -> None:
    """Simulate, select both ways, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=1_000)
    parser.add_argument("--images", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--loop-rounds", type=int, default=2)
    options = parser.parse_args()
    took = measured(options.candidates, options.images, options.rounds, options.loop_rounds)
    print(_row(options.candidates, [took]).to_string(index=False))


def table(*, quick: bool = False) -> pd.DataFrame:
    """Return the row of greedy selection."""
    if quick:
        return _row(100, [measured(100, 500, num_rounds=10, num_loop_rounds=1)])
    return _row(
        1_000, [measured(1_000, 4_000, num_rounds=30, num_loop_rounds=2) for _ in range(2)]
    )


def _row(num_candidates: int, pairs: Sequence[tuple[float, float]]) -> pd.DataFrame:
    return row(
        f"ensemble selection among {num_candidates:,} candidates",
        "a straightforward loop on torchmetrics",
        pairs,
        goal=f"{GOAL} x",
        at_least=GOAL,
    )


def measured(
    num_candidates: int, num_images: int, num_rounds: int, num_loop_rounds: int
) -> tuple[float, float]:
    """Select both ways; return the seconds of the loop and of the product's selection."""
    candidates, images = simulated(num_candidates, num_images)
    greedy = Greedy(rounds=num_rounds, max_members=num_rounds, start=1)
    start = time.process_time()
    ballot = Ballot(Stack.of(candidates), images, "f1", ("net",) * len(candidates))
    selection = greedy.select(ballot)
    fast_s = time.process_time() - start
    torch.set_num_threads(1)
    start = time.process_time()
    order = straightforward(candidates, images.labels, num_rounds=num_loop_rounds)
    slow_s = (time.process_time() - start) / num_loop_rounds * num_rounds
    assert order == [step.added for step in selection.steps[:num_loop_rounds]]
    print(
        f"selection {fast_s:.1f} s, straightforward loop {slow_s:.0f} s; macro F1 "
        f"{ballot.goodness_of_each.max():.4f} alone, {selection.goodness:.4f} together"
    )
    return slow_s, fast_s


def simulated(num_candidates: int, num_images: int) -> tuple[np.ndarray, Labelled]:
    """Return candidates that are right on about three images in four, and know it.

    Returns:
        float32 [num_candidates, num_images, num_classes], and the images.
    """
    rng = np.random.default_rng(0)
    labels_N = rng.integers(0, NUM_CLASSES, num_images)
    shape = (num_candidates, num_images, NUM_CLASSES)
    # How hard an image is for all of them, and what each makes of it.
    logits = 1.2 * rng.standard_normal(shape[1:], np.float32)
    logits = logits + rng.standard_normal(shape, np.float32)
    logits[:, np.arange(num_images), labels_N] += rng.uniform(3, 4, (num_candidates, 1))
    odds = np.exp(2 * logits, out=logits)
    odds /= odds.sum(axis=2, keepdims=True)
    people_N = np.arange(num_images) // IMAGES_A_PERSON
    return odds, Labelled(labels_N, people_N, {}, LabelSpace(tuple(map(str, range(NUM_CLASSES)))))


def straightforward(
    candidates_MNC: np.ndarray, labels_N: np.ndarray, *, num_rounds: int
) -> list[int]:
    """Return which candidates a loop over all of them gives the votes to."""
    votes, labels = torch.from_numpy(candidates_MNC), torch.from_numpy(labels_N)
    order: list[int] = []
    total = torch.zeros_like(votes[0])
    for number in range(num_rounds):
        averages = ((total + vote) / (number + 1) for vote in votes)
        scores = [multiclass_f1_score(average, labels, NUM_CLASSES) for average in averages]
        order.append(int(torch.stack(scores).argmax()))
        total = total + votes[order[-1]]
    return order


if __name__ == "__main__":
    main()
