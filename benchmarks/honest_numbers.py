"""Are the numbers of an ensemble honest? ``python -m benchmarks.honest_numbers --searches 20``.

Runs small searches on drawn people, each with people of its own, makes an ensemble of each as
``python -m analysis.ensemble`` does, and scores best member and ensemble on 2,000 people drawn
anew. Writes a row a search to ``benchmarks/honest/faces.csv``: what is there already is not done
again, so that it can be interrupted. With ``--runs-dir`` the searches stay, and the numbers can be
made anew from them. Then prints how far validation, cross-fitted and test scores are from the
truth, how often the 90 % intervals hold it, and what the ensemble gains.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

# Threads that wait for each other take the other trials' cores; read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pandas as pd
from scipy.stats import t

from analysis.candidate import Candidate
from analysis.ensemble.choosing import choose
from analysis.ensemble.honest import BEST, ENSEMBLE, honest_numbers
from analysis.ensemble.pool import read_pool
from analysis.ensemble.selection.greedy import Greedy
from analysis.exporting import export_members
from analysis.member import choose_device, load_member
from analysis.run_folder import RunFolder
from benchmarks.honest_figure import bias_figure
from trainable.cache_place import default_cache_dir
from trainable.data.prepared import PreparedData, prepare_data
from trainable.metrics import score
from trainable.run_files import REPORT_FILE

ROWS = Path(__file__).parent / "honest" / "faces.csv"
FIGURE = Path(__file__).parents[1] / "docs" / "honest.svg"
SPACE = Path(__file__).parents[1] / "spaces" / "quick.py"
# No search draws its people with this seed.
SEED_OF_NEW_PEOPLE = 1_000_000
PARTS = ("val", "crossfit", "test")
CONFIDENCE = 0.9


def main() -> None:
    """Run what is missing, then print the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=20)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--new-people", type=int, default=2_000)
    parser.add_argument("--out", type=Path, default=ROWS)
    parser.add_argument("--figure", type=Path, default=FIGURE)
    parser.add_argument("--runs-dir", type=Path, help="keep the searches there, use those there")
    options = parser.parse_args()
    source = f"faces:people={options.new_people},seed={SEED_OF_NEW_PEOPLE}"
    new_people = prepare_data(source, cache_dir=default_cache_dir(), seed=0)
    done = set(pd.read_csv(options.out)["seed"]) if options.out.exists() else set()
    for seed in (seed for seed in range(options.searches) if seed not in done):
        with TemporaryDirectory() as folder:
            run = searched(options.runs_dir or Path(folder), seed, options)
            _append(options.out, {"seed": seed, **numbers_of(RunFolder(run), new_people)})
        print(f"search {seed} done", flush=True)
    rows = pd.read_csv(options.out)
    biases = bias_table(rows)
    for table in (biases, gain_table(rows)):
        print(table.round(4).to_string(index=False))
    if len(rows) > 1:
        options.figure.write_text(bias_figure(biases), encoding="utf-8")


