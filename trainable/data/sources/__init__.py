"""The family of sources: where labelled images come from, a table of contents."""

from typing import Annotated

from pydantic import Field

from trainable.data.sources.bucket import Bucket
from trainable.data.sources.class_folders import ClassFolders
from trainable.data.sources.digits import Digits
from trainable.data.sources.faces import Faces
from trainable.data.sources.mask_competition import MaskCompetition
from trainable.data.sources.table import Table

DataSource = Annotated[
    Faces | Digits | Table | MaskCompetition | ClassFolders | Bucket,
    Field(discriminator="name"),
]
