"""Label shift: people just below the oldest group's age count as old, in training alone."""

import numpy as np

from trainable.data.index import YEARS, Attribute, DataIndex
from trainable.errors import ConfigError, expected

AGE = "age"


def shifted_labels(index: DataIndex, rows: np.ndarray, years: int) -> np.ndarray:
    """Return class numbers in which everyone from an age on belongs to the oldest group.

    Args:
        index: A data set with a column ``years`` and an attribute ``age`` that the class
            determines, its oldest group last.
        rows: int64 [num_rows], the rows wanted.
        years: Age from which a person counts as oldest.

    Returns:
        int64 [num_rows].

    Raises:
        ConfigError: If the data says nothing of ages.
    """
    labels = index.labels()[rows]
    old = index.table[YEARS].to_numpy(int)[rows] >= years if YEARS in index.table else None
    age = index.attributes.get(AGE)
    if old is None or age is None or age.of_class is None:
        raise ConfigError(
            expected(
                "label_shift",
                "data with a column 'years' and an attribute 'age'",
                "data without",
                "Leave label_shift out.",
            )
        )
    shifted: np.ndarray = np.where(old, _oldest_class(index, age)[labels], labels)
    return shifted


def _oldest_class(index: DataIndex, age: Attribute) -> np.ndarray:
    """Return for each class the one that differs in nothing but being of the oldest group."""
    others = [a.of_class for name, a in index.attributes.items() if name != AGE and a.of_class]
    of_class = age.of_class or ()
    oldest = len(age.values) - 1
    keys = [tuple(values[c] for values in others) for c in range(len(index.classes))]
    old_class = {key: c for c, key in enumerate(keys) if of_class[c] == oldest}
    return np.array([old_class.get(key, c) for c, key in enumerate(keys)])
