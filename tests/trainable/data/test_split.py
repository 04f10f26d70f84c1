import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from trainable.data.allot import allot
from trainable.data.index import PARTS, DataIndex
from trainable.data.split import (
    GIVE_MORE,
    class_counts,
    lonely_classes,
    missing_classes,
    split_by_person,
    trainable_problems,
)
from trainable.errors import ConfigError

# As in the competition: two genders by three ages, few old people.
PEOPLE = [185, 330, 36, 255, 560, 34]
MakeIndex = Callable[..., DataIndex]


def people_of(index: DataIndex) -> pd.DataFrame:
    return index.table.drop_duplicates("person")


def with_given(index: DataIndex, part_of_person: dict[str, str]) -> DataIndex:
    part = index.table["person"].map(part_of_person).fillna("")
    return index.with_table(index.table.assign(part=part))


def test_every_row_gets_a_part_and_no_person_is_in_two(people_index: MakeIndex) -> None:
    table = split_by_person(people_index(PEOPLE), seed=0).table
    assert set(table["part"]) == set(PARTS)
    assert table.groupby("person")["part"].nunique().max() == 1


def test_parts_have_their_shares(people_index: MakeIndex) -> None:
    shares = split_by_person(people_index(PEOPLE), seed=0).table["part"].value_counts(True)
    assert shares["train"] == pytest.approx(0.64, abs=0.005)
    assert shares["val"] == pytest.approx(0.16, abs=0.005)


@pytest.mark.parametrize("seed", range(5))
def test_class_shares_of_each_part_are_within_two_points(
    people_index: MakeIndex, seed: int
) -> None:
    counts = class_counts(split_by_person(people_index(PEOPLE), seed=seed))
    whole = counts.sum(axis=1) / counts.to_numpy().sum()
    assert counts.div(counts.sum()).sub(whole, axis=0).abs().to_numpy().max() < 0.01


@pytest.mark.parametrize("seed", range(5))
def test_class_shares_hold_where_people_have_different_photos(
    people_index: MakeIndex, seed: int
) -> None:
    index = people_index(PEOPLE)
    kept = index.with_table(index.table.sample(frac=0.5, random_state=seed))
    counts = class_counts(split_by_person(kept, seed=seed))
    whole = counts.sum(axis=1) / counts.to_numpy().sum()
    assert counts.div(counts.sum()).sub(whole, axis=0).abs().to_numpy().max() < 0.02


def test_one_person_with_many_photos_does_not_upset_the_shares() -> None:
    rng = np.random.default_rng(0)
    counts = np.minimum(rng.zipf(1.7, 300), 150)
    people = [{int(rng.integers(3)): int(n)} for n in counts]
    part_of = allot(people, (0.64, 0.16, 0.2), np.random.default_rng(1))
    counts = np.zeros((3, 3))
    for person, part in zip(people, part_of, strict=True):
        for c, n in person.items():
            counts[part, c] += n
    assert np.abs(counts.sum(1) / counts.sum() - (0.64, 0.16, 0.2)).max() < 0.02
    assert (
        np.abs(counts / counts.sum(1, keepdims=True) - counts.sum(0) / counts.sum()).max() < 0.02
    )


@pytest.mark.parametrize("seed", range(10))
def test_three_people_of_a_kind_are_one_in_each_part(people_index: MakeIndex, seed: int) -> None:
    people = people_of(split_by_person(people_index([40, 3, 60, 3]), seed=seed))
    for kind in ("1", "3"):
        assert sorted(people.loc[people["kind"] == kind, "part"]) == ["test", "train", "val"]


def test_two_people_of_a_kind_are_in_training_and_test(people_index: MakeIndex) -> None:
    people = people_of(split_by_person(people_index([40, 2]), seed=0))
    assert sorted(people.loc[people["kind"] == "1", "part"]) == ["test", "train"]


def test_a_class_that_only_mixed_people_have_is_in_every_part() -> None:
    people = [{0: 4}] * 30 + [{0: 3, 1: 1}, {0: 1, 1: 1, 2: 1}, {1: 2, 2: 5}]
    part_of = allot(people, (0.64, 0.16, 0.2), np.random.default_rng(0))
    assert sorted(part_of[30:]) == [0, 1, 2]


def test_the_same_seed_gives_the_same_split_and_another_seed_another(
    people_index: MakeIndex,
) -> None:
    index = people_index(PEOPLE)
    first, again, other = (split_by_person(index, seed=s).table["part"] for s in (3, 3, 4))
    assert first.equals(again)
    assert not first.equals(other)


def test_the_order_of_rows_does_not_matter(people_index: MakeIndex) -> None:
    index = people_index(PEOPLE)
    turned = index.with_table(index.table.sample(frac=1, random_state=0))
    parts = [
        people_of(split_by_person(i, seed=0)).set_index("person")["part"].sort_index()
        for i in (index, turned)
    ]
    assert parts[0].equals(parts[1])


