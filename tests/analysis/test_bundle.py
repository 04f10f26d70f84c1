import hashlib
import json
import shutil

import pytest

from analysis.bundle import new_bundle, read_bundle
from trainable.errors import ConfigError


@pytest.fixture
def copy(bundle, tmp_path):
    """Return a copy of the bundle that a test may damage."""
    return shutil.copytree(bundle, tmp_path / "copy")


def edit(folder, change):
    file = folder / "bundle.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def test_a_bundle_is_read_as_it_was_written(bundle):
    manifest = read_bundle(bundle).manifest
    assert manifest.classes == ("blue", "green", "red")
    assert [member.weight for member in manifest.members] == pytest.approx([1 / 3] * 3)
    assert manifest.attributes["warm"].of_class == (0, 0, 1)
    assert manifest.attributes["camera"].of_class is None
    assert {member.size for member in manifest.members} == {(32, 24), (24, 24)}


def test_every_other_file_of_a_bundle_has_its_hash_in_the_manifest(bundle):
    files = {p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file()}
    recorded = json.loads((bundle / "bundle.json").read_text())["files"]
    assert set(recorded) == files - {"bundle.json"}
    weights = bundle / "members" / "0" / "model.safetensors"
    assert (
        recorded["members/0/model.safetensors"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    )


def test_a_bundle_holds_no_pickle(bundle):
    suffixes = {p.suffix for p in bundle.rglob("*") if p.is_file()}
    assert suffixes == {".json", ".md", ".safetensors"}


@pytest.mark.parametrize(
    "name", ["members/1/model.safetensors", "members/0/config.json", "card.md"]
)
def test_a_single_flipped_bit_is_found(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ConfigError, match=f"{name}: expected the content that was written, got a"):
        read_bundle(copy)


def test_a_missing_file_is_named(copy):
    (copy / "members" / "1" / "config.json").unlink()
    with pytest.raises(
        ConfigError, match=r"members/1/config\.json: expected a file of the bundle"
    ):
        read_bundle(copy)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/hostname", "members/../../secret", "C:\\secret", "members\\0"]
)
def test_a_path_that_leaves_the_bundle_is_refused(copy, name):
    secret = copy.parent / "secret"
    secret.write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    edit(copy, lambda manifest: manifest["files"].update({name: digest}))
    with pytest.raises(ConfigError, match="expected paths inside the bundle, got"):
        read_bundle(copy)


def test_a_link_that_leaves_the_bundle_is_refused(copy):
    weights = copy / "members" / "0" / "model.safetensors"
    weights.rename(copy.parent / "elsewhere")
    weights.symlink_to(copy.parent / "elsewhere")
    with pytest.raises(ConfigError, match="expected paths inside the bundle, got 'members/0"):
        read_bundle(copy)


def test_a_member_folder_outside_is_refused(copy):
    edit(copy, lambda manifest: manifest["members"][0].update(folder="../members/0"))
    with pytest.raises(ConfigError, match=r"members/0/folder: expected .*pattern"):
        read_bundle(copy)


def test_a_file_without_hash_is_refused(copy):
    edit(copy, lambda manifest: manifest["files"].pop("members/2/config.json"))
    with pytest.raises(ConfigError, match=r"expected a hash of members/2/config\.json, got none"):
        read_bundle(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(note="x"), r"bundle\.json: expected known keys only, got note"),
        (lambda m: m["members"][1].update(x=1), "known keys only, got members/1/x"),
        (lambda m: m["members"][1].update(weight=0.9), "expected weights that sum to 1"),
        (lambda m: m["members"][1].update(weight="a"), "members/1/weight: expected a valid numb"),
        (lambda m: m["members"][1].update(folder="members/0"), "a folder of its own for each"),
        (lambda m: m.pop("classes"), "classes: expected .*, got none"),
        (lambda m: m.update(members=[]), "members: expected .*at least 1 item"),
        (lambda m: m["attributes"]["warm"].update(of_class=[0]), "a value of attribute 'warm'"),
        (lambda m: m["attributes"]["warm"].update(of_class=[0, 0, 7]), "numbers of values of"),
        (lambda m: m.update(version=2), r"bundle\.json: version: expected 1, got 2"),
        (lambda m: m["members"][0].update(formats=["exe"]), "formats/0: expected .*'onnx'"),
        (lambda m: m["members"][0].update(formats=["onnx"]), "a hash of members/0/model.onnx"),
        (lambda m: m.pop("version"), "version: expected 1, got None"),
    ],
)
def test_a_manifest_that_is_not_as_it_must_be_is_refused(copy, change, message):
    edit(copy, change)
    with pytest.raises(ConfigError, match=message):
        read_bundle(copy)


def test_a_file_that_nothing_lists_does_not_matter(copy):
    (copy / "members" / "0" / ".DS_Store").write_bytes(b"left by a file browser")
    assert read_bundle(copy).manifest.classes == ("blue", "green", "red")


@pytest.mark.parametrize("text", ['{"version": 1,', "[]", "\x00"])
def test_a_damaged_manifest_is_refused(copy, text):
    (copy / "bundle.json").write_text(text)
    with pytest.raises(ConfigError, match=r"bundle\.json: "):
        read_bundle(copy)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"expected a bundle .*, got no bundle\.json"):
        read_bundle(tmp_path)
    with pytest.raises(ConfigError, match=r"missing: expected a bundle .*, got no such folder"):
        read_bundle(tmp_path / "missing")


def test_a_folder_in_use_is_not_written_to(tmp_path):
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(ConfigError, match="expected a new or empty folder, got one in use"):
            new_bundle(path).__enter__()
    assert (tmp_path / "file").read_text() == "mine"


def test_an_empty_folder_becomes_the_bundle(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with new_bundle(out) as folder:
        (folder / "file").write_text("content")
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "file"]


def test_nothing_is_left_of_a_bundle_that_fails(tmp_path):
    def fail():
        with new_bundle(tmp_path / "out") as folder:
            (folder / "file").write_text("half")
            raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        fail()
    assert not list(tmp_path.iterdir())
