"""``python -m analysis.dashboard RUN``: optuna-dashboard on a study, also while it is searched."""
# PYTHON_ARGCOMPLETE_OK: shells may complete its options

import argparse
import importlib.util
import socketserver
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from analysis.run_folder import RunFolder
from analysis.study_place import StudyPlace
from trainable.command import DONE, ArgumentParser, run_command
from trainable.errors import ConfigError, expected

EXAMPLES = """
python -m analysis.dashboard runs/quick-20261123-194501
python -m analysis.dashboard runs/quick-20261123-194501 --port 8090
"""
HOST = "127.0.0.1"
FIRST_PORT, NUM_PORTS, LARGEST_PORT = 8080, 20, 65535


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_port = False


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
        """Do nothing: a page asks for its data every few seconds."""


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    about = "Open optuna-dashboard on the study of a run, whether its search is running or not."
    parser = ArgumentParser("python -m analysis.dashboard", about, examples=EXAMPLES)
    parser.add_argument("run", metavar="RUN", type=Path, help="run folder")
    parser.add_argument(
        "--port",
        metavar="N",
        type=_port,
        help=f"port on this machine alone (default: the first free one from {FIRST_PORT})",
    )
    return parser.parse_args(argv)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= LARGEST_PORT):
        what = f"expected a port from 1 to {LARGEST_PORT}, got {text!r}"
        raise argparse.ArgumentTypeError(what)
    return int(text)


def _dashboard(argv: Sequence[str] | None) -> int:
    arguments = _parse(argv)
    run = RunFolder(arguments.run)
    if importlib.util.find_spec("optuna_dashboard") is None:
        remedy = "pip install 'classifier-search[dashboard]'."
        what = "optuna-dashboard to be installed"
        raise ConfigError(expected("analysis.dashboard", what, "no such package", remedy))
    server, study_id = _server_of(run, arguments.port)
    # Its figures warn of few trials whenever a page is drawn.
    warnings.filterwarnings("ignore", category=UserWarning, module="optuna")
    with server:
        url = f"http://{HOST}:{server.server_port}/dashboard/studies/{study_id}"
        sys.stdout.write(f"Study of {run.name}: {url}\nCtrl-C ends it.\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.stdout.write("\n")
    return DONE


def _server_of(run: RunFolder, port: int | None) -> tuple[WSGIServer, int]:
    """Return a server of a run's study that listens already, and the study's number.

    Raises:
        ConfigError: If there is no study, or no port is free.
    """
    from optuna_dashboard import wsgi

    place = StudyPlace.of(run.facts)
    place.read(run.path)  # opening a study that is not there would make an empty one
    storage = place.open(run.path, make_tables=False)
    study_id = storage.get_study_id_from_name(place.name)
    ports = range(FIRST_PORT, FIRST_PORT + NUM_PORTS) if port is None else [port]
    for number in ports:
        try:
            server = make_server(
                HOST, number, wsgi(storage), server_class=_Server, handler_class=_Quiet
            )
        except OSError as error:
            reason = error.strerror
        else:
            return server, study_id
    got = f"{port} ('{reason}')" if port else f"none from {ports[0]} to {ports[-1]}"
    raise ConfigError(expected("--port", "a port that is free", got, "Give another one."))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(_dashboard, argv)


if __name__ == "__main__":
    sys.exit(main())
