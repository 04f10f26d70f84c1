"""The quick search on two machines, of which one is lost, looked at in a real browser.

The machines have no disk in common but the repository. Here the search is a short one; to run the
whole of it, as spaces/quick.py recommends, and to keep the pictures:

    VIEWERS_SIZE=whole VIEWERS_SHOTS=shots python -m pytest tests/search/cluster/test_viewers.py
"""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
from optuna.trial import TrialState
from pandas.testing import assert_frame_equal
from PIL import Image

from tests.search.cluster.conftest import TOKEN, free_ports
from tests.search.conftest import AS_A_USER
from tests.search.mlflow_server import install_pages, running_mlflow
from trainable.tensorboard import PICTURES

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.slow

QUICK = (Path(__file__).parents[3] / "spaces" / "quick.py").read_text()
IS_WHOLE = os.environ.get("VIEWERS_SIZE") == "whole"
NUM_TRIALS = 16 if IS_WHOLE else 3
# As long as one looks at it while it runs.
SHORT = ("--data", "faces:people=100", "--max-epochs", "60", "--grace-period", "60")
OPTIONS = ("--trials", str(NUM_TRIALS), *(("--data", "faces") if IS_WHOLE else SHORT))
NAMES = ("chromium", "chromium-browser", "google-chrome")
TIMES = ["seconds", "images_per_s"]
# Chromium does not run as root in its own sandbox; TensorBoard draws with WebGL, here on the CPU.
ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader"]
MOST_OF_GREY = 60  # difference between a grey pixel's channels, where it is blended
FEWEST_COLOURED = 100  # pixels of a line across a chart
WIDTHS = (1280, 390)
WAIT_MS = 120_000
EPOCH = re.compile(r"trial 00\d\d epoch \d+: val/f1 [01]\.\d{4}")
URL = re.compile(r"http://127\.0\.0\.1:\d+\S*")


@dataclass
class Window:
    """A tab of a browser, and the errors of the scripts in it.

    Args:
        page: The tab.
        errors: What its scripts raised, or wrote to the console as an error.
        shots: Where to keep pictures of it.
    """

    page: "playwright.Page"
    errors: list[str]
    shots: Path

    def open(self, url: str, *texts: str) -> None:
        """Open an address anew and wait until all texts can be seen."""
        self.page.goto("about:blank")  # what differs after the # alone would be no other page
        self.page.goto(url, wait_until="domcontentloaded")
        for text in texts:
            self.page.get_by_text(text).first.wait_for(state="visible", timeout=WAIT_MS)

    def check(self, *harmless: str) -> None:
        """Check that no script failed, but for errors that have one of some texts in them."""
        others = [e for e in self.errors if not any(text in e for text in harmless)]
        assert others == []

    def shoot(self, name: str, *, whole: bool = False) -> None:
        """Keep a picture, for whoever looks at why a test fails."""
        self.page.screenshot(path=self.shots / f"{name}.png", full_page=whole)


def console_errors(message) -> Iterator[str]:
    if message.type == "error":
        yield f"{message.text} ({message.location['url']})"


@pytest.fixture(scope="module")
def shots(tmp_path_factory) -> Path:
    wanted = os.environ.get("VIEWERS_SHOTS")
    return Path(wanted).absolute() if wanted else tmp_path_factory.mktemp("shots")


@pytest.fixture
def window(shots) -> Iterator[Window]:
    paths = [path for path in map(shutil.which, NAMES) if path]
    if not paths:
        pytest.skip(f"none of {', '.join(NAMES)} is installed")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=paths[0], args=ARGUMENTS)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        context = browser.new_context(extra_http_headers=bearer)
        page, errors = context.new_page(), []
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.extend(console_errors(message)))
        yield Window(page, errors, shots)
        browser.close()


@pytest.fixture(scope="module")
def seen() -> dict[str, Path]:
    """Return what the search has left, by name, for the tests after it."""
    return {}


