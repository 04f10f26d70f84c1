"""What the ensemble is made of, how it grew, and how much its members differ."""

import math
from collections.abc import Collection, Iterator

import pandas as pd
import plotly.graph_objects as go

from analysis.ensemble.choosing import Choice
from analysis.manifest import Manifest, MemberEntry
from analysis.report import page
from analysis.report.style import BEST, FAINT, new_figure, plain, whole_step
from analysis.report.subject import Subject
from analysis.report.texts import number, rows_of
from trainable.run_files import ENSEMBLE_FOLDER
from trainable.trial_folder import trial_id

HEIGHT = 300
OTHER = (
    "How this ensemble grew is not recorded: it was made from other trials, or in another way, "
    "than the greedy choice among this run's trials with weights."
)


def members_table(
    choice: Choice, manifest: Manifest | None, run_names: Collection[str]
) -> pd.DataFrame:
    """Return the members of the bundle, or else of the greedy ensemble.

    Args:
        choice: The greedy ensemble of the run's trials.
        manifest: The bundle that was written, if any.
        run_names: What the bundle may call the run.

    Returns:
        A row a member, heaviest first, with the columns ``member`` (trial, with the run
        where that is another one, or trials of a soup),
        ``weight`` (they sum to 1) and ``value``, the metric of the member alone on validation,
        missing where a bundle does not have it.
    """
    rows = (
        _of_choice(choice)
        if manifest is None
        else _of_bundle(manifest, choice.pool.metric, run_names)
    )
    table = pd.DataFrame(rows, columns=["member", "weight", "value"])
    return table.sort_values("weight", ascending=False, kind="stable", ignore_index=True)


def _of_choice(choice: Choice) -> list[tuple[str, float, float]]:
    own = choice.ballot.sign * choice.ballot.goodness_of_each
    names = [candidate.name for candidate in choice.pool.candidates]
    return [(names[n], weight, own[n]) for n, weight in choice.selection.weights.items()]


def _of_bundle(
    manifest: Manifest, metric: str, run_names: Collection[str]
) -> list[tuple[str, float, float]]:
    scores = [member.metrics.get(f"val/{metric}") for member in manifest.members]
    values = [math.nan if score is None else score.value for score in scores]
    members = zip(manifest.members, values, strict=True)
    return [(_name(member, run_names), member.weight, value) for member, value in members]


def _name(member: MemberEntry, run_names: Collection[str]) -> str:
    if member.soup_of:
        return f"soup of {', '.join(member.soup_of)}"
    trial = trial_id(member.trial)
    return trial if member.run in run_names else f"{member.run}/{trial}"


def is_of(choice: Choice, manifest: Manifest | None, run_names: Collection[str]) -> bool:
    """Return whether a bundle has the members and weights of a choice; True without a bundle."""
    if manifest is None:
        return True
    chosen = {c.trial: round(weight, 6) for c, weight in choice.members}
    of_bundle = {m.trial: round(m.weight, 6) for m in manifest.members}
    is_own = all(m.run in run_names and not m.soup_of for m in manifest.members)
    return is_own and chosen == of_bundle


def gain_figure(curve: pd.DataFrame, *, best: float, metric: str) -> go.Figure:
    """Draw ``Choice.gain_curve``: the metric by votes handed out, beside the best trial's."""
    drawn = new_figure(height=HEIGHT)
    drawn.add_scatter(
        x=curve["step"],
        y=curve["value"].round(5),
        mode="lines+markers",
        name="ensemble",
        line={"color": BEST},
        hovertext=[
            f"step {row.step}: {plain(row.added)}<br>{number(row.value)}" for row in rows_of(curve)
        ],
        hoverinfo="text",
    )
    line = {"color": FAINT, "dash": "dash", "width": 1}
    ends = [int(curve["step"].iloc[0]), int(curve["step"].iloc[-1])]
    drawn.add_scatter(
        x=ends,
        y=[round(best, 5)] * 2,
        mode="lines",
        name="best trial alone",
        line=line,
        hoverinfo="y",
    )
    drawn.update_xaxes(
        title="votes handed out", dtick=whole_step(ends[1]), range=[0.7, ends[1] + 0.3]
    )
    drawn.update_yaxes(title=plain(metric))
    return drawn


def makeup(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    choice, manifest = subject.choice, subject.manifest
    table = members_table(choice, manifest, subject.names)
    header = ["trial", "weight", f"{subject.run.metric} alone"]
    rows = [(row.member, f"{row.weight:.3f}", number(row.value)) for row in rows_of(table)]
    if manifest is not None:
        said = page.paragraph(f"The bundle in {ENSEMBLE_FOLDER}/. {manifest.chosen}")
    else:
        said = page.paragraph(_said(choice))
    is_same = is_of(choice, manifest, subject.names)
    growth = list(_growth(subject)) if is_same else [page.paragraph(OTHER, kind="note")]
    return (said, page.table(header, rows), *growth)


def _said(choice: Choice) -> str:
    has_weights = all(candidate.has_weights for candidate in choice.pool.candidates)
    text = (
        f"Chosen now out of {len(choice.pool.candidates)} trials with recorded probabilities"
        f"{' and weights' if has_weights else ''}; nothing has been written. "
        f"{choice.method.description()}"
    )
    if not has_weights:
        text += " The weights of some are gone: it cannot be made without training them again."
    return text


def _growth(subject: Subject) -> Iterator[str]:
    choice = subject.choice
    curve = choice.gain_curve()
    best = float(choice.ballot.sign * choice.ballot.goodness_of_each.max())
    if len(curve) == 1:
        yield page.paragraph("No other trial improves on the best one.", kind="note")
        return
    yield page.figure(gain_figure(curve, best=best, metric=subject.run.metric), "gain")
    note = (
        "Each vote goes to the trial that helps most, or hurts least; the ensemble is the best of "
        "all steps. On validation, where members were chosen: it flatters."
    )
    yield page.paragraph(note, kind="note")
    steps = [(f"{row.step}", row.added or "several", number(row.value)) for row in rows_of(curve)]
    yield page.as_table(["vote", "for", subject.run.metric], steps)
    diversity = choice.diversity()
    if len(diversity):
        rows = [
            (
                f"{row.first}, {row.second}",
                f"{row.disagreement:.0%}",
                f"{row.error_correlation:.2f}",
            )
            for row in rows_of(diversity)
        ]
        header = ["members", "disagree on", "errors correlate by"]
        yield page.folded("How much the members differ", page.table(header, rows))
