"""Names of what a search leaves in its run folder for all to read."""

import re
from collections.abc import Mapping
from typing import Any

RECORD_FILE = "run.json"
SPACE_FILE = "space.py"
SPLIT_FILE = "split.csv"
ENSEMBLE_FOLDER = "ensemble"
REPORT_FILE = "report.html"
EVENTS_FILE = "events.jsonl"
KEPT_FILES = "files"
COPY = "copy"
# Records from elsewhere are not trusted: a copy is below the run folder, or it is none.
_COPY_FORM = re.compile(rf"{KEPT_FILES}/\d+-[^/\\:\x00-\x1f]+")


def kept_copies(record: Mapping[str, Any]) -> dict[str, str]:
    """Return which copies of the user's files are below a run folder, by the files' own paths.

    Args:
        record: What is in its ``run.json``.
    """
    copies = {
        str(file): str(facts.get(COPY, "")) for file, facts in record.get(KEPT_FILES, {}).items()
    }
    return {file: copy for file, copy in copies.items() if _COPY_FORM.fullmatch(copy)}
