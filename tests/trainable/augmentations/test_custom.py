"""Pipelines from a file."""

import json

import numpy as np
import pytest

from trainable.augmentations.apply import augment
from trainable.augmentations.custom import Custom
from trainable.augmentations.library import A
from trainable.errors import ConfigError

SIZE = (16, 12)


def saved(pipeline, file, data_format):
    A.save(pipeline, file, data_format=data_format)
    return Custom(file=str(file))


@pytest.mark.parametrize(
    ("name", "data_format"), [("a.json", "json"), ("a.yaml", "yaml"), ("a.yml", "yaml")]
)
def test_a_pipeline_comes_back_from_its_file(tmp_path, name, data_format):
    pipeline = A.Compose([A.HorizontalFlip(p=0.5), A.GaussNoise(p=0.5)])
    part = saved(pipeline, tmp_path / name, data_format)
    image = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), np.uint8)
    for number in range(8):
        expected = augment(pipeline, image, (number,))
        assert np.array_equal(augment(part.build(SIZE), image, (number,)), expected)


def test_a_single_transform_is_a_pipeline_too(tmp_path):
    part = saved(A.HorizontalFlip(p=1.0), tmp_path / "flip.json", "json")
    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    assert np.array_equal(augment(part.build((1, 2)), image, (1,)), image[:, ::-1])


def refusal(part):
    with pytest.raises(ConfigError, match="augmentation/file: expected") as caught:
        part.build(SIZE)
    return str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert "expected a file that exists" in refusal(Custom(file=str(tmp_path / "gone.yaml")))


def test_a_relative_path_holds_in_other_folders_too(tmp_path, monkeypatch):
    saved(A.HorizontalFlip(p=1.0), tmp_path / "flip.json", "json")
    monkeypatch.chdir(tmp_path)
    part = Custom(file="flip.json")
    assert part.file == str(tmp_path / "flip.json")
    monkeypatch.chdir("/")
    part.build(SIZE)


def test_a_file_of_another_kind_is_refused():
    assert "expected a .yaml or .json file, got mine.pickle" in refusal(Custom(file="mine.pickle"))


@pytest.mark.parametrize(
    "text", ["{", "[1, 2]", '{"transform": {"__class_fullname__": "No", "p": 1}}']
)
def test_a_file_without_a_pipeline_is_refused(tmp_path, text):
    file = tmp_path / "broken.json"
    file.write_text(text)
    assert "expected a pipeline of albumentations (" in refusal(Custom(file=str(file)))


def test_a_pipeline_that_resizes_is_refused(tmp_path):
    part = saved(A.Compose([A.Resize(8, 8)]), tmp_path / "resize.json", "json")
    assert "expected a pipeline that keeps [16, 12, 3], got (8, 8, 3)" in refusal(part)


def test_a_pipeline_that_normalises_is_refused(tmp_path):
    part = saved(A.Compose([A.Normalize()]), tmp_path / "normalise.json", "json")
    assert "expected a pipeline that gives uint8 arrays, got float32" in refusal(part)


def test_yaml_cannot_make_python_objects(tmp_path):
    file = tmp_path / "evil.yaml"
    file.write_text("transform: !!python/object/apply:os.system ['touch here']\n")
    assert "could not determine a constructor" in refusal(Custom(file=str(file)))


def test_the_written_form_is_plain_json(tmp_path):
    saved(A.Compose([A.HorizontalFlip(p=0.5)]), tmp_path / "a.json", "json")
    assert "transform" in json.loads((tmp_path / "a.json").read_text())
