"""The trial as Ray Tune runs it; the only file of this package that knows Ray."""

import json
import traceback
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import torch
from ray import tune
from ray.tune.result import DONE

from trainable.config import parse_config
from trainable.data.prepared import PreparedData, read_data
from trainable.errors import ConfigError, SearchError, TrialError
from trainable.objective import Objective
from trainable.trial import Machine, Trial
from trainable.trial_folder import TrialFolder

POINTER = "trial.json"


@lru_cache(maxsize=1)
def _data_of(run_folder: Path) -> PreparedData:
    """Read a run's data once for all trials of this process."""
    return read_data(run_folder)


class TrainTrial(tune.Trainable):  # type: ignore[misc]  # Ray has no types
    """One epoch a step, in a process that trains one trial after the other.

    The trial's own folder holds its checkpoint, and a trial that is set up goes on from it. So
    a worker that dies is simply started again, and what Ray itself keeps is only a pointer.

    The configuration that Ray passes has ``number``, ``config`` (flat hyperparameters),
    ``run_folder``, ``metric``, ``cpus`` and ``gpus`` of a trial.

    A result holds the metrics of an epoch, ``finished`` (why nothing is left to train, or "") and
    ``failed`` (why the trial failed for good, or ""); ``stop_search`` where no other trial could
    do better.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Take note of the trial; it is opened by its first step.

        Tune may start a worker for a trial and then, because another one came free, leave it
        unused: it must not touch the trial's folder.
        """
        cpus, gpus = config["cpus"], config["gpus"]
        torch.set_num_threads(max(1, int(cpus)))
        cv2.setNumThreads(0)
        device = torch.device("cuda" if gpus else "cpu")
        # Without a GPU the decoded cache is read faster than a worker process could hand it over.
        self._machine = Machine(device, num_workers=max(0, int(cpus) - 1) if gpus else 0)
        self._trial: Trial | None = None
        self._take(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Go over to another trial in this process."""
        self._close()
        self._take(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Train one epoch.

        A configuration that cannot be trained, a loss that is no number, and what stops the whole
        search are results: trying again would not help. Anything else goes on to Ray, which tries
        again from the checkpoint.
        """
        try:
            self._trial = self._trial or self._open()
            result = self._result(self._trial)
        except (ConfigError, TrialError) as error:
            return self._failure(str(error))
        except SearchError as error:
            return self._failure(str(error)) | {"stop_search": True}
        except Exception:
            self._folder.write_error(traceback.format_exc())
            raise
        self._folder.error.unlink(missing_ok=True)  # of a crash that the trial has survived
        return result

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Point to the trial's own folder, which holds the checkpoint of every epoch."""
        Path(checkpoint_dir, POINTER).write_text(json.dumps({"folder": str(self._folder.path)}))

    def load_checkpoint(self, checkpoint: str | dict[str, Any] | None) -> None:
        """Do nothing: a trial goes on from its own folder when it is set up."""

    def cleanup(self) -> None:
        """Close the trial's files."""
        self._close()

    def _take(self, config: dict[str, Any]) -> None:
        self._run_folder = Path(config["run_folder"])
        self._folder = TrialFolder.of(self._run_folder, config["number"])
        self._objective = Objective(config["metric"])
        self._hyperparameters = config["config"]

    def _open(self) -> Trial:
        return Trial(
            parse_config(self._hyperparameters),
            _data_of(self._run_folder),
            self._folder.path,
            objective=self._objective,
            machine=self._machine,
        )

    def _close(self) -> None:
        if self._trial is not None:
            self._trial.close()
            self._trial = None

    def _result(self, trial: Trial) -> dict[str, Any]:
        row = trial.last_row() if trial.finished else trial.run_epoch()
        return row | {"finished": trial.finished, "failed": "", DONE: bool(trial.finished)}

    def _failure(self, reason: str) -> dict[str, Any]:
        self._folder.write_error(reason)
        return {"failed": reason, "finished": "", DONE: True}
