"""How the leaderboard looks, in a terminal and in Markdown."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from rich import box
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from analysis.failures import Outcome, Trait, kinds, listed_trials, traits_of_failures
from analysis.run_folder import CONFIG
from trainable.trial_folder import trial_id

PROVENANCE = ("user", "started UTC", "commit", "host")
STATE_STYLES = {"complete": "green", "pruned": "yellow", "failed": "red"}
USUAL_REASONS = ("", "epochs", "asha", "hyperband", "median")
WIDEST = {"run": 24, "started UTC": 16}
WIDEST_VALUE = 13
WIDEST_NAME, WIDEST_METRIC = 9, 30
METRICS = ("val/", "train/")
MOST_FAILURES = 5
GAP = 2
MOST_TELLING, LEAST_TELLING = f"{CONFIG}optimizer/lr", f"{CONFIG}seed"
NUMBER = re.compile(r"([-+.\de]+|\d+/\d+)?")


def shown_texts(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return what is shown of a ranking as texts, the hyperparameters last.

    Args:
        table: A ranking, or its first rows.
        metric: Name of the metric ranked by.
    """
    texts = {
        "#": ["" if pd.isna(rank) else str(rank) for rank in table["rank"]],
        "data": list(map(str, table["data"])),
        "run": list(table["run"]),
        "trial": [trial_id(number) for number in table["trial"]],
        "state": _states(table),
        metric: [_number(value, 4) for value in table["value"]],
        "accuracy": [_number(value, 4) for value in table["accuracy"]],
        "epoch": _epochs(table),
        "seconds": [_number(value, 0) for value in table["seconds"]],
        "user": list(table["user"]),
        "started UTC": [_to_the_minute(text) for text in table["started"]],
        "commit": list(table["commit"]),
        "host": list(table["host"]),
    }
    same = [name for name in ("data", "run", *PROVENANCE) if len(set(texts[name])) < 2]
    for name in same:
        del texts[name]
    if metric == "val/accuracy" or table["accuracy"].isna().all():
        del texts["accuracy"]
    return pd.DataFrame(texts | _what_differs(table))


def _number(value: float, decimals: int) -> str:
    return "" if pd.isna(value) else f"{value:.{decimals}f}"


def _to_the_minute(moment: str) -> str:
    return moment[: len("2026-01-31T23:59")].replace("T", " ")


def _states(table: pd.DataFrame) -> list[str]:
    """Return each trial's state, with its reason unless that is the usual one or a long one."""
    pairs = zip(table["state"], table["reason"], strict=True)
    return [s if s == "failed" or why in USUAL_REASONS else f"{s}, {why}" for s, why in pairs]


def _epochs(table: pd.DataFrame) -> list[str]:
    pairs = zip(table["value_epoch"], table["epochs"], strict=True)
    return ["" if pd.isna(of) else f"{of}/{all_}" for of, all_ in pairs]


