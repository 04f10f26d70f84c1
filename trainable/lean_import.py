"""Imports libraries without packages that they import for others, which takes seconds."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


@contextmanager
def absent(package: str) -> Iterator[None]:
    """Have a package be as one that is not installed during a block, unless it is imported.

    Example:
        >>> with absent("wave"):
        ...     import wave
        Traceback (most recent call last):
        ...
        ModuleNotFoundError: import of wave halted; None in sys.modules
        >>> import wave
    """
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # Python's own way to say so
    try:
        yield
    finally:
        del sys.modules[package]


@contextmanager
def empty(module: str, *names: str) -> Iterator[None]:
    """Have a module of a package be empty during a block, unless it is imported.

    Args:
        module: Such as ``scipy.signal``; the package itself is imported.
        names: What there is in it all the same, without a use.
    """
    if module in sys.modules:
        yield
        return
    package, _, name = module.rpartition(".")
    parent = import_module(package)
    stand_in = ModuleType(module)
    vars(stand_in).update(dict.fromkeys(names))
    sys.modules[module] = stand_in
    setattr(parent, name, stand_in)
    try:
        yield
    finally:
        del sys.modules[module]
        delattr(parent, name)
