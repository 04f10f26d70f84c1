"""What a GPU is made of: ``python -m benchmarks.gpu``, eight minutes at most.

Three tables, each printed as soon as it is there. Images a second of three backbones at two sizes,
in bfloat16: a trial, timm's own training loop on the same images, and a batch that lies on the
GPU, which is the most there is. The share of the time in which the GPU works with 1, 2, 4 and 8
trials at a time. Trials an hour of the quick search, with ``--gpus-per-trial auto``, and of the
same configurations and epochs as Ray's tutorials write it, a GPU a trial. ``--quick`` is all of it
on less; without a GPU it runs on the CPU, where the figures say nothing. ``--out FILE`` appends
the tables, with date and device, as Markdown.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd
import torch

from benchmarks import gpu_epochs, gpu_packing
from benchmarks.gpu_epochs import Work
from benchmarks.whole_search import seconds_of_both
from trainable.cache_place import default_cache_dir
from trainable.data.prepared import prepare_data
from trainable.errors import first_line

SIZES = ((128, 96), (256, 192))
BACKBONES = ("convnext_small", "swin_base_patch4_window7_224", "efficientnet_b2")
MOST_MINUTES = 8.0


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Args:
        works: What is trained, in the table of speed.
        packed: What each trial trains, in the table of trials at a time.
        at_a_time: Trials at a time.
        seconds: How long each number of them is watched.
        people: People of the data of the first two tables.
        search: People and trials of the search.
    """

    works: tuple[Work, ...]
    packed: Work
    at_a_time: tuple[int, ...]
    seconds: float
    people: int
    search: tuple[int, int]


WHOLE = Scale(
    works=tuple(Work(name, size, 64) for name in BACKBONES for size in SIZES),
    packed=Work("efficientnet_b2", (128, 96), 32),
    at_a_time=(1, 2, 4, 8),
    seconds=8,
    people=200,
    search=(100, 16),
)
QUICK = Scale(
    works=(Work("test_efficientnet", (32, 32), 32, "fp32"),),
    packed=Work("test_efficientnet", (32, 32), 32, "fp32"),
    at_a_time=(1, 2),
    seconds=2,
    people=20,
    search=(20, 3),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="on less, to see that all works")
    parser.add_argument("--minutes", type=float, default=MOST_MINUTES, help="begin nothing after")
    parser.add_argument("--out", type=Path, help="a file to append the tables to")
    options = parser.parse_args()
    has_gpu = torch.cuda.is_available()
    device = torch.device("cuda" if has_gpu else "cpu")
    scale = QUICK if options.quick else WHOLE
    kind = torch.cuda.get_device_name() if has_gpu else "CPU: the figures say nothing"
    parts = [f"## GPU, {datetime.now().astimezone():%Y-%m-%d}, {kind}"]
    print(parts[0], flush=True)
    deadline = time.monotonic() + 60 * options.minutes
    tables: dict[str, Callable[[], pd.DataFrame]] = {
        "Images a second": lambda: speeds(scale, device, deadline),
        "Trials at a time": lambda: packed(scale, device),
        "Trials an hour": lambda: searches(scale, has_gpu=has_gpu),
    }
    for title, measure in tables.items():
        parts += [f"### {title}", _measured(measure, deadline)]
        print("\n".join(["", *parts[-2:]]), flush=True)
    if options.out:
        with options.out.open("a", encoding="utf-8") as file:
            file.write("\n" + "\n\n".join(parts) + "\n")


def _measured(measure: Callable[[], pd.DataFrame], deadline: float) -> str:
    """Return a table as Markdown, or why there is none: the others are measured all the same."""
    if time.monotonic() > deadline:
        return "Not measured: the time was up."
    try:
        return markdown(measure())
    except Exception as error:  # noqa: BLE001 - told in its place
        return f"Not measured: {first_line(error)}"


def speeds(scale: Scale, device: torch.device, deadline: float) -> pd.DataFrame:
    """Return the table of images a second; what the time does not suffice for is left out."""
    data = prepare_data(f"faces:people={scale.people}", cache_dir=default_cache_dir(), seed=0)
    rows = []
    for work in scale.works:
        if time.monotonic() > deadline:
            break
        found = gpu_epochs.rates(work, data, device)
        print(work, {name: round(rate) for name, rate in found.items()}, flush=True)
        rates = {f"{name}, images/s": f"{rate:.0f}" for name, rate in found.items()}
        to_timm, to_ceiling = (found["ours"] / found[name] for name in ("timm", "ceiling"))
        ratios = {"ours to timm": f"{to_timm:.2f} x", "ours to ceiling": f"{to_ceiling:.2f} x"}
        rows.append({"what": str(work), **rates, **ratios})
    return pd.DataFrame(rows)


def packed(scale: Scale, device: torch.device) -> pd.DataFrame:
    """Return the table of trials at a time."""
    found = gpu_packing.table(
        scale.packed,
        f"faces:people={scale.people}",
        at_a_time=scale.at_a_time,
        seconds=scale.seconds,
        device=device,
    )
    to_one = found["images/s"] / found["images/s"].iloc[0]
    return pd.DataFrame(
        {
            f"trials of {scale.packed}": found["trials"].astype(int),
            "images/s, all together": found["images/s"].map("{:.0f}".format),
            "to one trial": to_one.map("{:.2f} x".format),
            "GPU busy": found["busy"].map(lambda share: f"{share:.0%}" if share >= 0 else "?"),
        }
    )


def searches(scale: Scale, *, has_gpu: bool) -> pd.DataFrame:
    """Return the table of trials an hour."""
    people, num_trials = scale.search
    options = ("--gpus-per-trial", "auto") if has_gpu else ()
    [(theirs_s, ours_s)] = seconds_of_both(
        people, num_trials=num_trials, repeats=1, options=options
    )
    hourly = [f"{3600 * num_trials / seconds:.0f}" for seconds in (ours_s, theirs_s)]
    names = ("what", "ours, trials/h", "tutorials, trials/h", "ratio")
    cells = (f"quick search of {num_trials} trials", *hourly, f"{theirs_s / ours_s:.2f} x")
    return pd.DataFrame([dict(zip(names, cells, strict=True))])


def markdown(table: pd.DataFrame) -> str:
    """Return a table of texts as Markdown.

    Example:
        >>> print(markdown(pd.DataFrame({"what": ["a"], "ratio": ["2.00 x"]})))
        | what | ratio |
        | --- | --- |
        | a | 2.00 x |
    """
    rows = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)


if __name__ == "__main__":
    main()
