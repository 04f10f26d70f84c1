"""Whether the images of a search fit into its cache, and which of them it holds there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trainable.byte_size import num_bytes
from trainable.cache_entries import (
    NoRoomError,
    entry_of,
    keep_to,
    size_in_use,
    size_on_disk,
    too_little,
    whole_blocks,
)
from trainable.data.cache import cache_file, decoded_bytes
from trainable.data.decode import Size
from trainable.data.prepared import PreparedData
from trainable.errors import ConfigError


@dataclass(frozen=True)
class Room:
    """What a search needs of the cache of each machine.

    Args:
        limit: What the cache may take.
        sizes: Bytes of each entry by its path.
    """

    limit: str
    sizes: Mapping[Path, int]

    @classmethod
    def of(cls, data: PreparedData, sizes: Sequence[Size]) -> "Room | None":
        """Return what images at some sizes need, None where there is no limit."""
        if data.cache_limit is None:
            return None
        return cls(data.cache_limit, entry_bytes(data, sizes))

    def problems(self, cache_dir: Path) -> Iterator[str]:
        """Yield what is wrong with the room on the machine that this runs on."""
        needed = sum(self.sizes.values())
        others = size_in_use(cache_dir, apart_from=self.sizes)
        if needed + others > num_bytes(self.limit):
            yield too_little(self.limit, needed, "the images of this search", others=others)


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
    needed = sum(entry_bytes(data, sizes).values())
    if needed > num_bytes(data.cache_limit):
        at = ", ".join(f"{height}x{width}" for height, width in sizes)
        what = f"the images of this search at {at}"
        raise ConfigError(too_little(data.cache_limit, needed, what))


def entry_bytes(data: PreparedData, sizes: Sequence[Size]) -> dict[Path, int]:
    """Return what images take by the entry of the cache: at each size, and as drawn or brought."""
    made = entry_of(data.index.root, data.cache_dir)
    images = {} if made is None else {made: size_on_disk(made)}
    files = {cache_file(data, size): decoded_bytes(data, size) for size in sizes}
    return images | {file: whole_blocks(size) for file, size in files.items()}


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
        with suppress(OSError):  # a cache that is only read is kept by others
            keep_to(data.cache_limit, cache_dir=data.cache_dir)
    yield
    held.clear()
