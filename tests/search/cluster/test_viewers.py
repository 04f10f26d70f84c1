"""The quick search on two machines, of which one is lost, looked at in a real browser."""

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

import pytest
from optuna.trial import TrialState

from tests.search.cluster.conftest import TOKEN, free_ports

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.slow

QUICK = (Path(__file__).parents[3] / "spaces" / "quick.py").read_text()
NUM_TRIALS = 8
OPTIONS = ("--data", "faces:people=60", "--trials", str(NUM_TRIALS))
NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (1280, 390)
WAIT_MS = 120_000
URL = re.compile(r"http://127\.0\.0\.1:\d+\S*")


@dataclass
class Window:
    """A tab of a browser, and the errors of the scripts in it.

    Args:
        page: The tab.
        errors: What its scripts raised.
        shots: Where to keep pictures of it.
    """

    page: "playwright.Page"
    errors: list[str]
    shots: Path

    def open(self, url: str, *texts: str) -> None:
        """Open an address and wait until all texts can be seen."""
        self.page.goto(url, wait_until="domcontentloaded")
        for text in texts:
            self.page.get_by_text(text).first.wait_for(state="visible", timeout=WAIT_MS)

    def shoot(self, name: str, *, whole: bool = False) -> None:
        """Keep a picture, for whoever looks at why a test fails."""
        self.page.screenshot(path=self.shots / f"{name}.png", full_page=whole)


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    return tmp_path_factory.mktemp("shots")


@pytest.fixture
def window(shots) -> Iterator[Window]:
    paths = [path for path in map(shutil.which, NAMES) if path]
    if not paths:
        pytest.skip(f"none of {', '.join(NAMES)} is installed")
    with playwright.sync_playwright() as running:
        # Chromium does not run as root in its own sandbox.
        browser = running.chromium.launch(executable_path=paths[0], args=["--no-sandbox"])
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        context = browser.new_context(extra_http_headers=bearer)
        page, errors = context.new_page(), []
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
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


def test_a_search_outlives_a_machine_while_rays_dashboard_shows_its_trials(
    start_once, ray_network, namespace, window, seen, monkeypatch
):
    for name, value in ray_network.environment.items():
        monkeypatch.setenv(name, value)
    joins = ("--address", ray_network.gcs, "--num-cpus", "1")
    node = ray_network.start(*joins, prefix=namespace.prefix, ip=namespace.ip)
    search = start_once(*OPTIONS, "--address", ray_network.gcs, space=QUICK)
    search.wait_for_epochs(2)
    window.open(f"{ray_network.dashboard}/#/actors", "trials of a")
    window.shoot("ray-actors")
    namespace.lose_power()
    node.wait(60)
    window.open(f"{ray_network.dashboard}/#/cluster", "DEAD")
    window.shoot("ray-cluster")
    search.finished()
    ended = {TrialState.COMPLETE, TrialState.PRUNED}
    assert len(search.trials()) == NUM_TRIALS
    assert {trial.state for trial in search.trials()} <= ended
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
    assert window.errors == []


def test_optuna_dashboard_shows_the_study(run, window):
    with serving("analysis.dashboard", run) as address:
        window.open(address(), "Hyperparameter Importance")
        window.page.locator(".main-svg").first.wait_for(state="visible", timeout=WAIT_MS)
        window.shoot("optuna")
    assert window.errors == []


def test_tensorboard_shows_curves_and_hyperparameters(run, window):
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    options = ("--logdir", run / "trials", "--port", port, "--load_fast", "false")
    with serving("tensorboard.main", *options):
        wait_for(url)
        window.open(f"{url}/#timeseries", "val/f1")
        window.shoot("tensorboard-curves")
        window.open(f"{url}/#hparams", "optimizer/name")
        window.shoot("tensorboard-hparams")


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
