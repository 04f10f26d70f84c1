"""Melting: the head alone first, then everything."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from trainable.freezing.base import FreezePart, FreezePlan
from trainable.patience import Patience
from trainable.schedules.base import warmup_factor, whole_epochs


class MeltPlan(FreezePlan):
    """Everything is trained from one epoch on, which may not be known yet.

    Args:
        num_epochs: Length of the trial.
        thaw_epoch: Epochs of the head alone; None to wait for the patience.
        patience: Thaws when used up.
        warmup: Share of the trial over which the thawed backbone's rates rise.
    """

    def __init__(
        self,
        num_epochs: int,
        *,
        thaw_epoch: int | None = None,
        patience: Patience | None = None,
        warmup: float = 0.0,
    ) -> None:
        super().__init__(1.0)
        self._num_epochs = num_epochs
        self._thaw_epoch = thaw_epoch
        self._patience = patience
        self._warmup = warmup
        self._num_done = 0

    def _is_melted(self, epoch: float) -> bool:
        return self._thaw_epoch is not None and epoch >= self._thaw_epoch

    def first_trainable(self, epoch: int, num_groups: int) -> int:
        """Return the first layer group that is trained: the head's, and 0 once thawed."""
        return 0 if self._is_melted(epoch) else super().first_trainable(epoch, num_groups)

    def backbone_factor(self, epoch: float) -> float:
        """Return the factor of the backbone's learning rates, which rises once thawed."""
        if self._thaw_epoch is None or epoch < self._thaw_epoch:
            return 1.0
        return warmup_factor((epoch - self._thaw_epoch) / self._num_epochs, self._warmup)

    def end_epoch(self, value: float | None) -> None:
        """Take in the value of the epoch that has ended, and thaw if patience is used up.

        Raises:
            ValueError: If it waits for a plateau and there is no value.
        """
        self._num_done += 1
        if self._patience is None or self._thaw_epoch is not None:
            return
        if value is None:
            raise ValueError("freeze/after: a plateau needs a validation value every epoch.")
        self._patience.update(value)
        if self._patience.is_used_up:
            self._thaw_epoch = self._num_done

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on as if never interrupted, in plain values."""
        patience = self._patience.state_dict() if self._patience else None
        return {
            "num_done": self._num_done,
            "thaw_epoch": self._thaw_epoch,
            "patience": patience,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``state_dict`` was taken."""
        self._num_done = state["num_done"]
        self._thaw_epoch = state["thaw_epoch"]
        if self._patience:
            self._patience.load_state_dict(state["patience"])


class Melt(FreezePart):
    """Melt: the head alone first, then everything, after a share of the epochs.

    ``after: share`` thaws when that share of all epochs is done, ``after: plateau`` when that
    share of all epochs has passed without a new best value.
    """

    name: Literal["melt"] = "melt"
    after: Literal["share", "plateau"] = "share"
    share: float = Field(0.25, gt=0, lt=1)
    warmup: float = Field(0.0, ge=0, lt=1)

    def epochs_to_thaw(self, num_epochs: int) -> int:
        """Return the epochs of the head alone, then of the warm-up, at least one with everything.

        Where a plateau decides, the head alone is taken to stop rising at once: it thaws no sooner
        than that, and how much later is not known before.
        """
        thaw_epoch = self._thaw_epoch(num_epochs)
        if self.after == "plateau":
            thaw_epoch = 1 + self._patience(num_epochs).num_epochs
        return thaw_epoch + max(1, whole_epochs(self.warmup, num_epochs))

    def build(self, num_epochs: int) -> MeltPlan:
        """Return the plan of a trial of so many epochs."""
        if self.after == "plateau":
            patience = self._patience(num_epochs)
            return MeltPlan(num_epochs, patience=patience, warmup=self.warmup)
        thaw_epoch = self._thaw_epoch(num_epochs)
        return MeltPlan(num_epochs, thaw_epoch=thaw_epoch, warmup=self.warmup)

    def _patience(self, num_epochs: int) -> Patience:
        return Patience.of_share(self.share, num_epochs)

    def _thaw_epoch(self, num_epochs: int) -> int:
        # At least one epoch each for the head alone and for everything, if there are two.
        return max(1, min(round(self.share * num_epochs), num_epochs - 1))
