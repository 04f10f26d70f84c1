import pytest

from search.run import main
from search.trackers.base import Tracker
from search.trackers.make import check_trackers
from trainable.errors import ConfigError


class NotInstalled(Tracker):
    name = "ledger"
    package = "no_package_has_this_name"
    extra = "ledger"


def test_a_missing_package_is_one_line_with_the_command_that_installs_it():
    with pytest.raises(ConfigError) as raised:
        NotInstalled.check()
    assert str(raised.value) == (
        "--log-to ledger: expected no_package_has_this_name to be installed, got no such package. "
        "pip install 'classifier-search[ledger]'."
    )


def test_tensorboard_needs_nothing():
    check_trackers(["tensorboard"])


def test_what_cannot_be_logged_to_ends_a_search_before_anything_runs(
    monkeypatch, capsys, tmp_path, space_file, coloured_folder, cache_dir
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    runs = tmp_path / "runs"
    code = main(
        [
            *("--space", str(space_file), "--data", str(coloured_folder)),
            *("--cache-dir", str(cache_dir), "--runs-dir", str(runs), "--log-to", "mlflow"),
        ]
    )
    assert code == 2
    assert capsys.readouterr().err == (
        "--log-to mlflow: expected an MLflow server that answers, got 127.0.0.1:1 "
        "([Errno 111] Connection refused). "
        "Start it, mend MLFLOW_TRACKING_URI, or leave mlflow out.\n"
    )
    assert not runs.exists()
