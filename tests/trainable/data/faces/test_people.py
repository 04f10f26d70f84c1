from collections import Counter

import numpy as np
import pytest

from trainable.data.faces.groups import GROUP_SHARES, group_and_age
from trainable.data.faces.people import draw_person


def group(seed: int, number: int) -> tuple[str, int]:
    gender, years = group_and_age(seed, number)
    return gender, next(
        first for g, first, end in GROUP_SHARES if g == gender and first <= years < end
    )


@pytest.mark.parametrize("num_people", [50, 200, 700])
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_every_group_has_its_share_to_within_two_people(seed, num_people):
    counts = Counter(group(seed, number) for number in range(num_people))
    wanted = {(g, first): num_people * share for (g, first, _), share in GROUP_SHARES.items()}
    assert {g: counts[g] for g in wanted} == pytest.approx(wanted, abs=2)


def test_few_people_are_old_and_none_is_a_child():
    years = np.array([group_and_age(0, number)[1] for number in range(1000)])
    assert 0.06 < (years >= 60).mean() < 0.1
    assert years.min() >= 18
    assert years.max() <= 79


def test_a_person_depends_on_seed_number_and_difficulty_only():
    assert draw_person(3, 7) == draw_person(3, 7)
    assert draw_person(3, 7) != draw_person(4, 7)
    assert draw_person(3, 7) != draw_person(3, 8)
    assert draw_person(3, 7).face != draw_person(3, 7, 2.0).face


def test_without_difficulty_gender_and_age_show_in_every_feature():
    people = [draw_person(0, number, difficulty=0) for number in range(300)]
    assert all(p.face.lashes > 0.5 for p in people if p.gender == "female")
    assert all(p.face.lashes < 0.5 for p in people if p.gender == "male")
    assert all(p.ageing.folds == 1 for p in people if p.years >= 40)
    assert all(p.ageing.grey == 0 for p in people if p.years <= 51)


def test_more_difficulty_makes_groups_look_alike():
    def overlap(difficulty: float) -> float:
        people = [draw_person(0, number, difficulty) for number in range(300)]
        return float(np.mean([(p.face.lashes > 0.5) != (p.gender == "female") for p in people]))

    assert overlap(0) == 0
    assert overlap(1) < overlap(3)


def test_gender_does_not_determine_hair_length():
    people = [draw_person(0, number) for number in range(700)]
    long_hair = {
        g: [p.hair.style.length is not None for p in people if p.gender == g]
        for g in ("female", "male")
    }
    assert 0.5 < np.mean(long_hair["female"]) < 0.95
    assert 0 < np.mean(long_hair["male"]) < 0.3
