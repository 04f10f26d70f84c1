import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from trainable.backbones import Backbone
from trainable.data.faces.people import draw_person
from trainable.data.index import PARTS
from trainable.pretrained.local_files import SMALL
from trainable.pretrained.make_small import PEOPLE_SEED, QUESTIONS, main, questioned_people
from trainable.timm_import import timm

ABOUT = json.loads(SMALL.with_suffix(".json").read_text())


def test_the_file_is_small_and_the_one_described():
    content = SMALL.read_bytes()
    assert len(content) < 300_000
    assert hashlib.sha256(content).hexdigest() == ABOUT["sha256"]
    assert {weight.dtype for weight in load_file(SMALL).values()} <= {torch.float16, torch.int64}


def test_it_loads_into_the_backbone_with_the_statistics_of_its_norms():
    backbone = Backbone(name=ABOUT["backbone"], pretrained="small").build(
        (64, 48), load_pretrained=True
    )
    fresh = timm.create_model(ABOUT["backbone"], num_classes=0).state_dict()
    loaded = backbone.state_dict()
    statistics = [name for name in fresh if name.endswith("running_mean")]
    assert statistics
    assert all(not torch.equal(loaded[name], fresh[name]) for name in statistics)
    assert all(torch.isfinite(value).all() for value in loaded.values())


def test_its_questions_are_not_those_of_faces():
    assert ABOUT["questions"].keys() == QUESTIONS.keys()
    assert not {"mask", "gender", "age"} & QUESTIONS.keys()


def test_photos_without_a_mask_are_in_no_part_and_all_answers_occur(tmp_path):
    data = questioned_people(tmp_path, num_people=60)
    table = data.index.table
    no_part = table["part"] == ""
    assert set(table.loc[~no_part, "part"]) == set(PARTS)
    assert set(table.loc[no_part, "path"].str.split("/").str[1]) == {"normal.jpg"}
    assert all(set(table[name]) == set(values) for name, values in QUESTIONS.items())


def test_answers_are_those_of_the_person_and_the_classes_tell_them(tmp_path):
    data = questioned_people(tmp_path, num_people=20)
    row = data.index.table.iloc[9]
    wears = draw_person(PEOPLE_SEED, int(row["person"])).outfit.glasses != "none"
    assert row["glasses"] == QUESTIONS["glasses"][int(wears)]
    told = [a.values[a.of_class[data.labels()[9]]] for a in data.index.attributes.values()]
    assert told == [row[name] for name in QUESTIONS]


@pytest.mark.slow
def test_the_script_writes_weights_and_what_they_are(tmp_path):
    assert main(["--out", str(tmp_path), "--people", "24", "--epochs", "1"]) == 0
    about = json.loads((tmp_path / "small.json").read_text())
    shipped, made = load_file(SMALL), load_file(tmp_path / "small.safetensors")
    assert about["people"] == 24
    assert {n: w.shape for n, w in made.items()} == {n: w.shape for n, w in shipped.items()}
    assert np.isfinite(list(about["f1"].values())).all()
