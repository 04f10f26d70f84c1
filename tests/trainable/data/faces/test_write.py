import hashlib
from pathlib import Path

import pytest

from trainable.data import threads
from trainable.data.faces import write
from trainable.data.faces.photo import encode_photo
from trainable.data.faces.shot import PHOTOS
from trainable.data.sources.faces import Faces


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = [f"{p.relative_to(folder)}".encode() + p.read_bytes() for p in files]
    return hashlib.sha256(b"".join(content)).hexdigest()


def test_the_number_of_cores_does_not_change_what_is_written(tmp_path, monkeypatch):
    digests = set()
    for cores in (1, 4):
        monkeypatch.setattr(threads, "usable_cpus", lambda cores=cores: cores)
        write.write_people(tmp_path / str(cores), num_people=20, difficulty=1.0, seed=0)
        digests.add(digest(tmp_path / str(cores)))
    assert len(digests) == 1


def test_every_person_has_seven_photos_that_the_layout_explains(tmp_path):
    index = Faces(people=30).read(tmp_path)
    table = index.table
    assert set(table.groupby("person")["path"].count()) == {len(PHOTOS)}
    assert table["person"].nunique() == 30
    assert set(table["mask"].value_counts().to_dict().items()) == {
        ("worn", 150),
        ("incorrect", 30),
        ("without", 30),
    }
    assert len(index.classes) == 18


def test_more_people_contain_the_fewer(tmp_path):
    few = Faces(people=4).read(tmp_path)
    many = Faces(people=6).read(tmp_path)
    path = few.table["path"].iloc[-1]
    assert (few.root / path).read_bytes() == (many.root / path).read_bytes()


@pytest.mark.parametrize("changed", [{"seed": 1}, {"difficulty": 0.5}, {"people": 3}])
def test_other_parameters_give_other_photos_beside_the_first(tmp_path, changed):
    first = Faces(people=2).read(tmp_path)
    other = Faces(**({"people": 2} | changed)).read(tmp_path)
    assert first.root != other.root
    assert digest(first.root) != digest(other.root)


def test_a_crash_leaves_nothing_and_the_next_attempt_draws_all(tmp_path, monkeypatch):
    def fails_at_last(person, photo):
        if person.number == 2:
            raise RuntimeError("no more ink")
        return encode_photo(person, photo)

    monkeypatch.setattr(write, "encode_photo", fails_at_last)
    with pytest.raises(RuntimeError, match="no more ink"):
        Faces(people=3).read(tmp_path)
    assert list(tmp_path.rglob("*.jpg")) == []
    monkeypatch.undo()
    assert len(Faces(people=3).read(tmp_path)) == 21


@pytest.mark.parametrize("wrong", [{"people": 0}, {"difficulty": -1}, {"seed": -1}, {"sed": 1}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="Faces"):
        Faces(**wrong)
