"""Weights & Biases: a run for each trial, in a group for the search."""

import json
import netrc
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from search.trackers.base import Received, TrackedSearch, Tracker, TrialEnd
from trainable.errors import ConfigError, expected
from trainable.files import write_json
from trainable.trial_folder import trial_id

if TYPE_CHECKING:
    from wandb import Run

PROJECT = "classifier-search"
KEYS = ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE")
FOLDER = "wandb"
SENT = "sent.json"


class WandbTracker(Tracker):
    """Logs to the server that W&B's own settings name, or to ``RUN/wandb`` when offline.

    The project is that of ``WANDB_PROJECT``, by default ``classifier-search``. Offline nobody
    can be asked what has been sent, so ``RUN/wandb/sent.json`` keeps that.
    """

    name = "wandb"
    package = "wandb"
    extra = "wandb"

    @classmethod
    def check(cls) -> None:
        """Check that the client is installed and, unless it is offline, knows a key.

        Raises:
            ConfigError: If not.
        """
        super().check()
        os.environ.setdefault("WANDB_SILENT", "true")  # the terminal is the live view's
        import wandb

        settings = wandb.setup().settings
        if settings.mode in ("offline", "dryrun", "disabled"):
            return
        host = urlparse(settings.base_url).hostname or ""
        if not any(os.environ.get(key) for key in KEYS) and not _is_in_netrc(host):
            what = f"credentials for {host}"
            remedy = "Run `wandb login`, set WANDB_API_KEY, or set WANDB_MODE=offline."
            raise ConfigError(expected("--log-to wandb", what, "none", remedy))

    def __init__(self) -> None:
        self._open: dict[int, Run] = {}

    def open(self, search: TrackedSearch) -> None:
        """Read what has been sent by earlier processes."""
        self._search = search
        self._folder = search.run_folder / FOLDER
        self._folder.mkdir(exist_ok=True)
        self._sent = _read_sent(self._folder / SENT)

    def begin(self, number: int, config: Mapping[str, Any]) -> Received:
        """Open the run of a trial, which goes on if there is one."""
        received = self._sent.get(number, Received())
        if received.has_ended or number in self._open:
            return received
        import wandb

        self._open[number] = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            id=f"{self._search.tracking_id}-{trial_id(number)}",
            name=f"{self._search.name}/{trial_id(number)}",
            group=self._search.name,
            job_type="trial",
            config=dict(config),
            resume="allow",
            reinit="create_new",
            dir=str(self._search.run_folder),
            settings=wandb.Settings(
                console="off",  # of this process, which is that of all trials
                silent=True,
                disable_git=True,
                save_code=False,
                x_disable_stats=True,
            ),
        )
        return received

    def log(self, number: int, rows: Sequence[Mapping[str, float]]) -> None:
        """Send each epoch as a step."""
        for row in rows:
            self._open[number].log(dict(row), step=int(row["epoch"]))
            self._note(number, Received(int(row["epoch"])))

    def end(self, number: int, end: TrialEnd, files: Sequence[Path]) -> None:
        """Send files, value and state, then close the run."""
        run = self._open[number]
        run.summary.update(asdict(end))
        for file in files:
            run.save(str(file), base_path=str(file.parent), policy="now")
        del self._open[number]
        run.finish(exit_code=1 if end.state == "failed" else 0)
        self._note(number, Received(self._sent.get(number, Received()).epochs, end.is_final))

    def close(self, *, is_done: bool) -> None:
        """Close what is open: runs whose end was not told."""
        del is_done
        for run in self._open.values():
            run.finish()
        self._open.clear()

    def _note(self, number: int, received: Received) -> None:
        self._sent[number] = received
        sent = {str(number): asdict(received) for number, received in self._sent.items()}
        write_json(self._folder / SENT, sent)


def _read_sent(path: Path) -> dict[int, Received]:
    if not path.exists():
        return {}
    return {
        int(number): Received(**facts) for number, facts in json.loads(path.read_text()).items()
    }


def _is_in_netrc(host: str) -> bool:
    """Return whether ``wandb login`` has kept a key for a host."""
    path = os.environ.get("NETRC")
    try:
        return host in netrc.netrc(path).hosts
    except (OSError, netrc.NetrcParseError):
        return False
