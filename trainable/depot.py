"""The machine that has the run folder, as workers on machines without its disk see it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from trainable.files import remove, written_to
from trainable.ownership import OWNER_FILE, Ownership, check_owner

MARK_FILE = ".mark"
PIECE_BYTES = 4 * 2**20


class Depot(ABC):
    """Reads and writes run folders and the folders of trials there, for workers elsewhere."""

    @abstractmethod
    def mark(self, home: Path) -> str:
        """Mark a run folder: a machine on which it has this mark shares the disk.

        Args:
            home: The run folder, absolute.

        Returns:
            The mark, which no other depot has; it is in ``home/.mark``.
        """

    @abstractmethod
    def claim(self, folder: Path) -> str:
        """Claim a trial's folder for a worker; return the token of the claim."""

    @abstractmethod
    def check(self, folder: Path, token: str) -> None:
        """Check that a worker's claim still holds.

        Raises:
            NotOwnerError: If it does not.
        """

    @abstractmethod
    def names(self, folder: Path) -> list[str]:
        """Return the paths of a trial's files below its folder, as ``files_of`` does."""

    @abstractmethod
    def fetch(self, file: Path, stream: BinaryIO) -> None:
        """Write a file's content to a stream here."""

    @abstractmethod
    def send(self, stream: BinaryIO, aside: Path, name: str) -> None:
        """Write a stream's content to a file to be, in a folder beside where it belongs.

        Raises:
            UnwritableError: If the disk is full, or may not be written to.
        """

    @abstractmethod
    def settle(
        self, aside: Path, names: Sequence[str], gone: Sequence[str], *, token: str | None
    ) -> None:
        """Put what was written aside in its place, in the folder around, and delete what is gone.

        Args:
            aside: Where it was written.
            names: Files and folders there, in the order in which they are put in place.
            gone: Files and folders to delete after that.
            token: That of the claim to the folder; None where any worker may write this.

        Raises:
            NotOwnerError: If the claim does not hold any more; nothing is put in place then.
            UnwritableError: If the disk is full, or may not be written to.
        """


class DiskDepot(Depot):
    """A depot on the machine that it is for.

    Answers may be lost on their way: whatever it is asked, it may be asked again.

    Args:
        mark: A text that no other depot has.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def mark(self, home: Path) -> str:
        """As of every depot."""
        file = home / MARK_FILE
        with written_to(file):
            file.write_text(self._mark)
        return self._mark

    def claim(self, folder: Path) -> str:
        """As of every depot."""
        return Ownership(folder).token

    def check(self, folder: Path, token: str) -> None:
        """As of every depot."""
        check_owner(folder, token)

    def names(self, folder: Path) -> list[str]:
        """As of every depot."""
        return files_of(folder)

    def fetch(self, file: Path, stream: BinaryIO) -> None:
        """As of every depot."""
        start = 0
        while piece := self.read(file, start):
            start += stream.write(piece)

    def read(self, file: Path, start: int) -> bytes:
        """Return the piece of a file that begins at a byte, empty at its end."""
        with file.open("rb") as content:
            content.seek(start)
            return content.read(PIECE_BYTES)

    def send(self, stream: BinaryIO, aside: Path, name: str) -> None:
        """As of every depot."""
        for number, piece in enumerate(pieces_of(stream)):
            self.write(aside, name, number * PIECE_BYTES, piece)

    def write(self, aside: Path, name: str, start: int, piece: bytes) -> None:
        """Write the piece of a file to be that begins at a byte.

        Raises:
            UnwritableError: If the disk is full, or may not be written to.
        """
        file = aside / name
        with written_to(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            with file.open("r+b") as content:
                content.seek(start)
                content.write(piece)

    def settle(
        self, aside: Path, names: Sequence[str], gone: Sequence[str], *, token: str | None
    ) -> None:
        """As of every depot."""
        folder = aside.parent
        try:
            if token is not None:
                check_owner(folder, token)
            for name in names:
                if (aside / name).exists():  # else this was done, and the answer got lost
                    _put(aside / name, folder / name)
        finally:
            remove(aside)
        for name in gone:
            remove(folder / name)


def pieces_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a stream's content in pieces of ``PIECE_BYTES``, an empty one where it has none."""
    yield stream.read(PIECE_BYTES)
    while piece := stream.read(PIECE_BYTES):
        yield piece


def files_of(folder: Path) -> list[str]:
    """Return the paths of a trial's files below its folder, but for those that are being written.

    Nor is who owns the trial among them, which is true of one machine alone.
    """
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = [path.relative_to(folder) for path in paths]
    whole = [name for name in names if not any(part.startswith(".") for part in name.parts)]
    return sorted(name.as_posix() for name in whole if name != Path(OWNER_FILE))


def _put(source: Path, target: Path) -> None:
    with written_to(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            remove(target)  # a folder replaces no other in one step
        source.replace(target)
