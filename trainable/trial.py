"""One trial: a configuration trained epoch by epoch in its own folder, without Ray."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainable.checkpoint import Checkpoint, load_last, num_damaged, save_last
from trainable.config import NO_LABEL_SHIFT, TrialConfig
from trainable.data.batches import Batches, TrainingBatches, TrainingImages
from trainable.data.kept_images import kept_images
from trainable.data.label_shift import shifted_labels
from trainable.data.on_device import KeptRows
from trainable.data.prepared import PreparedData
from trainable.errors import TrialError
from trainable.evaluate import Pixels, predict_probabilities
from trainable.freezing.apply import apply_freeze
from trainable.frozen import FrozenBackbone
from trainable.in_parts import InParts, free_memory, smallest_part
from trainable.kernels import Kernels
from trainable.labelled_part import LabelledPart
from trainable.loop import Loop
from trainable.model import Classifier, build_classifier
from trainable.objective import Objective
from trainable.optimizers.resume import load_optimizer_state
from trainable.ownership import Claim, Ownership
from trainable.precision import Precision
from trainable.recording import Recorder
from trainable.seeds import mixed_seed
from trainable.timm_import import timm
from trainable.trial_folder import TrialFolder

MIB = 2**20


@dataclass(frozen=True)
class Machine:
    """Where a trial runs and with how much.

    Args:
        device: CPU or one GPU.
        num_workers: Processes that read and augment images; 0 does it in the trial's own.
        weights_dir: Folder of pretrained weights that stands for timm's hub.
        keeps_images: Whether the decoded images are kept on the device, where they have room.
        may_split: Whether training batches that do not fit into memory are worked on in parts.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    num_workers: int = 0
    weights_dir: Path | None = None
    keeps_images: bool = False
    may_split: bool = True


@dataclass
class Progress:
    """How far a trial has come.

    Args:
        epoch: Epochs done.
        best_value: Best value of the objective so far.
        best_epoch: The epoch of that value, from 1.
        seconds: Time spent in epochs.
    """

    epoch: int = 0
    best_value: float | None = None
    best_epoch: int = 0
    seconds: float = 0.0


