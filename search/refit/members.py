"""What is to be trained again: the trials of an ensemble, or those that are named."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.bundle import MANIFEST, read_bundle
from analysis.manifest import MemberEntry
from analysis.member import read_config
from analysis.ranking import RANKED_STATES
from analysis.run_folder import RunFolder, trials_table
from trainable.config import TrialConfig
from trainable.errors import ConfigError, expected
from trainable.run_files import ENSEMBLE_FOLDER
from trainable.trial_folder import trial_id


@dataclass(frozen=True)
class Ingredient:
    """A trial of a search, to be trained again.

    Args:
        run: Name of the search.
        number: Number of the trial there.
        config: How it was trained.
        metric: What the search optimised.
        values: That metric after each epoch, up to the best one.
    """

    run: str
    number: int
    config: TrialConfig
    metric: str
    values: tuple[float, ...]

    @property
    def name(self) -> str:
        """Return the trial's name, as ``RUN/0007``."""
        return f"{self.run}/{trial_id(self.number)}"


@dataclass(frozen=True)
class Recipe:
    """A member of the ensemble to be.

    Args:
        weight: Its share in the average.
        ingredients: The trial, or those whose weights are averaged into a soup, the best first.
    """

    weight: float
    ingredients: tuple[Ingredient, ...]


@dataclass(frozen=True)
class Request:
    """What is to be trained again.

    Args:
        recipes: The members.
        bundle: Folder of the bundle that they are taken from; None where they were named.
    """

    recipes: tuple[Recipe, ...]
    bundle: Path | None = None

    @property
    def ingredients(self) -> list[Ingredient]:
        """Return every trial that any member needs, once."""
        all_of = (of for recipe in self.recipes for of in recipe.ingredients)
        return list({ingredient.name: ingredient for ingredient in all_of}.values())


def read_request(runs: Sequence[RunFolder], given: Sequence[str]) -> Request:
    """Return what ``--members`` asks for.

    Args:
        runs: The searches.
        given: The folder of a bundle, or trials: by number, or of several searches as ``RUN/7``.
            Nothing stands for the ensemble in the folder of the first search.

    Raises:
        ConfigError: If there is no such bundle or trial, or one has no curve to be trained by.
    """
    searches = _Searches(runs)
    bundle = runs[0].path / ENSEMBLE_FOLDER if not given else Path(given[0])
    if not given and not (bundle / MANIFEST).is_file():
        remedy = f"Name trials, or make {bundle} by analysis.ensemble."
        raise ConfigError(expected("--members", "an ensemble, or trials", "neither", remedy))
    if (bundle / MANIFEST).is_file():
        if len(given) > 1:
            raise ConfigError(expected("--members", f"nothing beside {bundle}", given[1]))
        entries = read_bundle(bundle).manifest.members
        return Request(tuple(searches.of_entry(entry) for entry in entries), bundle)
    ingredients = [searches.named(text) for text in given]
    names = [ingredient.name for ingredient in ingredients]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(expected("--members", "each trial once", f"{repeated[0]} again"))
    return Request(tuple(Recipe(1 / len(given), (of,)) for of in ingredients))


class _Searches:
    """The trials of some searches, by name."""

    def __init__(self, runs: Sequence[RunFolder]) -> None:
        self._runs = {run.name: run for run in runs}
        self._tables: dict[str, pd.DataFrame] = {}

    def of_entry(self, entry: MemberEntry) -> Recipe:
        """Return a member of a bundle."""
        if entry.soup_of is None:
            return Recipe(entry.weight, (self._ingredient(entry.run, entry.trial),))
        return Recipe(entry.weight, tuple(self.named(name) for name in entry.soup_of))

    def named(self, text: str) -> Ingredient:
        """Return the trial that a text names, such as ``7``, ``0007`` or ``RUN/0007``."""
        run, _, number = text.rpartition("/")
        if not (number.isascii() and number.isdigit()):
            what = "trials such as 7, or the folder of a bundle"
            raise ConfigError(expected("--members", what, repr(text)))
        if not run and len(self._runs) > 1:
            remedy = f"Give it as {next(iter(self._runs))}/{number}."
            raise ConfigError(expected("--members", "a trial of one of the runs", text, remedy))
        return self._ingredient(run or next(iter(self._runs)), int(number))

    def _ingredient(self, name: str, number: int) -> Ingredient:
        if name not in self._runs:
            got = f"{name}/{trial_id(number)}"
            known = f"a trial of {', '.join(self._runs)}"
            raise ConfigError(expected("--members", known, got, "Give its run folder, too."))
        run = self._runs[name]
        if name not in self._tables:
            self._tables[name] = trials_table(run).set_index("trial")
        table = self._tables[name]
        state = table["state"].get(number, "no such trial")
        if state not in RANKED_STATES:
            what = "a complete trial, or one that was stopped early"
            raise ConfigError(expected(f"{run.path}: trial {trial_id(number)}", what, state))
        best_epoch = int(table["best_epoch"][number])
        config = read_config(run.trial_folder(number).config)
        values = _curve(run, number, best_epoch)
        return Ingredient(name, number, config, run.metric, values)


def _curve(run: RunFolder, number: int, num_epochs: int) -> tuple[float, ...]:
    """Return the metric that a search optimised after each of a trial's first epochs."""
    recorded: Mapping[int, float] = run.trials[number].intermediate_values
    epochs = range(1, num_epochs + 1)
    missing: Iterator[int] = (epoch for epoch in epochs if epoch not in recorded)
    if (epoch := next(missing, None)) is not None:
        what = f"a value for each of {num_epochs} epochs"
        path = f"{run.path}: trial {trial_id(number)}"
        raise ConfigError(expected(path, what, f"none for epoch {epoch}"))
    return tuple(recorded[epoch] for epoch in epochs)
