"""Whether the images of a search fit into its cache, and which of them it holds there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from trainable.byte_size import num_bytes, size_text
from trainable.cache_entries import NoRoomError, keep_to, size_on_disk
from trainable.data.cache import decoded_bytes
from trainable.data.decode import Size
from trainable.data.prepared import PreparedData
from trainable.errors import ConfigError, expected


def check_cache_limit(data: PreparedData, sizes: Sequence[Size]) -> None:
    """Check that a search can have all its images in the cache at once.

    Args:
        data: The images, and what the cache may take.
        sizes: Height and width of each size that trials ask for.

    Raises:
        ConfigError: If they are too much for it.
    """
    if data.cache_limit is None:
        return
    needed = needed_bytes(data, sizes)
    if needed > num_bytes(data.cache_limit):
        at = ", ".join(f"{height}x{width}" for height, width in sizes)
        wanted = f"room for the images of this search at {at}, at least {size_text(needed)}"
        raise ConfigError(expected("--cache-limit", wanted, data.cache_limit))


def needed_bytes(data: PreparedData, sizes: Sequence[Size]) -> int:
    """Return what the images take in the cache: decoded at each size, and drawn if they are."""
    is_drawn = data.index.root.is_relative_to(data.cache_dir)
    drawn = size_on_disk(data.index.root) if is_drawn else 0
    return drawn + sum(decoded_bytes(data, size) for size in sizes)


@contextmanager
def decoded(
    data: PreparedData, sizes: Sequence[Size], decode: Callable[[Size], object]
) -> Iterator[None]:
    """Run a block with the images decoded at every size, which nobody deletes during it.

    Args:
        data: The images.
        sizes: Height and width of each size.
        decode: Maps the images at a size into memory.

    Raises:
        ConfigError: If what other processes use leaves no room for them.
    """
    try:
        held = [decode(size) for size in sizes]
    except NoRoomError as error:
        raise ConfigError(str(error)) from error
    if data.cache_limit is not None:
        keep_to(data.cache_limit, cache_dir=data.cache_dir)
    yield
    held.clear()
