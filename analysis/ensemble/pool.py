"""The pool: all trials of one or several searches that could become members."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analysis.agreement import check_agreement
from analysis.candidate import Candidate, trial_candidate
from analysis.criterion import common_metric
from analysis.estimates.metric import VALIDATION
from analysis.run_folder import FINISHED, RunFolder
from trainable.data.prepared import PreparedData
from trainable.errors import ConfigError, expected
from trainable.objective import Objective


@dataclass(frozen=True)
class Pool:
    """Candidates that predict the same validation images.

    Args:
        data: What they were trained on.
        objective: What is to be optimised; a metric of the validation part.
        candidates: The candidates.
        runs: Names of the searches.
        num_dropped: Trials left out since their weights are gone.
        problems: What is wrong with trials that cannot be candidates, a line each.
    """

    data: PreparedData
    objective: Objective
    candidates: tuple[Candidate, ...]
    runs: tuple[str, ...]
    num_dropped: int = 0
    problems: tuple[str, ...] = ()

    @property
    def metric(self) -> str:
        """Return the metric without part, such as ``f1``."""
        return self.objective.metric.removeprefix(VALIDATION)

    def with_candidates(self, more: Sequence[Candidate]) -> "Pool":
        """Return the pool with further candidates, such as soups."""
        return replace(self, candidates=(*self.candidates, *more))


def read_pool(
    runs: Sequence[RunFolder], *, metric: str | None = None, with_dropped: bool = False
) -> Pool:
    """Read the complete and the pruned trials of some searches.

    Args:
        runs: The run folders, which may be of searches that are still running.
        metric: What is to be optimised, such as ``val/f1``; None for what the searches optimised.
        with_dropped: Whether trials count whose weights are gone, too.

    Raises:
        ConfigError: If the searches differ in data, split or classes, or in what they optimised
            while no metric is given; or if there is no candidate.
    """
    check_agreement(runs)
    data = runs[0].data
    objective = Objective(metric or common_metric(runs))
    if not objective.metric.startswith(VALIDATION):
        what = "a metric of the validation part, such as val/f1"
        raise ConfigError(expected("--metric", what, objective.metric))
    problems: list[str] = []
    found = [c for run in runs for c in _candidates(run, runs, data, problems)]
    kept = tuple(c for c in found if with_dropped or c.has_weights)
    if not kept:
        raise ConfigError([*problems, _none_left(runs, len(found))])
    names = tuple(run.name for run in runs)
    return Pool(data, objective, kept, names, len(found) - len(kept), tuple(problems))


def _candidates(
    run: RunFolder, runs: Sequence[RunFolder], data: PreparedData, problems: list[str]
) -> Iterator[Candidate]:
    """Yield a run's candidates; note what is wrong with the others."""
    for trial in run.trials:
        if trial.state not in FINISHED:
            continue
        try:
            yield trial_candidate(run, trial.number, data, prefix=_prefix(run, runs))
        except ConfigError as error:
            problems += error.problems


def _prefix(run: RunFolder, runs: Sequence[RunFolder]) -> str:
    if len(runs) == 1:
        return ""
    is_unique = sum(other.name == run.name for other in runs) == 1
    return f"{run.name if is_unique else run.place}/"


def _none_left(runs: Sequence[RunFolder], num_found: int) -> str:
    what = "at least one finished trial with probabilities and weights"
    got = f"{num_found} with probabilities and none with weights" if num_found else "none"
    return expected(", ".join(run.place for run in runs), what, got)
