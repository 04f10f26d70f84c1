"""What every head is: a module from features to one logit a class."""

from abc import abstractmethod

from pydantic import Field
from torch import nn

from trainable.data.index import LabelSpace
from trainable.part import Part


class HeadPart(Part):
    """A head of the search."""

    dropout: float = Field(0.0, ge=0, lt=1)

    @abstractmethod
    def build(self, num_features: int, labels: LabelSpace) -> nn.Module:
        """Return the module features_NF -> logits_NC, float32 also under autocast.

        Args:
            num_features: Width of the backbone's pooled features.
            labels: Classes, and the attributes that they have.

        Raises:
            ConfigError: If the head cannot tell these classes apart.
        """
