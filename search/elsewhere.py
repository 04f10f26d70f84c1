"""``search.run --address ray://HOST:PORT``: the search is sent to a cluster and followed here."""

import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import aiohttp

from search.arguments import GivenOptions
from search.client_server import job_server
from search.interrupts import interruptible
from search.jobs import Jobs, SearchJob
from search.joining import OPTION, reason_of
from search.submission import make_submission, without
from search.submit import RESUMABLE, SETTLE_S, command, stopped_line, write_through
from trainable.command import FAILED, INTERRUPTED
from trainable.errors import SearchError, expected, first_line

FOLDER = "--folder"
# A connection may have been cut without a word, as of a laptop that slept: then another is made.
QUIET_S = 60
LOST_S = 600
AGAIN_S = 2
LOST = (OSError, RuntimeError, aiohttp.ClientError)

Tell = Callable[[str], None]


def run_elsewhere(argv: Sequence[str], given: GivenOptions, tell: Tell) -> int:
    """Send a search to the cluster at its ``ray://`` address, show what it prints to its end.

    The search does not depend on this process: only Ctrl-C ends it, in order.

    Args:
        argv: The arguments of ``search.run``.
        given: The same as they were read.
        tell: Prints a line.

    Returns:
        What the search exited with as a command; 130 where this process was told to leave it.

    Raises:
        ConfigError: If the arguments are wrong, or the cluster cannot be used from here.
        SearchError: If the connection is lost for long; the search goes on.
    """
    address = given.values["address"]
    folder = (given.folder or Path()).absolute()
    submission = make_submission(list(without(argv, OPTION, FOLDER)), folder)
    url = job_server(address)
    jobs = Jobs(url)
    early: list[bool] = []
    with interruptible(lambda: early.append(True)):  # halfway it would be sent, and unknown
        job = jobs.send(submission)
    log = _Log(jobs, job.name, url, tell)
    again = f"{command(url)} --logs {job.name} --follow"
    try:
        with _left_at_sigterm():
            tell(f"Sent: {job.name} (run folder {job.run_folder})")
            tell("      Ctrl-C stops it, to be gone on with. It needs no terminal; its log:")
            tell(f"      {again}")
            ended = _followed(log, tell, stops=bool(early))
    except (KeyboardInterrupt, _Left):
        tell(f"{job.name} {'is being stopped' if log.has_asked else 'goes on'}. Its log:")
        tell(f"  {again}")
        return INTERRUPTED
    there = [] if given.folder is None else [FOLDER, str(given.folder)]
    resume = ["python", "-m", "search.run", OPTION, address, *there, "--resume", job.run_folder]
    return _concluded(ended, tell, shlex.join(resume), has_begun=log.is_resumable)


class _Left(BaseException):
    """This process is to end, and the search to go on."""


@contextmanager
def _left_at_sigterm() -> Iterator[None]:
    """Tell SIGTERM from Ctrl-C: it comes when a machine shuts down or a session is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets no other thread handle signals
        return

    def leave(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise _Left

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Log:
    """What a search prints, shown as it comes, over as many connections as it takes."""

    def __init__(self, jobs: Jobs, name: str, url: str, tell: Tell) -> None:
        self._jobs, self._name, self._url, self._tell = jobs, name, url, tell
        self._num_shown = self._num_read = 0
        self._stops = False
        self.has_asked = False
        self.is_resumable = False

    def stop(self) -> None:
        """Have the search end as Ctrl-C does, as soon as there is a connection."""
        self._stops = True

    def shown_to_the_end(self) -> SearchJob:
        """Show what was not shown yet, until the search has ended.

        Raises:
            SearchError: If there has been no connection for long.
        """
        lost_since = None
        while True:
            try:
                if self._stops and not self.has_asked:
                    self._jobs.ask_to_stop(self._name)
                    self.has_asked = True
                self._num_read = 0  # each connection begins with the first line
                is_over = self._jobs.follow(self._name, self._show_new, quiet_s=QUIET_S)
                job = self._jobs.ended(self._name, within_s=SETTLE_S if is_over else 0)
                if job.has_ended:
                    if not is_over:
                        self._num_read = 0
                        self._show_new(self._jobs.logs(self._name))
                    return job
                lost_since = None
            except LOST as error:
                if lost_since is None:
                    lost_since = time.monotonic()
                    self._tell(f"No connection to {self._url}; {self._name} does without it.")
                self._give_up_after(lost_since, error)
                time.sleep(AGAIN_S)

    def _show_new(self, text: str) -> None:
        new = text[max(0, self._num_shown - self._num_read) :]
        self._num_read += len(text)
        self._num_shown = max(self._num_shown, self._num_read)
        self.is_resumable = self.is_resumable or RESUMABLE in text
        write_through(new)

    def _give_up_after(self, since: float, error: Exception) -> None:
        if time.monotonic() - since > LOST_S:
            what = f"{self._url} to answer again within {LOST_S} s"
            remedy = (
                f"{self._name} goes on if its cluster does: "
                f"`{command(self._url)} --logs {self._name} --follow` shows it."
            )
            raise SearchError(expected(OPTION, what, reason_of(error), remedy)) from error


def _followed(log: _Log, tell: Tell, *, stops: bool) -> SearchJob:
    try:
        if not stops:
            return log.shown_to_the_end()
    except KeyboardInterrupt:
        pass
    tell("Stopping it, which may take an epoch; Ctrl-C again does not wait for that.")
    log.stop()
    return log.shown_to_the_end()


def _concluded(job: SearchJob, tell: Tell, resume: str, *, has_begun: bool) -> int:
    assert job.exit_code is not None
    if job.exit_code == INTERRUPTED:
        tell(stopped_line(job, has_begun=has_begun))
        tell(f"  {resume}")
    elif job.exit_code == FAILED and f"exit code {FAILED}," not in job.message:
        # Killed, or never begun: then it has not said itself what went wrong.
        why = first_line(RuntimeError(job.message)).partition(", last available logs")[0]
        tell(f"{job.name}: failed. {why.removesuffix('.')}.")
        tell("If its run folder is there, go on with:")
        tell(f"  {resume}")
    return job.exit_code
