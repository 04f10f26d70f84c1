"""What the search cost, and what stopping trials early saved."""

import pandas as pd

from analysis.ranking import STATE_ORDER
from analysis.report import page
from analysis.report.style import state_words
from analysis.report.subject import Subject
from analysis.report.texts import counted, duration, rows_of

PLANNED = "config/epochs"


def cost_table(subject: Subject) -> pd.DataFrame:
    """Return what was spent, and what was not because trials were stopped early.

    Returns:
        A row a state that trials have ended in or are in, with the columns

        - ``state``; ``num_trials``; ``epochs`` trained;
        - ``seconds`` that trials of the state took; of a trial that is still running those of
          its epochs so far;
        - ``epochs_saved``: what the scheduler left out of those that it stopped, as if each
          would have gone on to the last epoch of its configuration; ``seconds_saved``: the
          same at the trial's own seconds an epoch.
    """
    ranking = subject.ranking
    epochs = ranking["epochs"].astype("float64")
    seconds = ranking["seconds"].fillna(_seconds_so_far(subject))
    is_stopped = ranking["state"] == "pruned"
    left = (_planned(ranking) - epochs).clip(lower=0).where(is_stopped, 0.0).fillna(0.0)
    table = pd.DataFrame(
        {
            "state": ranking["state"],
            "num_trials": 1,
            "epochs": ranking["epochs"].astype(int),
            "seconds": seconds,
            "epochs_saved": left.astype(int),
            "seconds_saved": (left * seconds / epochs.clip(lower=1)).fillna(0.0),
        }
    )
    sums = table.groupby("state", sort=False).sum()
    return sums.reindex([s for s in STATE_ORDER if s in sums.index]).reset_index()


def _planned(ranking: pd.DataFrame) -> pd.Series:
    if PLANNED in ranking:
        return ranking[PLANNED].astype("float64")
    return pd.Series(float("nan"), ranking.index)


def _seconds_so_far(subject: Subject) -> pd.Series:
    """Return by row of the ranking the seconds of the epochs of trials that have not ended."""
    ranking = subject.ranking
    open_trials = ranking.loc[ranking["seconds"].isna() & (ranking["epochs"] > 0), "trial"]
    curves = {int(n): subject.run.trial_folder(int(n)).read_metrics() for n in open_trials}
    spent = {n: sum(row.get("seconds", 0.0) for row in curve) for n, curve in curves.items()}
    return ranking["trial"].map(spent).fillna(0.0).astype("float64")


def clock_seconds(subject: Subject) -> float | None:
    """Return the time from the first trial's start to the last one's end, None if unknown."""
    trials = subject.run.trials
    starts = [trial.datetime_start for trial in trials if trial.datetime_start]
    ends = [trial.datetime_complete for trial in trials if trial.datetime_complete]
    return (max(ends) - min(starts)).total_seconds() if starts and ends else None


def cost(subject: Subject) -> tuple[str, ...]:
    """Return the section."""
    table = cost_table(subject)
    header = ["", "trials", "epochs", "time in training"]
    rows = [
        (state_words(row.state), f"{row.num_trials:,}", f"{row.epochs:,}", duration(row.seconds))
        for row in rows_of(table)
    ]
    total = table.drop(columns="state").sum()
    all_of = (int(total["num_trials"]), int(total["epochs"]))
    rows.append(("all", f"{all_of[0]:,}", f"{all_of[1]:,}", duration(total["seconds"])))
    lines = [_devices(subject, float(total["seconds"])), _saved(table), _clock(subject)]
    notes = [page.paragraph(line) for line in lines if line]
    return (page.table(header, rows), *notes)


def _devices(subject: Subject, seconds: float) -> str:
    """Say what devices were busy for; shares of a GPU that differ are added up by trial."""
    resources = subject.run.facts.get("resources", {})
    gpus, cpus = (float(resources.get(f"{kind}_per_trial") or 0) for kind in ("gpus", "cpus"))
    if not gpus and not cpus:
        return ""
    if resources.get("per_gpu"):
        of_trials = subject.ranking["device_seconds"].sum()
        return f"{of_trials:,.0f} GPU-seconds, each trial with the share of a GPU that it needs."
    amount, kind = (gpus, "GPU") if gpus else (cpus, "CPU")
    many = "" if amount == 1 else "s"
    return f"{amount * seconds:,.0f} {kind}-seconds, at {amount:g} {kind}{many} a trial."


def _saved(table: pd.DataFrame) -> str:
    epochs, seconds = int(table["epochs_saved"].sum()), float(table["seconds_saved"].sum())
    if not epochs:
        return ""
    spent = float(table["seconds"].sum())
    share = f", {seconds / (spent + seconds):.0%} of what it would have taken" if spent else ""
    return (
        f"Early stopping saved at most {counted(epochs, 'epoch')} and {duration(seconds)}{share} "
        "if every stopped trial had gone on to its last epoch."
    )


def _clock(subject: Subject) -> str:
    seconds = clock_seconds(subject)
    if seconds is None or seconds < 1:
        return ""
    return f"From the first trial's start to the last one's end: {duration(seconds)} by the clock."
