"""The options of a search: what they may be, and what holds by default."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from trainable.cache_place import default_cache_dir
from trainable.errors import ConfigError, expected
from trainable.seeds import LARGEST_SEED

AUTO = "auto"
SamplerName = Literal["tpe", "random", "gp", "cmaes"]
SchedulerName = Literal["asha", "hyperband", "median", "none"]
TrackerName = Literal["tensorboard", "mlflow", "wandb"]

# What a search may change when it goes on; everything else is as it was when it began.
CHANGEABLE_ON_RESUME = (
    "space",
    "trials",
    "time_budget_s",
    "max_concurrent",
    "cpus_per_trial",
    "gpus_per_trial",
    "address",
    "keep_checkpoints",
    "max_failures",
    "trial_timeout_s",
    "max_failed_share",
    "weights_dir",
    "log_to",
    "copy_to",
)
# What may be said when a recorded trial is trained again: where, on what, and where its data is.
CHANGEABLE_AGAIN = (
    "name",
    "runs_dir",
    "data",
    "time_budget_s",
    "cpus_per_trial",
    "gpus_per_trial",
    "address",
    "max_failures",
    "trial_timeout_s",
    "weights_dir",
    "cache_dir",
)
# What most searches do without, and --help, too; --help-all has it.
RARE = frozenset(
    {
        "--seed",
        "--sampler",
        "--cost-aware",
        "--warm-start",
        "--max-broken",
        "--center-crop",
        "--weights-dir",
        "--grace-period",
        "--reduction-factor",
        "--scheduler",
        "--cpus-per-trial",
        "--max-concurrent",
        "--max-failures",
        "--trial-timeout",
        "--max-failed-share",
        "--runs-dir",
        "--storage",
        "--copy-to",
        "--keep-checkpoints",
        "--cache-dir",
        "--folder",
    }
)
RECOMMENDABLE = ("trials", "max_epochs", "grace_period", "reduction_factor", "scheduler")


class SearchOptions(BaseModel):
    """Every option of a search as resolved: command line, then the space, then these defaults.

    Args:
        space: The space file.
        name: Name of the run folder.
        runs_dir: Folder of run folders.
        data: Where the images come from.
        trials: Number of trials, those that fail included.
        max_epochs: Longest training of a trial, in epochs.
        grace_period: Epochs before a trial may be stopped, and the first rung.
        reduction_factor: One in this many trials goes on at each rung.
        time_budget_s: Longest time of the search in seconds, None for no limit.
        metric: What is searched for.
        seed: Seed of the split and of the suggestions; trial n trains with seed + n.
        pins: Hyperparameters with a fixed value, by flat name.
        cpus_per_trial: CPU cores of a trial, None to share out what there is.
        gpus_per_trial: GPUs of a trial or a share of one, ``auto`` for the share that each is
            measured to need, None to share out what there is.
        max_concurrent: Most trials at a time, or a share of those that fit such as ``50%``; None
            for as many as fit.
        address: ``local`` for a private Ray, else that of a cluster.
        keep_checkpoints: Number of the best trials whose weights are kept.
        max_failures: Times that a trial is tried again after its process died.
        max_broken: Number of unreadable images to pass over.
        center_crop: Height and width of the centre of every image that alone is used, None for
            all of it.
        sampler: What suggests configurations.
        cost_aware: Whether the sampler divides what a trial promises by its predicted seconds.
        scheduler: What stops trials early.
        storage: URL of a database for the study, None for a file in the run folder.
        warm_start: Run folders whose trials the sampler learns from at the beginning.
        trial_timeout_s: Seconds without news of a trial after which it is taken for hung, None
            to judge by how long its epochs took.
        max_failed_share: Share of trials that may fail before the search stops.
        weights_dir: Folder of pretrained weights by model name, None for timm's hub.
        log_to: Where trials are logged to; TensorBoard's files are in their folders in any case.
        copy_to: URL of a folder in a bucket where a copy of the run folder is kept, None for none.
        cache_dir: Folder for drawn data and decoded images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: Path
    name: str
    runs_dir: Path = Path("runs")
    data: str = "faces"
    trials: int = 50
    max_epochs: int = 30
    grace_period: int = 2
    reduction_factor: int = 3
    time_budget_s: float | None = None
    metric: str = "val/f1"
    seed: int = 0
    pins: dict[str, Any] = {}
    cpus_per_trial: float | None = None
    gpus_per_trial: float | Literal["auto"] | None = None
    max_concurrent: int | str | None = None
    address: str = "local"
    keep_checkpoints: int = 10
    max_failures: int = 2
    max_broken: int = 0
    center_crop: tuple[int, int] | None = None
    sampler: SamplerName = "tpe"
    cost_aware: bool = False
    scheduler: SchedulerName = "asha"
    storage: str | None = None
    warm_start: tuple[Path, ...] = ()
    trial_timeout_s: float | None = None
    max_failed_share: float = 0.5
    weights_dir: Path | None = None
    log_to: tuple[TrackerName, ...] = ("tensorboard",)
    copy_to: str | None = None
    cache_dir: Path

    @property
    def run_folder(self) -> Path:
        """Return the folder where the search keeps everything."""
        return self.runs_dir / self.name


def resolve_options(
    values: Mapping[str, Any], recommended: Mapping[str, Any], *, name: str
) -> SearchOptions:
    """Put together what was given, what the space recommends, and the general defaults.

    Args:
        values: Options given, by field name.
        recommended: The space's ``DEFAULTS``.
        name: Name of the run where none was given.

    Raises:
        ConfigError: If the options contradict each other.
    """
    merged = {"name": name, "cache_dir": default_cache_dir(), **recommended, **values}
    options = SearchOptions(**merged)
    if options.grace_period > options.max_epochs and "grace_period" not in values:
        options = options.model_copy(update={"grace_period": options.max_epochs})
    check_options(options)
    return options


def check_options(options: SearchOptions) -> None:
    """Check that options do not contradict each other.

    Raises:
        ConfigError: If they do.
    """
    problems = []
    if options.grace_period > options.max_epochs:
        limit = f"at most --max-epochs {options.max_epochs}"
        problems.append(expected("--grace-period", limit, options.grace_period))
    if options.cost_aware and options.sampler != "tpe":
        problems.append(expected("--cost-aware", "--sampler tpe", f"--sampler {options.sampler}"))
    if options.seed + options.trials - 1 > LARGEST_SEED:
        limit = f"at most {LARGEST_SEED + 1 - options.trials} with {options.trials} trials"
        problems.append(expected("--seed", limit, options.seed, "Trial n trains with seed + n."))
    if problems:
        raise ConfigError(problems)
