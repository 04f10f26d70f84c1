"""The honest numbers of best member and ensemble: validation, cross-fitted, and test."""

from collections.abc import Mapping

import pandas as pd

from analysis.ensemble.choosing import Choice, best_single
from analysis.estimates.interval import Resamples
from analysis.estimates.labelled import Labelled
from analysis.estimates.metric import scorer
from analysis.exporting import Exported, PartProbabilities, part_probabilities
from analysis.manifest import Score
from analysis.member import choose_device, load_member

BEST, ENSEMBLE, GAIN = "best member", "ensemble", "gain"
VAL, CROSS_FITTED, TEST = "val", "crossfit", "test"


def honest_numbers(
    choice: Choice, of_ensemble: Mapping[str, Score], exported: Exported
) -> pd.DataFrame:
    """Return how good best member and ensemble are, by the metric that was optimised.

    Args:
        choice: What was chosen.
        of_ensemble: Cross-fitted scores of the ensemble, by metric without part.
        exported: The ensemble's bundle, and what it says of the test images.

    Returns:
        A row an estimate with the columns

        - ``part``: ``val`` (flattered: it was chosen there), ``crossfit`` (chosen on some of the
          validation people, scored on the others) or ``test`` (decided nothing; no rows where
          the data has no test part);
        - ``what``: ``best member``, the best single candidate; ``ensemble``; of the test part
          also ``gain``, how much better the second is than the first;
        - ``value``; ``low``, ``high``: the interval that holds it with 90 % probability.
    """
    rows = validation_rows(choice, of_ensemble[choice.pool.metric])
    if TEST in exported.average:
        rows += _test_rows(choice, exported)
    columns = ["part", "what", "value", "low", "high"]
    cells = [(part, what, score.value, *(score.interval or ())) for part, what, score in rows]
    return pd.DataFrame(cells, columns=columns)


def validation_rows(choice: Choice, of_ensemble: Score) -> list[tuple[str, str, Score]]:
    """Return part, what and score of what is known without the test part.

    Args:
        choice: What was chosen.
        of_ensemble: Cross-fitted score of the ensemble, by what was optimised.
    """
    best_number = int(choice.ballot.best_first[0])
    best_cross_fitted = choice.cross_fitted_scores(best_single(choice.method))
    return [
        (VAL, BEST, choice.validation_score({best_number: 1.0})),
        (VAL, ENSEMBLE, choice.validation_score(choice.selection.weights)),
        (CROSS_FITTED, BEST, best_cross_fitted[choice.pool.metric]),
        (CROSS_FITTED, ENSEMBLE, of_ensemble),
    ]


def _test_rows(choice: Choice, exported: Exported) -> list[tuple[str, str, Score]]:
    metric = choice.pool.metric
    resamples = Resamples(Labelled.of(choice.pool.data, TEST))
    best_NC = _of_best(choice, exported)[TEST]
    ensemble_NC = exported.average[TEST]
    best, ensemble = (scorer(metric, resamples.images).of(p) for p in (best_NC, ensemble_NC))
    sign = choice.ballot.sign
    better, worse = (ensemble_NC, best_NC) if sign > 0 else (best_NC, ensemble_NC)
    gain = resamples.interval_of_gain(metric, better, than_NC=worse)
    return [
        (TEST, BEST, Score(value=best, interval=resamples.interval(metric, best_NC))),
        (TEST, ENSEMBLE, Score(value=ensemble, interval=resamples.interval(metric, ensemble_NC))),
        (TEST, GAIN, Score(value=sign * (ensemble - best), interval=gain)),
    ]


def _of_best(choice: Choice, exported: Exported) -> PartProbabilities:
    """Return the probabilities of the best candidate, which need not be a member."""
    for (candidate, _), probabilities in zip(choice.members, exported.of_members, strict=True):
        if candidate is choice.best:
            return probabilities
    best, data = choice.best, choice.pool.data
    files = (best.config_file, best.weights())
    return part_probabilities(data, load_member(*files, data.label_space, choose_device()))