@contextmanager
def serving(*command: object) -> Iterator[Callable[[], str]]:
    """Run a server and yield what returns its first line with an address."""
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield lambda: next(found[0] for line in process.stdout if (found := URL.search(line)))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory) -> Iterator[str]:
    """Yield the address of a server that all tests of the module see, "" without its pages."""
    pages = tmp_path_factory.mktemp("pages")
    if not install_pages(pages):
        yield ""
        return
    with running_mlflow(tmp_path_factory.mktemp("mlflow"), pages=pages) as url:
        yield url


def test_a_search_outlives_a_machine_while_rays_dashboard_shows_its_trials(
    start_once, ray_network, namespace, window, seen, monkeypatch, mlflow, tmp_path_factory
):
    ray_network.put_into(monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow)
    own = tmp_path_factory.mktemp("own")
    places = [own / "runs", own / "cache"]
    for place in places:
        place.mkdir()
    hidden = " && ".join(f"mount -t tmpfs none {place}" for place in places)
    joins = ("--address", ray_network.gcs, "--num-cpus", "1")
    prefix = (*namespace.prefix, "sh", "-c", f'{hidden} && exec "$@"', "sh")
    node = ray_network.start(*joins, prefix=prefix, ip=namespace.ip)
    where = ("--address", ray_network.gcs, "--cache-dir", str(own / "cache"))
    told = ("--log-to", "mlflow") if mlflow else ()
    search = start_once(
        *OPTIONS, *where, *told, space=QUICK, runs_dir=own / "runs", program=AS_A_USER
    )
    search.wait_for(lambda: search.num_epochs() >= 4 and len(search.lengths()) >= 2)
    window.open(f"{ray_network.dashboard}/#/actors", "trials of a")
    window.shoot("ray-actors")
    window.page.locator("tbody tr", has_text="TrainTrial").first.get_by_role("link").first.click()
    window.page.get_by_text("STDOUT").click()
    deadline = monotonic() + WAIT_MS / 1000
    while not window.page.get_by_text(EPOCH).first.is_visible():
        assert monotonic() < deadline, window.page.locator("body").inner_text()
        window.page.get_by_role("button", name="Refresh").first.click()  # its log stands still
        window.page.wait_for_timeout(1000)
    window.shoot("ray-actor")
    window.open(f"{ray_network.dashboard}/#/cluster", namespace.ip)
    machines = window.page.locator("tbody button.MuiIconButton-root")
    for number in reversed(range(machines.count())):  # each adds rows below
        machines.nth(number).click()
    window.page.get_by_text("ray::TrainTrial.000").first.wait_for(timeout=WAIT_MS)
    window.shoot("ray-cluster", whole=True)
    before = search.curves()
    namespace.lose_power()
    node.wait(60)
    window.open(f"{ray_network.dashboard}/#/cluster", "DEAD")
    window.shoot("ray-cluster-after")
    # It asks for Prometheus, Grafana and events of a platform, and there is none of these.
    window.check("/api/prometheus_health", "/api/grafana_health", "/api/v0/platform_events")
    printed = search.finished()
    assert f"node {namespace.ip}: has no {own}/runs in common with this machine" in printed
    ended = {TrialState.COMPLETE, TrialState.PRUNED}
    assert len(search.trials()) == NUM_TRIALS
    assert {trial.state for trial in search.trials()} <= ended
    after = search.curves()
    for number, curve in before.items():
        told_of, then = (of.drop(columns=TIMES) for of in (curve, after[number]))
        # An epoch whose checkpoint was on its way is trained again, in another time.
        assert_frame_equal(then.head(len(told_of)), told_of)
    pictures = [list(folder.glob(f"*{PICTURES}")) for folder in search.run.glob("trials/*")]
    assert [len(of_trial) for of_trial in pictures] == [1] * NUM_TRIALS
    assert [path.name for path in search.run.rglob(".*")] == [".lock"]
    seen["run"] = search.run


