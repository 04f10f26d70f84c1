"""What does a result cost the driver? ``python -m benchmarks.driver``.

Dummy trials of 10 results, 64 at a time, in workers that are kept, through the product's engine
with its study on disk, and through Ray Tune with OptunaSearch as it comes, its study in memory.
Both begin with a study of 900 trials over the 40 names of the full space and go to the 1,000th and
beyond; timed is every trial that began after all workers had started. The ratio is of seconds a
result. Beside it: seconds of the driver's own CPU, growth of its memory over the window, and the
milliseconds of one suggestion, its writing included, at the 1,000th trial. ``--earlier 0 --trials
1000`` goes all the way, twenty minutes.
"""

import argparse
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

# Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import optuna
import pandas as pd
from optuna.storages import InMemoryStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState

from benchmarks.dummy_trial import METRIC, NUM_EPOCHS, DummyTrial
from benchmarks.engine import SilentAudience, run_engine
from benchmarks.side_by_side import in_turns, row
from search.space_file import load_space
from search.study import SearchStudy
from spaces import full
from trainable.objective import Objective

STUDY_NAME = "search"
MOST_SUGGEST_MS = 50
# A megabyte a thousand results is what the trials themselves take, in the study and in Tune.
MOST_GROWTH = 0.1


@dataclass(frozen=True)
class Load:
    """How much there is to do.

    Args:
        earlier: Finished trials that the study begins with.
        trials: Trials to run.
        concurrent: Trials at a time.
    """

    earlier: int
    trials: int
    concurrent: int


