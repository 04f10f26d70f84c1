"""A search as it runs on the cluster that it was sent to: ``search.submit`` has Ray call this."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from trainable.command import ArgumentParser, run_command
from trainable.errors import ConfigError, expected


def command(*, folder: Path, space: Path | None, sent_as: Path | None, argv: Sequence[str]) -> str:
    """Return the shell command that runs a search on a cluster.

    Args:
        folder: Folder there that relative paths are meant from.
        space: The space file as the user knows it, None where the search goes on with its own.
        sent_as: Where it is among the files that were sent.
        argv: The other arguments of ``search.run``.
    """
    import shlex

    of_space = ["--space", str(space), "--sent-as", str(sent_as)] if space else []
    words = ["python", "-m", "search.job", "--folder", str(folder), *of_space, "--", *argv]
    # No shell in between: what Ray sends to stop a job reaches the search itself, once.
    return f"exec {shlex.join(words)}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a search in the folder that it is meant for; return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    end = words.index("--")
    return run_command(lambda _: _run(words[:end], words[end + 1 :]))


def _run(own: Sequence[str], argv: list[str]) -> int:
    from search.run import main as run_search

    parser = ArgumentParser(prog="python -m search.job", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--space", type=Path)
    parser.add_argument("--sent-as", type=Path)
    options = parser.parse_args(own)
    sent = options.sent_as and options.sent_as.absolute()
    try:
        os.chdir(options.folder)
    except OSError as error:
        what = "a folder on the cluster that relative paths are meant from"
        got = f"{options.folder} ({error.strerror})"
        remedy = "Give one on storage that all nodes share."
        raise ConfigError(expected("--folder", what, got, remedy)) from error
    if options.space is not None:
        argv = ["--space", str(_space(options.space, sent)), *argv]
    return run_search(argv)


def _space(known_as: Path, sent: Path) -> Path:
    """Return the user's own space file where the cluster has it, which may have others beside."""
    is_here = known_as.is_file() and known_as.read_bytes() == sent.read_bytes()
    return known_as if is_here else sent


if __name__ == "__main__":
    sys.exit(main())
