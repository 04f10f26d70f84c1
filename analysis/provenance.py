"""Who ran a search, when, where, and with which code: what run.json says of each sitting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHORT_COMMIT = 7
DIRTY = "+"


@dataclass(frozen=True)
class Sitting:
    """One time that a search ran: its beginning, or a resumption.

    Args:
        first_trial: Number of the first trial that was begun in it.
        user: Who started it; empty where unknown, as the following.
        started: When, as ISO 8601 in UTC.
        commit: First digits of the git commit of the working directory, followed by ``+`` where
            files differed from it.
        host: The machine that it was started on.
        hardware: What that machine was.
        versions: Versions of Python and of packages.
    """

    first_trial: int
    user: str
    started: str
    commit: str
    host: str
    hardware: Mapping[str, Any]
    versions: Mapping[str, Any]


def sittings(record: Mapping[str, Any]) -> tuple[Sitting, ...]:
    """Return the sittings of a search, the first one first.

    Args:
        record: What run.json says. Resumptions of earlier versions of this program, which did
            not note who and how, are left out.
    """
    resumed = [entry for entry in record.get("resumed") or [] if "first_trial" in entry]
    return (
        _sitting(record, first_trial=0, started=record.get("started_at")),
        *(_sitting(e, first_trial=int(e["first_trial"]), started=e.get("at")) for e in resumed),
    )


def _sitting(said: Mapping[str, Any], *, first_trial: int, started: object) -> Sitting:
    hardware = said.get("hardware") or {}
    commit = str(said.get("git_commit") or "")[:SHORT_COMMIT]
    return Sitting(
        first_trial=first_trial,
        user=str(said.get("user") or ""),
        started=str(started or ""),
        commit=commit + (DIRTY if said.get("git_dirty") else ""),
        host=str(hardware.get("host") or ""),
        hardware=hardware,
        versions=said.get("versions") or {},
    )


def sitting_of(record: Mapping[str, Any], trial: int) -> Sitting:
    """Return the sitting in which a trial was begun.

    Example:
        >>> record = {"user": "ann", "resumed": [{"user": "bob", "first_trial": 5}]}
        >>> sitting_of(record, 4).user, sitting_of(record, 5).user
        ('ann', 'bob')
    """
    return [s for s in sittings(record) if s.first_trial <= trial][-1]
