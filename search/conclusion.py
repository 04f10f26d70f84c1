"""The end of a search: the ranking, an honest score of the winner, and what to do next."""

import shlex
from pathlib import Path

from rich.console import Console

from analysis.leaderboard import print_leaderboard, write_leaderboard
from analysis.run_folder import RunFolder
from analysis.scoring import test_scores
from search.plan import SearchPlan
from trainable.errors import SearchError
from trainable.trial_folder import trial_id

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
    for line in ("", *_score_lines(plan, run, winner), "", *_what_now(plan.run_folder, path)):
        console.print(line, markup=False, soft_wrap=True)


def _score_lines(plan: SearchPlan, run: RunFolder, winner: int) -> list[str]:
    if not len(plan.data.rows("test")):
        return ["The data has no test part: no score on images that the search has not seen."]
    scores = test_scores(run, winner)
    rows = plan.data.rows("test")
    people = plan.data.index.table["person"].iloc[rows].nunique()
    of_people = "" if people == len(rows) else f" of {people:,} people"
    return [
        f"Trial {trial_id(winner)} on the test part, {len(rows):,} images{of_people} that the "
        "search has not seen:",
        f"macro F1 {scores['test/f1']:.4f}, accuracy {scores['test/accuracy']:.4f}, "
        f"loss {scores['test/loss']:.4f}.",
    ]


def _what_now(run_folder: Path, leaderboard: Path) -> list[str]:
    run = shlex.quote(str(run_folder))
    return [
        f"Written: {run_folder} (trials, study.db, {leaderboard.name})",
        f"Next:    python -m analysis.export {run} --top 3 --out {run}/export",
    ]
