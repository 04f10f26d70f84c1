"""What there is to run on, and what each trial gets of it. Starts no Ray."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from search.options import AUTO, SearchOptions
from trainable.cpus import usable_cpus
from trainable.errors import ConfigError, expected
from trainable.simulated_gpu import simulated_gpus

LOCAL = "local"
# More side by side take turns rather than filling gaps, and each waits the longer for its end.
MOST_PER_GPU = 8


@dataclass(frozen=True)
class Available:
    """CPU cores and GPUs of one machine that a search may use."""

    cpus: int
    gpus: int


@dataclass(frozen=True)
class Resources:
    """What each trial gets, and how many run at a time.

    Args:
        cpus_per_trial: CPU cores of a trial.
        gpus_per_trial: GPUs of a trial, or a share of one.
        max_concurrent: Most trials at a time; on a cluster fewer may fit.
        available: What this machine has; None on a cluster.
        per_gpu: Most trials that share a GPU by what each needs, ``gpus_per_trial`` being the
            smallest share; None where all get the same.
        num_gpus: GPUs in all that are shared in this way; 0 until a cluster is joined.
    """

    cpus_per_trial: float
    gpus_per_trial: float
    max_concurrent: int
    available: Available | None
    per_gpu: int | None = None
    num_gpus: int = 0


def available_here() -> Available:
    """Return what this process may use: cores by affinity and container quota, visible GPUs.

    Raises:
        ConfigError: If GPUs are to be simulated, and how cannot be read.
    """
    import torch

    simulated = simulated_gpus()
    gpus = torch.cuda.device_count() if simulated is None else simulated.count
    return Available(cpus=usable_cpus(), gpus=gpus)


def share_out(options: SearchOptions, available: Available | None) -> Resources:
    """Return what each trial gets.

    On a machine without GPUs a trial gets one core, since one thread a trial is fastest there.
    With GPUs it gets a whole one and an even share of the cores, unless they are shared by need.

    Args:
        options: The options of the search.
        available: What this machine has; None on a cluster, which is known once joined.

    Raises:
        ConfigError: If more is asked for than there is.
    """
    if available is None:
        return _on_cluster(options)
    problems = _too_much(options, available, whose="there are")
    if problems:
        raise ConfigError(problems)
    if options.gpus_per_trial == AUTO and available.gpus:
        return _shared_by_need(options, [available], available)
    gpus = float(available.gpus > 0) if options.gpus_per_trial is None else _number(options)
    fitting = _fitting(options, available, gpus)
    concurrent = min(fitting, _most(options, fitting), options.trials)
    cpus = options.cpus_per_trial
    if cpus is None:
        # What is left to others by a share has its cores, too.
        is_share = isinstance(options.max_concurrent, str)
        trials = min(fitting, options.trials) if is_share else concurrent
        cpus = float(available.cpus // trials) if gpus else 1.0
    return Resources(cpus, gpus, concurrent, available)


def share_out_nodes(options: SearchOptions, nodes: Sequence[Available]) -> Resources:
    """Return what each trial gets on a cluster that has been joined.

    Args:
        options: The options of the search; unless they say how many trials run at a time, as
            many do as fit, and unless they say on what, each on a GPU where there are any.
        nodes: What each machine of the cluster has.

    Raises:
        ConfigError: If no machine can hold a trial, which would wait for one for ever.
    """
    if options.gpus_per_trial == AUTO and any(_fitting(options, node, 1.0) for node in nodes):
        return _shared_by_need(options, nodes, None)
    if options.gpus_per_trial is None:
        has_gpus = any(_fitting(options, node, 1.0) for node in nodes)
        options = options.model_copy(update={"gpus_per_trial": float(has_gpus)})
    asked = _on_cluster(options)
    fitting = sum(_fitting(options, node, asked.gpus_per_trial) for node in nodes)
    if not fitting:
        largest = Available(
            cpus=max((node.cpus for node in nodes), default=0),
            gpus=max((node.gpus for node in nodes), default=0),
        )
        got = f"{asked.cpus_per_trial:g} CPU and {asked.gpus_per_trial:g} GPU"
        both = expected("--cpus-per-trial", "what one machine of the cluster has free", got)
        raise ConfigError(_too_much(options, largest, whose="of its largest machine") or both)
    concurrent = min(_most(options, fitting), options.trials)
    cpus = options.cpus_per_trial or _even_share(options, nodes, asked.gpus_per_trial)
    return replace(asked, cpus_per_trial=cpus, max_concurrent=concurrent)


def _even_share(options: SearchOptions, nodes: Sequence[Available], gpus: float) -> float:
    """Return the cores that every trial on a cluster gets: of the GPUs' machines all, evenly."""
    if not gpus:
        return 1.0
    fitting = [(node.cpus, _fitting(options, node, gpus)) for node in nodes]
    return float(min(cpus // num for cpus, num in fitting if num))


def missing_gpus(options: SearchOptions, resources: Resources) -> tuple[str, ...]:
    """Return what the user should know where GPUs were to be shared and there is none."""
    if options.gpus_per_trial != AUTO or resources.per_gpu is not None:
        return ()
    where = "this machine" if resources.available is not None else "the cluster"
    return (f"--gpus-per-trial auto: {where} has no GPU to share, so trials run on the CPU.",)


def _shared_by_need(
    options: SearchOptions, nodes: Sequence[Available], available: Available | None
) -> Resources:
    """Return what trials get that share GPUs by need: as many a GPU as its cores allow for.

    Every trial gets the same cores. One that needs much of a GPU trains a large network, for
    which a few read images fast enough.
    """
    with_gpus = [node for node in nodes if node.gpus]
    cores = min(node.cpus / node.gpus for node in with_gpus)
    num_gpus = sum(node.gpus for node in with_gpus)
    wanted = _wanted(options)
    by_cores = int(cores / (options.cpus_per_trial or 1.0) + 1e-9)
    per_gpu = max(1, min(MOST_PER_GPU, by_cores, -(-wanted // num_gpus)))
    fitting = sum(_fitting(options, node, 1 / per_gpu) for node in with_gpus)
    most = _most(options, fitting)
    cpus = options.cpus_per_trial or max(1.0, float(cores // per_gpu))
    return Resources(cpus, 1 / per_gpu, min(fitting, most, wanted), available, per_gpu, num_gpus)


def _fitting(options: SearchOptions, available: Available, gpus_per_trial: float) -> int:
    cpus_per_trial = options.cpus_per_trial or 1.0
    by_cpus = int(available.cpus / cpus_per_trial + 1e-9)
    if not gpus_per_trial:
        return by_cpus
    if gpus_per_trial >= 1:
        return min(by_cpus, int(available.gpus / gpus_per_trial + 1e-9))
    # Shares of different GPUs do not add up to one.
    return min(by_cpus, available.gpus * int(1 / gpus_per_trial + 1e-9))


def _number(options: SearchOptions) -> float:
    """Return the GPUs of a trial where they are not shared by need; none if they were to be."""
    return 0.0 if isinstance(options.gpus_per_trial, str) else options.gpus_per_trial or 0.0


def _on_cluster(options: SearchOptions) -> Resources:
    cpus = options.cpus_per_trial or 1.0
    return Resources(cpus, _number(options), _wanted(options), None)


def _most(options: SearchOptions, fitting: int) -> int:
    """Return how many trials may run at a time where so many fit."""
    most = options.max_concurrent
    if isinstance(most, str):
        return max(1, int(fitting * float(most.removesuffix("%")) / 100 + 1e-9))
    return fitting if most is None else most


def _wanted(options: SearchOptions) -> int:
    """Return how many trials would run at a time if all fitted."""
    most = options.max_concurrent
    return min(most, options.trials) if isinstance(most, int) else options.trials


def _too_much(options: SearchOptions, available: Available, *, whose: str) -> list[str]:
    problems = []
    if (options.cpus_per_trial or 0) > available.cpus:
        limit = f"at most the {available.cpus} CPU cores {whose}"
        problems.append(expected("--cpus-per-trial", limit, f"{options.cpus_per_trial:g}"))
    if (gpus := _number(options)) > available.gpus:
        limit = f"at most the {available.gpus} GPUs {whose}"
        remedy = "" if available.gpus else "Give 0 to run on the CPU."
        problems.append(expected("--gpus-per-trial", limit, f"{gpus:g}", remedy))
    return problems
