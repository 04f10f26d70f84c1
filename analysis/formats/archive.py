"""What an archive of ``torch.export`` may hold before torch is let near it.

``torch.export.load`` unpickles what an archive says is pickled, evaluates its sizes and runs its
guards as Python. An archive from this package needs none of that: it holds tensors as raw bytes
and a graph whose texts are names, a few sizes and two fixed signatures. Whatever holds more is
refused, so that reading one runs nothing but operators of torch on tensors.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch.utils import _pytree as pytree

from trainable.errors import expected

_RECORDS = re.compile(
    r"data/(weights|constants)/((weight|tensor)_\d+|model_(weights|constants)_config\.json)"
    r"|models/model\.json|data/sample_inputs/model\.pt|archive_format|archive_version"
    r"|\.data/(version|serialization_id)|byteorder"
)
_EMPTY = "data/sample_inputs/model.pt"  # anything in it would be a pickle
_NAME = re.compile(r"[\w.]*")
_VERSION = re.compile(r"[\w.+]*")
_OPERATOR = re.compile(r"torch\.ops\.aten\.\w+\.\w+|_operator\.(getitem|add|sub|mul|floordiv)")
_SIZE = re.compile(
    r"(Symbol\('s\d+', positive=True, integer=True\)|Integer\(-?\d+\)|(Add|Mul)\(|, |\))+"
)
# One argument in, one tensor out.
_SIGNATURES = {
    pytree.treespec_dumps(pytree.tree_structure(((0,), {}))),
    pytree.treespec_dumps(pytree.tree_structure(0)),
}


def check_archive(file: Path) -> None:
    """Check that an archive holds nothing but tensors and a graph of known operators.

    Raises:
        ValueError: If it is no such archive, or holds anything else.
    """
    with zipfile.ZipFile(file) as archive:
        for record in archive.infolist():
            name = record.filename.partition("/")[2]
            if not _RECORDS.fullmatch(name):
                raise ValueError(_refused("a known record", record.filename))
            if name == _EMPTY and record.file_size:
                raise ValueError(_refused("no pickled example", record.filename))
            if name.endswith(".json"):
                _check_json(json.loads(archive.read(record)))


def _check_json(content: Any) -> None:  # noqa: ANN401  # any JSON
    for key, value in _fields(content):
        if not _NAME.fullmatch(key):
            raise ValueError(_refused("a name", key))
        if key == "use_pickle" and value is not False:
            raise ValueError(_refused("tensors as raw bytes", "a pickle"))
        if isinstance(value, str) and not _is_harmless(key, value):
            raise ValueError(_refused(f"a known {key}", value))


def _fields(content: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # any JSON
    """Yield every value with the key that it is below, however deep."""
    waiting = [("", content)]
    while waiting:
        key, value = waiting.pop()
        yield key, value
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(key, item) for item in value]


def _is_harmless(key: str, text: str) -> bool:
    if key == "target":
        return _OPERATOR.fullmatch(text) is not None
    if key == "expr_str":
        return _SIZE.fullmatch(text) is not None
    if key in ("in_spec", "out_spec"):
        return text in _SIGNATURES
    if key == "torch_version":
        return _VERSION.fullmatch(text) is not None
    return key != "guards_code" and _NAME.fullmatch(text) is not None


def _refused(what: str, got: str) -> str:
    return expected("archive", what, repr(got[:60])).removesuffix(".")
