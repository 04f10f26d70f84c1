import hashlib
import shutil
import sqlite3
import subprocess
import sys

import optuna
import pytest

from analysis.study_file import read_trials
from trainable.errors import ConfigError

DIE_WHILE_WRITING = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
for i in range(2000):
    row = (f"key{i}", "x" * 500)
    sql = "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (1, ?, ?)"
    connection.execute(sql, row)
os._exit(1)
"""


@pytest.fixture
def study_file(make_run):
    trials = [{"state": "complete", "curve": [0.1, 0.3]}, {"state": "running", "curve": [0.2]}]
    return make_run("a run #1", trials) / "study.db"


def test_reading_neither_changes_nor_creates_anything(study_file):
    study_file.chmod(0o444)
    before = (hashlib.sha256(study_file.read_bytes()).digest(), set(study_file.parent.iterdir()))
    assert len(read_trials(study_file)) == 2
    after = (hashlib.sha256(study_file.read_bytes()).digest(), set(study_file.parent.iterdir()))
    assert after == before


def test_a_study_is_read_while_the_search_adds_to_it(study_file):
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{study_file}")
    trial = study.ask()
    assert len(read_trials(study_file)) == 3
    trial.report(0.7, 1)
    assert read_trials(study_file)[2].intermediate_values == {1: 0.7}


def test_a_study_whose_writer_was_killed_is_read_as_it_was_before_the_write(study_file):
    subprocess.run([sys.executable, "-c", DIE_WHILE_WRITING, str(study_file)], check=False)
    assert study_file.with_name("study.db-journal").exists()
    assert list(read_trials(study_file)[0].user_attrs["config"]) == ["optimizer/lr"]
    assert study_file.with_name("study.db-journal").exists()


def test_a_missing_study_is_refused_and_not_created(tmp_path):
    with pytest.raises(ConfigError, match=r"study\.db: expected the study .*, got no such file"):
        read_trials(tmp_path / "study.db")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"not a database " * 100, None])
def test_a_damaged_study_is_refused(study_file, content):
    whole = study_file.read_bytes()
    study_file.write_bytes(content or whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match="expected an Optuna study, got"):
        read_trials(study_file)


def test_a_database_without_the_search_is_refused(tmp_path):
    sqlite3.connect(tmp_path / "study.db").close()
    shutil.copyfile(tmp_path / "study.db", tmp_path / "empty.db")
    optuna.create_study(study_name="other", storage=f"sqlite:///{tmp_path / 'other.db'}")
    for name in ("empty.db", "other.db"):
        with pytest.raises(ConfigError, match=f"{name}: expected a study named 'search'"):
            read_trials(tmp_path / name)
