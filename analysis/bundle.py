"""The bundle: a folder that predicts on any machine, with what it is made of and how good it is.

    bundle.json    the manifest: members, weights, classes, metrics, a hash of every other file
    members/N/     model.safetensors and config.json of one member; if asked for, also
                   model.onnx and model.pt2
    card.md        the same for people

A bundle may come from a stranger. Reading one unpickles nothing, follows no path out of its
folder and opens no file whose hash is not the recorded one.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from analysis.formats.names import FILES, SAFETENSORS
from analysis.manifest import CONFIG, Manifest, MemberEntry, parse_manifest
from analysis.output import output
from trainable.errors import ConfigError, expected
from trainable.files import write_json

MANIFEST, CARD = "bundle.json", "card.md"
WEIGHTS = FILES[SAFETENSORS]


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files are those that its manifest lists.

    Args:
        path: Its folder.
        manifest: What it holds.
    """

    path: Path
    manifest: Manifest

    def weights_file(self, member: MemberEntry) -> Path:
        """Return the path of a member's weights."""
        return self.path / member.folder / WEIGHTS

    def config_file(self, member: MemberEntry) -> Path:
        """Return the path of a member's configuration."""
        return self.path / member.folder / CONFIG


def check_new(path: Path) -> None:
    """Check early that a bundle can be written somewhere.

    Raises:
        ConfigError: If something is there already.
    """
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        remedy = "Give another folder, or remove it."
        raise ConfigError(expected(str(path), "a new or empty folder", "one in use", remedy))


@contextmanager
def new_bundle(path: Path) -> Iterator[Path]:
    """Yield a folder to fill and seal, which becomes the bundle once the block has succeeded.

    Raises:
        ConfigError: If something is there already, or the system cannot read or write a file.
    """
    check_new(path)
    with output(path) as aside:
        aside.mkdir()
        yield aside


def seal(folder: Path, manifest: Manifest, card: str) -> Bundle:
    """Write card and manifest of a folder that holds its members' files, with all hashes."""
    (folder / CARD).write_text(card, encoding="utf-8")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}
    sealed = manifest.model_copy(update={"files": files})
    write_json(folder / MANIFEST, sealed.model_dump(mode="json", exclude_none=True))
    return Bundle(folder, sealed)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle's manifest and check every file that it lists.

    Raises:
        ConfigError: If it is no bundle, of another version, incomplete, damaged, or names a file
            that is not in its folder.
    """
    manifest = parse_manifest(path / MANIFEST)
    needed = [CARD, *(file for member in manifest.members for file in member.files)]
    problems = [
        expected(str(path / MANIFEST), f"a hash of {name}", "none")
        for name in needed
        if name not in manifest.files
    ]
    for name, recorded in manifest.files.items():
        problems += _file_problems(path, name, recorded)
    if problems:
        raise ConfigError(problems)
    return Bundle(path, manifest)


def _file_problems(folder: Path, name: str, recorded: str) -> Iterator[str]:
    if not _is_inside(folder, name):
        yield expected(str(folder / MANIFEST), "paths inside the bundle", repr(name))
    elif not (folder / name).is_file():
        yield expected(str(folder / name), "a file of the bundle", "none")
    elif _sha256(folder / name) != recorded:
        yield expected(str(folder / name), "the content that was written", "a damaged file")


def _is_inside(folder: Path, name: str) -> bool:
    """Return whether a name is a plain relative path that no link leads out of the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        return False
    return (folder / path).resolve().is_relative_to(folder.resolve())


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
