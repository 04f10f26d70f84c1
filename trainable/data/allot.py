"""Divides people among parts so that every part has its share of every class."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

FEWEST_FOR_ALL = 3
UNDECIDED = -1
# So that 0.2 * 15, which is a little over or under 3 in binary, is 3 on every machine.
ROUNDING = 1e-9

Images = Mapping[int, int]


def allot(
    people: Sequence[Images], shares: Sequence[float], rng: np.random.Generator
) -> np.ndarray:
    """Return a part for each person.

    First every kind of people (those with the same set of classes) gets one person into every
    part, if it has three, and so does every class. Then people with equal images are dealt out
    in whole shares. Who is left goes, those with most images first, to the part that lacks most
    of their classes. Every step takes people in random order.

    Args:
        people: For each person the number of images by class number.
        shares: Share of each part in the images, all above 0; part 0 is the one for training.
        rng: Source of the random order.

    Returns:
        int64 [num_people], numbers of parts.

    References:
        The last step is Sainte-Laguë's method of dealing out seats; see also Sechidis et al.,
        "On the stratification of multi-label data", ECML 2011.
    """
    allotment = _Allotment(people, shares)
    order = [int(i) for i in rng.permutation(len(people))]
    allotment.seed_parts(order)
    allotment.deal_equals(order)
    for person in sorted(order, key=lambda i: -sum(people[i].values())):
        if allotment.part_of[person] == UNDECIDED:
            allotment.give(person, allotment.neediest_part(person))
    return np.array(allotment.part_of, dtype=np.int64)


class _Allotment:
    """Who is in which part so far, and how many images of each class each part has."""

    def __init__(self, people: Sequence[Images], shares: Sequence[float]) -> None:
        self.people = people
        self.shares = [share / sum(shares) for share in shares]
        self.part_of = [UNDECIDED] * len(people)
        self.num_images: Counter[int] = Counter()
        for images in people:
            self.num_images.update(images)
        self.given: list[Counter[int]] = [Counter() for _ in shares]

    def give(self, person: int, part: int) -> None:
        self.part_of[person] = part
        self.given[part].update(self.people[person])

    def neediest_part(self, person: int) -> int:
        """Return the part that would stay furthest below its share of the person's classes."""

        def fullness(part: int) -> float:
            total = 0.0
            for c, n in sorted(self.people[person].items()):
                total += n / self.num_images[c] * (self.given[part][c] + n / 2)
            return total / self.shares[part]

        return min(range(len(self.shares)), key=fullness)

    def seed_parts(self, order: Sequence[int]) -> None:
        """Put a person with few images of each kind, and of each class, into every part."""
        kinds: dict[tuple[int, ...], list[int]] = {}
        classes: dict[tuple[int, ...], list[int]] = {}
        for person in sorted(order, key=lambda i: sum(self.people[i].values())):
            present = tuple(sorted(c for c, n in self.people[person].items() if n))
            kinds.setdefault(present, []).append(person)
            for c in present:
                classes.setdefault((c,), []).append(person)
        large_kinds = {k: who for k, who in kinds.items() if len(who) >= FEWEST_FOR_ALL}
        for groups in (large_kinds, classes):
            for _, group in sorted(groups.items(), key=lambda item: (len(item[1]), item[0])):
                self._seed_group(group)

    def _seed_group(self, group: Sequence[int]) -> None:
        """Put someone into each part without the group: training first, then the largest."""
        first_train = sorted(range(len(self.shares)), key=lambda p: (p != 0, -self.shares[p]))
        for part in first_train:
            free = [person for person in group if self.part_of[person] == UNDECIDED]
            if free and all(self.part_of[person] != part for person in group):
                self.give(free[0], part)

    def deal_equals(self, order: Sequence[int]) -> None:
        """Give every part the whole number of people in its share of those with equal images."""
        equals: dict[tuple[tuple[int, int], ...], list[int]] = {}
        for person in order:
            equals.setdefault(tuple(sorted(self.people[person].items())), []).append(person)
        for group in equals.values():
            free = [person for person in group if self.part_of[person] == UNDECIDED]
            for part, share in enumerate(self.shares):
                has = sum(self.part_of[person] == part for person in group)
                for _ in range(int(len(group) * share + ROUNDING) - has):
                    if free:
                        self.give(free.pop(), part)
