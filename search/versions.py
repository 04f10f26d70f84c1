"""The versions of packages that are installed here."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of packages by name; those that are not installed are left out.

    Example:
        >>> list(versions_of(["optuna", "no-such-package"]))
        ['optuna']
    """
    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
