"""The network of a trial: normalisation, backbone and head, from pixels to logits."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from trainable.backbones import layer_groups, normalisation, num_features
from trainable.config import TrialConfig
from trainable.data.index import LabelSpace

LayerGroup = list[tuple[str, nn.Parameter]]


class Classifier(nn.Module):
    """A backbone and a head that take pixels as they are stored.

    Normalisation is part of the network: it travels with the weights, runs on the device, and
    cannot differ between training and prediction.

    Args:
        backbone: Images [N, 3, H, W], normalised -> features [N, num_features].
        head: Features [N, num_features] -> logits [N, num_classes].
        mean: Mean by channel, in [0, 1].
        std: Standard deviation by channel, in [0, 1].
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        head: nn.Module,
        *,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, images_NHWC: Tensor) -> Tensor:
        """Return logits float32 [N, num_classes] of images uint8 [N, H, W, 3], RGB."""
        return self.classify(self.features(images_NHWC))

    def features(self, images_NHWC: Tensor) -> Tensor:
        """Return the backbone's features [N, num_features] of images uint8 [N, H, W, 3], RGB."""
        features: Tensor = self.backbone(normalised(images_NHWC, self.mean, self.std))
        return features

    def classify(self, features_NF: Tensor) -> Tensor:
        """Return logits float32 [N, num_classes] of features [N, num_features]."""
        logits: Tensor = self.head(features_NF)
        return logits.float()

    def with_frozen_backbone(self, images_NHWC: Tensor) -> Tensor:
        """Return the same logits as ``forward``, where only the head is trained."""
        with torch.inference_mode():
            features_NF = self.features(images_NHWC)
        return self.classify(features_NF.clone())  # a tensor that the head may keep for later

    def layer_groups(self) -> list[LayerGroup]:
        """Return the parameters in layers from the input to the head, which is the last."""
        head = [(f"head.{name}", p) for name, p in self.head.named_parameters()]
        return [*layer_groups(self.backbone), head]


def normalised(images_NHWC: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Return images less their mean, divided by their standard deviation, channel by channel.

    Args:
        images_NHWC: uint8 [N, H, W, C].
        mean: [1, C, 1, 1], on the scale of the images.
        std: The same.

    Returns:
        float32 [N, C, H, W] in the channels_last layout.
    """
    width = images_NHWC.shape[2]
    # A row's pixels and channels as one dimension: with the channels as the innermost one, of
    # three numbers, a CPU takes twice as long.
    rows_NHX = images_NHWC.to(torch.float32, copy=True).flatten(2)
    # In place: on a CPU, each new tensor of this size costs as much again.
    rows_NHX.sub_(mean.flatten().repeat(width)).div_(std.flatten().repeat(width))
    return rows_NHX.reshape(images_NHWC.shape).permute(0, 3, 1, 2)


def build_classifier(
    config: TrialConfig,
    labels: LabelSpace,
    *,
    load_pretrained: bool,
    weights_dir: Path | None = None,
) -> Classifier:
    """Build the network of a configuration.

    Args:
        config: The trial's configuration.
        labels: Classes and attributes of the data.
        load_pretrained: Whether to read the pretrained start; not needed where other weights
            are loaded anyway, nor possible on the meta device.
        weights_dir: Folder that stands for timm's hub.

    Raises:
        ConfigError: If the backbone is unknown, cannot take the size, or has no such start.
    """
    backbone = config.backbone.build(
        config.resize, load_pretrained=load_pretrained, weights_dir=weights_dir
    )
    head = config.head.build(num_features(backbone), labels)
    mean, std = normalisation(backbone)
    model = Classifier(backbone, head, mean=mean, std=std)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own
    return model
