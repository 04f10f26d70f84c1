"""How much candidates differ: where they disagree, and whether they are wrong together."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.estimates.stack import Stack


def diversity_table(stack: Stack, labels_N: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Return how each pair of candidates differs.

    Args:
        stack: Their probabilities.
        labels_N: int64 [num_images], true classes.
        names: Their names.

    Returns:
        A row a pair with the columns

        - ``first``, ``second``: names;
        - ``disagreement``: share of the images to which they give different classes;
        - ``error_correlation``: Pearson correlation of being wrong: 1 if they are wrong on the
          same images, 0 if one's mistakes say nothing of the other's; missing where one of them
          is never or always wrong.

    References:
        Kuncheva & Whitaker 2003, Measures of diversity in classifier ensembles.
    """
    predicted_NM = stack.probabilities.argmax(axis=1)
    wrong_NM = predicted_NM != labels_N[:, None]
    rows = [
        {
            "first": names[first],
            "second": names[second],
            "disagreement": (predicted_NM[:, first] != predicted_NM[:, second]).mean(),
            "error_correlation": _correlation(wrong_NM[:, first], wrong_NM[:, second]),
        }
        for first, second in combinations(range(len(names)), 2)
    ]
    table = pd.DataFrame(rows, columns=["first", "second", "disagreement", "error_correlation"])
    return table.astype({"disagreement": "float64", "error_correlation": "float64"})


def _correlation(one_N: np.ndarray, other_N: np.ndarray) -> float:
    share, other_share = one_N.mean(), other_N.mean()
    spread = np.sqrt(share * (1 - share) * other_share * (1 - other_share))
    return float(((one_N & other_N).mean() - share * other_share) / spread) if spread else np.nan
