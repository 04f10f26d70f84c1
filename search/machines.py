"""Which machine of a cluster each trial runs on, and how trials are kept away from some."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import ray
from ray._private.state import actors  # the public one asks the dashboard, which may be off
from ray.tune import PlacementGroupFactory
from ray.tune.experiment import Trial

from search.failures import MachineRecord
from trainable.errors import SearchError, expected

NODE_LABEL = "ray.io/node-id"
UNKNOWN = ""
FAILURE, IN_CREATION = "Failure # ", "in its creation task"
ACTOR = re.compile(r"actor_id=([0-9a-f]+)")


class Machines:
    """Keeps trials away from machines on which one after the other fails.

    Ray places a trial wherever there is room, on a broken machine first, since that is soon free
    again. A trial that is begun or tried again after a machine was found to be broken asks for
    any other one, by Ray's own label of each node.

    Args:
        note: Tells the user that a machine is left out.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._record = MachineRecord()
        self._of_trial: dict[str, str] = {}
        self._left_out: dict[str, str] = {}

    def look(self, trials: Iterable[Trial]) -> None:
        """See where trials run; to be called often.

        Raises:
            SearchError: If the machines left out are all that is left.
        """
        for trial in trials:
            actor = trial.temporary_state.ray_actor
            if actor is not None and trial.trial_id not in self._of_trial:
                self._of_trial[trial.trial_id] = _machine_of(actor._actor_id.hex())
        if self._left_out and _names().keys() <= self._left_out.keys():
            got = f"only those where they fail: {', '.join(self._left_out.values())}"
            raise SearchError(expected("cluster", "machines that can run trials", got))

    def succeeded(self, trial: Trial) -> None:
        """Take in that a trial has done an epoch where it runs."""
        if machine := self._of_trial.get(trial.trial_id):
            self._record.succeeded(machine)

    def moved(self, trial: Trial) -> None:
        """Take in that a trial has been taken from where it ran, and will go on anywhere."""
        self._of_trial.pop(trial.trial_id, None)

    def failed(self, trial: Trial) -> None:
        """Take in that an attempt of a trial failed, and leave out its machine if that is bad."""
        machine = self._of_trial.pop(trial.trial_id, UNKNOWN) or _machine_of_unready(trial)
        if not machine:
            return
        self._record.failed(machine, trial.config["number"])
        names = _names()
        left_out = {bad: names[bad] for bad in self._record.to_avoid(names)}
        for bad in left_out.keys() - self._left_out.keys():
            self._note(
                f"{names[bad]} (Ray's node {bad[:8]}): {self._record.num_failed(bad)} trials in a "
                "row failed there and went well elsewhere; it gets no more of them"
            )
        self._left_out = left_out

    def place(self, trial: Trial) -> None:
        """Have a trial, which does not run, run elsewhere than on the machines left out."""
        if not self._left_out:
            return
        bundles = trial.placement_group_factory.bundles
        elsewhere = {NODE_LABEL: f"!in({','.join(sorted(self._left_out))})"}
        trial.update_resources(
            PlacementGroupFactory(bundles, bundle_label_selector=[elsewhere] * len(bundles))
        )


def _machine_of(actor_id: str) -> str:
    """Return the id of the node that a worker runs on."""
    return str(actors(actor_id).get("Address", {}).get("NodeID", UNKNOWN))


def error_of_unready(trial: Trial) -> str:
    """Return why a trial's last worker did not come to be ready, "" if that was not so.

    Tune keeps this from schedulers but for a text file, to which it adds failure after failure.
    """
    text = Path(trial.error_file).read_text() if trial.error_file else ""
    last = text.rpartition(FAILURE)[2].strip()
    return last if IN_CREATION in last else ""


def _machine_of_unready(trial: Trial) -> str:
    actor = ACTOR.search(error_of_unready(trial))
    return _machine_of(actor[1]) if actor else UNKNOWN


def _names() -> dict[str, str]:
    """Return the host name of each node that is alive and has cores, by its id."""
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    return {node["NodeID"]: node["NodeManagerHostname"] for node in nodes}
