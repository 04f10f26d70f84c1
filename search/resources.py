"""What there is to run on, and what each trial gets of it. Starts no Ray."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from search.options import SearchOptions
from trainable.cpus import usable_cpus
from trainable.errors import ConfigError, expected

LOCAL = "local"


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
    """

    cpus_per_trial: float
    gpus_per_trial: float
    max_concurrent: int
    available: Available | None


def available_here() -> Available:
    """Return what this process may use: cores by affinity and container quota, visible GPUs."""
    import torch

    return Available(cpus=usable_cpus(), gpus=torch.cuda.device_count())


def share_out(options: SearchOptions, available: Available | None) -> Resources:
    """Return what each trial gets.

    On a machine without GPUs a trial gets one core, since one thread a trial is fastest there.
    With GPUs it gets a whole one and an even share of the cores.

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
    gpus = options.gpus_per_trial
    gpus = float(available.gpus > 0) if gpus is None else gpus
    concurrent = min(_fitting(options, available, gpus), options.trials)
    if options.max_concurrent is not None:
        concurrent = min(concurrent, options.max_concurrent)
    cpus = options.cpus_per_trial
    if cpus is None:
        cpus = float(available.cpus // concurrent) if gpus else 1.0
    return Resources(cpus, gpus, concurrent, available)


def share_out_nodes(options: SearchOptions, nodes: Sequence[Available]) -> Resources:
    """Return what each trial gets on a cluster that has been joined.

    Args:
        options: The options of the search; unless they say how many trials run at a time, as
            many do as fit.
        nodes: What each machine of the cluster has.

    Raises:
        ConfigError: If no machine can hold a trial, which would wait for one for ever.
    """
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
    concurrent = min(options.max_concurrent or fitting, options.trials)
    return replace(asked, max_concurrent=concurrent)


def _fitting(options: SearchOptions, available: Available, gpus_per_trial: float) -> int:
    cpus_per_trial = options.cpus_per_trial or 1.0
    by_cpus = int(available.cpus / cpus_per_trial + 1e-9)
    if not gpus_per_trial:
        return by_cpus
    if gpus_per_trial >= 1:
        return min(by_cpus, int(available.gpus / gpus_per_trial + 1e-9))
    # Shares of different GPUs do not add up to one.
    return min(by_cpus, available.gpus * int(1 / gpus_per_trial + 1e-9))


def _on_cluster(options: SearchOptions) -> Resources:
    if options.gpus_per_trial is None:
        remedy = "Give 0 to run on the CPU."
        what = f"a number, together with --address {options.address}"
        raise ConfigError(expected("--gpus-per-trial", what, "nothing", remedy))
    cpus = options.cpus_per_trial or 1.0
    concurrent = min(options.max_concurrent or options.trials, options.trials)
    return Resources(cpus, options.gpus_per_trial, concurrent, None)


def _too_much(options: SearchOptions, available: Available, *, whose: str) -> list[str]:
    problems = []
    if (options.cpus_per_trial or 0) > available.cpus:
        limit = f"at most the {available.cpus} CPU cores {whose}"
        problems.append(expected("--cpus-per-trial", limit, f"{options.cpus_per_trial:g}"))
    if (options.gpus_per_trial or 0) > available.gpus:
        limit = f"at most the {available.gpus} GPUs {whose}"
        remedy = "" if available.gpus else "Give 0 to run on the CPU."
        problems.append(expected("--gpus-per-trial", limit, f"{options.gpus_per_trial:g}", remedy))
    return problems
