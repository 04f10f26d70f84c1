"""The trial as Ray Tune runs it; the only file of this package that knows Ray."""

import gc
import json
import math
import os
import sys
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import cv2
import ray
import torch
from ray import tune
from ray._raylet import setproctitle  # type: ignore[attr-defined]
from ray.tune.result import DONE
from ray.util.metrics import Counter, Gauge

from trainable.config import parse_config
from trainable.data.prepared import PreparedData, read_data
from trainable.depot import Depot
from trainable.errors import ConfigError, SearchError, TrialError, expected
from trainable.files import UnwritableError
from trainable.growth import Growth
from trainable.in_parts import is_out_of_memory, out_of_memory
from trainable.kernels import CUBLAS_WORKSPACE
from trainable.objective import Objective
from trainable.ownership import NotOwnerError
from trainable.replay import Replay
from trainable.shared_gpu import SharedGpu
from trainable.trial import Machine, Trial
from trainable.trial_folder import TrialFolder, trial_id
from trainable.workplace import RemoteTrial, Workplace, workplace

POINTER = "trial.json"
TITLE = "ray::TrainTrial"
# What a process may hold more than after its first trial, once a trial is over, before it is
# replaced. What trials share on purpose does not count.
MEMORY_GROWTH = 2**30


class Shown:
    """What Ray's dashboard and Prometheus show of the trial that a worker trains.

    - The title of the process: trial, epoch under way, last value. Ray names an actor once, when
      it starts, and an actor trains many trials. The dashboard's list of processes shows it.
    - A line an epoch in the log of the actor.
    - Metrics with the tags ``run`` and ``trial``; Ray puts ``ray_`` before their names. It cannot
      forget a series before its process ends, so the gauges of a trial that is over become NaN,
      which charts leave out.

    Args:
        run: Name of the search.
        metric: What is searched for.
    """

    GAUGES: ClassVar[dict[str, tuple[str, str]]] = {
        "epoch": ("trial_epoch", "Epochs done."),
        "seconds": ("trial_epoch_seconds", "Seconds of the last epoch, validation included."),
        "images_per_s": ("trial_images_per_second", "Training images a second."),
        "gpu_memory_peak": ("trial_gpu_memory_peak_mib", "Peak GPU memory of the trial, MiB."),
    }

    def __init__(self, run: str, metric: str) -> None:
        tags = ("run", "trial")
        self._gauges = {key: Gauge(*names, tags) for key, names in self.GAUGES.items()}
        self._value = Gauge("trial_value", "What is searched for, after the last epoch.", tags)
        self._gpu_seconds = Counter("search_gpu_seconds", "GPU-seconds trained.", ("run",))
        self._run = run
        self._metric = metric

    def begin_epoch(self, number: int, trial: Trial) -> None:
        """Take in that a trial begins an epoch."""
        done = trial.progress.epoch
        epochs = trial.objective.num_epochs or trial.config.epochs
        value = trial.last_row().get(self._metric) if done else None
        text = "" if value is None else f" {self._metric} {value:.4f}"
        setproctitle(f"{TITLE}.{trial_id(number)} epoch {done + 1}/{epochs}{text} of {self._run}")

    def end_epoch(self, number: int, row: Mapping[str, float], *, gpus: float) -> None:
        """Take in an epoch of a trial that has so many GPUs or such a share of one."""
        tags = {"run": self._run, "trial": trial_id(number)}
        for key, gauge in self._gauges.items():
            gauge.set(row[key], tags)
        self._value.set(row.get(self._metric, math.nan), tags)
        self._print(number, row)
        if gpus:
            self._gpu_seconds.inc(gpus * row["seconds"], {"run": self._run})

    def _print(self, number: int, row: Mapping[str, float]) -> None:
        value = row.get(self._metric, math.nan)
        sys.stdout.write(
            f"trial {trial_id(number)} epoch {row['epoch']:.0f}: {self._metric} {value:.4f}, "
            f"{row['seconds']:.1f} s\n"
        )
        sys.stdout.flush()

    def end_trial(self, number: int) -> None:
        """Take in that a trial is over or goes on elsewhere."""
        tags = {"run": self._run, "trial": trial_id(number)}
        for gauge in (*self._gauges.values(), self._value):
            gauge.set(math.nan, tags)


@lru_cache(maxsize=1)
def _data_of(run_folder: Path) -> PreparedData:
    """Read a run's data once for all trials of this process."""
    return read_data(run_folder)