def test_the_split_does_not_depend_on_pythons_hash_seed() -> None:
    program = (
        "import numpy as np; from trainable.data.allot import allot;"
        "people = [{c % 7: 1 + c % 3, 7 + c % 2: 2} for c in range(200)];"
        "print(allot(people, (.64, .16, .2), np.random.default_rng(0)).tolist())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_the_split_is_the_one_it_has_always_been(people_index: MakeIndex) -> None:
    people = people_of(split_by_person(people_index([4, 4]), seed=0))
    found = {part: sorted(people.loc[people["part"] == part, "person"]) for part in PARTS}
    assert found == {
        "train": ["0-1", "0-2", "1-0", "1-3"],
        "val": ["0-0", "1-1"],
        "test": ["0-3", "1-2"],
    }


def test_given_parts_stay(people_index: MakeIndex) -> None:
    index = people_index([9, 9])
    given = {person: PARTS[i % 3] for i, person in enumerate(people_of(index)["person"])}
    people = people_of(split_by_person(with_given(index, given), seed=0))
    assert dict(zip(people["person"], people["part"], strict=True)) == given


def test_a_missing_validation_part_is_drawn_from_training(people_index: MakeIndex) -> None:
    index = people_index([100])
    given = {f"0-{n}": "test" if n < 30 else "train" for n in range(100)}
    people = people_of(split_by_person(with_given(index, given), seed=0)).set_index("person")
    assert people["part"].value_counts().to_dict() == {"train": 56, "test": 30, "val": 14}
    assert all(people.loc[f"0-{n}", "part"] == "test" for n in range(30))


def test_a_missing_test_part_is_drawn_from_training(people_index: MakeIndex) -> None:
    index = people_index([104])
    given = {f"0-{n}": "val" if n < 20 else "train" for n in range(104)}
    people = people_of(split_by_person(with_given(index, given), seed=0))
    assert people["part"].value_counts().to_dict() == {"train": 64, "val": 20, "test": 20}


def test_people_without_a_part_are_for_training_where_all_parts_are_given(
    people_index: MakeIndex,
) -> None:
    given = {"0-0": "train", "0-1": "val", "0-2": "test"}
    people = people_of(split_by_person(with_given(people_index([10]), given), seed=0))
    assert people["part"].value_counts().to_dict() == {"train": 8, "val": 1, "test": 1}


def test_all_photos_of_a_person_follow_the_one_with_a_part(people_index: MakeIndex) -> None:
    index = people_index([5])
    table = index.table.copy()
    table.loc[table.index[0], "part"] = "test"
    table = split_by_person(index.with_table(table), seed=0).table
    assert set(table.loc[table["person"] == "0-0", "part"]) == {"test"}


def test_a_person_in_two_given_parts_is_named(people_index: MakeIndex) -> None:
    index = people_index([5])
    table = index.table.assign(part=["train", "test", *[""] * (len(index) - 2)])
    with pytest.raises(ConfigError, match="person '0-0': expected images in one part, got"):
        split_by_person(index.with_table(table), seed=0)


def test_too_few_people_are_refused(people_index: MakeIndex) -> None:
    message = "expected at least 3 people to draw train, val, test from, got 2"
    with pytest.raises(ConfigError, match=message):
        split_by_person(people_index([2]), seed=0)


def test_classes_of_fewer_than_two_people_are_told(people_index: MakeIndex) -> None:
    problems = lonely_classes(people_index([4, 1], photos=(1,)))
    assert problems == ["class '0-1': expected at least 2 people (or images), got 1."]


def test_classes_missing_in_a_part_are_told(people_index: MakeIndex) -> None:
    index = split_by_person(people_index([9, 2], photos=(1,)), seed=0)
    assert missing_classes(index) == [
        "class '0-1': expected images in every part, got none in val."
    ]
    assert missing_classes(index, ["train"]) == []


def with_parts(index: DataIndex, parts: list[str]) -> DataIndex:
    return index.with_table(index.table.assign(part=parts))


def test_data_with_two_classes_in_training_can_be_trained_on(people_index) -> None:
    index = people_index([2, 2], photos=(1,))
    assert trainable_problems(with_parts(index, ["train", "val", "train", "val"])) == []


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        (["train", "test"] * 2, "images in val, got none (train 2, val 0, test 2)"),
        (["val", "test"] * 2, "images in train, got none (train 0, val 2, test 2)"),
        (["train", "train", "val", "val"], "images of at least 2 classes in train, got 1"),
    ],
)
def test_parts_that_cannot_be_trained_or_validated_on_are_told(
    people_index, parts: list[str], problem: str
) -> None:
    told = trainable_problems(with_parts(people_index([2, 2], photos=(1,)), parts))
    assert told == [f"data: expected {problem}. {GIVE_MORE}"]
