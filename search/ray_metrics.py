"""How a search goes, as metrics of Ray, which Prometheus collects."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from search.ledger import Audience, State
from search.progress_view import Snapshot

if TYPE_CHECKING:
    from ray.util.metrics import Counter, Gauge


class RayMetrics(Audience):
    """Sets ``search_trials`` (by ``state``), ``search_best_value`` and ``search_epochs``.

    All have the tag ``run``. Ray puts ``ray_`` before the names, and ``_total`` after the last.
    What each trial does is told by its worker: ``trainable.ray_trainable``.

    Args:
        run: Name of the search.
        snapshot: Returns its state, which has taken in what this is told of.
    """

    def __init__(self, run: str, snapshot: Callable[[], Snapshot]) -> None:
        self._run = run
        self._snapshot = snapshot
        self._gauges: tuple[Gauge, Gauge, Counter] | None = None

    @override
    def trial_started(self, number: int, config: Mapping[str, Any]) -> None:
        """Set the counts anew."""
        self._set()

    @override
    def epoch_reported(self, number: int, epoch: int, value: float, best: float) -> None:
        """Count an epoch, and set the best value anew."""
        self._set(num_epochs=1)

    @override
    def trial_ended(
        self, number: int, state: State, *, reason: str, value: float | None, epochs: int
    ) -> None:
        """Set counts and best value anew."""
        self._set()

    @override
    def disk_used(self, num_bytes: int) -> None:
        """Do nothing: Ray has metrics of disks."""

    @override
    def note(self, text: str) -> None:
        """Do nothing: it is no number."""

    def _set(self, *, num_epochs: int = 0) -> None:
        import ray  # it reads its environment, which the engine sets, when it is imported

        if not ray.is_initialized():
            return  # it has ended with the search
        trials, best, epochs = self._gauges or self._made()
        state = self._snapshot()
        counts = {
            "running": len(state.running),
            "finished": state.num_finished,
            "stopped early": state.num_stopped,
            "failed": state.num_failed,
            "waiting": state.num_waiting,
        }
        for name, count in counts.items():
            trials.set(count, {"state": name})
        if state.best is not None:
            best.set(state.best.value, {"metric": state.metric})
        if num_epochs:
            epochs.inc(num_epochs)

    def _made(self) -> "tuple[Gauge, Gauge, Counter]":
        from ray.util.metrics import Counter, Gauge

        run = {"run": self._run}
        self._gauges = (
            Gauge("search_trials", "Trials by state.", ("run", "state")),
            Gauge("search_best_value", "Best value so far.", ("run", "metric")),
            Counter("search_epochs", "Epochs trained by all trials.", ("run",)),
        )
        for gauge in self._gauges:
            gauge.set_default_tags(run)
        return self._gauges
