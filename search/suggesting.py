"""The trials that a space sees: they suggest like Optuna's, and note what was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from trainable.errors import ConfigError, expected

Choice = None | bool | int | float | str
# Steps are not exact in binary.
STEP_TOLERANCE = 1e-6


class Suggesting(Protocol):
    """Draws values of hyperparameters, as Optuna's trials do."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a number from low to high."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Return a whole number from low to high."""

    def suggest_categorical(self, name: str, choices: Sequence[Choice]) -> Choice:
        """Return one of the choices."""


@dataclass(frozen=True)
class Dimension:
    """What a space asked for under one name.

    Args:
        kind: ``float``, ``int`` or ``choice``.
        low: Lowest value, None for choices.
        high: Highest value, None for choices.
        step: Distance of values, None where there is none.
        log: Whether values are drawn on a logarithmic scale.
        choices: The choices, empty for numbers.
    """

    kind: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False
    choices: tuple[Choice, ...] = ()

    def __str__(self) -> str:
        """Return range or choices as text.

        Example:
            >>> str(Dimension("float", 1e-4, 0.1, log=True)), str(Dimension("int", 1, 9, 2))
            ('0.0001 to 0.1, log', '1 to 9, step 2')
        """
        if self.kind == "choice":
            return ", ".join(str(choice) for choice in self.choices)
        step = f", step {self.step:g}" if self.step not in (None, 1) else ""
        return f"{self.low:g} to {self.high:g}{step}{', log' if self.log else ''}"

    def contains(self, value: object) -> bool:
        """Return whether a value could be suggested.

        Example:
            >>> lr, width = Dimension("float", 1e-4, 0.1), Dimension("int", 2, 8, 2)
            >>> lr.contains(0.01), lr.contains(1.0), width.contains(6), width.contains(5)
            (True, False, True, False)
        """
        if self.low is None or self.high is None:
            return value in self.choices
        kinds = (int,) if self.kind == "int" else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return False
        steps = (value - self.low) / self.step if self.step else 0.0
        return self.low <= value <= self.high and abs(steps - round(steps)) < STEP_TOLERANCE


class SuggestingTrial:
    """Hands suggestions of a trial to a space, pinned names with the value they are pinned to.

    Args:
        trial: What draws the values.
        pins: Values by name that are not drawn.
    """

    def __init__(self, trial: Suggesting, pins: Mapping[str, Any]) -> None:
        self.params: dict[str, Any] = {}
        self.dimensions: dict[str, Dimension] = {}
        self._trial = trial
        self._pins = pins

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a number from low to high; see ``optuna.Trial.suggest_float``."""
        self.dimensions[name] = Dimension("float", low, high, step, log)
        if name not in self._pins:
            self.params[name] = self._trial.suggest_float(name, low, high, step=step, log=log)
        value: float = self._noted(name)
        return value

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Return a whole number from low to high; see ``optuna.Trial.suggest_int``."""
        self.dimensions[name] = Dimension("int", low, high, step, log)
        if name not in self._pins:
            self.params[name] = self._trial.suggest_int(name, low, high, step=step, log=log)
        value: int = self._noted(name)
        return value

    def suggest_categorical(self, name: str, choices: Sequence[Choice]) -> Any:  # noqa: ANN401
        """Return one of the choices; see ``optuna.Trial.suggest_categorical``.

        Raises:
            ConfigError: If a choice is neither None, a truth value, a number nor text, the kinds
                that a study keeps.
        """
        for choice in choices:
            if not isinstance(choice, Choice):
                what = "None, True, False, numbers or texts as choices"
                raise ConfigError(expected(name, what, repr(choice)))
        self.dimensions[name] = Dimension("choice", choices=tuple(choices))
        if name not in self._pins:
            self.params[name] = self._trial.suggest_categorical(name, choices)
        return self._noted(name)

    def _noted(self, name: str) -> Any:  # noqa: ANN401
        self.params.setdefault(name, self._pins.get(name))
        return self.params[name]


class StartingTrial:
    """Suggests the values of a start where they fit, and draws the others.

    Args:
        start: Values by flat name.
        trial: What draws the others.

    Attributes:
        taken: The start's values that were asked for and fit.
        misfits: What was asked for that the start has no value for, or none that fits.
    """

    def __init__(self, start: Mapping[str, Any], trial: Suggesting) -> None:
        self.taken: dict[str, Any] = {}
        self.misfits: dict[str, Dimension] = {}
        self._start = start
        self._trial = trial

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return the start's number, or else one from low to high."""
        drawn = self._trial.suggest_float(name, low, high, step=step, log=log)
        return float(self._taken(name, Dimension("float", low, high, step, log), drawn))

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Return the start's whole number, or else one from low to high."""
        drawn = self._trial.suggest_int(name, low, high, step=step, log=log)
        return int(self._taken(name, Dimension("int", low, high, step, log), drawn))

    def suggest_categorical(self, name: str, choices: Sequence[Choice]) -> Any:  # noqa: ANN401
        """Return the start's choice, or else one of the choices."""
        drawn = self._trial.suggest_categorical(name, choices)
        return self._taken(name, Dimension("choice", choices=tuple(choices)), drawn)

    def _taken(self, name: str, dimension: Dimension, drawn: Any) -> Any:  # noqa: ANN401
        if name in self._start and dimension.contains(self._start[name]):
            self.taken[name] = self._start[name]
            return self.taken[name]
        self.misfits[name] = dimension
        return drawn
