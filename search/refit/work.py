"""The work folder of a refit: what is to be trained, on which split, and how far that has come.

RUN/refits/NAME/
refit.json      what was asked for, when, with which versions
all/            on training and validation part together, or
fold-1/ …       without the people of a fold, who are its validation part:
run.json split.csv   the data
trials/ID/           as in a run folder
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from search.refit.members import Ingredient, Request
from search.run_record import git_commit, installed_versions, now
from trainable.checkpoint import drop_last
from trainable.data.prepared import PreparedData, read_data, write_data
from trainable.data.resplit import person_folds, without_validation
from trainable.files import remove, write_json, written_aside
from trainable.run_files import RECORD_FILE
from trainable.trial_folder import TrialFolder

REFITS_FOLDER, REFIT_FILE, DONE_FILE = "refits", "refit.json", "done.json"
ALL = "all"
DIGEST_LETTERS = 8
NAMED_TRIALS = 5


@dataclass(frozen=True)
class Job:
    """One network to train.

    Args:
        number: Its number, and that of its trial folder.
        ingredient: The trial that is trained again.
        home: Folder of its data and of its trial.
        fold: Number of the fold that it is trained without, from 1; None if it is trained on all.
    """

    number: int
    ingredient: Ingredient
    home: Path
    fold: int | None

    @property
    def name(self) -> str:
        """Return what it is called on screen."""
        of_fold = "" if self.fold is None else f", fold {self.fold}"
        return f"{self.ingredient.name}{of_fold}"

    @property
    def num_epochs(self) -> int:
        """Return the most epochs that it is trained for."""
        ingredient = self.ingredient
        return len(ingredient.values) if self.fold is None else ingredient.config.epochs

    @property
    def folder(self) -> TrialFolder:
        """Return where its files are."""
        return TrialFolder.of(self.home, self.number)

    @property
    def is_done(self) -> bool:
        """Return whether it has been trained to its end."""
        return (self.folder.path / DONE_FILE).is_file()

    def settings(self) -> dict[str, Any]:
        """Return what ``TrainTrial`` is told of it besides number and configuration."""
        told = {"run_folder": str(self.home.resolve()), "metric": self.ingredient.metric}
        return told if self.fold is not None else told | {"replay": list(self.ingredient.values)}

    def note_done(self, facts: Mapping[str, Any]) -> None:
        """Keep that it has been trained to its end."""
        write_json(self.folder.path / DONE_FILE, dict(facts))


@dataclass(frozen=True)
class Work:
    """A refit on disk.

    Args:
        path: Its folder.
        jobs: The networks to train, those of one split after the other.
    """

    path: Path
    jobs: tuple[Job, ...]

    @property
    def homes(self) -> list[Path]:
        """Return the folder of each split."""
        return list(dict.fromkeys(job.home for job in self.jobs))

    def drop_checkpoints(self) -> None:
        """Delete what only unfinished training needs."""
        for job in self.jobs:
            drop_last(job.folder.checkpoint)

    @cached_property
    def data(self) -> dict[Path, PreparedData]:
        """The data by folder."""
        return {home: read_data(home) for home in self.homes}


def open_work(
    parent: Path, request: Request, data: PreparedData, *, num_folds: int | None, seed: int
) -> Work:
    """Return the work that a request means: what an earlier process has begun, or a new one.

    Args:
        parent: The run folder that it is kept in.
        request: What is to be trained again.
        data: The data of the search.
        num_folds: Number of folds; None to train on everyone but the test people.
        seed: Of the folds.

    Raises:
        ConfigError: If there are more folds than people.
        UnwritableError: If the folder cannot be written to.
    """
    asked = _asked(request, data, num_folds, seed)
    path = parent / REFITS_FOLDER / _name(asked)
    if not (path / REFIT_FILE).is_file():
        splits = _splits(data, num_folds, seed)
        remove(path)
        with written_aside(path) as aside:
            for name, of_home in splits.items():
                (aside / name).mkdir(parents=True)
                write_json(aside / name / RECORD_FILE, {"data": write_data(aside / name, of_home)})
            facts = {"git_commit": git_commit(), "versions": installed_versions()}
            write_json(aside / REFIT_FILE, {"asked": asked, "started_at": now(), **facts})
    homes = [path / name for name in _home_names(num_folds)]
    return Work(path, tuple(_jobs(homes, request.ingredients, has_folds=num_folds is not None)))


def _jobs(
    homes: Sequence[Path], ingredients: list[Ingredient], *, has_folds: bool
) -> Iterator[Job]:
    pairs = [(home, of) for home in homes for of in ingredients]
    for number, (home, ingredient) in enumerate(pairs):
        fold = homes.index(home) + 1 if has_folds else None
        yield Job(number, ingredient, home, fold)


def _splits(data: PreparedData, num_folds: int | None, seed: int) -> dict[str, PreparedData]:
    if num_folds is None:
        return {ALL: without_validation(data)}
    folds = person_folds(data, num_folds, seed=seed)
    return dict(zip(_home_names(num_folds), folds, strict=True))


def _home_names(num_folds: int | None) -> list[str]:
    return [ALL] if num_folds is None else [f"fold-{n}" for n in range(1, num_folds + 1)]


def _asked(
    request: Request, data: PreparedData, num_folds: int | None, seed: int
) -> dict[str, Any]:
    """Return all that decides what is trained; weights of members are not among it."""
    split = data.index.table[["path", "part"]].to_csv(index=False)
    return {
        "trials": [
            {
                "name": of.name,
                "config": of.config.model_dump(mode="json"),
                "metric": of.metric,
                "values": list(of.values),
            }
            for of in request.ingredients
        ],
        "folds": num_folds,
        "seed": seed if num_folds is not None else None,
        "data": data.fingerprint,
        "split": hashlib.sha256(split.encode()).hexdigest(),
    }


def _name(asked: Mapping[str, Any]) -> str:
    """Return a name that tells what it is, and that another request does not have."""
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    trials = [str(trial["name"]).rpartition("/")[2] for trial in asked["trials"]]
    shown = "+".join(trials[:NAMED_TRIALS]) + ("+" if len(trials) > NAMED_TRIALS else "")
    how = ALL if asked["folds"] is None else f"{asked['folds']}folds"
    return f"{shown}-{how}-{digest[:DIGEST_LETTERS]}"