def _what_differs(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return the hyperparameters that differ between these trials, the most telling first.

    The learning rate comes first, then those that all trials have in the order of the space,
    those of only some trials, and the seed.
    """
    config = table[[name for name in table if str(name).startswith(CONFIG)]]
    differing = [str(name) for name in config if len(config[name].unique()) > 1]
    partial = {name: bool(config[name].isna().any()) for name in differing}
    differing.sort(key=lambda n: (n != MOST_TELLING, n == LEAST_TELLING, partial[n]))
    names = short_names([name.removeprefix(CONFIG) for name in differing])
    cells = [[_compact(value) for value in config[name]] for name in differing]
    return dict(zip(names, cells, strict=True))


def short_names(names: Sequence[str]) -> list[str]:
    """Return names without their family where that is clear enough.

    Example:
        >>> short_names(["loss/name", "loss/gamma", "schedule/gamma", "optimizer/lr", "ema"])
        ['loss', 'loss/gamma', 'schedule/gamma', 'lr', 'ema']
    """
    short = [_without_family(name) for name in names]
    count = Counter(short)
    return [brief if count[brief] == 1 else n for brief, n in zip(short, names, strict=True)]


def _without_family(name: str) -> str:
    family, _, field = name.partition("/")
    return family if field in ("", "name") else field


def _compact(value: object) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.2g}"
    return str(value)


def fitting_columns(texts: pd.DataFrame, width: int) -> list[str]:
    """Return the columns that have room in a terminal of so many characters, first ones first."""
    fitting, used = [], 0
    for name in map(str, texts):
        needed = _column_width(name, texts[name])
        if used + needed <= width:
            fitting.append(name)
            used += needed + GAP
    return fitting


def _column_width(name: str, texts: Iterable[str]) -> int:
    longest = max(map(len, texts), default=0)
    widest = WIDEST.get(name, WIDEST_VALUE)
    widest_name = WIDEST_METRIC if name.startswith(METRICS) else WIDEST_NAME
    return max(min(longest, widest), min(len(name), widest_name))


def terminal_table(texts: pd.DataFrame) -> Table:
    """Return the texts as a table for the terminal, long ones cut."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False)
    cells = []
    for name in map(str, texts):
        is_number = all(NUMBER.fullmatch(text) for text in texts[name])
        justify: JustifyMethod = "right" if is_number else "left"
        width = _column_width(name, texts[name])
        table.add_column(_cut(name, width), justify=justify, width=width)
        cells.append([_styled(name, _cut(text, width)) for text in texts[name]])
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    return table


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _styled(column: str, text: str) -> Text:
    return Text(text, STATE_STYLES.get(text.partition(",")[0], "") if column == "state" else "")


def best_configuration(table: pd.DataFrame) -> list[str]:
    """Return a line with the configuration of the best trial, for each data that is ranked."""
    bests = table[table["rank"] == 1]
    return [_configuration(best.dropna()) for _, best in bests.iterrows()]


def _configuration(best: "pd.Series[Any]") -> str:
    config = {str(k).removeprefix(CONFIG): v for k, v in best.items() if str(k).startswith(CONFIG)}
    values = " ".join(f"{name}={_exact(value)}" for name, value in config.items())
    return f"Best, {best['run']} {trial_id(best['trial'])}: {values}"


def _exact(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def failures(table: pd.DataFrame) -> list[str]:
    """Return why trials failed, a line a kind of reason, and what they have in common.

    Of many kinds only the most frequent are listed.
    """
    failed = table[table["state"] == "failed"]
    found = [
        (run, numbers, str(of_run["reason"].iloc[list(of_run["trial"]).index(numbers[-1])]))
        for run, of_run in failed.groupby("run", sort=False)
        for numbers in kinds(dict(zip(of_run["trial"], of_run["reason"], strict=True))).values()
    ]
    found.sort(key=lambda kind: -len(kind[1]))
    lines = [
        f"Failed, {run} {listed_trials(numbers)}: {' '.join(why.split())}"
        for run, numbers, why in found[:MOST_FAILURES]
    ]
    if more := sum(len(numbers) for _, numbers, _ in found[MOST_FAILURES:]):
        lines.append(f"… and {more} more failed.")
    return [*lines, *(f"Common to failed trials: {trait}" for trait in common_to_failures(table))]


def common_to_failures(table: pd.DataFrame) -> list[Trait]:
    """Return what sets the failed trials of a ranking apart, the most telling first."""
    ended = table[table["state"].isin(STATE_STYLES)]
    names = [name for name in map(str, ended) if name.startswith(CONFIG)]
    return traits_of_failures(
        [
            Outcome(
                {str(name).removeprefix(CONFIG): v for name, v in config.items() if pd.notna(v)},
                has_failed=state == "failed",
            )
            for state, config in zip(ended["state"], ended[names].to_dict("records"), strict=True)
        ]
    )


def markdown_table(texts: pd.DataFrame) -> str:
    """Return the texts as a Markdown table."""
    rows = [list(texts.columns), ["---"] * len(texts.columns), *texts.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in rows)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
