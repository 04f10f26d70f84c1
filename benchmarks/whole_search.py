"""How long does a whole search take? ``python -m benchmarks.whole_search``.

The quick search of 16 trials, as a user starts it, against the same configurations with the same
epochs in a search written as Ray's tutorials do (``benchmarks/tutorial.py``). Both are timed from
the start of their process to its end, with as many trials at a time as there are cores. Ours
decodes the images anew, and ends with leaderboard, ensemble and report; theirs has none of that.
By default the data has 100 people, to take minutes; ``--people 600`` is the quick search itself.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from analysis.run_folder import RunFolder
from analysis.study_file import CONFIG
from benchmarks.side_by_side import in_turns, row
from trainable.cpus import usable_cpus
from trainable.data.prepared import prepare_data

SPACE = Path(__file__).parents[1] / "spaces" / "quick.py"
GOAL = 3
DERIVED = ("decoded", "scans")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    rows = _table(options.people, num_trials=options.trials, repeats=options.repeats)
    print(rows.to_string(index=False))


def table(*, quick: bool = False) -> pd.DataFrame:
    """Return the row of a whole search."""
    return _table(20, num_trials=3, repeats=1) if quick else _table(100, num_trials=16, repeats=1)


def _table(people: int, *, num_trials: int, repeats: int) -> pd.DataFrame:
    return row(
        f"whole quick search, {num_trials} trials, {people} people",
        "the same configurations and epochs as Ray's PyTorch + Optuna + ASHA tutorials write it",
        seconds_of_both(people, num_trials=num_trials, repeats=repeats),
        goal=f"{GOAL} x",
        at_least=GOAL,
    )


def seconds_of_both(
    people: int, *, num_trials: int, repeats: int, options: Sequence[str] = ()
) -> list[tuple[float, float]]:
    """Return the seconds of a search as the tutorials write it, and of ours, a pair a repeat.

    Args:
        people: How many its data has.
        num_trials: Its trials.
        repeats: How often each is run.
        options: More options of ours.
    """
    source = f"faces:people={people}"
    with TemporaryDirectory() as text:
        folder = Path(text)
        prepare_data(source, cache_dir=folder / "cache", seed=0)  # so that the people are drawn
        recorded = folder / "recorded"
        trials = folder / "trials.json"
        chosen = ("--trials", str(num_trials), *options)
        # The first search says what is trained; as it is timed, theirs comes after it.
        first_s = searched(recorded, folder / "cache", source, chosen)
        trials.write_text(json.dumps(trained(RunFolder(recorded))))

        def ours() -> float:
            nonlocal first_s
            if first_s:
                took, first_s = first_s, 0.0
                return took
            run = folder / "again"
            shutil.rmtree(run, ignore_errors=True)
            return searched(run, folder / "cache", source, chosen)

        def theirs() -> float:
            command = [sys.executable, "-m", "benchmarks.tutorial", str(trials), str(recorded)]
            return seconds_of([*command, "--concurrent", str(usable_cpus())])

        pairs = in_turns(ours, theirs, repeats=repeats)
    print(f"theirs and ours, seconds: {pairs}")
    return pairs


def searched(run: Path, cache_dir: Path, source: str, options: Sequence[str]) -> float:
    """Run our search into a folder and return the seconds it took."""
    for name in DERIVED:
        shutil.rmtree(cache_dir / name, ignore_errors=True)
    arguments = {
        "--space": SPACE,
        "--data": source,
        "--cache-dir": cache_dir,
        "--runs-dir": run.parent,
        "--name": run.name,
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    return seconds_of([sys.executable, "-m", "search.run", *words, *options])


def trained(run: RunFolder) -> list[dict[str, Any]]:
    """Return the configuration of each trial and the epochs that it was trained for."""
    return [
        {"config": trial.user_attrs[CONFIG], "epochs": max(trial.intermediate_values)}
        for trial in run.trials
        if trial.intermediate_values
    ]


def seconds_of(command: Sequence[str]) -> float:
    """Run a command and return its seconds.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own command
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
