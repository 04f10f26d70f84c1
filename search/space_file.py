"""Space files: loaded by path, asked for configurations, with pinned values in their place."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from search.options import RECOMMENDABLE, SearchOptions
from search.suggesting import Suggesting, SuggestingTrial
from trainable.errors import ConfigError, expected, unknown
from trainable.nearby import nearest_path

FUNCTION = "space"
DEFAULTS = "DEFAULTS"
STARTS = "STARTS"
AUGMENTATION_FILE = "augmentation/file"
SCHEDULERS = get_args(SearchOptions.model_fields["scheduler"].annotation)


@dataclass(frozen=True)
class Space:
    """What to search: a function that suggests one configuration at a time.

    Args:
        path: The file it was loaded from.
        source: The file's text.
        suggest: Its function ``space(trial)``.
        recommended: Options that the file recommends.
        starts: Configurations to try first, by flat name, known to be good: each has a value for
            every name that the space asks for with them.
        home: The folder of the file as its author knows it, not that of a run's copy: paths in it
            may be relative to it.
    """

    path: Path
    source: str
    suggest: Callable[[Any], object]
    recommended: dict[str, Any] = field(default_factory=dict)
    starts: tuple[dict[str, Any], ...] = ()
    home: Path = Path()

    @property
    def name(self) -> str:
        """Return the file's name without its ending."""
        return self.path.stem

    def ask(self, trial: Suggesting, pins: Mapping[str, Any]) -> SuggestingTrial:
        """Let the space suggest one configuration and return what it asked for and got.

        Args:
            trial: What draws the values, such as an Optuna trial.
            pins: Values by name that are not drawn.

        Raises:
            ConfigError: If the space raises; one line with file, line and error.
        """
        suggesting = SuggestingTrial(trial, pins)
        try:
            self.suggest(suggesting)
        except ConfigError as error:
            where = _where(error, self.path)
            raise ConfigError([f"{where}: {problem}" for problem in error.problems]) from error
        except Exception as error:
            what = f"{FUNCTION}(trial) to suggest a configuration"
            raise ConfigError(expected(_where(error, self.path), what, _named(error))) from error
        return suggesting

    def suggest_config(
        self,
        trial: Suggesting,
        *,
        pins: Mapping[str, Any],
        max_epochs: int,
        seed: int,
        number: int,
    ) -> dict[str, Any]:
        """Return one configuration under flat names, with values that JSON knows.

        Args:
            trial: What draws the values, such as an Optuna trial.
            pins: Values by name that are not drawn.
            max_epochs: Number of epochs, or the limit where the space suggests it.
            seed: Seed of the search.
            number: Number of the trial; trains with seed + number where the space says nothing.

        Raises:
            ConfigError: If the space raises.
        """
        suggested = self.ask(trial, pins).params
        return complete(suggested, pins, max_epochs=max_epochs, seed=seed + number, home=self.home)


def complete(
    suggested: Mapping[str, Any],
    pins: Mapping[str, Any],
    *,
    max_epochs: int,
    seed: int,
    home: Path,
) -> dict[str, Any]:
    """Add to what a space suggested the pins it does not ask for, and what the run decides.

    Values are as the trial reads them, a number written as text being a number.

    Args:
        suggested: Values by flat name.
        pins: Pinned values; one that the chosen parts do not have is left out.
        max_epochs: Number of epochs, or the limit where the space suggests it.
        seed: The trial's seed where the space says nothing.
        home: Folder that a path may be relative to.
    """
    # Imports every part of a trial, which takes seconds: not before a space has loaded.
    from search.pins import with_pins
    from trainable.config import parsed_value

    merged = with_pins(suggested, pins)
    beside = home / str(merged.get(AUGMENTATION_FILE, ""))
    if AUGMENTATION_FILE in merged and beside.is_file():
        merged[AUGMENTATION_FILE] = str(beside.absolute())
    config = {name: parsed_value(name, value) for name, value in merged.items()}
    epochs = config.get("epochs", max_epochs)
    config["epochs"] = min(epochs, max_epochs) if isinstance(epochs, int) else epochs
    config.setdefault("seed", seed)
    return config


