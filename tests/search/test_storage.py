"""A search whose study is in a team's database: SQLite elsewhere, and a PostgreSQL of its own."""

import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import optuna
import pytest

from analysis.leaderboard import main as leaderboard
from analysis.run_folder import RunFolder, trials_table
from analysis.study_place import PASSWORD_VARIABLE, StudyPlace, check_storage, without_password
from search.arguments import parse_arguments
from search.open_study import open_study
from search.plan import make_plan
from search.run import main
from search.run_record import create_run_folder
from trainable.errors import ConfigError

PASSWORD = "s3cret&odd"


@pytest.fixture(autouse=True)
def _no_password(monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, "")  # so that what a test puts there is undone
    monkeypatch.delenv(PASSWORD_VARIABLE)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory):
    """Return the URL of a PostgreSQL server that asks for a password, without the password."""
    binaries = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr/local/bin").glob("initdb")]
    initdb = shutil.which("initdb") or next((str(b / "initdb") for b in binaries), None)
    if initdb is None or find_spec("psycopg") is None:
        pytest.skip("needs PostgreSQL's programs and psycopg")
    folder = tmp_path_factory.mktemp("postgresql")
    who = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        nobody = pwd.getpwnam("nobody")
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        folder = Path("/tmp") / f"postgresql-{os.getpid()}"
        folder.mkdir(mode=0o700)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    as_user = {"capture_output": True, "cwd": folder, **who}
    data, port = folder / "data", free_port()
    login = ["-U", "team", "-A", "scram-sha-256", f"--pwfile={folder}/password"]
    subprocess.run([initdb, "-D", data, *login, "--no-sync"], check=True, **as_user)
    control = [Path(initdb).resolve().parent / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    listens = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    start = [*control, "-o", f"{listens} -c fsync=off", "start"]
    subprocess.run(start, check=True, **as_user)
    yield f"postgresql://team@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, **as_user)
    shutil.rmtree(folder)


@pytest.fixture
def planned(space_file, coloured_folder, cache_dir, tmp_path):
    """Return a function that plans a search with its study in a database."""

    def plan(storage):
        options = {"space": space_file, "data": coloured_folder, "name": "mine"}
        places = {"runs-dir": tmp_path / "runs", "cache-dir": cache_dir, "storage": storage}
        pairs = (options | places).items()
        argv = [text for name, value in pairs for text in (f"--{name}", str(value))]
        return make_plan(parse_arguments(argv)), argv

    return plan


def with_password(url: str) -> str:
    return url.replace("team@", f"team:{PASSWORD.replace('&', '%26')}@")


def begin(planned, storage) -> Path:
    """Make a run folder and run two trials of its study, the second one cut off."""
    plan, argv = planned(storage)
    folder = create_run_folder(plan, argv)
    study = open_study(plan, folder)
    for _ in range(2):
        number = study.ask().number
        study.report(number, epoch=1, value=0.5)
    study.complete(0, reason="epochs", seconds=1.0)
    study.close()
    return folder


def go_on(folder: Path):
    """Open the study of a run folder as a later process does, and take up what was cut off."""
    plan = make_plan(parse_arguments(["--resume", str(folder)]))
    study = open_study(plan, folder)
    study.put_back_orphans()
    asked = [study.ask().number for _ in range(2)]
    study.close()
    return asked


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'team studies.db'}"
    return with_password(request.getfixturevalue("postgresql"))


def test_a_study_elsewhere_is_written_there_read_from_there_and_gone_on_with(planned, storage):
    folder = begin(planned, storage)
    assert not (folder / "study.db").exists()
    assert trials_table(RunFolder(folder))["state"].tolist() == ["complete", "running"]
    assert go_on(folder) == [1, 2]
    assert leaderboard([str(folder)]) == 0


def test_runs_of_one_name_have_each_a_study_in_a_shared_database(planned, storage):
    first = begin(planned, storage)
    first = first.rename(first.with_name("other"))
    second = begin(planned, storage)
    names = [StudyPlace.of(RunFolder(folder).facts).name for folder in (first, second)]
    assert names[0] != names[1]
    assert all(name.startswith("mine-") for name in names)
    assert len(RunFolder(second).trials) == 2