def searched(folder: Path, seed: int, options: argparse.Namespace) -> Path:
    """Run a search with people of its own, or go on with it, and return its folder.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    name = f"seed{seed}"
    if (folder / name / REPORT_FILE).is_file():
        return folder / name  # what a search writes last
    arguments: dict[str, object] = {
        "--space": SPACE,
        "--data": f"faces:people={options.people},seed={seed}",
        "--trials": options.trials,
        "--max-epochs": options.epochs,
        "--seed": seed,
        "--runs-dir": folder,
        "--name": name,
    }
    if (folder / name).exists():
        arguments = {"--resume": folder / name}
    words = [str(word) for pair in arguments.items() for word in pair]
    command = [sys.executable, "-m", "search.run", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own command
    return folder / name


def numbers_of(run: RunFolder, new_people: PreparedData) -> dict[str, float]:
    """Return what is reported of a search's best member and ensemble, and what is true.

    Returns:
        ``WHAT/PART`` for ``best member`` and ``ensemble`` and the parts ``val``, ``crossfit`` and
        ``test``, with ``/low`` and ``/high`` of its interval; ``WHAT/truth`` on the new people.
    """
    choice = choose(read_pool([run]), Greedy())
    cross_fitted = choice.cross_fitted_scores(choice.method)
    with TemporaryDirectory() as folder:
        out = Path(folder, "bundle")
        exported = export_members(choice.pool.data, choice.members, out, chosen="")
    table = honest_numbers(choice, cross_fitted, exported)
    row: dict[str, float] = {"num_members": len(choice.members)}
    for part, what, value, low, high in table.itertuples(index=False):
        row |= {f"{what}/{part}": value, f"{what}/{part}/low": low, f"{what}/{part}/high": high}
    ensembles = {BEST: [(choice.best, 1.0)], ENSEMBLE: choice.members}
    truth = true_scores(ensembles, new_people)
    return row | {f"{what}/truth": value for what, value in truth.items()}


def true_scores(
    ensembles: Mapping[str, Sequence[tuple[Candidate, float]]], people: PreparedData
) -> dict[str, float]:
    """Return the macro F1 of weighted averages on people whom no search has seen, by name."""
    import torch

    said: dict[str, np.ndarray] = {}
    scores = {}
    for name, members in ensembles.items():
        for candidate, _ in members:
            if candidate.name not in said:
                said[candidate.name] = _predicted(candidate, people)
        average = sum(np.float32(weight) * said[of.name] for of, weight in members)
        labels = torch.from_numpy(people.labels().copy())
        scores[name] = score(torch.from_numpy(average), labels, people.label_space)["f1"]
    return scores


def _predicted(candidate: Candidate, people: PreparedData) -> np.ndarray:
    files = (candidate.config_file, candidate.weights())
    member = load_member(*files, people.label_space, choose_device())
    rows = np.arange(len(people.index))
    return member.probabilities(people.images(member.config.resize), rows)


def bias_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how far each estimate is from the truth.

    Args:
        rows: A row a search, as ``numbers_of`` returns them.

    Returns:
        A row a predictor and estimate with the columns ``what``, ``part``, ``bias`` (mean of
        estimate less truth over the searches), ``bias_low`` and ``bias_high`` (its 90 % interval),
        ``spread`` (standard deviation of estimate less truth) and ``coverage`` (share of the
        searches whose 90 % interval holds the truth).
    """
    cells = []
    for what in (BEST, ENSEMBLE):
        truth = rows[f"{what}/truth"]
        for part in PARTS:
            error = rows[f"{what}/{part}"] - truth
            low, high = mean_interval(error)
            inside = truth.between(rows[f"{what}/{part}/low"], rows[f"{what}/{part}/high"])
            cells.append((what, part, error.mean(), low, high, error.std(), inside.mean()))
    columns = ["what", "part", "bias", "bias_low", "bias_high", "spread", "coverage"]
    return pd.DataFrame(cells, columns=columns)


def gain_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what the ensemble gains over the best member.

    Returns:
        A row on the test part and one on the new people with the columns ``on``, ``gain`` (mean
        over the searches), ``gain_low``, ``gain_high`` (its 90 % interval), ``share_better``.
    """
    cells = []
    for on in ("test", "truth"):
        gain = rows[f"{ENSEMBLE}/{on}"] - rows[f"{BEST}/{on}"]
        cells.append((on, gain.mean(), *mean_interval(gain), (gain > 0).mean()))
    return pd.DataFrame(cells, columns=["on", "gain", "gain_low", "gain_high", "share_better"])


def mean_interval(values: pd.Series) -> tuple[float, float]:
    """Return the 90 % interval of a mean, by Student's t; NaN for a single value."""
    numbers = values.to_numpy(float)
    if len(numbers) < 2:
        return np.nan, np.nan
    quantile = float(t.ppf((1 + CONFIDENCE) / 2, len(numbers) - 1))
    half = quantile * float(np.std(numbers, ddof=1)) / len(numbers) ** 0.5
    return float(numbers.mean()) - half, float(numbers.mean()) + half


def _append(path: Path, row: dict[str, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame([row]).to_csv(path, mode="a", header=not path.exists(), index=False)


if __name__ == "__main__":
    main()
