"""The formats by name: files, needed packages, the option ``--format``; imports none of them."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Literal, get_args

from trainable.command import ArgumentParser
from trainable.errors import ConfigError, expected

FormatName = Literal["safetensors", "onnx", "torch-export"]

SAFETENSORS: FormatName = "safetensors"
ONNX: FormatName = "onnx"
TORCH_EXPORT: FormatName = "torch-export"
FORMATS: tuple[FormatName, ...] = get_args(FormatName)
FILES: dict[FormatName, str] = {
    SAFETENSORS: "model.safetensors",
    ONNX: "model.onnx",
    TORCH_EXPORT: "model.pt2",
}
# Those of the extra `onnx`; torch itself has the rest.
TO_WRITE: dict[FormatName, tuple[str, ...]] = {ONNX: ("onnx", "onnxscript", "onnxruntime")}
TO_READ: dict[FormatName, tuple[str, ...]] = {ONNX: ("onnxruntime",)}


def add_format_option(parser: ArgumentParser) -> None:
    """Give a command that writes bundles the option of writing further formats."""
    what = "write each network as onnx or torch-export, too; may be given twice"
    parser.add_argument("--format", action="append", choices=FORMATS, default=[], help=what)


def formats_to_write(extra: Sequence[FormatName]) -> tuple[FormatName, ...]:
    """Return the formats that are written: safetensors always, others if asked for.

    Raises:
        ConfigError: If a package that writes one of them is not installed.

    Example:
        >>> formats_to_write(["torch-export", "torch-export"])
        ('safetensors', 'torch-export')
    """
    formats = tuple(name for name in FORMATS if name == SAFETENSORS or name in extra)
    check_packages(TO_WRITE, formats)
    return formats


def check_packages(
    needed: dict[FormatName, tuple[str, ...]], formats: Sequence[FormatName]
) -> None:
    """Check that the packages of some formats are installed, without importing them.

    Args:
        needed: Packages by format, ``TO_WRITE`` or ``TO_READ``.
        formats: The formats that are wanted.

    Raises:
        ConfigError: If some are not.
    """
    problems = []
    for name in formats:
        missing = [package for package in needed.get(name, ()) if find_spec(package) is None]
        if missing:
            remedy = f"Try: pip install {' '.join(missing)}"
            what = f"the packages {', '.join(needed[name])}"
            got = f"no {' and no '.join(missing)}"
            problems.append(expected(f"--format {name}", what, got, remedy))
    if problems:
        raise ConfigError(problems)
