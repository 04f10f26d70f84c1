"""Who may write a trial's folder: the worker that opened it last, as long as a search says so."""

import uuid
from pathlib import Path
from typing import Protocol

from trainable.files import remove, written_to

OWNER_FILE = "owner"
# What a worker elsewhere sends lies in a folder of such a name until all of it is there.
ASIDE = ".sent-"


class NotOwnerError(Exception):
    """This worker's trial has been given to another one, or its search is over."""


class Claim(Protocol):
    """What says whether a trial is still this worker's."""

    def check(self) -> None:
        """Check that it is.

        Raises:
            NotOwnerError: If it is not.
        """


class Ownership:
    """A worker's claim to a trial's folder, which ends the claim of the one before.

    What that one was sending from elsewhere when it was lost goes with its claim.

    A worker can outlive its search: after ``kill -9`` of the driver, on a machine that the rest
    of the cluster has lost, or in a call that no signal interrupts. Before it makes an epoch count
    it checks its claim, so that it does not write into what another one goes on with.

    The file is written in place, not renamed: of a file that stays the same, a network file system
    shows new content to whoever opens it.

    Args:
        folder: The trial's folder; made if it is not there.

    Raises:
        UnwritableError: If the folder cannot be written to.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     first = Ownership(Path(folder))
        ...     second = Ownership(Path(folder))
        ...     second.check()
        ...     first.check()
        Traceback (most recent call last):
        ...
        trainable.ownership.NotOwnerError: ...
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.token = uuid.uuid4().hex
        file = folder / OWNER_FILE
        with written_to(file):
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(self.token)
            drop_sent(folder)

    def check(self) -> None:
        """Check that the claim still holds.

        Raises:
            NotOwnerError: If it does not.
        """
        check_owner(self._folder, self.token)


def check_owner(folder: Path, token: str) -> None:
    """Check that the last claim to a trial's folder is the one that was given a token.

    Raises:
        NotOwnerError: If it is another one, or there is none.
    """
    try:
        owner = (folder / OWNER_FILE).read_text()
    except FileNotFoundError:
        owner = ""
    if owner != token:
        raise NotOwnerError(f"{folder}: another worker's by now, or nobody's.")


def drop_sent(folder: Path) -> None:
    """Delete what workers elsewhere were sending to a trial's folder when they were lost."""
    for aside in folder.glob(f"{ASIDE}*"):
        remove(aside)


def end_ownership(folder: Path) -> None:
    """End the claim of whoever has opened a trial's folder.

    Raises:
        UnwritableError: If the folder cannot be written to.
    """
    with written_to(folder / OWNER_FILE):
        (folder / OWNER_FILE).unlink(missing_ok=True)
