"""What a report is about: a run, and what is read of it once for all sections."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.bundle import MANIFEST
from analysis.ensemble.choosing import Choice, choose
from analysis.ensemble.pool import read_pool
from analysis.ensemble.selection.greedy import Greedy
from analysis.manifest import Manifest, parse_manifest
from analysis.ranking import ranking_table
from analysis.recorded import read_probabilities
from analysis.run_folder import CONFIG, RunFolder
from analysis.study_file import CONFIG as GIVEN
from trainable.data.prepared import PreparedData, read_data
from trainable.errors import ConfigError, expected
from trainable.run_files import ENSEMBLE_FOLDER

RATE, SEED = "optimizer/lr", "seed"
NONE = "none"


@dataclass(frozen=True, eq=False)
class Subject:
    """A run as the sections of a report see it.

    Args:
        run: The run folder.
        ranking: Its trials as ``ranking_table`` gives them, a value None, such as no gradient
            clipping, as the text ``none``; the first one has a value.
    """

    run: RunFolder
    ranking: pd.DataFrame

    @classmethod
    def of(cls, run: RunFolder) -> "Subject":
        """Return the subject that a run is.

        Raises:
            ConfigError: If no trial has a value, or a file is damaged.
        """
        ranking = _with_none_named(ranking_table([run], with_accuracy=False), run)
        if ranking["rank"].notna().any():
            return cls(run, ranking)
        counts = ranking["state"].value_counts()
        got = ", ".join(f"{number} {state}" for state, number in counts.items()) or "none"
        remedy = "Why trials failed: trials/*/error.txt." if "failed" in counts else ""
        what = "at least one complete or stopped trial with a value"
        raise ConfigError(expected(str(run.path), what, got, remedy))

    @property
    def names(self) -> set[str]:
        """Return what bundles may call the run: its folder may have been renamed since."""
        return {self.run.name, str(self.run.facts.get("options", {}).get("name"))}

    @property
    def ranked(self) -> pd.DataFrame:
        """Return the trials that have a rank, best first."""
        return self.ranking[self.ranking["rank"].notna()]

    @property
    def best(self) -> int:
        """Return the number of the best trial."""
        return int(self.ranking["trial"].iloc[0])

    @property
    def sign(self) -> int:
        """Return what to multiply the metric by so that larger is better."""
        return 1 if self.run.higher_is_better else -1

    @property
    def varied(self) -> list[str]:
        """Return the hyperparameters in which ranked trials differ, the learning rate first.

        Those that all trials have come next, in the order of the space; the seed is left out.
        """
        columns = self.ranked.filter(regex=f"^{CONFIG}")
        names = [str(name) for name in columns if len(columns[name].unique()) > 1]
        is_partial = {name: bool(columns[name].isna().any()) for name in names}
        names.sort(key=lambda name: (name != CONFIG + RATE, is_partial[name]))
        return [n.removeprefix(CONFIG) for n in names if n != CONFIG + SEED]

    @cached_property
    def data(self) -> PreparedData:
        """The data of the run."""
        return read_data(self.run.path)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """What the best trial says of the validation images, float32 [num_val, num_classes]."""
        file = self.run.trial_folder(self.best).probabilities
        return read_probabilities(file, self.data).probabilities

    @cached_property
    def choice(self) -> Choice:
        """The greedy ensemble: of the trials that have weights, or else of all."""
        try:
            pool = read_pool([self.run])
        except ConfigError:
            pool = read_pool([self.run], with_dropped=True)
        return choose(pool, Greedy())

    @cached_property
    def manifest(self) -> Manifest | None:
        """The manifest of the bundle in ``RUN/ensemble``, None where none was written."""
        file = self.run.path / ENSEMBLE_FOLDER / MANIFEST
        return parse_manifest(file) if file.is_file() else None


def _with_none_named(ranking: pd.DataFrame, run: RunFolder) -> pd.DataFrame:
    """Tell a hyperparameter that is given as None from one that a trial does not have."""
    given = [run.trials[number].user_attrs.get(GIVEN, {}) for number in ranking["trial"]]
    for name in {name for config in given for name, value in config.items() if value is None}:
        is_none = [name in config and config[name] is None for config in given]
        ranking[CONFIG + name] = ranking[CONFIG + name].mask(is_none, NONE)
    return ranking