def _workplace(config: Mapping[str, Any]) -> Workplace | None:
    """Return where a worker trains that does not share the run folder's disk."""
    depot: Depot | None = config.get("depot")
    if depot is None:
        return None
    return workplace(depot, Path(config["run_folder"]), Path(config["cache_dir"]))


class TrainTrial(tune.Trainable):  # type: ignore[misc]  # Ray has no types
    """One epoch a step, in a process that trains one trial after the other.

    The trial's own folder holds its checkpoint, and a trial that is set up goes on from it. So
    a worker that dies is simply started again, and what Ray itself keeps is only a pointer.

    The configuration that Ray passes has ``number``, ``config`` (flat hyperparameters),
    ``run_folder``, ``metric``, ``cpus`` and ``gpus`` of a trial, ``weights_dir`` (text, or None
    for timm's hub), where trials share GPUs by what they need ``measure_in``, the folder of
    measurements, and where its data has no validation part ``replay``, the metric by epoch of an
    earlier training. On a cluster ``depot`` is the machine of the run folder, for workers that
    do not share its disk, and ``cache_dir`` where they work.

    A result holds the metrics of an epoch, ``finished`` (why nothing is left to train, or ""),
    ``failed`` (why the trial failed for good, or ""), ``note`` (what the user should know, or
    "") and ``recycle`` (whether the process should end with this trial, as the trial failed in
    training or the process has grown); ``stop_search`` where no other trial could do better.
    Where GPUs are shared by need, the first result of a trial is no epoch: it has ``measured``
    (what it needs, a ``Measurement``, which Tune hands on as it is, where it flattens
    dictionaries), and so has a result that says ``ran_out`` (its share did not suffice).

    ``reset_config`` always says yes: to a no, Tune calls the new trial failed.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Take note of the trial; it is opened by its first step.

        Tune may start a worker for a trial and then, because another one came free, leave it
        unused: it must not touch the trial's folder.
        """
        cpus, gpus, folder = config["cpus"], config["gpus"], config.get("measure_in")
        torch.set_num_threads(max(1, int(cpus)))
        cv2.setNumThreads(0)
        self._share = gpus
        self._gpu = SharedGpu.here(Path(folder)) if folder and gpus else None
        device = self._gpu.device if self._gpu else torch.device("cuda" if gpus else "cpu")
        # Without a GPU the decoded cache is read faster than a worker process could hand it over.
        num_workers = max(0, int(cpus) - 1) if device.type == "cuda" else 0
        weights_dir = config["weights_dir"]
        if device.type == "cuda":
            os.environ.update(CUBLAS_WORKSPACE)
        self._machine = Machine(
            device,
            num_workers,
            Path(weights_dir) if weights_dir else None,
            keeps_images=device.type == "cuda",
            may_split=self._gpu is None or gpus >= 1,
        )
        self._trial: Trial | None = None
        self._remote: RemoteTrial | None = None
        self._growth = Growth(device, MEMORY_GROWTH)
        self._shown: Shown | None = None
        if ray.is_initialized():
            self._settle_in(config)
        self._take(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Go over to another trial in this process."""
        self._close()
        self._growth.look()
        self._take(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Train one epoch.

        A configuration that cannot be trained, a loss that is no number, memory that does not
        suffice, and what stops the whole search are results: trying again would not help.
        Anything else goes on to Ray, which tries again from the checkpoint.
        """
        try:
            with self._watched():
                result = self._measured() or self._result(self._trial or self._open())
        except (ConfigError, TrialError) as error:
            has_trained = isinstance(error, TrialError)
            return self._failure(str(error), recycle=has_trained or self._growth.is_too_much)
        except SearchError as error:
            return self._failure(str(error)) | {"stop_search": True}
        except UnwritableError as error:
            reason = expected(str(error.filename), "room to write", f"'{error.strerror}'")
            return self._failure(reason) | {"stop_search": True}
        except NotOwnerError as error:
            raise SystemExit(str(error)) from error  # this process has nothing left to do
        except Exception as error:
            if not is_out_of_memory(error):
                self._keep_error(traceback.format_exc())
                raise
            reason = str(out_of_memory(error))
        else:
            return result
        return self._out_of_memory(reason)

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Point to the trial's own folder, which holds the checkpoint of every epoch."""
        Path(checkpoint_dir, POINTER).write_text(json.dumps({"folder": str(self._folder.path)}))

    def load_checkpoint(self, checkpoint: str | dict[str, Any] | None) -> None:
        """Do nothing: a trial goes on from its own folder when it is set up."""

    def cleanup(self) -> None:
        """Close the trial's files."""
        self._close()

    def _settle_in(self, config: dict[str, Any]) -> None:
        """Prepare a process of Ray's, which does nothing but train."""
        self._shown = Shown(Path(config["run_folder"]).name, config["metric"])
        # Ray asks for it now, and shows it beside the actor for as long as that lives. A class
        # that has it from the start would be asked where a worker cannot import it, too, and
        # then Ray loses the reason.
        TrainTrial.__repr__ = TrainTrial._described  # type: ignore[assignment]
        # What has been imported stays; to look through it costs a fifth of a second a trial.
        gc.collect()
        gc.freeze()

    def _described(self) -> str:
        return f"trials of {self._home.name}"

    def _take(self, config: dict[str, Any]) -> None:
        self._is_measured = self._gpu is None
        self._home = Path(config["run_folder"])
        self._place = _workplace(config)
        self._run_folder = self._home if self._place is None else self._place.folder
        self._folder = TrialFolder.of(self._run_folder, config["number"])
        values = config.get("replay")
        metric = config["metric"]
        self._objective = Objective(metric) if values is None else Replay(metric, tuple(values))
        self._number = config["number"]
        self._hyperparameters = config["config"]

    def _open(self) -> Trial:
        claim = self._claimed()
        self._trial = Trial(
            parse_config(self._hyperparameters),
            _data_of(self._run_folder),
            self._folder.path,
            objective=self._objective,
            machine=self._machine,
            claim=claim,
        )
        self._note = self._trial.note
        return self._trial

    def _claimed(self) -> RemoteTrial | None:
        """Return the trial's folder on another machine, claimed; None where it is on this one."""
        if self._place is not None and self._remote is None:
            remote = self._place.trial(self._number)
            remote.open()
            self._remote = remote
        return self._remote

    def _watched(self) -> AbstractContextManager[object]:
        return nullcontext() if self._gpu is None else self._gpu.watched()

    def _measured(self) -> dict[str, Any] | None:
        """Return the result that says what the trial needs, as its first; None later on."""
        if self._gpu is None or self._is_measured:
            return None
        measurement = self._gpu.measured(
            parse_config(self._hyperparameters),
            _data_of(self._run_folder),
            machine=self._machine,
            share=self._share,
        )
        self._is_measured = True
        if measurement is None:
            return None
        return {"measured": measurement, "finished": "", "failed": ""}

    def _out_of_memory(self, reason: str) -> dict[str, Any]:
        """Return that the trial has failed, or that it needs more of a GPU than its share."""
        if self._gpu is None or self._share >= 1:
            return self._failure(reason)
        self._close()
        config, data = parse_config(self._hyperparameters), _data_of(self._run_folder)
        needed = self._gpu.outgrown(config, data, share=self._share)
        return {"measured": needed, "ran_out": True, "finished": "", "failed": ""}

    def _close(self) -> None:
        trial, self._trial = self._trial, None
        remote, self._remote = self._remote, None
        # What it would go on from is written. If no more can be, the next step says so.
        with suppress(UnwritableError, NotOwnerError):
            if trial is not None:
                trial.close()
            if remote is not None:
                remote.close()
        if trial is not None and self._shown is not None:
            self._shown.end_trial(self._number)

    def _result(self, trial: Trial) -> dict[str, Any]:
        row = trial.last_row() if trial.finished else self._epoch(trial)
        self._folder.error.unlink(missing_ok=True)  # of a crash that the trial has survived
        if self._remote is not None:
            self._remote.send(is_finished=bool(trial.finished))
        note, self._note = self._note, ""
        finished = trial.finished
        recycle = self._growth.is_too_much
        result = {"finished": finished, "failed": "", "note": note, "recycle": recycle}
        return row | result | {DONE: bool(finished)}

    def _epoch(self, trial: Trial) -> dict[str, float]:
        if self._shown is None:
            return trial.run_epoch()
        self._shown.begin_epoch(self._number, trial)
        row = trial.run_epoch()
        self._shown.end_epoch(self._number, row, gpus=self._share)
        return row

    def _failure(self, reason: str, *, recycle: bool = True) -> dict[str, Any]:
        self._keep_error(reason)
        return {"failed": reason, "finished": "", "recycle": recycle, DONE: True}

    def _keep_error(self, text: str) -> None:
        with suppress(UnwritableError, NotOwnerError):  # the error is told all the same
            remote = self._claimed()
            self._folder.write_error(text)
            if remote is not None:
                remote.send()
