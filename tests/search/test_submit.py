"""What is sent to a cluster, and what is refused before anything is."""

import shlex
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from search.submission import make_submission, packed
from search.submit import main

NOBODY = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        ([], "arguments: expected those of search.run, got none."),
        (["--lits"], "--lits: expected a known option, got '--lits'. Did you mean '--list'?"),
        (["--list", "--status", "a"], "--status: not allowed with argument --list"),
        (["--list", "--", "--trials", "3"], "--: expected nothing, together with --list"),
        (["--list", "--folder", "x"], "--folder: expected a search to send, got none"),
        (["--follow", "--list"], "--follow: expected --logs NAME with it"),
        (["--address", "a:1", "--list"], "--address: expected the URL of a dashboard, such as"),
        (["--address", "http://a:x", "--list"], "--address: expected the URL of a dashboard"),
        (["--", "--space", "none.py"], "none.py: expected a space file, got no such file"),
        (["--", "--trials", "x"], "--trials: expected a whole number"),
        (["--", "--dry-run"], "--space: expected a space file, got nothing"),
        (["--address", NOBODY, "--list"], "--address: expected the dashboard of a running Ray c"),
    ],
)
def test_bad_input_is_one_line(arguments, start, capsys):
    assert main(arguments) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(start)


@pytest.mark.parametrize(
    ("option", "start"),
    [
        (["--dry-run"], "--dry-run: expected a search to send, got a dry run"),
        (["--address", "auto"], "--address: expected none among the arguments of the search"),
    ],
)
def test_what_makes_no_sense_on_a_cluster_is_refused(option, start, space_file, capsys):
    assert main(["--", "--space", str(space_file), *option]) == 2
    assert capsys.readouterr().err.startswith(start)


def test_a_space_that_does_not_load_is_not_sent(tmp_path, capsys):
    (tmp_path / "broken.py").write_text("def space(trial:")
    assert main(["--address", NOBODY, "--", "--space", str(tmp_path / "broken.py")]) == 2
    assert "broken.py:1: expected Python, got SyntaxError" in capsys.readouterr().err


@pytest.fixture
def other_server():
    """Yield the URL of a server that is none of Ray's."""

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Hello) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_server_that_is_none_of_rays_is_told_apart(other_server, capsys):
    assert main(["--address", other_server, "--list"]) == 2
    assert f"got {other_server} (something else answers there)" in capsys.readouterr().err


def test_the_job_runs_the_same_search_in_the_same_folder(space_file, tmp_path):
    argv = ["--space", str(space_file), "--name=mine", "--trials", "3", "--data", "a b"]
    submission = make_submission(argv, tmp_path)
    assert submission.run_folder == tmp_path / "runs" / "mine"
    words = shlex.split(submission.entrypoint)
    assert words[:4] == ["exec", "python", "-m", "search.job"]
    assert words[4:10] == [
        *("--folder", str(tmp_path)),
        *("--space", str(space_file)),
        *("--sent-as", "sent/tiny.py"),
    ]
    assert words[10:] == [
        *("--", "--name", "mine", "--address", "auto"),
        *("--trials", "3", "--data", "a b"),
    ]


def test_a_search_without_a_name_gets_one_before_it_is_sent(space_file, tmp_path):
    submission = make_submission(["--space", str(space_file)], tmp_path)
    assert submission.name.startswith("tiny-20")
    assert f"--name {submission.name}" in submission.entrypoint


def test_a_trial_that_is_trained_again_gets_the_name_of_its_run_and_number(tmp_path):
    submission = make_submission(["--from", "runs/mine/trials/0003"], tmp_path)
    assert submission.name.startswith("mine-trial-0003-20")


def test_a_search_that_goes_on_is_sent_without_space_and_name(tmp_path):
    submission = make_submission(["--resume", "runs/mine", "--trials", "9"], tmp_path)
    assert (submission.name, submission.run_folder) == ("mine", tmp_path / "runs" / "mine")
    rest = submission.entrypoint.partition(f"--folder {tmp_path} ")[2]
    assert rest == "-- --address auto --resume runs/mine --trials 9"


def test_a_search_in_a_bucket_goes_on_in_the_folder_of_the_job(tmp_path):
    submission = make_submission(["--resume", "s3://team/runs/mine"], tmp_path)
    assert (submission.name, submission.run_folder) == ("mine", tmp_path / "runs" / "mine")
    assert submission.entrypoint.endswith("-- --address auto --resume s3://team/runs/mine")


def test_the_packages_and_the_space_are_sent_and_nothing_else(space_file, tmp_path):
    submission = make_submission(["--space", str(space_file)], tmp_path)
    with packed(submission) as folder:
        names = {path.name for path in folder.iterdir()}
        assert names == {"trainable", "analysis", "search", "spaces", "sent"}
        assert (folder / "sent" / "tiny.py").read_bytes() == space_file.read_bytes()
        assert (folder / "trainable" / "pretrained" / "small.safetensors").exists()
        assert not list(folder.rglob("__pycache__"))
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert size < 5e6
    assert not Path(folder).exists()
