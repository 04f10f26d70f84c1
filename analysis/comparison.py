"""What differs between two trials, or between two runs."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.agreement import difference
from analysis.provenance import Sitting, sitting_of, sittings
from analysis.ranking import PROVENANCE, ranking_table
from analysis.run_folder import RunFolder, trials_table
from analysis.run_places import find_runs
from analysis.trial_tables import parameters_table
from trainable.errors import ConfigError, expected
from trainable.run_files import SPACE_FILE
from trainable.trial_folder import trial_id

COLUMNS = ("kind", "name", "a", "b", "a_is_default", "b_is_default")
TRIAL_PLACE = re.compile(r"(?P<run>.+?)/+trials/+(?P<number>\d+)/*")
# What names a run says nothing of how it was made.
OF_THIS_RUN = ("name", "runs_dir")
RESULTS = ("state", "reason", "epochs", "seconds", "value_epoch")
CONTEXT_LINES = 1
# A hyperparameter's default may depend on the part of its family.
FAMILY_NAME = "name"

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Subject:
    """A run, or a trial of one.

    Args:
        run: The run.
        trial: Number of the trial, None for the run itself.
    """

    run: RunFolder
    trial: int | None = None

    @property
    def name(self) -> str:
        """What it is called on screen."""
        return self._of(self.run.name)

    @property
    def place(self) -> str:
        """What it is called where its name does not tell it apart."""
        return self._of(self.run.place)

    def _of(self, run: str) -> str:
        return run if self.trial is None else f"{run} {trial_id(self.trial)}"


@dataclass(frozen=True)
class Comparison:
    """What differs.

    Args:
        a: Name of the first.
        b: Name of the second.
        table: As ``differences_table`` gives it.
        space: The unified diff of the spaces, a line each; empty for trials and equal spaces.
    """

    a: str
    b: str
    table: pd.DataFrame
    space: tuple[str, ...] = ()


def subjects(texts: Sequence[str], places: Sequence[str]) -> tuple[Subject, Subject]:
    """Return what a user wants compared.

    Args:
        texts: Two runs, two folders of trials (``RUN/trials/0007``), or two numbers of trials.
        places: Where runs are looked for that numbers are of.

    Raises:
        ConfigError: If one of them does not exist, or a run is to be compared with a trial.
    """
    a, b = (_subject(text, places) for text in texts)
    if (a.trial is None) != (b.trial is None):
        got = f"{texts[0]} and {texts[1]}"
        raise ConfigError(expected("--compare", "two trials or two runs", got))
    return a, b


def _subject(text: str, places: Sequence[str]) -> Subject:
    if text.isascii() and text.isdigit():
        run, number = _only_run(places, of=text), int(text)
    elif match := TRIAL_PLACE.fullmatch(text):
        run, number = _only_run([match["run"]], of=text), int(match["number"])
    else:
        return Subject(_only_run([text], of=text))
    numbers = [trial.number for trial in run.trials]
    if number not in numbers:
        known = f"0 to {max(numbers)}" if numbers else "none yet"
        what = f"a trial of {run.place}"
        raise ConfigError(expected("--compare", what, text, f"Known: {known}."))
    return Subject(run, number)


def _only_run(places: Sequence[str], *, of: str) -> RunFolder:
    runs = find_runs(places).runs if places else ()
    if len(runs) == 1:
        return runs[0]
    what = f"one run that {of} is of" if of.isdigit() else f"one run at {of}"
    got = ", ".join(run.place for run in runs) or "none"
    remedy = "Give RUN --compare 7 12, or --compare RUN/trials/0007 RUN/trials/0012."
    raise ConfigError(expected("--compare", what, got, remedy))


def compare(a: Subject, b: Subject) -> Comparison:
    """Return what differs between two trials, or between two runs."""
    space = () if a.trial is not None else _space_difference(a.run, b.run)
    is_clear = a.name != b.name or a.place == b.place
    names = (a.name, b.name) if is_clear else (a.place, b.place)
    return Comparison(*names, differences_table(a, b), space)


def differences_table(a: Subject, b: Subject) -> pd.DataFrame:
    """Return what differs between two trials or two runs, a row each.

    Returns:
        A table with the columns

        - ``kind``: for trials ``hyperparameter``, ``result``, ``metric`` (at each trial's
          ``value_epoch``), and what differs of their runs; for runs ``option``, ``default`` (of a
          hyperparameter that no space and no ``--set`` gave), ``data``, ``result``, ``run``,
          ``hardware``, ``version``;
        - ``name``: what differs;
        - ``a``, ``b``: the values (dtype object), missing where there is none;
        - ``a_is_default``, ``b_is_default``: whether a hyperparameter's value is a default.
    """
    of_trials = a.trial is not None and b.trial is not None
    rows = _of_trials(a, b) if of_trials else _of_runs(a.run, b.run)
    rows = [*rows, *_of_environments(a, b)]
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    types = {"kind": "str", "name": "str", "a_is_default": "bool", "b_is_default": "bool"}
    return table.astype(types)


def _rows(kind: str, a: Values, b: Values) -> Iterator[tuple[Any, ...]]:
    """Yield a row a name under which two mappings differ."""
    for name in dict.fromkeys((*a, *b)):
        if a.get(name) != b.get(name):
            yield kind, name, a.get(name), b.get(name), False, False


def _of_trials(a: Subject, b: Subject) -> list[tuple[Any, ...]]:
    return [
        *_hyperparameters(a, b),
        *_rows("result", _results(a), _results(b)),
        *_rows("metric", _metrics(a), _metrics(b)),
    ]


def _hyperparameters(a: Subject, b: Subject) -> Iterator[tuple[Any, ...]]:
    of_a, of_b = _parameters(a), _parameters(b)
    for name in dict.fromkeys((*of_a, *of_b)):
        (value_a, default_a), (value_b, default_b) = (
            of.get(name, (None, False)) for of in (of_a, of_b)
        )
        if value_a != value_b:
            yield "hyperparameter", name, value_a, value_b, default_a, default_b


def _parameters(subject: Subject) -> dict[str, tuple[Any, bool]]:
    table = parameters_table(subject.run)
    rows = table[table["trial"] == subject.trial]
    pairs = zip(rows["value"], rows["is_default"], strict=True)
    return dict(zip(rows["name"], ((v, bool(d)) for v, d in pairs), strict=True))


def _results(subject: Subject) -> dict[str, Any]:
    return _without_missing(_trial_row(subject)[list(RESULTS)])


def _trial_row(subject: Subject) -> "pd.Series[Any]":
    table = trials_table(subject.run)
    return table[table["trial"] == subject.trial].iloc[0]


def _metrics(subject: Subject) -> dict[str, Any]:
    curves, epoch = subject.run.curves, _trial_row(subject)["value_epoch"]
    if pd.isna(epoch):
        return {}
    rows = curves[(curves["trial"] == subject.trial) & (curves["epoch"] == epoch)]
    if rows.empty:
        return {}
    return _without_missing(rows.iloc[0].drop(["trial", "epoch", "seconds"], errors="ignore"))


def _without_missing(row: "pd.Series[Any]") -> dict[str, Any]:
    values = ((str(name), value) for name, value in row.items() if not pd.isna(value))
    return {n: value.item() if hasattr(value, "item") else value for n, value in values}


def _of_runs(a: RunFolder, b: RunFolder) -> list[tuple[Any, ...]]:
    return [
        *_rows("option", _options(a), _options(b)),
        *_changed_defaults(a, b),
        *_rows("data", *_data(a, b)),
        *_rows("result", _counts(a), _counts(b)),
    ]


def _options(run: RunFolder) -> dict[str, Any]:
    options = run.facts.get("options", {})
    said = {"metric": run.metric, **options}
    return {name: _text(value) for name, value in said.items() if name not in OF_THIS_RUN}


def _text(value: object) -> object:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _changed_defaults(a: RunFolder, b: RunFolder) -> list[tuple[Any, ...]]:
    of_a, of_b = _defaults(a), _defaults(b)
    both = of_a.keys() & of_b.keys()
    return [
        ("default", name, of_a[name], of_b[name], True, True)
        for name in of_a
        if name in both and of_a[name] != of_b[name]
    ]


def _defaults(run: RunFolder) -> dict[str, str]:
    """Return the defaults that trials of a run were trained with, by part and hyperparameter."""
    table = parameters_table(run)
    found: dict[str, dict[str, None]] = {}
    for _, rows in table.groupby("trial"):
        values = dict(zip(rows["name"], rows["value"], strict=True))
        for name in rows.loc[rows["is_default"], "name"]:
            family, _, field = name.partition("/")
            part = values.get(f"{family}/{FAMILY_NAME}")
            where = f"{name} ({part})" if field not in ("", FAMILY_NAME) and part else name
            found.setdefault(where, {})[str(values[name])] = None
    return {name: ", ".join(values) for name, values in found.items()}


def _data(a: RunFolder, b: RunFolder) -> tuple[Values, Values]:
    keys = ("source", "root", "fingerprint", "crop", "classes", "attributes")
    of_a, of_b = ({k: _text(run.facts["data"].get(k)) for k in keys} for run in (a, b))
    try:
        found = difference(a, b)
    except ConfigError:
        return of_a, of_b
    if found is not None and found.what == "split":
        of_a["split"], of_b["split"] = a.name, "another one"
    return of_a, of_b


def _counts(run: RunFolder) -> dict[str, Any]:
    table = ranking_table([run])
    counts = {f"{state} trials": int(n) for state, n in table["state"].value_counts().items()}
    best: dict[str, Any] = {}
    if table["rank"].notna().any():
        trial = trial_id(int(table["trial"].iloc[0]))
        best = {f"best {run.metric}": float(table["value"].iloc[0]), "best trial": trial}
    spent = {"epochs": int(table["epochs"].sum()), "seconds": float(table["seconds"].sum())}
    return {"trials": len(table), **counts, **best, **spent}


def _of_environments(a: Subject, b: Subject) -> Iterator[tuple[Any, ...]]:
    sitting_a, sitting_b = _sitting(a), _sitting(b)
    who = ({name: getattr(s, name) for name in PROVENANCE} for s in (sitting_a, sitting_b))
    yield from _rows("run", *who)
    yield from _rows("hardware", *(_texts(s.hardware) for s in (sitting_a, sitting_b)))
    yield from _rows("version", sitting_a.versions, sitting_b.versions)


def _texts(said: Mapping[str, Any]) -> dict[str, object]:
    return {name: _text(value) for name, value in said.items() if name != "host"}


def _sitting(subject: Subject) -> Sitting:
    if subject.trial is None:
        return sittings(subject.run.facts)[0]
    return sitting_of(subject.run.facts, subject.trial)


def _space_difference(a: RunFolder, b: RunFolder) -> tuple[str, ...]:
    file_a, file_b = f"{a.place}/{SPACE_FILE}", f"{b.place}/{SPACE_FILE}"
    texts = _space(a), _space(b)
    diff = difflib.unified_diff(*texts, file_a, file_b, n=CONTEXT_LINES, lineterm="")
    return tuple(diff)


def _space(run: RunFolder) -> list[str]:
    file = run.path / SPACE_FILE
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