class Trial:
    """A configuration in training; opened on a folder with a checkpoint it goes on from there.

    On a CPU the same seed and thread count give the same bits, whether interrupted or not. Every
    random draw is a function of the seed and of what is drawn, so no random state is kept.

    Args:
        config: The configuration.
        data: The prepared data.
        folder: The trial's folder.
        objective: What decides which epoch is the best; a ``Replay`` where the data has no
            validation part.
        machine: Where it runs.
        claim: What says whether the trial is still this process's; a claim to the folder where
            that is not a copy.

    Raises:
        ConfigError: If the configuration does not fit the data.
    """

    def __init__(
        self,
        config: TrialConfig,
        data: PreparedData,
        folder: Path,
        *,
        objective: Objective | None = None,
        machine: Machine | None = None,
        claim: Claim | None = None,
    ) -> None:
        self.config = config
        self.folder = TrialFolder(folder)
        self.objective = objective or Objective()
        self.machine = machine or Machine()
        self.progress = Progress()
        self._data = data
        self._val = LabelledPart.of(data, "val", self.machine.device)
        self._train_rows = data.rows("train")
        self._images = data.images(config.resize)
        self._kept: Tensor | None = None
        if self.machine.keeps_images:
            self._kept = kept_images(data, config.resize, self.machine.device)
        self._claim = claim or Ownership(folder)
        checkpoint = load_last(self.folder.checkpoint)
        if self.machine.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.machine.device)
        torch.manual_seed(config.seed)
        self._model = build_classifier(
            config,
            data.label_space,
            load_pretrained=checkpoint is None,
            weights_dir=self.machine.weights_dir,
        ).to(self.machine.device)
        self._groups = self._model.layer_groups()
        self._ema = self._new_ema()
        self._loop = self._new_loop()
        name = (data.fingerprint, data.crop, config.resize, config.backbone.name)
        self._frozen = FrozenBackbone(self._model, self._pixels, name)
        self._trains_head_only = False
        self.folder.write_config(config.model_dump(mode="json"))
        self._recorder = Recorder(
            self.folder,
            config,
            self._val,
            objective=self.objective,
            rows=checkpoint.state["rows"][:-1] if checkpoint is not None else [],
        )
        if checkpoint is not None:
            self._go_on(checkpoint)

    @property
    def note(self) -> str:
        """Return what the user should know of how the trial has been opened, or ""."""
        if num_damaged(self.folder.checkpoint) == 0:
            return ""
        return f"its last checkpoint is damaged: it goes on after epoch {self.progress.epoch}."

    @property
    def finished(self) -> str:
        """Return why there is nothing left to train: "epochs", "patience", or "" if there is."""
        if self.progress.epoch >= (self.objective.num_epochs or self.config.epochs):
            return "epochs"
        patience = self.config.patience
        since_best = self.progress.epoch - self.progress.best_epoch
        return "patience" if patience is not None and since_best >= patience else ""

    def run_epoch(self) -> dict[str, float]:
        """Train and evaluate one epoch, write what it gave, and return its metrics.

        The checkpoint is written first: from then on the epoch is done. After a kill, whatever
        else of it is missing is made again from the checkpoint.

        Raises:
            TrialError: If the loss, a probability or the metric is not a finite number, or no
                such metric is recorded.
            NotOwnerError: If the trial has been given to another worker; nothing is written.
        """
        start = time.perf_counter()
        train_loss = self._train()
        train_s = time.perf_counter() - start
        probabilities = self._validate()
        row = {
            "epoch": self.progress.epoch + 1,
            "lr": self._loop.learning_rate(),
            "train/loss": train_loss,
            **self._val.scores(probabilities),
            "images_per_s": self._loop.batches.num_images / train_s,
            "num_micro_batches": self._loop.parts.num_parts,
            "gpu_memory_peak": self._gpu_memory_peak(),
            "seconds": time.perf_counter() - start,
        }
        self._record(row, probabilities)
        return row

    def rehearse(self) -> tuple[float, float]:
        """Train and evaluate one epoch that is recorded nowhere; return the seconds of each.

        The network is another one then: such a trial is only good for being measured.
        """
        start = time.perf_counter()
        self._train()
        train_s = time.perf_counter() - start
        self._validate()
        return train_s, time.perf_counter() - start - train_s

    def last_row(self) -> dict[str, float]:
        """Return the metrics of the last epoch done, which must not be the 0th."""
        return self._recorder.rows[-1]

    def close(self) -> None:
        """Give the device's memory back, and add pictures of the best epoch to the files."""
        del self._loop, self._model, self._ema, self._groups, self._frozen, self._kept
        if self.config.compile:
            torch.compiler.reset()
        if self.machine.device.type == "cuda":
            free_memory(self.machine.device)
        self._recorder.close(self._images)

    def _new_ema(self) -> timm.utils.ModelEmaV3 | None:
        if self.config.ema is None:
            return None
        # Without the warm-up, the average would be of the first weights for many epochs.
        return timm.utils.ModelEmaV3(self._model, decay=self.config.ema, use_warmup=True)

    def _new_loop(self) -> Loop:
        config, device = self.config, self.machine.device
        return Loop(
            model=self._model,
            network=torch.compile(self._model) if config.compile else self._model,
            ema=self._ema,
            batches=self._new_batches(),
            mixer=config.cutmix.build(),
            loss=config.loss.build(),
            optimizer=config.optimizer.build(self._groups),
            schedule=config.schedule.build(config.epochs),
            freeze=config.freeze.build(config.epochs),
            precision=Precision(config.precision, device),
            parts=InParts(smallest=smallest_part(self._model), may_split=self.machine.may_split),
            gradient_clip=config.gradient_clip,
            num_classes=self._data.label_space.num_classes,
            seed=config.seed,
        )

    def _new_batches(self) -> Batches:
        config = self.config
        rows = self._train_rows
        labels = self._data.labels()[rows]
        if config.label_shift < NO_LABEL_SHIFT:
            labels = shifted_labels(self._data.index, rows, config.label_shift)
        num_classes = self._data.label_space.num_classes
        batches = TrainingBatches(
            TrainingImages(
                images=self._images,
                rows=rows,
                labels=labels,
                augmentation=config.augmentation.build(config.resize),
                seed=config.seed,
            ),
            config.sampler.build(labels, num_classes=num_classes, seed=config.seed),
            batch_size=config.batch_size,
            num_workers=self.machine.num_workers,
            pin_memory=self.machine.device.type == "cuda",
        )
        if self._kept is None or not batches.as_stored:
            return batches
        return batches.of_kept(self._kept, rows)

    @property
    def _pixels(self) -> Pixels:
        """All images by row, from the device where they are kept there."""
        return self._images if self._kept is None else KeptRows(self._kept)

    def _train(self) -> float:
        epoch = self.progress.epoch
        # Dropout and stochastic depth draw from torch's generator.
        torch.manual_seed(mixed_seed(self.config.seed, epoch))
        first_trainable = self._loop.freeze.first_trainable(epoch, len(self._groups))
        head_only = first_trainable == len(self._groups) - 1
        if head_only and self._trains_head_only:
            self._model.head.train()  # what is frozen stays so
        else:
            apply_freeze(self._model, self._groups, first_trainable)
        self._trains_head_only = head_only
        with Kernels.of_training(deterministic=self.config.deterministic).in_use():
            loop = self._loop
            if self._trains_head_only:
                loop = self._frozen.loop(loop, self._train_rows)
            return loop.train_epoch(epoch)

    def _validate(self) -> Tensor:
        if not len(self._val.rows):
            return torch.empty(0, self._data.label_space.num_classes)
        probabilities = self._predicted(self._val.rows)
        # A network without numbers still has a best class, and so a score.
        if not probabilities.isfinite().all():
            raise TrialError(
                f"val_probs: expected finite probabilities, got others in epoch "
                f"{self.progress.epoch + 1}."
            )
        return probabilities

    def _predicted(self, rows: np.ndarray) -> Tensor:
        device = self.machine.device
        # A moving average of a frozen backbone is that backbone, bit for bit.
        kept = self._frozen.for_evaluation(rows) if self._trains_head_only else None
        if kept is None:
            return predict_probabilities(self._evaluated, self._pixels, rows, device=device)
        positions = np.arange(len(rows))
        return predict_probabilities(self._evaluated.head, kept, positions, device=device)

    @property
    def _evaluated(self) -> Classifier:
        """The weights that are scored and kept: the moving average where there is one."""
        if self._ema is None:
            return self._model
        averaged: Classifier = self._ema.module
        return averaged

    def _record(self, row: dict[str, float], probabilities: Tensor) -> None:
        value = self.objective.value_of(row)
        progress = self.progress
        progress.epoch += 1
        progress.seconds += row["seconds"]
        if self.objective.is_better(value, than=progress.best_value):
            progress.best_value, progress.best_epoch = value, progress.epoch
        self._loop.schedule.end_epoch(self.objective.sign * value)
        self._loop.freeze.end_epoch(self.objective.sign * value)
        self._claim.check()
        save_last(self.folder.checkpoint, self._checkpoint(row))
        if progress.best_epoch == progress.epoch:
            self._write_best(probabilities)
        self._recorder.write_epoch(row)

    def _write_best(self, probabilities: Tensor) -> None:
        weights = self._evaluated.state_dict()
        self._recorder.write_best(probabilities, weights, epoch=self.progress.epoch)

    def _checkpoint(self, row: dict[str, float]) -> Checkpoint:
        state: dict[str, Any] = {
            "progress": vars(self.progress),
            "rows": [*self._recorder.rows, row],
            "optimizer": self._loop.optimizer.state_dict(),
            "schedule": self._loop.schedule.state_dict(),
            "freeze": self._loop.freeze.state_dict(),
            "scaler": self._loop.precision.scaler.state_dict(),
            "num_parts": self._loop.parts.num_parts,
            "ema": self._ema.state_dict() if self._ema is not None else None,
        }
        return Checkpoint(self.progress.epoch, self._model.state_dict(), state)

    def _go_on(self, checkpoint: Checkpoint) -> None:
        state = checkpoint.state
        self.progress = Progress(**state["progress"])
        self._model.load_state_dict(checkpoint.model)
        load_optimizer_state(self._loop.optimizer, state["optimizer"])
        self._loop.schedule.load_state_dict(state["schedule"])
        self._loop.freeze.load_state_dict(state["freeze"])
        self._loop.precision.scaler.load_state_dict(state["scaler"])
        self._loop.parts.num_parts = state["num_parts"]
        if self._ema is not None:
            self._ema.load_state_dict(state["ema"])
        self._complete_epoch(state["rows"][-1])

    def _complete_epoch(self, row: dict[str, float]) -> None:
        """Write what a kill right after the checkpoint has left out."""
        progress = self.progress
        is_best = progress.best_epoch == progress.epoch
        if is_best and self.folder.probabilities_epoch() != progress.epoch:
            self._write_best(self._validate())
        self._recorder.write_epoch(row)

    def _gpu_memory_peak(self) -> float:
        """Return the device's peak memory since the trial began, in MiB; 0 without a GPU."""
        if self.machine.device.type != "cuda":
            return 0.0
        return torch.cuda.max_memory_allocated(self.machine.device) / MIB
