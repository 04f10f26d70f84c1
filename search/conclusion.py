"""The end of a search: the ranking, an ensemble with honest numbers, and what to do next."""

from pathlib import Path

from rich.console import Console
from rich.filesize import decimal

from analysis.ensemble.making import conclude_with_ensemble
from analysis.leaderboard import print_leaderboard, write_leaderboard
from analysis.report.writing import write_report
from analysis.run_folder import RunFolder, trials_table
from analysis.study_file import STUDY_FILE
from search.failures import described_kinds
from search.plan import SearchPlan
from search.weights import folder_bytes
from trainable.errors import ConfigError, SearchError
from trainable.files import remove
from trainable.run_files import ENSEMBLE_FOLDER, REPORT_FILE

SHOWN_TRIALS = 10


def conclude(plan: SearchPlan, console: Console) -> None:
    """Print and write the leaderboard, make ensemble and report, say what to do next.

    Raises:
        SearchError: If no trial has a value.
    """
    run = RunFolder(plan.run_folder)
    console.print()
    table = print_leaderboard(console, [run], top=SHOWN_TRIALS)
    leaderboard = write_leaderboard(run)
    if not table["rank"].notna().any():
        raise SearchError(_no_values(run))
    for line in ("", *_ensemble_lines(run), ""):
        console.print(line, markup=False, soft_wrap=True)
    report = write_report(run, run.path / REPORT_FILE)
    for line in _written_lines(plan, leaderboard, report):
        console.print(line, markup=False, soft_wrap=True)


def _no_values(run: RunFolder) -> str:
    """Return what became of the trials of a run none of which has a value."""
    trials = trials_table(run)
    counts = trials["state"].value_counts()
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    failed = trials[trials["state"] == "failed"]
    reasons = dict(zip(failed["trial"], failed["reason"].astype(str), strict=True))
    begin = f"{run.path}: no trial has a value ({states or 'none was begun'})."
    return " ".join([begin, *described_kinds(reasons)])


def _ensemble_lines(run: RunFolder) -> list[str]:
    """Make the ensemble anew; a search has succeeded even where none can be made."""
    bundle = run.path / ENSEMBLE_FOLDER
    remove(bundle)
    try:
        return conclude_with_ensemble(run, bundle)
    except ConfigError as error:
        return ["No ensemble could be made:", *error.problems]


def _written_lines(plan: SearchPlan, leaderboard: Path, report: Path) -> list[str]:
    study = STUDY_FILE if plan.options.storage is None else f"study in {plan.options.storage}"
    size = decimal(folder_bytes(plan.run_folder))
    return [
        f"Report:  {report}",
        f"Folder:  {plan.run_folder} (trials, {study}, {leaderboard.name}), {size}",
    ]
