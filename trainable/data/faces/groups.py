"""Gender and age of each drawn person, in shares that hold for few people as for many."""

import numpy as np

# Half-open ranges of years; few people are old, as in the mask competition.
GROUP_SHARES = {
    ("female", 18, 30): 0.245,
    ("male", 18, 30): 0.205,
    ("female", 30, 60): 0.250,
    ("male", 30, 60): 0.220,
    ("female", 60, 80): 0.042,
    ("male", 60, 80): 0.038,
}
GOLDEN_RATIO = 0.6180339887498949
CROWDING = 1.8


def group_and_age(seed: int, number: int) -> tuple[str, int]:
    """Return the gender and the age in years of a person.

    The groups follow a golden-ratio sequence: among any run of numbers, each has its share to
    within about two people.

    Args:
        seed: Seed of the set of people.
        number: Number of the person in it.

    Returns:
        ``female`` or ``male``, and whole years from 18 to 79.
    """
    # The fourth word keeps this draw apart from those of the people: [seed, number, photo].
    start = np.random.default_rng([seed, 0, 0, 1]).random()
    place = (start + GOLDEN_RATIO * number) % 1.0
    groups = list(GROUP_SHARES)
    limits = np.cumsum(list(GROUP_SHARES.values()))
    position = min(int(np.searchsorted(limits, place, side="right")), len(groups) - 1)
    gender, first, end = groups[position]
    share = GROUP_SHARES[groups[position]]
    within = float(np.clip(1 - (limits[position] - place) / share, 0, 1))
    return gender, _years(first, end, within)


def _years(first: int, end: int, share: float) -> int:
    """Return an age in a group: less often one near its limits, where looks cannot tell."""
    from_middle = 2 * share - 1
    bent = float(np.sign(from_middle)) * abs(from_middle) ** CROWDING
    return min(first + int((end - first) * (0.5 + 0.5 * bent)), end - 1)
