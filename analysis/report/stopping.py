"""The rungs of a search, and where its scheduler stopped trials."""

from typing import Any

import pandas as pd

from analysis.report import page
from analysis.report.subject import Subject
from analysis.report.texts import counted, rows_of
from analysis.run_folder import RunFolder
from analysis.rungs import rung_epochs

WITH_RUNGS = ("asha", "hyperband")
WORDS = {True: "rung", False: "between rungs"}


def rungs_of(run: RunFolder) -> tuple[int, ...]:
    """Return the epochs after which the run's scheduler compares trials.

    There are none where it has no rungs, or run.json does not say.
    """
    options: dict[str, Any] = run.facts.get("options", {})
    names = ("max_epochs", "grace_period", "reduction_factor")
    if options.get("scheduler") not in WITH_RUNGS or not all(options.get(n) for n in names):
        return ()
    return rung_epochs(**{name: int(options[name]) for name in names})


def stops_table(subject: Subject) -> pd.DataFrame:
    """Return where the scheduler compared and stopped trials, of all trials, drawn or not.

    Returns:
        A row a rung, and an epoch after which a trial was stopped, with the columns ``epoch``;
        ``is_rung`` (a trial is stopped elsewhere as its own grace, such as its warm-up, ends
        there, or by a scheduler without rungs); ``num_reached`` (trials that finished the
        epoch); ``num_stopped``.
    """
    ranking = subject.ranking
    stopped = ranking.loc[ranking["state"] == "pruned", "epochs"]
    rungs = rungs_of(subject.run)
    rows = [
        (
            int(epoch),
            epoch in rungs,
            int((ranking["epochs"] >= epoch).sum()),
            int((stopped == epoch).sum()),
        )
        for epoch in sorted({*rungs, *stopped})
    ]
    return pd.DataFrame(rows, columns=["epoch", "is_rung", "num_reached", "num_stopped"])


def stops_block(subject: Subject, table: pd.DataFrame) -> str:
    """Return ``stops_table`` as text and table."""
    total = int(table["num_stopped"].sum())
    if table.empty or not total:
        return page.paragraph("No trial was stopped early.", kind="note")
    scheduler = subject.run.facts.get("options", {}).get("scheduler")
    by = f" by {scheduler}" if scheduler else ""
    rows = [
        (
            f"{row.epoch}",
            WORDS[row.is_rung],
            f"{row.num_reached:,}",
            f"{row.num_stopped:,}",
            f"{row.num_stopped / max(1, row.num_reached):.0%}",
        )
        for row in rows_of(table)
    ]
    header = ["after epoch", "", "got there", "stopped there", "share"]
    text = page.paragraph(f"{counted(total, 'trial')} stopped early{by}:")
    return text + page.table(header, rows)
