"""Why trials failed."""

import pandas as pd

from analysis.failures import kinds, listed_trials
from analysis.leaderboard_view import common_to_failures
from analysis.report import page
from analysis.report.subject import Subject
from analysis.report.texts import counted, rows_of

MOST_KINDS = 20
LONGEST_REASON = 250


def failures_table(subject: Subject) -> pd.DataFrame:
    """Return the kinds of reasons for which trials failed.

    Returns:
        A row a kind, the most frequent first, with the columns ``num_trials``, ``trials``
        (numbers, ascending) and ``reason`` (that of its last trial, in one line).
    """
    failed = subject.ranking[subject.ranking["state"] == "failed"]
    reasons = {int(n): str(why) for n, why in zip(failed["trial"], failed["reason"], strict=True)}
    rows = [
        (len(numbers), numbers, " ".join(reasons[numbers[-1]].split()) or "not recorded")
        for numbers in kinds(reasons).values()
    ]
    return pd.DataFrame(rows, columns=["num_trials", "trials", "reason"])


def failures(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    table = failures_table(subject)
    if table.empty:
        return (page.paragraph("No trial failed."),)
    rows = [
        (f"{row.num_trials:,}", _cut(row.reason), listed_trials(row.trials))
        for row in rows_of(table.head(MOST_KINDS))
    ]
    blocks = [page.table(["trials", "reason", "which"], rows, kind="texts")]
    if len(table) > MOST_KINDS:
        more = counted(int(table["num_trials"][MOST_KINDS:].sum()), "trial")
        blocks.append(page.paragraph(f"And {more} failed for other reasons.", kind="note"))
    traits = common_to_failures(subject.ranking)
    blocks += [page.paragraph(f"Common to failed trials: {trait}") for trait in traits]
    return tuple(blocks)


def _cut(reason: str) -> str:
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}…"
