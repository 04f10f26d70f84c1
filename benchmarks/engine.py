"""The product's engine with another trainable, and nobody who watches."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.cluster import prepare_environment, private_ray
from search.ledger import Ledger
from search.resources import Available
from search.schedulers.no_stopping import NoStopping
from search.study import SearchStudy
from trainable.objective import Objective

if TYPE_CHECKING:
    from ray import tune


class SilentAudience:
    """Hears of a search and shows nothing but what the user should read."""

    def trial_started(self, number: int, config: Mapping[str, Any]) -> None:
        """Do nothing."""

    def epoch_reported(self, number: int, epoch: int, value: float, best: float) -> None:
        """Do nothing."""

    def trial_ended(
        self, number: int, state: str, *, reason: str, value: float | None, epochs: int
    ) -> None:
        """Do nothing."""

    def disk_used(self, num_bytes: int) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Print it: in a benchmark there should be none."""
        print(text)


def run_engine(
    study: SearchStudy,
    trainable: "type[tune.Trainable]",
    *,
    run_folder: Path,
    num_trials: int,
    concurrent: int,
    metric: str,
    audience: SilentAudience | None = None,
) -> None:
    """Run trials to their end, none stopped early, on a Ray of this machine.

    To be called once in a process, for it sets what Ray reads from the environment.

    Args:
        study: The study.
        trainable: What runs a trial.
        run_folder: Folder of the trials.
        num_trials: Trials that the study shall have in the end.
        concurrent: Trials at a time, a core each.
        metric: What is optimised.
        audience: Is told of every event.
    """
    prepare_environment(max_concurrent=concurrent, is_private=True)
    from search.tuning import tune_trials

    ledger = Ledger(
        study,
        NoStopping(),
        audience or SilentAudience(),
        run_folder=run_folder,
        objective=Objective(metric),
        num_trials=num_trials,
        max_concurrent=concurrent,
        keep_checkpoints=5,
        max_failed_share=0,
    )
    constants = {
        "run_folder": str(run_folder.resolve()),
        "metric": metric,
        "cpus": 1,
        "gpus": 0,
        "weights_dir": None,
    }
    with private_ray(Available(concurrent, 0)):
        tune_trials(
            ledger,
            storage=run_folder / ".ray",
            constants=constants,
            max_failures=0,
            trial_timeout_s=None,
            budget_s=None,
            trainable=trainable,
        )
