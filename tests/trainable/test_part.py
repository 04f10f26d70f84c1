"""What all parts of all families share."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from trainable.augmentations import Augmentation
from trainable.backbones import Backbone
from trainable.config import TrialConfig
from trainable.cutmix import Mixing
from trainable.freezing import Freeze
from trainable.heads import Head
from trainable.losses import Loss
from trainable.optimizers import Optimizer
from trainable.part import Part, members
from trainable.samplers import Sampling
from trainable.schedules import Schedule

FAMILIES = {
    "backbone": Backbone,
    "head": Head,
    "sampler": Sampling,
    "loss": Loss,
    "optimizer": Optimizer,
    "schedule": Schedule,
    "augmentation": Augmentation,
    "cutmix": Mixing,
    "freeze": Freeze,
}
PARTS = [
    pytest.param(family, part, id=f"{family}-{part.__name__}")
    for family, union in FAMILIES.items()
    for part in members(union)
]
every_part = pytest.mark.parametrize(("family", "part"), PARTS)


class Warm(Part):
    """Some heat.

    More about it.
    """

    name: Literal["warm"] = "warm"
    degrees: float = Field(20.0, ge=0)


class Cold(Part):
    """No heat."""

    name: Literal["cold"] = "cold"


Heating = Annotated[Warm | Cold, Field(discriminator="name")]


def test_an_unknown_field_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Warm(degree=21.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(value):
    with pytest.raises(ValidationError, match="finite number"):
        Warm(degrees=value)


def test_a_value_out_of_range_is_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Warm(degrees=-1.0)


def test_a_part_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Warm().degrees = 21.0


def test_the_description_is_the_first_line_of_the_docstring():
    assert Warm.description() == "Some heat."


def test_the_part_name_is_the_default_of_name():
    assert Warm.part_name() == "warm"


def test_the_members_of_a_union_come_in_its_order():
    assert members(Heating) == (Warm, Cold)


def test_the_member_of_a_family_of_one_is_itself():
    assert members(Cold) == members(Annotated[Cold, Field()]) == (Cold,)


@every_part
def test_every_part_describes_itself_in_a_sentence_of_its_own(family, part):
    assert "__doc__" in vars(part)
    assert part.description()[0].isupper()
    assert part.description().endswith(".")


@every_part
def test_no_two_parts_of_a_family_share_a_name(family, part):
    names = [sibling.part_name() for sibling in members(FAMILIES[family])]
    assert names.count(part.part_name()) == 1


@every_part
def test_a_part_written_out_and_read_again_is_the_same(family, part):
    if any(field.is_required() for field in part.model_fields.values()):
        pytest.skip("has no defaults")
    adapter = TypeAdapter(FAMILIES[family])
    assert adapter.validate_json(adapter.dump_json(part())) == part()


@pytest.mark.parametrize("family", [f for f in FAMILIES if len(members(FAMILIES[f])) > 1])
def test_an_unknown_name_is_refused(family):
    with pytest.raises(ValidationError, match="does not match any of the expected tags"):
        TypeAdapter(FAMILIES[family]).validate_python({"name": "nothing_like_it"})


def test_the_families_are_those_of_a_trial():
    families = [
        name
        for name, field in TrialConfig.model_fields.items()
        if all(isinstance(m, type) and issubclass(m, Part) for m in members(field.annotation))
    ]
    assert sorted(families) == sorted(FAMILIES)
