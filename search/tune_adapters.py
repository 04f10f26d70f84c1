"""Ray Tune's searcher, scheduler and stopper: thin, for every decision is that of the books."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import ray
from ray.tune import Stopper
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from analysis.study_file import GPUS, MEASURED
from search.books import Books
from search.machines import Machines, error_of_unready
from search.packing import Packing
from search.trial_resources import resources_of
from search.watch import Watch
from trainable.measurements import Measurement
from trainable.trial_folder import trial_id

T = TypeVar("T")


class _NotPickled:
    """Ray pickles what it is given, for a restore of its own that is not used here."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class SearchStopper(_NotPickled, Stopper):  # type: ignore[misc]  # Ray has no types
    """Ends all trials on Ctrl-C, when the time is up, or when the books cannot be kept.

    An error in a searcher or scheduler does not end a search by itself: Tune logs it, or calls
    the trial failed. So it is kept here and raised again once Tune has stopped.

    Args:
        budget_s: Seconds after which to stop, None for no limit.
    """

    def __init__(self, budget_s: float | None = None) -> None:
        self._deadline = None if budget_s is None else time.monotonic() + budget_s
        self.was_interrupted = False
        self.error: Exception | None = None

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Stop no trial by itself."""
        del trial_id, result
        return False

    def stop_all(self) -> bool:
        """Return whether everything should end now."""
        is_late = self._deadline is not None and time.monotonic() > self._deadline
        return is_late or self.was_interrupted or self.error is not None

    def interrupt(self) -> None:
        """Ask for the end, as Ctrl-C does."""
        self.was_interrupted = True

    def guard(self, function: Callable[[], T], otherwise: T) -> T:
        """Call a function; after an error keep it, return the other value and end the search."""
        if self.error is not None:
            return otherwise
        try:
            return function()
        except Exception as error:  # noqa: BLE001 - raised again by tune_trials
            self.error = error
            return otherwise

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise an error that was kept, once the block, in which Tune runs, has ended.

        Tune may itself have failed by then, and for the same reason.
        """
        try:
            yield
        finally:
            if self.error is not None:
                raise self.error


class BooksSearcher(_NotPickled, Searcher):  # type: ignore[misc]  # Ray has no types
    """Hands out the trials of the books and tells them of their ends.

    Ray's own OptunaSearch tells trials that were stopped early as complete, ranks the last
    epoch, leaves trials with a NaN running for ever, and keeps its state in a pickle.

    Args:
        books: Which trials there are, and what becomes of them.
        stopper: Is told of errors.
        constants: What every trial's configuration has besides its number and hyperparameters.
        packing: What gives each trial its share of a GPU, None where all get the same.
    """

    def __init__(
        self,
        books: Books,
        stopper: SearchStopper,
        constants: Mapping[str, Any],
        packing: Packing | None,
    ) -> None:
        super().__init__()
        self._books = books
        self._stopper = stopper
        self._constants = constants
        self._packing = packing
        self._numbers: dict[str, int] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return a trial's configuration, None to be asked later, or that there are no more."""
        if self._books.is_exhausted:
            return str(Searcher.FINISHED)
        if self._books.is_full or (self._packing is not None and not self._packing.has_room):
            return None
        return self._stopper.guard(lambda: self._next_trial(trial_id), None)

    def _next_trial(self, trial_id: str) -> dict[str, Any] | None:
        suggestion = self._books.next_trial()
        if suggestion is None:
            return None
        number = self._numbers[trial_id] = suggestion.number
        resources = {name: self._constants[name] for name in ("cpus", "gpus")}
        if self._packing is not None:
            resources["gpus"] = self._packing.give(number, suggestion.config)
        self._books.note_of(number, {GPUS: resources["gpus"]})
        told = {"number": number, "config": suggestion.config}
        return {**told, **self._constants, **resources, **suggestion.settings}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Do nothing: the scheduler was told before, also of results that stop a trial."""

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell how a trial ended; without a result and without an error it was interrupted."""
        number = self._numbers[trial_id]
        if self._packing is not None:
            self._packing.free(number)
        self._stopper.guard(lambda: self._books.ended(number, result, died=error), None)

    def set_max_concurrency(self, max_concurrent: int) -> bool:
        """Refuse Ray's own limiter, since the books limit."""
        del max_concurrent
        return True

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: the study is the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Do nothing: the study is the state."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Do nothing: the study is the state."""


