"""What of this product reaches the workers of a cluster: the packages, as they are here."""

from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("trainable", "analysis", "search", "spaces")


def package_folders() -> list[Path]:
    """Return the folders of the packages that run here, wherever they are installed.

    A worker then runs the same code as the search, also where another version of it, or none, is
    installed on its node.
    """
    folders = []
    for name in PACKAGES:
        spec = find_spec(name)
        assert spec is not None
        assert spec.submodule_search_locations
        folders.append(Path(next(iter(spec.submodule_search_locations))))
    return folders
