"""Files that a space names, copied into the run folder: a later change changes no record."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.space_file import AUGMENTATION_FILE
from trainable.augmentations.custom import Custom
from trainable.run_files import COPY, KEPT_FILES, kept_copies

if TYPE_CHECKING:
    from search.plan import SearchPlan


def keep_files(run_folder: Path, plan: "SearchPlan") -> dict[str, dict[str, str]]:
    """Copy every pipeline of augmentation that a search may use into its run folder.

    Returns:
        What run.json keeps of it: by the file's absolute path, its ``copy`` below the run folder
        and its ``sha256``.
    """
    kept: dict[str, dict[str, str]] = {}
    for number, file in enumerate(sorted(set(_pipelines(plan)))):
        copy = f"{KEPT_FILES}/{number}-{file.name}"
        (run_folder / KEPT_FILES).mkdir(exist_ok=True)
        shutil.copyfile(file, run_folder / copy)
        digest = hashlib.sha256((run_folder / copy).read_bytes()).hexdigest()
        kept[str(file)] = {COPY: copy, "sha256": digest}
    return kept


def _pipelines(plan: "SearchPlan") -> Iterator[Path]:
    for config in plan.check.configs.values():
        if isinstance(config.augmentation, Custom):
            yield Path(config.augmentation.file).absolute()
    if dimension := plan.check.dimensions.get(AUGMENTATION_FILE):
        places = (plan.space.home / str(choice) for choice in dimension.choices)
        yield from (place.absolute() for place in places if place.is_file())


def kept_copy(run_folder: Path, record: Mapping[str, Any], file: str) -> str:
    """Return a run folder's copy of a file, or the file itself where there is none."""
    copy = kept_copies(record).get(file)
    path = (run_folder / (copy or "")).absolute()
    return str(path) if path.is_file() else file
