"""Fills a folder with pretrained weights, for machines that have no network.

    python -m trainable.pretrained.download --out weights convnext_tiny efficientnet_b2

Then, on the cluster: ``python -m search.run … --weights-dir weights``.
"""
# PYTHON_ARGCOMPLETE_OK: shells may complete its options

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from safetensors.torch import save_file
from torch import nn

from trainable.backbones import Backbone, create_from_hub
from trainable.command import ArgumentParser, run_command
from trainable.errors import ConfigError, expected, requirement
from trainable.files import written_aside
from trainable.pretrained.local_files import WEIGHTS_ENDING

EXAMPLES = """
python -m trainable.pretrained.download --out weights convnext_tiny efficientnet_b2
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(_download, argv)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = ArgumentParser(
        "python -m trainable.pretrained.download",
        "Download pretrained weights into a folder for --weights-dir of search.run.",
        examples=EXAMPLES,
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder to fill")
    parser.add_argument("names", metavar="NAME", nargs="+", help="timm models, tag or not")
    return parser.parse_args(argv)


def _download(argv: Sequence[str] | None) -> int:
    options = _parse(argv)
    _check_names(options.names)
    for name in options.names:
        file = options.out / f"{name}{WEIGHTS_ENDING}"
        if file.exists():
            sys.stdout.write(f"{file}: there already\n")
            continue
        _save(_downloaded(name), file)
        sys.stdout.write(f"{file}: {file.stat().st_size / 1e6:,.0f} MB\n")
    return 0


def _check_names(names: Sequence[str]) -> None:
    """Check that timm has weights of all models.

    Raises:
        ConfigError: With every name of which it has none.
    """
    problems: list[str] = []
    for name in names:
        try:
            Backbone(name=name, pretrained="hub").weights_file()
        except ValidationError as error:
            what = requirement(error.errors()[0]["msg"])
            problems.append(expected("NAME", what, repr(name)))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)


def _downloaded(name: str) -> nn.Module:
    try:
        return create_from_hub(name)
    except OSError as error:
        raise ConfigError(str(error)) from error


def _save(module: nn.Module, file: Path) -> None:
    """Write a model's weights; those that are one in memory are written once each."""
    weights = {name: value.clone().contiguous() for name, value in module.state_dict().items()}
    try:
        with written_aside(file) as aside:
            save_file(weights, aside)
    except OSError as error:
        what = "a folder that can be written to"
        raise ConfigError(expected("--out", what, f"'{error.strerror or error}'")) from error


if __name__ == "__main__":
    raise SystemExit(main())
