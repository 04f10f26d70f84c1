"""``python -m analysis.predict BUNDLE --images … --out FILE.csv``: classes of new images."""
# PYTHON_ARGCOMPLETE_OK: shells may complete its options

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from analysis.bundle import read_bundle
from analysis.formats.names import FORMATS, SAFETENSORS, TO_READ, check_packages
from analysis.image_list import ImageList, read_image_list
from analysis.output import check_output
from analysis.prediction_table import SUFFIXES, prediction_table, write_predictions
from trainable.command import ArgumentParser, positive_whole_number, run_command
from trainable.errors import ConfigError, expected

EXAMPLES = """
python -m analysis.predict bundle --images photos/ --out predictions.csv
python -m analysis.predict bundle --images info.csv --out output.csv --flip  # fills column ans
"""
DEVICES = ("auto", "cpu", "cuda")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    about = "Predict the classes of images with a bundle of analysis.ensemble or analysis.export."
    what = "a folder, or a CSV or Parquet table with path or ImageID; a column ans is filled in"
    parser = ArgumentParser("python -m analysis.predict", about, examples=EXAMPLES)
    parser.usage = "python -m analysis.predict BUNDLE --images DIR_OR_CSV --out FILE [options]"
    add = parser.add_argument
    add("bundle", metavar="BUNDLE", type=Path, help="folder of the bundle")
    add("--images", metavar="DIR_OR_CSV", type=Path, required=True, help=what)
    add("--out", metavar="FILE", type=Path, required=True, help="a .csv or .parquet file")
    batch = "images at a time (64)"
    add("--batch-size", metavar="N", type=positive_whole_number, default=64, help=batch)
    add("--device", choices=DEVICES, default="auto", help="auto takes a GPU if there is one")
    flip = "average with the mirrored image: twice the time, and right and left must not matter"
    add("--flip", action="store_true", help=flip)
    as_ = f"what runs: {SAFETENSORS}, or another one that the bundle was made with"
    add("--format", choices=FORMATS, default=SAFETENSORS, help=as_)
    arguments = parser.parse_args(argv)
    check_packages(TO_READ, [arguments.format])
    _check_out(arguments.out)
    return arguments


def _check_out(file: Path) -> None:
    if file.suffix not in SUFFIXES:
        raise ConfigError(expected("--out", f"a file {' or '.join(SUFFIXES)}", str(file)))
    check_output(file)


def _predict(argv: Sequence[str] | None) -> int:
    arguments = _parse(argv)
    bundle = read_bundle(arguments.bundle)
    images = read_image_list(arguments.images)
    # Read when torch is first imported: spinning threads would take the decoders' cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from analysis.formats.reading import choose_device_for
    from analysis.predictor import Predictor

    device = choose_device_for(arguments.format, arguments.device)
    predictor = Predictor(bundle, device, arguments.format)
    with _progress_bar() as progress:
        predictions = predictor.predict(
            images.paths,
            batch_size=arguments.batch_size,
            flip=arguments.flip,
            progress=progress,
        )
    _complain(images, predictions.unreadable)
    labels = bundle.manifest.label_space
    write_predictions(prediction_table(images, predictions.probabilities, labels), arguments.out)
    num_read = len(images.paths) - len(predictions.unreadable)
    sys.stdout.write(f"{num_read} images predicted: {arguments.out}\n")
    return 0


def _complain(images: ImageList, unreadable: dict[int, str]) -> None:
    """List the images that cannot be read.

    Raises:
        ConfigError: If these are all.
    """
    for place, reason in unreadable.items():
        path = str(images.paths[place])
        # A name may hold a line break or a terminal's commands.
        sys.stderr.write(f"{path if path.isprintable() else repr(path)}: {reason}\n")
    num_images = len(images.paths)
    if len(unreadable) == num_images:
        got = f"none of {num_images}"
        raise ConfigError(expected("--images", "at least one image that can be read", got))
    if unreadable:
        sys.stderr.write(
            f"{len(unreadable)} of {num_images} images cannot be read; they are left empty.\n"
        )


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None]]:
    """Show how many images are done while the block runs, where stderr is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("predicting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(_predict, argv)


if __name__ == "__main__":
    sys.exit(main())
