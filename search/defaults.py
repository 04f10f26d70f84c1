"""The defaults that hold in this version, and which are others than in the last run."""

import json
from collections.abc import Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from search.options import SearchOptions
from trainable.run_files import RECORD_FILE

DEFAULTS = "defaults"


def current_defaults() -> dict[str, Any]:
    """Return the defaults of options and of hyperparameters, as JSON holds them.

    Returns:
        ``options`` by field name; ``hyperparameters`` by flat name, those of a family with
        several parts by part, such as ``loss/focal/gamma``. What has no default is left out.
    """
    fields = SearchOptions.model_fields.items()
    options = {name: field.default for name, field in fields if not field.is_required()}
    defaults = {"options": options, "hyperparameters": dict(_hyperparameters())}
    plain: dict[str, Any] = json.loads(json.dumps(defaults, default=str))
    return plain


def _hyperparameters() -> Iterator[tuple[str, Any]]:
    from trainable.config import TrialConfig, family_members

    for family, value in TrialConfig.model_fields.items():
        parts = family_members(family)
        if not value.is_required():
            yield family, getattr(value.default, "name", value.default)
        for part in parts:
            of_part = f"{family}/{part.part_name()}" if len(parts) > 1 else family
            for name, field in part.model_fields.items():
                if not field.is_required() and (len(parts) == 1 or name != "name"):
                    yield f"{of_part}/{name}", field.default


def changed_since(runs_dir: Path, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return which defaults differ from those of the run that was last begun in a folder.

    Args:
        runs_dir: The folder of run folders.
        defaults: What ``current_defaults`` returns.

    Returns:
        ``since``, the name of that run, and ``changed``, by name the value that ``was`` and that
        ``is``, None where there was or is none; empty if no earlier run has noted its defaults.
    """
    last = max(_recorded(runs_dir), key=itemgetter(0, 1), default=None)
    if last is None:
        return {}
    _, name, earlier = last
    changed = {
        key: {"was": was.get(key), "is": now.get(key)}
        for kind, now in defaults.items()
        if (was := earlier.get(kind, {})) != now
        for key in sorted({**was, **now})
        if was.get(key) != now.get(key)
    }
    return {"since": name, "changed": changed}


def _recorded(runs_dir: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield when each run below a folder began, its name, and the defaults that it noted."""
    for file in runs_dir.glob(f"*/{RECORD_FILE}"):
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # damaged, or removed meanwhile
        if isinstance(record, dict) and isinstance(record.get(DEFAULTS), dict):
            yield str(record.get("started_at", "")), file.parent.name, record[DEFAULTS]


def described(since: Mapping[str, Any]) -> list[str]:
    """Return a line that names what ``changed_since`` found, none if nothing has changed."""
    changed = since.get("changed") or {}
    if not changed:
        return []
    names = ", ".join(f"{name} {of['was']} → {of['is']}" for name, of in changed.items())
    return [f"Defaults that are others than in {since['since']}: {names}"]
