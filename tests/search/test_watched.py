"""A search that runs, as others see it: Ray's dashboard, Prometheus, the event log."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.search.conftest import AS_A_USER

ROOT = Path(__file__).resolve().parents[2]
GRAFANA, DOCS = ROOT / "deploy" / "grafana.json", ROOT / "docs" / "watching.md"
PROMETHEUS = re.compile(r"```yaml\n(scrape_configs:\n.*?)```", re.DOTALL)
URL = re.compile(r"^dashboard: (http://127\.0\.0\.1:\d+)$", re.MULTILINE)
SERIES = re.compile(r"^(ray_(?:search|trial)_\w+)\{(.*)\} (\S+)$", re.MULTILINE)
OF_A_GPU = {"ray_search_gpu_seconds_total"}
GPU = "GPU-hours"
EPOCHS = "ray_search_epochs_total"
TITLE = "ray::TrainTrial."
WAIT_S = 300


@dataclass
class Seen:
    """What was seen of a search in the middle of it, and what it left."""

    series: list[tuple[str, str, str]]
    charts: dict[str, list[tuple[dict[str, str], float]]]
    actors: list[dict]
    log: str
    titles: list[str]
    events: list[dict]
    notes: str
    code: int
    run: Path

    def values(self, name: str) -> dict[str, float]:
        """Return a metric's values by its label ``state``, ``trial`` or ``metric``."""
        label = re.compile(r'(?:state|trial|metric)="([^"]*)"')
        return {
            found[1] if (found := label.search(labels)) else "": float(value)
            for metric, labels, value in self.series
            if metric == name and 'run="a"' in labels
        }


def token() -> str:
    return os.environ.get("RAY_AUTH_TOKEN") or Path("~/.ray/auth_token").expanduser().read_text()


def fetched(url: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token().strip()}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()
    except OSError:  # of what is listed, not everything answers at once
        return ""


def scraped(url: str) -> list[tuple[str, str, str]]:
    """Return our series, from where Ray's dashboard says that metrics are."""
    targets = [target for job in json.loads(fetched(url)) for target in job["targets"]]
    return [
        row for target in targets for row in SERIES.findall(fetched(f"http://{target}/metrics"))
    ]


def panels() -> dict[str, list[str]]:
    """Return what each panel of Grafana's dashboard asks Prometheus for."""
    listed = json.loads(GRAFANA.read_text())["panels"]
    return {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in listed}


def wanted() -> set[str]:
    """Return the metrics that Grafana's dashboard asks for."""
    queries = " ".join(query for of_panel in panels().values() for query in of_panel)
    return set(re.findall(r"ray_\w+", queries))


