"""What tells one data set from another: the content of its images, their labels and people."""

import hashlib
import json
from collections.abc import Iterable

import pandas as pd

HASH_BYTES = 16
FINGERPRINT_BYTES = 8


def content_hash(data: bytes) -> str:
    """Return 32 hexadecimal digits that change with the content of a file."""
    return hashlib.blake2b(data, digest_size=HASH_BYTES).hexdigest()


def fingerprint(table: pd.DataFrame, hashes: Iterable[str]) -> str:
    """Return 16 hexadecimal digits that change with any image, label or person.

    Neither the order of the rows nor their parts matter.

    Args:
        table: A data set's table.
        hashes: The hash of each row's image.
    """
    rows = sorted(zip(table["path"], hashes, table["label"], table["person"], strict=True))
    return hashlib.blake2b(json.dumps(rows).encode(), digest_size=FINGERPRINT_BYTES).hexdigest()
