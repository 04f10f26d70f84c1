"""Drawn people with and without masks: data that is always at hand and never twice the same."""

from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from trainable.cache_entries import in_use_until_exit
from trainable.data.built_once import built_once
from trainable.data.faces.shot import PHOTOS
from trainable.data.faces.write import DRAWING_VERSION, write_people
from trainable.data.index import DataIndex
from trainable.data.sources.base import Source
from trainable.data.sources.mask_competition import read_mask_layout
from trainable.data.threads import Progress


class Faces(Source):
    """Drawn people, seven photos each: five with a mask, one with it worn wrongly, one without.

    ``people`` is their number, another ``seed`` gives other people, and ``difficulty`` scales how
    much genders and age groups look alike and how rough the photos are.
    """

    made_anywhere: ClassVar[bool] = True
    name: Literal["faces"] = "faces"
    people: int = Field(600, ge=1, le=100_000)
    difficulty: float = Field(1.0, ge=0, le=3)
    seed: int = Field(0, ge=0, lt=2**31)

    @override
    def read(self, cache_dir: Path, progress: Progress | None = None) -> DataIndex:
        """Return the index of the photos, written as JPEG files when read for the first time."""
        write = partial(
            write_people, num_people=self.people, difficulty=self.difficulty, seed=self.seed
        )
        photos = cache_dir / "faces" / self._key() / "images"
        in_use_until_exit(photos)
        return read_mask_layout(built_once(photos, write, is_whole=self._is_whole))

    def _is_whole(self, folder: Path) -> bool:
        """Return whether every photo is there: what tidies caches up deletes single files."""
        sizes = [photo.stat().st_size for photo in folder.glob("*/*.jpg")]
        return len(sizes) == self.people * len(PHOTOS) and min(sizes) > 0

    def _key(self) -> str:
        fields = f"people{self.people}_difficulty{self.difficulty:g}_seed{self.seed}"
        return f"v{DRAWING_VERSION}_{fields}"
