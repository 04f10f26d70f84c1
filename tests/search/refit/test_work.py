import json

import pytest

from search.refit.members import read_request
from search.refit.work import open_work
from trainable.data.prepared import read_data


@pytest.fixture
def request_of(run):
    return lambda *names: read_request([run], list(names))


def test_each_split_has_a_job_for_each_trial_with_a_number_of_its_own(request_of, data, tmp_path):
    work = open_work(tmp_path, request_of("0", "1"), data, num_folds=3, seed=0)
    assert [(job.number, job.name) for job in work.jobs] == [
        (0, "a/0000, fold 1"),
        (1, "a/0001, fold 1"),
        (2, "a/0000, fold 2"),
        (3, "a/0001, fold 2"),
        (4, "a/0000, fold 3"),
        (5, "a/0001, fold 3"),
    ]
    assert all("replay" not in job.settings() for job in work.jobs)
    left_out = [set(read_data(home).rows("val")) for home in work.homes]
    assert sum(map(len, left_out)) == len(set.union(*left_out))


def test_without_folds_there_is_no_validation_part_and_the_curve_leads(request_of, data, tmp_path):
    request = request_of("1")
    work = open_work(tmp_path, request, data, num_folds=None, seed=0)
    (job,) = work.jobs
    assert len(read_data(job.home).rows("val")) == 0
    assert job.settings()["replay"] == list(request.ingredients[0].values)
    assert job.num_epochs == len(request.ingredients[0].values)


def test_the_same_request_is_gone_on_with_and_another_one_is_not(request_of, data, tmp_path):
    def path_of(*names, num_folds=None, seed=0):
        return open_work(tmp_path, request_of(*names), data, num_folds=num_folds, seed=seed).path

    first = path_of("0")
    (first / "all" / "trials").mkdir()
    assert path_of("0") == first
    assert (first / "all" / "trials").is_dir()
    others = [path_of("1"), path_of("0", num_folds=2), path_of("0", num_folds=2, seed=1)]
    assert len({first, *others}) == 4
    # Without folds nothing is drawn.
    assert path_of("0", seed=1) == first


def test_what_is_asked_for_is_on_record(request_of, data, tmp_path):
    work = open_work(tmp_path, request_of("0"), data, num_folds=None, seed=0)
    record = json.loads((work.path / "refit.json").read_text())
    assert record["asked"]["trials"][0]["name"] == "a/0000"
    assert record["asked"]["data"] == data.fingerprint
    assert record["versions"]["torch"].startswith("2.13")


def test_a_folder_that_a_kill_left_half_written_is_made_anew(request_of, data, tmp_path):
    work = open_work(tmp_path, request_of("0"), data, num_folds=None, seed=0)
    (work.path / "refit.json").unlink()
    again = open_work(tmp_path, request_of("0"), data, num_folds=None, seed=0)
    assert again.path == work.path
    assert (again.path / "refit.json").is_file()
