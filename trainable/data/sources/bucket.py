"""Images in a bucket: told by their names which they are, and brought into the cache."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import ClassVar, Literal

from typing_extensions import override

from trainable.buckets import (
    LocalCopy,
    RemoteFile,
    common_folder,
    copy_folder,
    is_plain,
    opened,
)
from trainable.data.image_files import is_image_name
from trainable.data.index import DataIndex
from trainable.data.problems import first_few
from trainable.data.sources.base import Source
from trainable.data.sources.layouts import source_at
from trainable.data.sources.table import SUFFIXES, paths_in
from trainable.data.threads import Progress
from trainable.errors import ConfigError, expected

BUCKETS_FOLDER = "buckets"
_PASSWORD = re.compile(r"(://[^:/@]*):[^/]*@")
NUM_LOOKED_UP = 100  # more files than that are listed instead, a thousand a request


class Bucket(Source):
    """A folder or table in a bucket, by its URL; only what has changed is brought here."""

    made_anywhere: ClassVar[bool] = True
    name: Literal["bucket"] = "bucket"
    url: str

    @override
    def read(self, cache_dir: Path, progress: Progress | None = None) -> DataIndex:
        """Return the index of the images, which are then in the cache as they are in the bucket.

        Raises:
            ConfigError: If there are none, the bucket does not answer, or the images are not as
                a source that is a path needs them.
        """
        if _PASSWORD.search(self.url):  # it would be in run.json, for everyone to read
            remedy = "Access is configured outside of this program, as for the bucket's own tools."
            got = _PASSWORD.sub(r"\1@", self.url)
            raise ConfigError(
                expected("data", "a URL without a password", f"{got} with one", remedy)
            )
        copy = self._copy(cache_dir)
        with copy.locked(), _reworded(copy):
            table = self._table(copy)
            named = None if table is None else {p for p in paths_in(table) if _is_wanted(p)}
            found = self._listed(copy, named)
            index = _index(copy, found, table)
            below = index.root.relative_to(copy.folder)
            images = {(below / path).as_posix() for path in index.table["path"]}
            kept = images if table is None else {*images, table.name}
            copy.drop(lambda name, _: name not in kept)
            copy.bring({name: found[name] for name in images}, progress)
        return index

    @override
    def bring(
        self,
        index: DataIndex,
        cache_dir: Path,
        *,
        paths: Sequence[str],
        anew: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Copy images that are not in the cache, or that have changed in the bucket since."""
        copy = self._copy(cache_dir)
        below = index.root.relative_to(copy.folder)
        names = [(below / path).as_posix() for path in paths]
        with copy.locked():  # another process may have brought them meanwhile
            missing = names if anew else [n for n in names if not (copy.folder / n).is_file()]
            wanted = {name for name in missing if _is_wanted(name)}
            copy.bring(self._found(copy, wanted), progress)

    @override
    def reworded(self, text: str, cache_dir: Path) -> str:
        """Return a text that names images in the bucket in place of the copies."""
        return self._copy(cache_dir).reworded(text)

    @property
    def _is_table(self) -> bool:
        return PurePosixPath(self.url).suffix.lower() in SUFFIXES

    def _copy(self, cache_dir: Path) -> LocalCopy:
        """Return the copy of the folder that the images are in, a table's own included."""
        url = self.url.rstrip("/")
        of_folder = url.rpartition("/")[0] if self._is_table else url
        system, root = opened(of_folder)
        folder = copy_folder(url, cache_dir / BUCKETS_FOLDER)
        return LocalCopy(of_folder, folder, system, root.rstrip("/"))

    def _table(self, copy: LocalCopy) -> Path | None:
        """Bring the table, if it is one, and return where it is."""
        if not self._is_table:
            return None
        name = self.url.rstrip("/").rpartition("/")[2]
        if not is_plain(name):
            raise ConfigError(expected("data", "a name that is not hidden", repr(name)))
        try:
            copy.bring({name: copy.looked_up(name)})
        except FileNotFoundError as error:
            raise ConfigError(self._nothing_there()) from error
        return copy.folder / name

    def _listed(self, copy: LocalCopy, named: set[str] | None) -> dict[str, RemoteFile]:
        """Return the images of the bucket, or only those that a table names.

        Raises:
            ConfigError: If there are none, or one has a name that cannot be kept.
        """
        if named is not None:
            return copy.listed(named.__contains__, below=common_folder(named)) if named else {}
        found = copy.listed(_is_image)
        if not found:
            raise ConfigError(self._nothing_there())
        if strange := [repr(name) for name in found if not is_plain(name)]:
            some = ", ".join(first_few(strange)).removesuffix(".")
            what = "names of images without '..', '//', '\\', ':' and control characters"
            remedy = "Rename them, or list the other images in a table."
            raise ConfigError(expected(f"data {self.url}", what, some, remedy))
        return found

    def _found(self, copy: LocalCopy, names: set[str]) -> dict[str, RemoteFile]:
        """Return those of some files that are still in the bucket, by few requests."""
        if len(names) > NUM_LOOKED_UP:
            return copy.listed(names.__contains__, below=common_folder(names))
        found = {}
        for name in names:
            try:
                found[name] = copy.looked_up(name)
            except FileNotFoundError:
                continue
        return found

    def _nothing_there(self) -> str:
        what = "images below a folder of a bucket, or a table of them"
        return expected(f"data {self.url}", what, "none there")


@contextmanager
def _reworded(copy: LocalCopy) -> Iterator[None]:
    """Name files in the bucket in the problems that the block has with their copies."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(tuple(map(copy.reworded, error.problems))) from error


def _index(copy: LocalCopy, found: dict[str, RemoteFile], table: Path | None) -> DataIndex:
    """Return the index that the images will have, once they are there.

    It is read of files without content, so that only images are brought which it has.
    """
    with TemporaryDirectory() as folder:
        outline = Path(folder).resolve()
        for parent in {(outline / name).parent for name in found}:
            parent.mkdir(parents=True, exist_ok=True)
        for name in found:
            (outline / name).touch()
        if table is not None:
            copyfile(table, outline / table.name)
        with _reworded(replace(copy, folder=outline)):
            index = source_at(outline if table is None else outline / table.name).read(outline)
        if not index.root.is_relative_to(outline):
            what = "paths of images below the table's folder"
            raise ConfigError(expected(f"data {copy.url}", what, "others"))
    return replace(index, root=copy.folder / index.root.relative_to(outline))


def _is_image(name: str) -> bool:
    """Return whether a file is an image that is not hidden, as in a folder on a disk."""
    parts = name.split("/")
    is_hidden = any(part.startswith(".") and part not in (".", "..") for part in parts)
    return not is_hidden and is_image_name(parts[-1])


def _is_wanted(name: str) -> bool:
    return _is_image(name) and is_plain(name)
