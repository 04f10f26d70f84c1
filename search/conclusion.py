"""The end of a search: the ranking, an honest score of the winner, and what to do next."""

import shlex
from pathlib import Path

import torch
from rich.console import Console

from analysis.leaderboard import print_leaderboard, write_leaderboard
from analysis.member import choose_device, load_member
from analysis.run_folder import RunFolder
from search.plan import SearchPlan
from trainable.data.prepared import PreparedData
from trainable.errors import SearchError
from trainable.metrics import score
from trainable.trial_folder import TrialFolder, trial_id

SHOWN_TRIALS = 10


def conclude(plan: SearchPlan, console: Console) -> None:
    """Print and write the leaderboard, score the winner on the test part, say what to do next.

    Raises:
        SearchError: If no trial has a value.
    """
    run = RunFolder(plan.run_folder)
    console.print()
    table = print_leaderboard(console, [run], top=SHOWN_TRIALS)
    path = write_leaderboard(run)
    ranked = table[table["rank"].notna()]
    if ranked.empty:
        raise SearchError(f"{plan.run_folder}: no trial has a value; why: trials/*/error.txt.")
    winner = int(ranked.iloc[0]["trial"])
    for line in ("", *_score_lines(plan, winner), "", *_what_now(plan.run_folder, path)):
        console.print(line, markup=False, soft_wrap=True)


def _score_lines(plan: SearchPlan, winner: int) -> list[str]:
    if not len(plan.data.rows("test")):
        return ["The data has no test part: the winner has no score on people never seen."]
    scores = test_scores(plan.run_folder, winner, plan.data)
    people = plan.data.index.table["person"].iloc[plan.data.rows("test")].nunique()
    return [
        f"Trial {trial_id(winner)} on the test part ({people} people never seen by the search): "
        f"macro F1 {scores['f1']:.4f}, accuracy {scores['accuracy']:.4f}, "
        f"loss {scores['loss']:.4f}."
    ]


def test_scores(run_folder: Path, number: int, data: PreparedData) -> dict[str, float]:
    """Return the metrics of a trial's best weights on the test part; see ``metrics.score``."""
    folder = TrialFolder.of(run_folder, number)
    member = load_member(folder.config, folder.best_weights, data.label_space, choose_device())
    rows = data.rows("test")
    probabilities = member.probabilities(data.images(member.config.resize), rows)
    labels = torch.from_numpy(data.labels()[rows])
    return score(torch.from_numpy(probabilities), labels, data.label_space)


def _what_now(run_folder: Path, leaderboard: Path) -> list[str]:
    run = shlex.quote(str(run_folder))
    return [
        f"Written: {run_folder} (trials, study.db, {leaderboard.name})",
        f"Next:    python -m analysis.export {run} --top 3 --out {run}/export",
    ]