class BooksScheduler(_NotPickled, FIFOScheduler):  # type: ignore[misc]  # Ray has no types
    """Stops the trials that the books say to stop, and sees to those that fail or hang.

    Args:
        books: Which trials there are, and what becomes of them.
        stopper: Is told of errors.
        watch: Notices trials that hang.
        packing: What gives each trial its share of a GPU, None where all get the same.
    """

    def __init__(
        self, books: Books, stopper: SearchStopper, watch: Watch, packing: Packing | None
    ) -> None:
        super().__init__()
        self._books = books
        self._stopper = stopper
        self._watch = watch
        self._packing = packing
        self._machines = Machines(books.note)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:  # noqa: ANN401
        """Return the next trial to run; Tune asks many times a second, whatever happens.

        A worker that came free goes to a trial for which none is starting. Tune would give it to
        one that waits for a worker on a machine that has joined, and end that worker unused:
        where trials take less time than a worker takes to start, the machine would stay idle.
        """
        live = tune_controller.get_live_trials()
        self._stopper.guard(lambda: self._look_after(live), None)
        for trial in live:
            if trial.status == Trial.PENDING and trial not in tune_controller._trial_to_actor:
                return trial
        return super().choose_trial_to_run(tune_controller)

    def _look_after(self, trials: Iterable[Trial]) -> None:
        self._books.settle()
        for trial in trials:
            if trial.status == Trial.PAUSED:  # by ``on_trial_result``, to go on with more
                trial.update_resources(resources_of(trial.config))
                self._machines.moved(trial)
                self._machines.place(trial)
        self._machines.look(trials)
        running = {t.config["number"]: t for t in trials if t.temporary_state.ray_actor}
        for number in self._watch.hung(running):
            self._books.hung(number, self._watch.limit_s(number))
            # Whatever it does, also where no signal or message reaches it: its node kills it.
            ray.kill(running[number].temporary_state.ray_actor, no_restart=True)

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:  # noqa: ANN401
        """Keep a new trial away from machines that are left out."""
        del tune_controller
        if trial.status == Trial.PENDING:
            self._stopper.guard(lambda: self._machines.place(trial), None)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:  # noqa: ANN401
        """Take in that an attempt failed; while it may be tried again, ``ended`` is not told."""
        del tune_controller
        self._stopper.guard(lambda: self._attempt_failed(trial), None)

    def _attempt_failed(self, trial: Trial) -> None:
        number = trial.config["number"]
        self._machines.failed(trial)
        if error := error_of_unready(trial):
            self._books.worker_failed(number, error)
        if trial.should_recover():
            self._books.tried_again(number)
            self._machines.place(trial)

    def on_trial_result(
        self,
        tune_controller: Any,  # noqa: ANN401
        trial: Trial,
        result: dict[str, Any],
    ) -> str:
        """Record an epoch and say whether the trial goes on, here or with more of a GPU."""
        number = trial.config["number"]
        if MEASURED in result:
            moves = self._stopper.guard(lambda: self._needs_more(trial, result), False)
            if moves:
                tune_controller.pause_trial(trial, should_checkpoint=False)
            return str(TrialScheduler.NOOP if moves else TrialScheduler.CONTINUE)
        self._epoch_done(trial, result)
        stop = self._stopper.guard(lambda: self._books.epoch_done(number, result), False)
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def _needs_more(self, trial: Trial, result: Mapping[str, Any]) -> bool:
        """Take in what a trial was measured to need, and whether that is more than it has."""
        measurement: Measurement = result[MEASURED]
        if self._packing is None:
            return False
        number, had = trial.config["number"], trial.config["gpus"]
        ran_out = bool(result.get("ran_out"))
        share = self._packing.learn(number, measurement, ran_out=ran_out)
        self._books.note_of(number, {MEASURED: measurement.facts(), GPUS: share or had})
        if share is None:
            return False
        trial.config["gpus"] = share
        why = "memory has run out with" if ran_out else "it was measured to need more than"
        self._books.note(
            f"trial {trial_id(number)}: {why} {had:g} of a GPU; it goes on with {share:g}"
        )
        return True

    def on_trial_complete(
        self,
        tune_controller: Any,  # noqa: ANN401
        trial: Trial,
        result: dict[str, Any],
    ) -> None:
        """Take in the last epoch of a trial, of which Tune tells nobody else before its end."""
        self._epoch_done(trial, result)
        if result.get("recycle"):
            end_with_trial(tune_controller, trial)

    def _epoch_done(self, trial: Trial, result: Mapping[str, Any]) -> None:
        if "epoch" in result:
            self._watch.heard(trial.config["number"])
            self._machines.succeeded(trial)


def end_with_trial(tune_controller: Any, trial: Trial) -> None:  # noqa: ANN401
    """Have the process of a trial that is over end, not be kept for another trial.

    A process cannot say so itself: where ``reset_config`` says no, Tune calls the next trial
    failed and tells no searcher. Tune keeps what it knows as started, and asks right after this.
    """
    process = tune_controller._trial_to_actor.get(trial)
    tune_controller._started_actors.discard(process)
