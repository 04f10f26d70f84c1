"""The jobs of a Ray cluster that are searches: sent, listed, followed and stopped."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from ray.job_submission import JobDetails, JobStatus, JobSubmissionClient

from search.joining import ANSWER_S, use_token
from search.submission import Submission, packed
from trainable.command import DONE, FAILED, INTERRUPTED, WRONG_INPUT
from trainable.errors import ConfigError, expected, first_line, unknown

RUN = "classifier-search/run"
# An epoch may have to end first; Ray kills what has not ended by then.
STOP_S = 120
POLL_S = 0.5
# They tell of every file that is sent, on a level that Ray sets for itself.
LOUD_LOGGERS = (
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
)
WORDS = {
    JobStatus.PENDING: "waiting",
    JobStatus.RUNNING: "running",
    JobStatus.STOPPED: "stopped",
    JobStatus.SUCCEEDED: "done",
    JobStatus.FAILED: "failed",
}


@dataclass(frozen=True)
class SearchJob:
    """A search that was sent to the cluster.

    Args:
        name: Its name among the jobs of the cluster.
        run_folder: Its run folder there.
        status: waiting, running, stopped, done or failed.
        begun: When it was sent.
        ended: When it ended, None until then.
        message: What Ray says of it.
        exit_code: What it has exited with as a command, None until then.
    """

    name: str
    run_folder: str
    status: str
    begun: datetime
    ended: datetime | None
    message: str
    exit_code: int | None = None

    @property
    def has_ended(self) -> bool:
        """Return whether it will do nothing more."""
        return self.status in ("stopped", "done", "failed")


class Jobs:
    """The searches among the jobs of a cluster.

    Args:
        address: URL of the cluster's dashboard.

    Raises:
        ConfigError: If no cluster answers there, or it does not take our token.
    """

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        use_token(self._accepts, place=self._address)
        # Ray prefers these to the address that it is given.
        os.environ["RAY_API_SERVER_ADDRESS"] = self._address
        self._client = JobSubmissionClient(self._address)
        for name in LOUD_LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)

    def send(self, submission: Submission) -> SearchJob:
        """Send a search and return it as soon as the cluster has it.

        Raises:
            ConfigError: If a search runs in its run folder, or the cluster does not take it.
        """
        jobs = self.all()
        run_folder = str(submission.run_folder)
        for job in jobs:
            if job.run_folder == run_folder and not job.has_ended:
                remedy = f"It is {job.name!r}: stop it, or give another --name."
                what = f"a run folder in which nothing is {job.status}"
                raise ConfigError(expected("--name", what, run_folder, remedy))
        name = _unused(submission.name, [job.name for job in jobs])
        with packed(submission) as folder:
            environment = {
                "working_dir": str(folder),
                "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_S)},
            }
            try:
                self._client.submit_job(
                    entrypoint=submission.entrypoint,
                    submission_id=name,
                    runtime_env=environment,
                    metadata={RUN: run_folder},
                )
            except (RuntimeError, OSError) as error:
                what = f"the cluster at {self._address!r} to take the search"
                raise ConfigError(expected("--address", what, first_line(error))) from error
        return self.named(name)

    def all(self) -> list[SearchJob]:
        """Return all searches that were sent, the first one first."""
        searches = [job for job in self._client.list_jobs() if RUN in (job.metadata or {})]
        return sorted(map(_search_job, searches), key=lambda job: job.begun)

    def named(self, name: str, option: str = "name") -> SearchJob:
        """Return a search by its name.

        Args:
            name: Its name.
            option: The option that it comes from.

        Raises:
            ConfigError: If there is none.
        """
        jobs = {job.name: job for job in self.all()}
        if not jobs:
            got = f"{name!r}, and no search was sent to {self._address}"
            raise ConfigError(expected(option, "the name of a search", got))
        if name not in jobs:
            raise ConfigError(unknown(option, "the name of a search", name, jobs))
        return jobs[name]

    def logs(self, name: str) -> str:
        """Return all that a search has printed."""
        return str(self._client.get_job_logs(name))

    def follow(
        self, name: str, write: Callable[[str], None], *, quiet_s: float | None = None
    ) -> bool:
        """Hand on what a search prints, from its begin to its end, as it comes.

        Args:
            name: The search.
            write: Called with each piece of text.
            quiet_s: Seconds without any after which it is left off; None waits for ever.

        Returns:
            Whether it was followed to its end.

        Raises:
            KeyboardInterrupt: After Ctrl-C; the search goes on.
        """

        async def hand_on() -> None:
            texts = self._client.tail_job_logs(name)
            while (text := await asyncio.wait_for(anext(texts, None), quiet_s)) is not None:
                write(text)

        try:
            asyncio.run(hand_on())
        except TimeoutError:
            return False
        return True

    def ask_to_stop(self, name: str) -> None:
        """Have a search end as Ctrl-C does."""
        self._client.stop_job(name)

    def stop(self, name: str) -> SearchJob:
        """Have a search end as Ctrl-C does, and wait until it has."""
        self.ask_to_stop(name)
        return self.ended(name, within_s=STOP_S + ANSWER_S)

    def ended(self, name: str, *, within_s: float) -> SearchJob:
        """Return a search once it has ended, or as it is after so many seconds."""
        deadline = time.monotonic() + within_s
        while not (job := self.named(name)).has_ended and time.monotonic() < deadline:
            time.sleep(POLL_S)
        return job

    def _accepts(self, token: str | None) -> bool:
        """Return whether the cluster takes a token, or needs none.

        Raises:
            ConfigError: If no Ray cluster answers.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self._address}/api/jobs/"
        try:
            reply = requests.get(url, headers=headers, timeout=ANSWER_S)
            if reply.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
                return False
            is_ray = reply.ok and isinstance(reply.json(), list)
            reason = "something else answers there"
        except requests.JSONDecodeError:
            is_ray, reason = False, "something else answers there"
        except requests.RequestException as error:
            is_ray, reason = False, why_unreachable(error)
        if not is_ray:
            what = "the dashboard of a running Ray cluster"
            remedy = "`ray start --head` prints its URL; its port is 8265 unless told otherwise."
            got = f"{self._address} ({reason})"
            raise ConfigError(expected("--address", what, got, remedy))
        return True