@dataclass
class Clock:
    """Takes the time of each result, and counts the driver's CPU and memory.

    Args:
        load: What is run; the first wave of trials is left out, while workers start.
    """

    load: Load
    marks: list[tuple[float, float, float]] = field(default_factory=list)

    def tick(self) -> None:
        """Take in that a result has come."""
        self.marks.append((time.perf_counter(), time.process_time(), resident_mb()))

    def measured(self) -> dict[str, float]:
        """Return seconds and CPU seconds a result, and memory at begin and end."""
        first = min(self.load.concurrent * NUM_EPOCHS, len(self.marks) // 2)
        window = self.marks[first:]
        (start_s, start_cpu_s, start_mb), (end_s, end_cpu_s, end_mb) = window[0], window[-1]
        count = len(window) - 1
        return {
            "seconds": (end_s - start_s) / count,
            "cpu_seconds": (end_cpu_s - start_cpu_s) / count,
            "start_mb": start_mb,
            "end_mb": end_mb,
            "num_results": len(self.marks),
        }


class TickingAudience(SilentAudience):
    """Hears of a search's epochs.

    Args:
        clock: Is told of each.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def epoch_reported(self, number: int, epoch: int, value: float, best: float) -> None:
        """Take the time."""
        del number, epoch, value, best
        self._clock.tick()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--earlier", type=int, default=900)
    parser.add_argument("--trials", type=int, default=160)
    parser.add_argument("--concurrent", type=int, default=64)
    options = parser.parse_args()
    load = Load(options.earlier, options.trials, options.concurrent)
    print(_table(load, repeats=1).to_string(index=False))


def table(*, quick: bool = False) -> pd.DataFrame:
    """Return the row of the driver."""
    load = Load(40, 24, 8) if quick else Load(earlier=900, trials=160, concurrent=64)
    return _table(load, repeats=1)


def _table(load: Load, *, repeats: int) -> pd.DataFrame:
    seen: list[dict[str, float]] = []

    def timed(side: Callable[[Load], dict[str, float]]) -> float:
        measured = in_own_process(side, load)
        print({"side": side.__name__, **{name: round(v, 4) for name, v in measured.items()}})
        if side is ours:
            seen.append(measured)
        return measured["seconds"]

    pairs = in_turns(lambda: timed(ours), lambda: timed(theirs), repeats=repeats)
    suggest_ms = in_own_process(suggestion_ms, load)["suggest_ms"]
    growth = max(m["end_mb"] / m["start_mb"] - 1 for m in seen)
    print(f"a suggestion takes {suggest_ms:.0f} ms; memory grew by {growth:.1%}")
    return row(
        f"driver at {load.earlier + load.trials:,} trials, {load.concurrent} concurrent dummy "
        f"trials: suggestion {suggest_ms:.0f} ms, memory +{growth:.1%}",
        "Ray Tune with OptunaSearch as is",
        pairs,
        goal=f"no slower, memory flat, suggestion under {MOST_SUGGEST_MS} ms",
        at_least=1,
        also_met=suggest_ms < MOST_SUGGEST_MS and growth < MOST_GROWTH,
    )


def in_own_process(side: Callable[[Load], dict[str, float]], load: Load) -> dict[str, float]:
    """Run a side in a fresh process: each sets what Ray reads from the environment."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(side, load).result()


def ours(load: Load) -> dict[str, float]:
    """Run through the product's engine."""
    clock = Clock(load)
    with TemporaryDirectory() as folder:
        run_engine(
            _study(Path(folder), load),
            DummyTrial,
            run_folder=Path(folder),
            num_trials=load.earlier + load.trials,
            concurrent=load.concurrent,
            metric=METRIC,
            audience=TickingAudience(clock),
        )
    return clock.measured()


def theirs(load: Load) -> dict[str, float]:
    """Run through Ray Tune's own searcher."""
    import ray
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    clock = Clock(load)
    storage = InMemoryStorage()
    study = optuna.create_study(storage=storage, study_name=STUDY_NAME, direction="maximize")
    study.add_trials(finished_trials(load.earlier))

    class Ticking(tune.Callback):  # type: ignore[misc]  # Ray has no types
        def on_trial_result(self, **_: object) -> None:
            clock.tick()

    ray.init(address="local", num_cpus=load.concurrent, log_to_driver=False)
    with TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(DummyTrial, {"cpu": 1}),
            tune_config=tune.TuneConfig(
                search_alg=OptunaSearch(
                    full.space, METRIC, "max", study_name=STUDY_NAME, storage=storage, seed=0
                ),
                num_samples=load.trials,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(storage_path=folder, callbacks=[Ticking()], verbose=0),
        )
        tuner.fit()
    ray.shutdown()
    return clock.measured()


def suggestion_ms(load: Load) -> dict[str, float]:
    """Return what one suggestion takes with a study on disk, as many running as at a time."""
    times = []
    with TemporaryDirectory() as folder:
        study = _study(Path(folder), load)
        for _ in range(load.concurrent + 20):
            start = time.perf_counter()
            study.ask()
            times.append(time.perf_counter() - start)
        study.close()
    return {"suggest_ms": 1e3 * median(times[load.concurrent :])}


def _study(folder: Path, load: Load) -> SearchStudy:
    space = load_space(Path(full.__file__))
    study = SearchStudy(
        RDBStorage(f"sqlite:///{folder}/study.db"),
        objective=Objective(METRIC),
        suggest=lambda trial: space.suggest_config(
            trial, pins={}, max_epochs=NUM_EPOCHS, seed=0, number=trial.number
        ),
        seed=0,
    )
    study.bring_in(finished_trials(load.earlier))
    return study


def finished_trials(count: int) -> list[FrozenTrial]:
    """Return trials of random configurations and curves: two in three stopped at epoch 3."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    rng = random.Random(0)  # noqa: S311  no secret
    for number in range(count):
        trial = study.ask()
        full.space(trial)
        is_complete = number % 3 == 0
        best = rng.random()
        for epoch in range(1, (NUM_EPOCHS if is_complete else 3) + 1):
            trial.report(best * epoch / NUM_EPOCHS, epoch)
        if is_complete:
            study.tell(trial, best)
        else:
            study.tell(trial, state=TrialState.PRUNED)
    return study.get_trials(deepcopy=False)


def resident_mb() -> float:
    """Return the memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
