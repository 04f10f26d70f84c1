"""The depot as an actor of Ray, for the workers of a cluster that do not share the run folder."""

import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from trainable.depot import MARK_FILE, PIECE_BYTES, Depot, DiskDepot, pieces_of
from trainable.files import remove
from trainable.ownership import NotOwnerError, drop_sent

NUM_THREADS = 16
MOST_UNDER_WAY = 4
GONE = "the machine of the search does not answer"


@dataclass(frozen=True)
class RemoteDepot(Depot):
    """What a worker has of the depot: each call goes to an actor on the machine of the search.

    Without an answer, since that machine is gone, a worker has nothing left to do: that reads as
    a claim that is over.

    Args:
        name: The actor's name.
    """

    name: str

    def mark(self, home: Path) -> str:
        """As of every depot."""
        return str(self._answer("mark", home))

    def claim(self, folder: Path) -> str:
        """As of every depot."""
        return str(self._answer("claim", folder))

    def check(self, folder: Path, token: str) -> None:
        """As of every depot."""
        self._answer("check", folder, token)

    def names(self, folder: Path) -> list[str]:
        """As of every depot."""
        return list(self._answer("names", folder))

    def fetch(self, file: Path, stream: BinaryIO) -> None:
        """As of every depot, several pieces on their way at a time."""
        asked = (self._ask("read", file, number * PIECE_BYTES) for number in count())
        for piece in self._in_turn(asked):
            stream.write(piece)
            if len(piece) < PIECE_BYTES:
                return

    def send(self, stream: BinaryIO, aside: Path, name: str) -> None:
        """As of every depot, several pieces on their way at a time."""
        asked = (
            self._ask("write", aside, name, number * PIECE_BYTES, piece)
            for number, piece in enumerate(pieces_of(stream))
        )
        for _ in self._in_turn(asked):
            pass

    def settle(
        self, aside: Path, names: Sequence[str], gone: Sequence[str], *, token: str | None
    ) -> None:
        """As of every depot."""
        self._answer("settle", aside, names, gone, token=token)

    def _ask(self, method: str, *arguments: object, **named: object) -> Any:  # noqa: ANN401
        try:
            actor = ray.get_actor(self.name)
        except ValueError as error:  # what Ray says of an actor that is gone
            raise NotOwnerError(GONE) from error
        return getattr(actor, method).remote(*arguments, **named)

    def _answer(self, method: str, *arguments: object, **named: object) -> Any:  # noqa: ANN401
        return _got(self._ask(method, *arguments, **named))

    def _in_turn(self, asked: Iterable[Any]) -> Iterator[Any]:
        """Yield the answers in the order of the questions, of which a few are under way."""
        under_way: deque[Any] = deque()
        for question in asked:
            under_way.append(question)
            if len(under_way) == MOST_UNDER_WAY:
                yield _got(under_way.popleft())
        yield from map(_got, under_way)


def _got(answer: Any) -> Any:  # noqa: ANN401  # Ray has no types
    """Return what the depot answered, or raise what it raised."""
    try:
        return ray.get(answer)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayActorError as error:
        raise NotOwnerError(GONE) from error


@contextmanager
def depot_here(homes: Iterable[Path]) -> Iterator[RemoteDepot]:
    """Serve run folders of this machine to the workers of the cluster that has been joined.

    Args:
        homes: The run folders.

    Yields:
        What a worker reaches them by.
    """
    name = f"depot-{uuid.uuid4().hex[:12]}"
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    options = {"num_cpus": 0, "max_concurrency": NUM_THREADS, "scheduling_strategy": here}
    # Another process of the same mark takes its place, should it be killed.
    lives = {"max_restarts": -1, "max_task_retries": -1}
    actor = ray.remote(DiskDepot).options(name=name, **options, **lives).remote(name)
    try:
        yield RemoteDepot(name)
    finally:
        ray.kill(actor)
        for home in homes:
            remove(home / MARK_FILE)
            for trial in home.glob("trials/*"):  # no other worker went on with some
                drop_sent(trial)