def why_unreachable(error: requests.RequestException) -> str:
    """Return why a server gave no answer, in a few words."""
    if isinstance(error, requests.Timeout):
        return f"no answer within {ANSWER_S} s"
    if isinstance(error, requests.ConnectionError):
        text = str(error)
        known = ("Connection refused", "Name or service not known", "No route to host")
        return next((words for words in known if words in text), "it cannot be reached").lower()
    return first_line(error)


def _unused(name: str, used: Sequence[str]) -> str:
    """Return a name that no job has had: the cluster remembers ended ones, too."""
    unused, number = name, 2
    while unused in used:
        unused, number = f"{name}-{number}", number + 1
    return unused


def _search_job(job: JobDetails) -> SearchJob:
    assert job.metadata is not None
    return SearchJob(
        name=str(job.submission_id),
        run_folder=str(Path(job.metadata[RUN])),
        status=WORDS[job.status],
        begun=_time(job.start_time),
        ended=_time(job.end_time) if job.end_time else None,
        message=job.message or "",
        exit_code=_exit_code(job),
    )


def _exit_code(job: JobDetails) -> int | None:
    if not job.status.is_terminal():
        return None
    if job.status is JobStatus.FAILED:
        known = (WRONG_INPUT, INTERRUPTED)
        return job.driver_exit_code if job.driver_exit_code in known else FAILED
    return DONE if job.status is JobStatus.SUCCEEDED else INTERRUPTED


def _time(milliseconds: Any) -> datetime:  # noqa: ANN401  # Ray has no types
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC).astimezone()