@contextmanager
def prometheus(dashboard: str, folder: Path) -> Iterator[str]:
    """Run Prometheus with the configuration that the docs give; yield its address."""
    config = PROMETHEUS.search(DOCS.read_text("utf-8"))
    assert config is not None
    text = config[1].replace("http://127.0.0.1:8265", dashboard).replace("TOKEN", token().strip())
    (folder / "prometheus.yml").write_text(text.replace("10s", "1s"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    store = ("--config.file", "prometheus.yml", "--storage.tsdb.path", "store")
    with (folder / "prometheus.txt").open("w") as log:
        command = ["prometheus", *store, f"--web.listen-address={address}"]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()


def drawn(address: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return the series of each panel, as Grafana would draw them of all runs."""
    found = {}
    for title, queries in panels().items():
        found[title] = []
        for query in queries:
            asked = urllib.parse.urlencode({"query": query.replace("$run", ".*")})
            answer = json.loads(fetched(f"{address}/api/v1/query?{asked}") or "{}")
            rows = answer.get("data", {}).get("result", [])
            found[title] += [(row["metric"], float(row["value"][1])) for row in rows]
    return found


def drawn_of_two_trials(dashboard: str, folder: Path) -> dict:
    deadline = time.monotonic() + WAIT_S
    with prometheus(dashboard, folder) as address:
        while True:
            found = drawn(address)
            num_series = {title: len(series) for title, series in found.items()}
            of_trials = [n for title, n in num_series.items() if title.endswith("running trials")]
            if min(of_trials) >= 2 and all(num_series[title] for title in found.keys() - {GPU}):
                return found
            log = (folder / "prometheus.txt").read_text()
            assert time.monotonic() < deadline, (found, log)
            time.sleep(0.5)


def watched(search) -> Seen:
    """Look at a search once all of its workers have told of an epoch, then interrupt it."""
    search.wait_for(lambda: URL.search(search.out.read_text()))
    url = URL.search(search.out.read_text())[1]
    search.wait_for_epochs(4)
    deadline = time.monotonic() + WAIT_S
    while True:
        series = scraped(f"{url}/api/prometheus/sd")
        names = [name for name, *_ in series]
        # The search and each worker tell of theirs every now and then, not together.
        told = sum(float(value) for name, _, value in series if name == EPOCHS)
        of_trials = names.count("ray_trial_value")
        if told >= 2 and of_trials >= 2 and wanted() - OF_A_GPU <= set(names):
            break
        assert time.monotonic() < deadline, series
        time.sleep(0.5)
    charts = {}
    if shutil.which("prometheus"):
        charts = drawn_of_two_trials(url, search.out.parent)
    actors = json.loads(fetched(f"{url}/api/v0/actors?detail=1"))["data"]["result"]["result"]
    asked = f"actor_id={actors[0]['actor_id']}&media_type=file&lines=1000"
    log = fetched(f"{url}/api/v0/logs/file?{asked}")
    # A worker has no title of a trial while it goes over to another one.
    titles: list[str] = []
    while len([title for title in titles if title.startswith(TITLE)]) < 2:
        assert time.monotonic() < deadline, titles
        titles = list(search.processes().values())
    os.kill(search.process.pid, signal.SIGINT)
    code, notes = search.ended()
    lines = (search.run / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    return Seen(series, charts, actors, log, titles, events, notes, code, search.run)


@pytest.fixture(scope="module")
def seen(start_once):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_metrics_report_interval_ms", "500")
        environment.setenv("WANDB_MODE", "offline")
        trials = ("--trials", "3", "--max-epochs", "500", "--grace-period", "500")
        # Ray reads the interval when it is imported.
        search = start_once(*trials, "--log-to", "wandb", program=AS_A_USER)
        return watched(search)


@pytest.mark.slow
def test_prometheus_gets_the_counts_and_the_best_value(seen):
    assert seen.values("ray_search_trials") == {
        "running": 2,
        "finished": 0,
        "stopped early": 0,
        "failed": 0,
        "waiting": 1,
    }
    assert 0 < seen.values("ray_search_best_value")["val/f1"] <= 1
    assert seen.values(EPOCHS)[""] >= 2


@pytest.mark.slow
def test_prometheus_gets_what_each_trial_does(seen):
    for name in ("value", "epoch", "epoch_seconds", "images_per_second"):
        values = seen.values(f"ray_trial_{name}")
        assert set(values) == {"0000", "0001"}, name
        assert all(value > 0 for value in values.values()), name
    assert set(seen.values("ray_trial_gpu_memory_peak_mib").values()) == {0}


@pytest.mark.slow
def test_grafanas_dashboard_asks_for_metrics_that_there_are(seen):
    assert wanted() - OF_A_GPU == {name for name, *_ in seen.series}


@pytest.mark.slow
def test_a_real_prometheus_has_something_for_every_panel(seen):
    if not seen.charts:
        pytest.skip("Prometheus is not installed")
    charts = dict(seen.charts)
    assert charts.pop(GPU) == []  # there is none
    for title, series in charts.items():
        assert series, title
        assert {labels.get("run", "a") for labels, _ in series} == {"a"}, title
        if title.endswith("running trials"):
            assert sorted(labels["trial"] for labels, _ in series) == ["0000", "0001"], title
    states = {labels["state"]: value for labels, value in charts["Trials by state"]}
    assert (states["running"], states["waiting"]) == (2, 1)


@pytest.mark.slow
def test_rays_dashboard_shows_trials_and_how_far_they_are(seen):
    assert {(actor["class_name"], actor["repr_name"]) for actor in seen.actors} == {
        ("TrainTrial", "trials of a")
    }
    titles = [title for title in seen.titles if title.startswith(TITLE)]
    said = re.compile(r"ray::TrainTrial\.000[01] epoch \d+/500 val/f1 [01]\.\d{4} of a")
    assert len(titles) == 2
    assert all(said.fullmatch(title.strip()) for title in titles), titles
    assert re.search(
        r"^trial 000[01] epoch \d+: val/f1 [01]\.\d{4}, \d+\.\d s$", seen.log, re.MULTILINE
    )


@pytest.mark.slow
def test_the_event_log_tells_the_search_from_beginning_to_end(seen):
    assert seen.code == 130
    first, last = seen.events[0], seen.events[-1]
    assert (first["event"], first["trials"], first["resumed"]) == ("search_started", 3, False)
    assert (last["event"], last["how"]) == ("search_ended", "interrupted")
    epochs = [(e["trial"], e["epoch"]) for e in seen.events if e["event"] == "epoch"]
    assert len(set(epochs)) == len(epochs) >= 4
    put_back = {e["trial"] for e in seen.events if e.get("state") == "waiting"}
    assert put_back == {0, 1}
    assert "\x1b" not in seen.notes


@pytest.mark.slow
def test_an_interrupted_search_has_sent_every_epoch_to_its_tracker(seen):
    sent = json.loads((seen.run / "wandb" / "sent.json").read_text())
    curves = {int(file.parent.name): file for file in seen.run.glob("trials/*/metrics.csv")}
    num_epochs = {str(n): len(file.read_text().splitlines()) - 1 for n, file in curves.items()}
    assert {number: facts["epochs"] for number, facts in sent.items()} == num_epochs
    assert {facts["has_ended"] for facts in sent.values()} == {False}
    assert "wandb" not in seen.notes
    end = f"Interrupted. Go on with: python -m search.run --resume {seen.run}"
    assert seen.notes.splitlines()[-1] == end
