"""The first lines of a search: what it is about to do, and which options nobody gave."""

from collections.abc import Container, Iterator

from search.plan import SearchPlan
from search.progress_view import duration


def opening_lines(plan: SearchPlan, given: Container[str]) -> Iterator[str]:
    """Yield a few lines that say what runs, with the origin of what was not given.

    Args:
        plan: The plan of the search; if on a cluster, it has been joined.
        given: Fields of ``SearchOptions`` that the command line gave.
    """
    options, data = plan.options, plan.data
    images = ", ".join(f"{len(data.rows(part)):,} {part}" for part in ("train", "val", "test"))
    classes = len(data.index.classes)
    yield f"Run:     {plan.run_folder}, on {data.source}: {images} images of {classes} classes"
    if options.copy_to is not None:
        yield f"Bucket:  {options.copy_to}/{options.name}, kept up while it runs"
    if plan.again is not None:
        yield f"Trial:   as {plan.again.place}, {options.max_epochs} epochs, never stopped early"
        yield from _cache(plan)
        return
    says = _Origins(plan, given)
    highest = "highest" if plan.objective.mode == "max" else "lowest"
    budget = "no time limit" if options.time_budget_s is None else duration(options.time_budget_s)
    yield (
        f"Search:  the {highest} {says('metric')}, suggested by {says('sampler')}, "
        f"{says('seed', 'seed ')}"
    )
    yield (
        f"Trials:  {says('trials')} of at most {says('max_epochs')} epochs, {budget}; "
        f"{_side_by_side(plan)}"
    )
    yield f"Stopped: {_stopping(plan, says)}"
    yield from _cache(plan)


class _Origins:
    """Words an option, with where its value comes from unless the user gave it."""

    def __init__(self, plan: SearchPlan, given: Container[str]) -> None:
        self._plan = plan
        self._given = given

    def __call__(self, name: str, before: str = "") -> str:
        origin = "" if self._plan.resumes else self._origin(name)
        return f"{before}{getattr(self._plan.options, name)}{origin}"

    def _origin(self, name: str) -> str:
        if name in self._given:
            return ""
        return " (space)" if name in self._plan.space.recommended else " (default)"


def _side_by_side(plan: SearchPlan) -> str:
    resources = plan.resources
    each = f"{resources.cpus_per_trial:g} CPU"
    if resources.per_gpu is not None:
        each += " and the share of a GPU that it needs"
    elif resources.gpus_per_trial:
        each += f" and {resources.gpus_per_trial:g} GPU"
    return f"{resources.max_concurrent} at a time with {each} each"


def _cache(plan: SearchPlan) -> Iterator[str]:
    if plan.data.cache_limit is not None:
        yield f"Cache:   at most {plan.data.cache_limit} in {plan.data.cache_dir}"


def _stopping(plan: SearchPlan, says: _Origins) -> str:
    scheduler = says("scheduler")
    if plan.options.scheduler == "none":
        return f"none before its end, {scheduler}"
    grace = f"by {scheduler}, not before epoch {says('grace_period')}"
    if plan.options.scheduler == "median":
        return grace
    return f"{grace}, one in {says('reduction_factor')} goes on"
