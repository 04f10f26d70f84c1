"""MLflow: a run for the search, and in it a run for each trial."""

import logging
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from search.trackers.base import Received, TrackedSearch, Tracker, TrialEnd
from trainable.errors import ConfigError, expected
from trainable.run_files import RECORD_FILE
from trainable.trial_folder import trial_id

if TYPE_CHECKING:
    from mlflow.entities import Run

EXPERIMENT = "classifier-search"
URI = "MLFLOW_TRACKING_URI"
SEARCH, TRIAL = "search.id", "search.trial"
PARENT = "mlflow.parentRunId"
STATUS = {"complete": "FINISHED", "pruned": "FINISHED", "failed": "FAILED", "waiting": "SCHEDULED"}
ANSWERS_WITHIN_S = 10
MOST_METRICS, MOST_PARAMS, MOST_CHARACTERS = 1000, 100, 500
_NOT_IN_NAMES = re.compile(r"[^\w\-./: ]", re.ASCII)
# By default the client tries for minutes; ours tries again with the next event. And it would
# print two lines a trial into the live view.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# They print into the live view, of what the feed says in a line.
LOUD_LOGGERS = ("mlflow", "alembic", "urllib3.connectionpool")


class MlflowTracker(Tracker):
    """Logs to the server or store that ``MLFLOW_TRACKING_URI`` names.

    The experiment is that of ``MLFLOW_EXPERIMENT_NAME``, by default ``classifier-search``.
    """

    name = "mlflow"
    package = "mlflow"
    extra = "mlflow"

    @classmethod
    def check(cls) -> None:
        """Check that the client is installed, and that a server answers where one is named.

        Raises:
            ConfigError: If not.
        """
        super().check()
        uri = os.environ.get(URI, "")
        if not uri.startswith(("http://", "https://")):
            return
        problem = _why_silent(uri)
        if problem:
            remedy = f"Start it, mend {URI}, or leave mlflow out."
            got = f"{urlsplit(uri).netloc.rpartition('@')[2]} ({problem})"
            raise ConfigError(
                expected("--log-to mlflow", "an MLflow server that answers", got, remedy)
            )

    def open(self, search: TrackedSearch) -> None:
        """Find or make experiment and run of the search."""
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient
        from mlflow.tracking.context.registry import resolve_tags

        for name in LOUD_LOGGERS:  # after the import, which configures them
            logging.getLogger(name).setLevel(logging.CRITICAL)

        self._search = search
        self._client: MlflowClient = MlflowClient()
        # User, program and commit, as MLflow finds them for runs that its own functions make.
        self._origin: dict[str, str] = resolve_tags()
        self._runs: dict[int, str] = {}
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        found = self._client.get_experiment_by_name(name)
        self._experiment = found.experiment_id if found else self._client.create_experiment(name)
        parent = self._run("", name=search.name)
        self._parent = parent.info.run_id
        self._client.update_run(self._parent, status="RUNNING")
        self._client.log_artifact(self._parent, str(search.run_folder / RECORD_FILE))

    def begin(self, number: int, config: Mapping[str, Any]) -> Received:
        """Find or make the run of a trial, with its hyperparameters as parameters."""
        from mlflow.entities import Param

        run = self._run(str(number), name=trial_id(number), parent=self._parent)
        self._runs[number] = run.info.run_id
        received = Received(
            int(run.data.metrics.get("epoch", 0)), run.info.status in ("FINISHED", "FAILED")
        )
        if not received.has_ended:
            self._client.update_run(run.info.run_id, status="RUNNING")
            params = [
                Param(_named(key), str(value)[:MOST_CHARACTERS])
                for key, value in config.items()
                if _named(key) not in run.data.params
            ]
            for some in _batches(params, MOST_PARAMS):
                self._client.log_batch(run.info.run_id, params=some)
        return received

    def log(self, number: int, rows: Sequence[Mapping[str, float]]) -> None:
        """Send each epoch as a step; ``epoch`` comes last, since it says that all is there."""
        from mlflow.entities import Metric

        now_ms = int(time.time() * 1000)
        for row in rows:
            step = int(row["epoch"])
            names = sorted(row, key=lambda name: name == "epoch")
            metrics = [Metric(_named(name), float(row[name]), now_ms, step) for name in names]
            for some in _batches(metrics, MOST_METRICS):
                self._client.log_batch(self._runs[number], metrics=some)

    def end(self, number: int, end: TrialEnd, files: Sequence[Path]) -> None:
        """Send files, value and state, then close the run; one that waits is scheduled."""
        from mlflow.entities import Metric, RunTag

        run_id = self._runs[number]
        for file in files:
            self._client.log_artifact(run_id, str(file))
        now_ms = int(time.time() * 1000)
        metrics = [] if end.value is None else [Metric("value", end.value, now_ms, 0)]
        tags = [RunTag("state", end.state), RunTag("reason", end.reason[:MOST_CHARACTERS])]
        self._client.log_batch(run_id, metrics=metrics, tags=tags)
        self._client.set_terminated(run_id, STATUS[end.state])

    def close(self, *, is_done: bool) -> None:
        """Close the run of the search."""
        self._client.set_terminated(self._parent, "FINISHED" if is_done else "KILLED")

    def _run(self, trial: str, *, name: str, parent: str = "") -> "Run":
        """Return the run of a trial, or of the search itself, that is there; else make it."""
        tags = {SEARCH: self._search.tracking_id, TRIAL: trial or "all"}
        asked = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        if found := self._client.search_runs([self._experiment], asked, max_results=1):
            return found[0]
        more = self._origin | ({PARENT: parent} if parent else {})
        return self._client.create_run(self._experiment, tags=tags | more, run_name=name)


def _why_silent(uri: str) -> str:
    """Return why a server does not answer, or "" if it does, be it that it asks for a login."""
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]  # urllib takes a name and password for a part of it
    url = urlunsplit((parts.scheme, host, f"{parts.path.rstrip('/')}/health", "", ""))
    try:
        urllib.request.urlopen(url, timeout=ANSWERS_WITHIN_S).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        return "" if error.code < HTTPStatus.INTERNAL_SERVER_ERROR else str(error)
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))
    return ""


def _named(name: str) -> str:
    """Return a name as MLflow takes it.

    Example:
        >>> _named("val/f1/age/60+ years")
        'val/f1/age/60_ years'
    """
    return _NOT_IN_NAMES.sub("_", name)[:250]


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
