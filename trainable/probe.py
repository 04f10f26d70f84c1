"""A short probe of a configuration: the memory it takes and its speed, before it is trained."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from trainable.config import NO_LABEL_SHIFT, TrialConfig
from trainable.data.prepared import PreparedData
from trainable.errors import TrialError
from trainable.evaluate import BATCH_SIZE
from trainable.gpu_memory import GpuMemory, needed_bytes
from trainable.in_parts import is_out_of_memory
from trainable.measurements import Measurement
from trainable.samplers.shuffled import PlainSampling
from trainable.schedules.constant import Constant
from trainable.trial import Machine, Trial
from trainable.workload import least_frozen, workload_of

NUM_BATCHES = 3
# Of random weights, which a probe is not to lose in a loss that is no number.
TINY_LR = 1e-6
SMALLEST_BATCH = 2


def probe(
    config: TrialConfig, data: PreparedData, gpu: GpuMemory, *, machine: Machine, share: float
) -> Measurement | None:
    """Train and evaluate a few batches of a configuration, and throw away what comes of it.

    They are whole steps of the trial's own loop, on its own data and augmentation: forward,
    backward, optimizer with its state, moving average, then a batch of validation images. A first
    round warms up, a second one is timed. Images are read by the process itself, so where worker
    processes read them, epochs are rather faster.

    A batch for which the share does not suffice is halved until it does. What the whole batch
    needs is then estimated as twice what half of it takes, which is rather too much: the network
    counts twice.

    Args:
        config: The configuration.
        data: The prepared data.
        gpu: Where to run; must be watched.
        machine: Where pretrained weights would be read from.
        share: The share of the GPU that may be used.

    Returns:
        The measurement; None where a few batches cannot be trained for another reason than
        memory, which the trial itself will tell.
    """
    workload = workload_of(config, num_classes=data.label_space.num_classes)
    light, times = _light(config), 1
    machine = replace(machine, num_workers=0, may_split=share >= 1)
    try:
        while (found := _fitting(light, data, gpu, machine=machine, share=share)) is None:
            if light.batch_size < 2 * SMALLEST_BATCH:
                whole = gpu.total_bytes
                return Measurement(workload, gpu.kind, whole, whole, is_estimate=True)
            light = light.model_copy(update={"batch_size": light.batch_size // 2})
            times *= 2
    except TrialError:
        return None
    peak_bytes, train_images_per_s, val_images_per_s = found
    return Measurement(
        workload,
        gpu.kind,
        gpu.total_bytes,
        needed_bytes(gpu, times * peak_bytes),
        train_images_per_s,
        val_images_per_s,
        is_estimate=times > 1,
    )


def _light(config: TrialConfig) -> TrialConfig:
    """Return a configuration that takes as much memory and needs no weights nor whole data."""
    return least_frozen(config).model_copy(
        update={
            "backbone": config.backbone.model_copy(update={"pretrained": "none"}),
            "optimizer": config.optimizer.model_copy(update={"lr": TINY_LR}),
            "schedule": Constant(),
            "sampler": PlainSampling(),
            "label_shift": NO_LABEL_SHIFT,
        }
    )


def _fitting(
    config: TrialConfig, data: PreparedData, gpu: GpuMemory, *, machine: Machine, share: float
) -> tuple[int, float, float] | None:
    """Return peak and speeds of training and validation; None where memory does not suffice."""
    gpu.begin(share)
    few = _few(data, config.batch_size)
    try:
        with TemporaryDirectory() as folder:
            trial = Trial(config, few, Path(folder), machine=machine)
            with closing(trial):
                trial.rehearse()
                train_s, val_s = trial.rehearse()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    num_train, num_val = (len(few.rows(part)) for part in ("train", "val"))
    return gpu.peak_bytes(), num_train / train_s, num_val / val_s


def _few(data: PreparedData, batch_size: int) -> PreparedData:
    """Return the data with a few batches in training, and one in validation."""
    part = data.index.table["part"]
    most = {"train": NUM_BATCHES * batch_size, "val": BATCH_SIZE}
    kept = part.isin(most) & (part.groupby(part).cumcount() < part.map(most))
    table = data.index.table.assign(part=pd.Series("", part.index).where(~kept, part))
    return replace(data, index=replace(data.index, table=table))