def test_a_password_is_written_nowhere_and_asked_for_again(
    planned, postgresql, monkeypatch, capsys
):
    folder = begin(planned, with_password(postgresql))
    record = (folder / "run.json").read_text()
    assert "s3cret" not in record
    assert json.loads(record)["study"]["storage"] == postgresql
    monkeypatch.delenv(PASSWORD_VARIABLE)
    assert main(["--resume", str(folder)]) == 2
    refused = capsys.readouterr().err.splitlines()
    assert len(refused) == 1
    assert refused[0].startswith(f"--storage: expected a database at {postgresql}, got 'conn")
    assert refused[0].endswith(f"A password may be in {PASSWORD_VARIABLE}.")
    with pytest.raises(ConfigError, match=rf"mine: expected a database at {postgresql}, got"):
        RunFolder(folder).trials  # noqa: B018 - reads them
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    assert go_on(folder) == [1, 2]


def test_a_search_does_not_go_on_with_a_study_that_is_gone(planned, tmp_path):
    url = f"sqlite:///{tmp_path / 'team.db'}"
    folder = begin(planned, url)
    optuna.delete_study(study_name=StudyPlace.of(RunFolder(folder).facts).name, storage=url)
    with pytest.raises(ConfigError, match=r"team\.db: expected a study named 'mine-.*', got none"):
        go_on(folder)


def test_a_run_folder_without_its_study_is_not_begun_anew(planned, tmp_path):
    plan, argv = planned(f"sqlite:///{tmp_path / 'team.db'}")
    folder = create_run_folder(plan, argv)
    (tmp_path / "team.db").unlink()
    with pytest.raises(ConfigError, match=r"team\.db: expected a study named 'mine-.*', got none"):
        go_on(folder)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://team@127.0.0.1:1/x", "expected a database at postgresql://team@127.0.0.1"),
        ("postgresql+pg8000://team@127.0.0.1/x", "expected the driver of postgresql.pg8000 to be"),
        ("elephant://127.0.0.1/x", "expected a database of a known kind, got elephant. Known: p"),
        ("sqlite:////nowhere/at/all.db", "got 'no folder that can be written to'"),
    ],
)
def test_a_database_that_does_not_answer_is_refused(url, said):
    with pytest.raises(ConfigError, match=f"^--storage: .*{said}"):
        check_storage(url)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"no database " * 99)
    with pytest.raises(ConfigError, match=r"expected a database at sqlite.*not a database"):
        check_storage(f"sqlite:///{tmp_path / 'photo.jpg'}")


def test_checking_writes_nothing(tmp_path):
    check_storage(f"sqlite:///{tmp_path / 'new.db'}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("team.db", "expected a database's URL, such as postgresql://user@host/name, got 'team"),
        ("sqlite://", "expected a file, such as sqlite:///studies.db"),
        ("postgresql://h/d?password=x", "expected no password after the .; SEARCH_STORAGE_PASS"),
        ("post gresql://me:secret@h", "got 'post gresql://me@h'"),
    ],
)
def test_a_wrong_url_is_refused_without_its_password(given, said):
    with pytest.raises(ConfigError, match=f"--storage: .*{said}"):
        parse_arguments(["--space", "s.py", "--storage", given])


def test_a_password_goes_to_the_environment():
    assert without_password("postgresql://me:a%40b@h:1/d?x=y") == "postgresql://me@h:1/d?x=y"
    assert os.environ[PASSWORD_VARIABLE] == "a@b"


def test_a_file_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert without_password("sqlite:///team.db") == f"sqlite:///{tmp_path}/team.db"


@pytest.mark.slow
def test_a_search_in_a_database_runs_to_its_end_and_is_extended(
    space_file, coloured_folder, cache_dir, tmp_path, postgresql, running_ray
):
    url, runs = with_password(postgresql), tmp_path / "runs"
    options = {"space": space_file, "data": coloured_folder, "cache-dir": cache_dir, "name": "a"}
    options |= {"runs-dir": runs, "storage": url, "sampler": "cmaes", "scheduler": "hyperband"}
    new = [text for name, value in options.items() for text in (f"--{name}", str(value))]

    def searched(*arguments, **environment):
        command = [sys.executable, "-m", "search.run", *arguments]
        # A Ray of its own that a process has had leaves the mode behind.
        surroundings = {**os.environ, "RAY_AUTH_MODE": "token", **environment}
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=surroundings, timeout=900
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "s3cret" not in done.stdout + done.stderr
        return done.stdout

    assert f"study in {postgresql}" in searched(*new, *running_ray)
    searched("--resume", str(runs / "a"), "--trials", "6", **{PASSWORD_VARIABLE: PASSWORD})
    os.environ[PASSWORD_VARIABLE] = PASSWORD
    table = trials_table(RunFolder(runs / "a"))
    assert set(table["state"]) <= {"complete", "pruned"}
    assert len(table) == 6
    assert set(table["reason"]) <= {"epochs", "hyperband"}
    assert not (runs / "a" / "study.db").exists()
