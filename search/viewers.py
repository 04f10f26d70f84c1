"""Runs a search before everyone who watches it: terminal, event log, Ray's metrics, trackers."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from search.audiences import Audiences
from search.engine import SearchOutcome, run_search
from search.event_log import Ending, EventLog
from search.ledger import Audience
from search.plan import SearchPlan
from search.progress import SearchProgress
from search.ray_metrics import RayMetrics
from search.study import SearchStudy
from search.trackers.base import TrackedSearch
from search.trackers.feed import Feed
from search.trackers.make import make_trackers

TRACKING_ID = "tracking_id"


def run_watched(plan: SearchPlan, study: SearchStudy, progress: SearchProgress) -> SearchOutcome:
    """Run the trials that are left to run, and tell all audiences.

    Args:
        plan: What to search and with what; if that is a cluster, it has been joined.
        study: The study of the run folder.
        progress: The view in the terminal.

    Raises:
        SearchError: If the search cannot go on.
    """
    options = plan.options
    log = EventLog(plan.run_folder, objective=plan.objective, num_trials=options.trials)
    with log, _feeds(plan, study, Audiences((progress, log))) as feeds:
        watchers = (progress, log, RayMetrics(options.name, progress.snapshot), *feeds)
        outcome = run_search(plan, study, Audiences(watchers))
        for feed in feeds:
            feed.close(is_done=not outcome.was_interrupted)
        log.search_ended(_how_it_ended(outcome))
    return outcome


def _how_it_ended(outcome: SearchOutcome) -> Ending:
    if outcome.was_interrupted:
        return "interrupted"
    return "time budget used up" if outcome.budget_used_up else "done"


@contextmanager
def _feeds(plan: SearchPlan, study: SearchStudy, audience: Audience) -> Iterator[list[Feed]]:
    """Start a feed for each tracker; after an error, close them."""
    trackers = make_trackers(plan.options.log_to)
    earlier = [trial for trial in study.trials if trial.state.is_finished()]
    feeds = []
    if trackers:
        search = TrackedSearch(plan.options.name, _tracking_id(study), plan.run_folder)
        feeds = [Feed(tracker, search, audience.note, earlier=earlier) for tracker in trackers]
    for feed in feeds:
        feed.start()
    try:
        yield feeds
    except BaseException:
        for feed in feeds:
            feed.close(is_done=False)
        raise


def _tracking_id(study: SearchStudy) -> str:
    """Return what tells this search from all others, wherever its folder is moved to."""
    known = study.noted(TRACKING_ID)
    if known is None:
        study.note(TRACKING_ID, known := uuid.uuid4().hex[:12])
    return str(known)
