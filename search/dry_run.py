"""``--dry-run``: what a search would do, printed once every check has passed. Starts no Ray."""

import pandas as pd
from rich.console import Console
from rich.table import Table

from search.cache_room import entry_bytes
from search.options import AUTO
from search.packing import packing_of
from search.plan import SearchPlan
from search.progress_view import duration
from search.schedulers.make import scheduler_of
from search.schedulers.no_stopping import NoStopping
from search.space_check import SpaceCheck
from trainable.byte_size import size_text
from trainable.data.index import PARTS
from trainable.data.prepared import PreparedData
from trainable.data.split import class_counts

MOST_CLASSES = 40


def print_dry_run(plan: SearchPlan, console: Console) -> None:
    """Print space, data, resources, and what would run."""
    check = plan.check
    console.print(f"\n[bold]Space[/] {plan.space.path}\n")
    console.print(dimension_table(check, pins=plan.options.pins))
    for line in ("", *_configuration_lines(plan), ""):
        console.print(line, markup=False)
    console.print(f"[bold]Data[/] {plan.data.source}, fingerprint {plan.data.fingerprint}\n")
    console.print(_class_table(images_and_people(plan.data)))
    for line in (*_data_lines(plan.data, check), *_cache_lines(plan), "", *_run_lines(plan)):
        console.print(line, markup=False)


def dimension_table(check: SpaceCheck, *, pins: dict[str, object]) -> Table:
    """Return what the space asks for, a row a name."""
    table = _plain_table("hyperparameter", "kind", "range or choices", "suggested")
    families = list(dict.fromkeys(name.split("/")[0] for name in check.dimensions))
    by_family = sorted(check.dimensions, key=lambda name: families.index(name.split("/")[0]))
    for name in by_family:
        dimension = check.dimensions[name]
        share = check.times_asked[name] / check.num_samples
        often = f"in {share:.0%}" if check.is_conditional(name) else "always"
        values = f"{pins[name]} (--set)" if name in pins else str(dimension)
        table.add_row(name, dimension.kind, values, often)
    for name in [name for name in pins if name not in check.dimensions]:
        table.add_row(name, "", f"{pins[name]} (--set)", "never")
    return table


def _configuration_lines(plan: SearchPlan) -> list[str]:
    check, num_starts = plan.check, len(plan.space.starts)
    lines = [
        f"{len(check.configs)} distinct configurations tried, all trainable, of "
        f"{num_combinations(check)} combinations of parts."
    ]
    if num_starts:
        num_first = min(len(check.starts), plan.options.trials)
        why = "" if num_first == num_starts else _why_fewer(plan)
        lines.append(f"The space's starts come first: {num_first}{why}.")
    return lines


def _why_fewer(plan: SearchPlan) -> str:
    num_starts = len(plan.space.starts)
    if len(plan.check.starts) > plan.options.trials:
        return f" of {num_starts}, for as many trials as there are"
    return f" of {num_starts}, as --set makes others equal"


def num_combinations(check: SpaceCheck) -> int:
    """Return how many combinations of parts were sampled, numbers aside."""
    combinations = {
        tuple(
            value["name"] if isinstance(value, dict) else ""
            for value in config.model_dump(mode="json").values()
        )
        for config in check.configs.values()
    }
    return len(combinations)


def images_and_people(data: PreparedData) -> pd.DataFrame:
    """Return the number of images and of people of each class.

    Returns:
        A table indexed by class with the columns ``train``, ``val``, ``test`` (images) and
        ``people``.
    """
    counts = class_counts(data.index)
    people = data.index.table.groupby("label")["person"].nunique()
    return counts.assign(people=people.reindex(counts.index, fill_value=0))


def _class_table(counts: pd.DataFrame) -> Table:
    table = _plain_table("class", *map(str, counts.columns), numbers=True)
    for name, row in counts.head(MOST_CLASSES).iterrows():
        table.add_row(str(name), *(f"{count:,}" for count in row))
    if len(counts) > MOST_CLASSES:
        table.add_row(f"and {len(counts) - MOST_CLASSES} more")
    total = counts[list(PARTS)].sum()
    table.add_section()
    table.add_row("all", *(f"{count:,}" for count in total))
    return table


def _data_lines(data: PreparedData, check: SpaceCheck) -> list[str]:
    lines = [""]
    for name, attribute in data.index.attributes.items():
        lines.append(f"attribute {name}: {', '.join(attribute.values)}")
    num_images = len(data.index)
    for height, width in check.sizes:
        megabytes = num_images * height * width * 3 / 1e6
        lines.append(f"size {height}x{width}: {num_images:,} images, {megabytes:,.0f} MB decoded")
    return [*lines, *(f"warning: {warning}" for warning in data.warnings)]


def _cache_lines(plan: SearchPlan) -> list[str]:
    data, limit = plan.data, plan.data.cache_limit
    if limit is None:
        return []
    needed = size_text(sum(entry_bytes(data, plan.check.sizes).values()))
    return [f"cache: at most {limit} in {data.cache_dir}, of which this search needs {needed}"]


def _run_lines(plan: SearchPlan) -> list[str]:
    options, resources = plan.options, plan.resources
    budget = "" if options.time_budget_s is None else f", for {duration(options.time_budget_s)}"
    direction = "highest" if plan.objective.mode == "max" else "lowest"
    return [
        f"Would search for the {direction} {options.metric} in {options.trials} trials of at "
        f"most {options.max_epochs} epochs{budget},",
        f"{_concurrent(plan)} at a time with {resources.cpus_per_trial:g} CPU and "
        f"{_gpus_each(plan)}, on {_where(plan)}.",
        *_shares(plan),
        *_early_stopping(plan),
        f"Would write to {plan.run_folder}.",
        *([] if options.storage is None else [f"Would keep the study in {options.storage}."]),
    ]


def _concurrent(plan: SearchPlan) -> str:
    # How many fit into a cluster is known once it is joined.
    most = "at most " if plan.resources.available is None else ""
    return f"{most}{plan.resources.max_concurrent}"


def _gpus_each(plan: SearchPlan) -> str:
    if plan.resources.available is None and plan.options.gpus_per_trial == AUTO:
        return "the share of a GPU that each needs"
    least = "at least " if plan.resources.per_gpu is not None else ""
    return f"{least}{plan.resources.gpus_per_trial:g} GPU each"


def _shares(plan: SearchPlan) -> list[str]:
    packing = packing_of(plan)
    return [] if packing is None else packing.describe(tuple(plan.check.configs.values()))


def _early_stopping(plan: SearchPlan) -> list[str]:
    scheduler = scheduler_of(plan.options)
    longest = max((c.earliest_stop_epoch for c in plan.check.configs.values()), default=0)
    if isinstance(scheduler, NoStopping) or longest <= plan.options.grace_period:
        return [scheduler.describe()]
    grace = f"Trials that warm up or melt would be let go on, some to epoch {longest}."
    return [scheduler.describe(), grace]


def _where(plan: SearchPlan) -> str:
    available = plan.resources.available
    if available is None:
        return f"the cluster at {plan.options.address}"
    return f"this machine's {available.cpus} CPU cores and {available.gpus} GPUs"


def _plain_table(first: str, *others: str, numbers: bool = False) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right" if numbers else "left")
    return table
