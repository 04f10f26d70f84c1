"""Trains the networks of a refit on Ray."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from search.cache_room import decoded
from search.cluster import joined_cluster, prepare_environment, private_ray
from search.engine import ENGINE_FOLDER
from search.node_check import check_nodes
from search.options import SearchOptions
from search.refit.books import RefitBooks
from search.refit.view import RefitView
from search.refit.work import Work
from search.resources import LOCAL, Resources, available_here, share_out, share_out_nodes
from trainable.data.decode import Size
from trainable.errors import SearchError

if TYPE_CHECKING:
    from search.remote_depot import RemoteDepot


def train(work: Work, options: SearchOptions, console: Console) -> bool:
    """Train what is not trained yet; return whether it was interrupted.

    Raises:
        SearchError: If a network cannot be trained.
    """
    if all(job.is_done for job in work.jobs):
        return False
    data = next(iter(work.data.values()))
    with (
        decoded(data, _sizes(work), data.images),  # before trials wait for each other
        _ray(work, options, console) as (resources, depot),
        RefitView(work.jobs, console) as view,
    ):
        books = RefitBooks(work.jobs, view, max_concurrent=resources.max_concurrent)
        from search.tuning import tune_trials

        try:
            was_interrupted = tune_trials(
                books,
                storage=work.path / ENGINE_FOLDER,
                constants={
                    "cpus": resources.cpus_per_trial,
                    "gpus": resources.gpus_per_trial,
                    "weights_dir": options.weights_dir and str(options.weights_dir),
                    "cache_dir": str(data.cache_dir),
                    "depot": depot,
                },
                max_failures=options.max_failures,
                trial_timeout_s=options.trial_timeout_s,
                budget_s=None,
            )
        finally:
            shutil.rmtree(work.path / ENGINE_FOLDER, ignore_errors=True)
    if books.failed and not was_interrupted:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in books.failed.items())
        raise SearchError(f"{len(books.failed)} of {len(work.jobs)} failed: {reasons}")
    return was_interrupted


def _sizes(work: Work) -> tuple[Size, ...]:
    return tuple(dict.fromkeys(job.ingredient.config.resize for job in work.jobs))


@contextmanager
def _ray(
    work: Work, options: SearchOptions, console: Console
) -> Iterator[tuple[Resources, "RemoteDepot | None"]]:
    """Run a block with a Ray of its own, or on a cluster.

    Yields:
        What each network gets, and what workers on other machines reach its folder by.
    """
    if options.address != LOCAL:
        with joined_cluster(options.address) as cluster:
            resources = share_out_nodes(options, cluster.nodes)
            data = next(iter(work.data.values()))
            place = work.path.absolute()
            for note in check_nodes(cluster.described, runs=place, data=data, sizes=_sizes(work)):
                console.print(note, markup=False, soft_wrap=True)
            from search.remote_depot import depot_here

            with depot_here(work.homes) as depot:
                yield resources, depot
        return
    available = available_here()
    resources = share_out(options, available)
    prepare_environment(max_concurrent=resources.max_concurrent, is_private=True)
    with private_ray(available):
        yield resources, None
