"""Which hyperparameters decide whether a trial is among the best ones."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import optuna
import pandas as pd
import plotly.graph_objects as go
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState, create_trial

from analysis.report import page
from analysis.report.style import (
    INK,
    PALE,
    SECOND,
    label,
    new_figure,
    rows_height,
    with_rows,
)
from analysis.report.subject import Subject
from analysis.report.texts import counted, rows_of

FEWEST_TRIALS = 30
FEWEST_BEST, SHARE_BEST = 8, 0.1
MOST_SHUFFLES, FEWEST_SHUFFLES, SHUFFLED_TRIALS = 10, 3, 3_000
QUANTILE = 0.95
MOST_SHOWN = 15
COLORS = {True: SECOND, False: PALE}  # whether more than chance
TOO_FEW = (
    "Too few trials to say which hyperparameters matter: {have}, and with fewer than {need} "
    "chance decides what would be shown here."
)
READ = (
    "The further a bar goes beyond its mark, the more it matters. The mark is what chance alone "
    "reaches; a pale bar that stays below it says nothing."
)
HOW = (
    "How much the values of a hyperparameter differ between the best {best} trials and all of "
    "them (conditional PED-ANOVA). One that exists only with another choice, such as a loss's "
    "gamma, is judged among the trials that have it, and counts by how many of those there are: "
    "whether it is there at all belongs to the choice. Trials that were stopped early count, too: "
    "all that matters of them is that they are not among the best. Chance: from trials whose "
    "values were shuffled; one bar in twenty ends above its mark for no reason."
)


@dataclass(frozen=True, eq=False)
class _Judged:
    """Trials with what they are worth, larger being better.

    Args:
        trials: The trials.
        goodness: float64 [num_trials].
    """

    trials: Sequence[FrozenTrial]
    goodness: np.ndarray

    @property
    def share_best(self) -> float:
        """Return the share of the trials that are called the best."""
        return max(SHARE_BEST, FEWEST_BEST / len(self.trials))

    def importance(self, goodness: np.ndarray) -> dict[str, float]:
        """Return the importance of each hyperparameter if the trials had been that good."""
        for trial, value in zip(self._study.get_trials(deepcopy=False), goodness, strict=True):
            trial.value = float(value)  # the study's own trials: making a study anew is slow
        evaluator = PedAnovaImportanceEvaluator(target_quantile=self.share_best)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that some choice was made by a single trial
            return evaluator.evaluate(self._study)

    @cached_property
    def _study(self) -> optuna.Study:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(direction="maximize")
        study.add_trials([_complete(trial) for trial in self.trials])
        return study

    def by_chance(self) -> dict[str, float]:
        """Return what hardly any importance would exceed if values said nothing.

        That is the mean over shuffles, times a ratio to its own mean that one in twenty exceeds;
        few shuffles suffice for it, since all hyperparameters tell of the ratio.
        """
        rng = np.random.default_rng(0)
        times = np.clip(SHUFFLED_TRIALS // len(self.trials), FEWEST_SHUFFLES, MOST_SHUFFLES)
        drawn = pd.DataFrame(
            [self.importance(rng.permutation(self.goodness)) for _ in range(times)]
        )
        means = drawn.mean()
        ratios = (drawn / means).to_numpy()
        return dict(means * np.nanquantile(ratios, QUANTILE))


def _complete(trial: FrozenTrial) -> FrozenTrial:
    return create_trial(
        state=TrialState.COMPLETE,
        value=0.0,
        params=trial.params,
        distributions=trial.distributions,
    )


@lru_cache(maxsize=1)
def importance_table(subject: Subject) -> pd.DataFrame:
    """Return how much each hyperparameter decides whether a trial is among the best.

    The best are a tenth of the ranked trials, at least eight. Conditional hyperparameters are
    judged within the trials that have them (Optuna's fANOVA knows only those that every trial
    has, and only complete trials).

    Returns:
        A row a hyperparameter that was varied, the most important first, with the columns

        - ``name``; ``importance``: its share of the sum of all;
        - ``chance``: on the same scale, what it would hardly exceed if it did not matter;
        - ``num_trials``: ranked trials that have it.

        No rows where fewer than 30 trials are ranked.

    References:
        Watanabe et al. 2023, PED-ANOVA, https://arxiv.org/abs/2304.10255; for conditional
        hyperparameters https://arxiv.org/abs/2601.20800.
    """
    columns = ["name", "importance", "chance", "num_trials"]
    ranked = subject.ranked
    if len(ranked) < FEWEST_TRIALS:
        return pd.DataFrame(columns=columns)
    trials = [subject.run.trials[number] for number in ranked["trial"]]
    judged = _Judged(trials, subject.sign * ranked["value"].to_numpy())
    found = judged.importance(judged.goodness)
    varied = [name for name in subject.varied if found.get(name, 0) > 0]
    total = sum(found[name] for name in varied)
    chance = judged.by_chance() if varied else {}
    rows = [
        (name, found[name] / total, chance[name] / total, sum(name in t.params for t in trials))
        for name in varied
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def importance_figure(table: pd.DataFrame) -> go.Figure:
    """Draw the first rows of ``importance_table`` as bars, with a line for chance."""
    shown = table.head(MOST_SHOWN)
    drawn = new_figure(height=rows_height(len(shown)))
    rows = list(range(len(shown)))
    drawn.add_bar(
        x=shown["importance"].round(5),
        y=rows,
        orientation="h",
        name="importance",
        marker={"color": list(shown["importance"].gt(shown["chance"]).map(COLORS))},
        hoverinfo="x",
    )
    drawn.add_scatter(
        x=shown["chance"].round(5),
        y=rows,
        mode="markers",
        name="by chance",
        marker={"symbol": "line-ns-open", "size": 16, "color": INK, "line": {"width": 2}},
        hoverinfo="x",
    )
    drawn.update_xaxes(title="share of all importance", tickformat=".0%", rangemode="tozero")
    return with_rows(drawn, [label(name) for name in shown["name"]])


def importance(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    table = importance_table(subject)
    num_ranked = len(subject.ranked)
    if num_ranked < FEWEST_TRIALS:
        have = counted(num_ranked, "trial")
        return (page.paragraph(TOO_FEW.format(have=have, need=FEWEST_TRIALS), kind="note"),)
    if table.empty:
        return (page.paragraph("No hyperparameter was varied by the space.", kind="note"),)
    num_best = round(max(SHARE_BEST * num_ranked, FEWEST_BEST))
    note = READ
    if len(table) > MOST_SHOWN:
        note += f" Shown are {MOST_SHOWN} of {len(table)}; the table has all."
    rows = [
        (row.name, f"{row.importance:.1%}", f"{row.chance:.1%}", f"{row.num_trials:,}")
        for row in rows_of(table)
    ]
    header = ["hyperparameter", "importance", "by chance", "trials that have it"]
    return (
        page.figure(importance_figure(table), "importance"),
        page.paragraph(note, kind="note"),
        page.as_table(header, rows),
        page.folded("How this is worked out", page.paragraph(HOW.format(best=num_best))),
    )