@pytest.fixture
def run(seen) -> Path:
    if "run" not in seen:
        pytest.skip("the search before was skipped, or failed")
    return seen["run"]


def test_the_report_is_drawn_and_fits_the_window(run, window):
    for width in WIDTHS:
        window.page.set_viewport_size({"width": width, "height": 900})
        window.open((run / "report.html").as_uri(), "How good it is")
        plots = window.page.locator(".js-plotly-plot .main-svg")
        plots.first.wait_for(state="visible", timeout=WAIT_MS)
        window.shoot(f"report-{width}", whole=True)
        assert window.page.evaluate("document.documentElement.scrollWidth") <= width
        broken = "[...document.images].filter(image => !image.naturalWidth).length"
        assert window.page.evaluate(broken) == 0
    window.check()


def test_optuna_dashboard_shows_the_study(run, window):
    with serving("analysis.dashboard", run) as address:
        window.open(address(), "Hyperparameter Importance")
        window.page.locator(".main-svg").first.wait_for(state="visible", timeout=WAIT_MS)
        window.shoot("optuna")
    window.check()


def test_tensorboard_shows_curves_hyperparameters_and_pictures(run, window):
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    options = ("--logdir", run / "trials", "--port", port, "--load_fast", "false")
    with serving("tensorboard.main", *options):
        wait_for(url)
        window.open(f"{url}/#timeseries", "best/val/f1")
        chart = window.page.locator("line-chart").first
        deadline = monotonic() + WAIT_MS / 1000
        while num_coloured(chart.screenshot()) < FEWEST_COLOURED:
            assert monotonic() < deadline
        window.shoot("tensorboard-curves")
        window.open(f"{url}/#hparams", "optimizer/name", "0000")
        window.shoot("tensorboard-hparams")
        window.open(f"{url}/#images")
        picture = window.page.locator("tf-image-loader img").first
        picture.wait_for(state="visible", timeout=WAIT_MS)
        window.shoot("tensorboard-images")
        assert picture.evaluate("image => image.naturalWidth") > 0
    window.check()


def num_coloured(png: bytes) -> int:
    """Return how many pixels of a picture are of a colour, not grey."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return int((np.ptp(pixels, axis=-1) > MOST_OF_GREY).sum())


def test_mlflow_shows_trials_with_their_curves_and_files(run, window, mlflow):
    if not mlflow:
        pytest.skip("MLflow's pages cannot be had")
    from mlflow import MlflowClient

    client = MlflowClient(mlflow)
    [experiment] = client.search_experiments(filter_string="name != 'Default'")
    found = client.search_runs([experiment.experiment_id])
    trials = {of.info.run_name: of.info.run_id for of in found}
    assert trials.keys() == {run.name, *(folder.name for folder in run.glob("trials/*"))}
    place = f"{mlflow}/#/experiments/{experiment.experiment_id}/runs"
    window.open(place, f"{len(trials)} matching runs")
    window.shoot("mlflow-runs")
    trial = f"{place}/{trials['0000']}"
    window.open(trial, "optimizer/name", "val/f1")
    window.shoot("mlflow-trial")
    window.open(f"{trial}/model-metrics", "0000 (train/loss)")
    window.page.locator(".main-svg .scatterlayer path").first.wait_for(timeout=WAIT_MS)
    window.shoot("mlflow-curves")
    window.open(f"{trial}/artifacts", "confusion.csv")
    window.shoot("mlflow-files")
    # The server has no accounts; the other one is about the pace of drawing.
    window.check("/mlflow/users/current", "ResizeObserver loop completed")


def wait_for(url: str) -> None:
    deadline = monotonic() + WAIT_MS / 1000
    while monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=10).close()
        except OSError:
            sleep(0.2)
        else:
            return
    pytest.fail(f"{url} does not answer")
