"""What every way of freezing has in common: from which layer group on a model is trained.

Layer groups are numbered from the input; the head is the last and always trained. Frozen groups
lie at the front, so that the backward pass ends where the trained ones begin.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from trainable.optimizers.groups import check_layers
from trainable.part import Part


class FreezePlan:
    """Which layer groups are frozen in each epoch; this one: the same in all of them.

    Args:
        share: Share of the backbone's layer groups that is frozen, from the front.
    """

    def __init__(self, share: float) -> None:
        self._share = share

    def first_trainable(self, epoch: int, num_groups: int) -> int:
        """Return the first layer group that is trained.

        Args:
            epoch: Epochs done so far.
            num_groups: Layer groups, the head among them.

        Returns:
            The group's number; those before it are frozen. At most that of the head.

        Raises:
            ConfigError: If some of the backbone is frozen and it is known as one group only.
        """
        del epoch
        if self._share in (0.0, 1.0):
            return int(self._share) * (num_groups - 1)
        check_layers(num_groups, "freeze/name", "none, all or melt", "front")
        return max(1, round(self._share * (num_groups - 1)))

    def backbone_factor(self, epoch: float) -> float:
        """Return the factor of the backbone's learning rates, lower where it has just thawed."""
        del epoch
        return 1.0

    def end_epoch(self, value: float | None) -> None:
        """Take in the value of the epoch that has ended, larger is better; None if unknown."""

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on as if never interrupted, in plain values."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``state_dict`` was taken."""


class FreezePart(Part):
    """A way of freezing the backbone."""

    def epochs_to_thaw(self, num_epochs: int) -> int:
        """Return the epochs until a backbone that will thaw is trained like any other."""
        del num_epochs
        return 0

    @abstractmethod
    def build(self, num_epochs: int) -> FreezePlan:
        """Return the plan of a trial of so many epochs."""
