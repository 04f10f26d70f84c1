"""Against a real MLflow server on this machine."""

import getpass

import pytest

from search.trackers.mlflow_tracker import MlflowTracker
from tests.search.cluster.conftest import free_ports
from tests.search.mlflow_server import running_mlflow
from trainable.errors import ConfigError


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_mlflow(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.mark.slow
def test_a_search_that_goes_on_is_one_run_with_a_run_a_trial(
    server, new_story, monkeypatch, tell_of_an_interrupted_search, capsys
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "faces")
    MlflowTracker.check()
    tell_of_an_interrupted_search(new_story(MlflowTracker))
    assert capsys.readouterr().out == ""
    from mlflow import MlflowClient

    client = MlflowClient(server)
    experiment = client.get_experiment_by_name("faces")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"a-run", "0000", "0001"}
    search, done, cut_off = runs["a-run"], runs["0000"], runs["0001"]
    assert [run.info.status for run in (search, done, cut_off)] == ["FINISHED"] * 3
    assert {run.data.tags["mlflow.parentRunId"] for run in (done, cut_off)} == {search.info.run_id}
    assert done.data.tags["mlflow.user"] == search.data.tags["mlflow.user"] == getpass.getuser()
    assert done.data.params == {
        "optimizer/lr": "0.01",
        "loss/name": "focal",
        "resize": "64x48",
    }
    history = client.get_metric_history(cut_off.info.run_id, "val/f1")
    assert sorted((m.step, m.value) for m in history) == [(1, 0.1), (2, 0.2), (3, 0.3), (4, 0.4)]
    assert "val/class_f1/65_ years" not in cut_off.data.metrics
    assert (cut_off.data.metrics["value"], cut_off.data.tags["state"]) == (0.4, "pruned")
    files = {file.path for file in client.list_artifacts(cut_off.info.run_id)}
    assert files == {"config.json", "metrics.csv"}


def test_a_server_that_is_not_there_is_found_before_anything_runs(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:secret@127.0.0.1:{free_ports(1)[0]}")
    with pytest.raises(ConfigError, match=r"^--log-to mlflow: expected an MLflow") as raised:
        MlflowTracker.check()
    assert "Connection refused" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_store_of_files_needs_no_server(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    MlflowTracker.check()