def load_space(path: Path, *, home: Path | None = None) -> Space:
    """Load a space from a Python file.

    Args:
        path: The file.
        home: Folder that paths in it are relative to; its own where None.

    Raises:
        ConfigError: If the file is missing, does not load, or has no function ``space``.
    """
    return parse_space(_read(path), path, home=home or path.parent)


def parse_space(source: str, path: Path, *, home: Path) -> Space:
    """Return the space that a text is.

    Args:
        source: The text, Python.
        path: What it is called in errors.
        home: Folder that paths in it are relative to.

    Raises:
        ConfigError: If it does not load, or has no function ``space``.
    """
    module = ModuleType(f"space_{path.stem}")
    module.__file__ = str(path)
    try:
        # Not by importlib, which writes a bytecode folder beside the file.
        exec(compile(source, str(path), "exec"), vars(module))  # noqa: S102  # a space is code
    except SyntaxError as error:
        where = f"{error.filename}:{error.lineno}"
        raise ConfigError(expected(where, "Python", _named(error))) from error
    except Exception as error:
        raise ConfigError(
            expected(_where(error, path), "a space that loads", _named(error))
        ) from error
    suggest = getattr(module, FUNCTION, None)
    if not callable(suggest):
        what = "a function space(trial)"
        raise ConfigError(expected(str(path), what, "none" if suggest is None else repr(suggest)))
    recommended = _recommended(path, getattr(module, DEFAULTS, {}))
    starts = _starts(path, getattr(module, STARTS, []))
    return Space(path, source, suggest, recommended, starts, home)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        nearby = sorted(p.name for p in path.parent.glob("*.py")) if path.parent.is_dir() else []
        there = f"Python files there: {', '.join(nearby)}." if nearby else ""
        remedy = " ".join(filter(None, (nearest_path(path, "*.py"), there)))
        raise ConfigError(expected(str(path), "a space file", "no such file", remedy)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(expected(str(path), "a readable space file", _named(error))) from error


def _recommended(path: Path, recommended: object) -> dict[str, Any]:
    where = f"{path}: {DEFAULTS}"
    if not isinstance(recommended, dict):
        raise ConfigError(expected(where, "a dict", repr(recommended)))
    problems = []
    for name, value in recommended.items():
        if name not in RECOMMENDABLE:
            problems.append(unknown(where, "a known option", str(name), RECOMMENDABLE))
        elif wanted := _wanted(name, value):
            problems.append(expected(f"{where}[{name!r}]", wanted, repr(value)))
    if problems:
        raise ConfigError(problems)
    return dict(recommended)


def _wanted(name: str, value: object) -> str:
    """Return what an option may be if the value is not, else nothing."""
    if name == "scheduler":
        return "" if value in SCHEDULERS else f"one of {', '.join(SCHEDULERS)}"
    least = 2 if name == "reduction_factor" else 1
    is_fine = type(value) is int and value >= least
    return "" if is_fine else f"a whole number of at least {least}"


def _starts(path: Path, starts: object) -> tuple[dict[str, Any], ...]:
    if not isinstance(starts, list | tuple) or not all(isinstance(s, dict) for s in starts):
        raise ConfigError(expected(f"{path}: {STARTS}", "a list of dicts", repr(starts)))
    return tuple(flattened(start) for start in starts)


def flattened(start: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by flat name; those of a family may be together in a dict of their own.

    Example:
        >>> flattened({"resize": "64x48", "loss": {"name": "focal", "gamma": 2.0}})
        {'resize': '64x48', 'loss/name': 'focal', 'loss/gamma': 2.0}
    """
    flat: dict[str, Any] = {}
    for name, value in start.items():
        if isinstance(value, Mapping):
            flat.update({f"{name}/{inner}": of_inner for inner, of_inner in value.items()})
        else:
            flat[name] = value
    return flat


def _where(error: BaseException, path: Path) -> str:
    """Return the file and the last of its lines that the error passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _named(error: BaseException) -> str:
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    name = type(error).__name__
    return f"{name}: {' '.join(message.split()).removesuffix('.')}" if message else name
