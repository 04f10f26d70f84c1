import pytest

from trainable.files import write_json, written_aside


def fail_half_way(path, *, folder=False):
    with written_aside(path) as aside:
        if folder:
            aside.mkdir()
        (aside / "a" if folder else aside).write_text("half")
        raise RuntimeError("half-way")


def test_a_failed_block_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_whole(tmp_path):
    with written_aside(tmp_path / "folder") as aside:
        aside.mkdir()
        (aside / "a").write_text("x")
        assert not (tmp_path / "folder").exists()
    assert (tmp_path / "folder" / "a").read_text() == "x"


def test_a_failed_folder_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way(tmp_path / "folder", folder=True)
    assert list(tmp_path.iterdir()) == []


def test_json_refuses_numbers_that_other_readers_do_not_know(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"f1": float("nan")})
    assert list(tmp_path.iterdir()) == []
