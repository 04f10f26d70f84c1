"""Is ``analysis.predict`` as fast as a loop? ``python -m benchmarks.predict_throughput``.

Predicts the same JPEG files in three ways, in turn and several times over, in one process: by the
predictor of ``analysis.predict``; by a plain loop that decodes, stacks and predicts 64 images at
a time; and by the same loop over a torch DataLoader of two workers. All decode with the same
function and run the same network, of random weights. The ratio is to the plain loop; the images a
second of all three are printed beside it.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

# As analysis.predict does, for all three: spinning threads would take the decoders' cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from analysis.bundle import WEIGHTS, new_bundle, read_bundle, seal
from analysis.manifest import CONFIG, DataEntry, Manifest, MemberEntry
from analysis.member import load_member
from analysis.predictor import Predictor
from benchmarks.side_by_side import row
from trainable.checkpoint import save_weights
from trainable.config import TrialConfig, parse_config
from trainable.data.decode import Size, decode_image
from trainable.data.index import LabelSpace
from trainable.files import write_json
from trainable.model import Classifier, build_classifier

BATCH_SIZE = 64
NUM_WORKERS = 2
CPU = torch.device("cpu")
LABELS = LabelSpace(tuple(f"class {number}" for number in range(18)))
# Height and width of the files, and how many.
FILES = {"small": ((96, 72), 2_000), "large": ((512, 384), 500)}
NETWORKS = (("test_efficientnet", "64x48"), ("resnet18", "64x48"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(_table(options.repeats, share=1.0).to_string(index=False))


def table(*, quick: bool = False) -> pd.DataFrame:
    """Return a row a network and kind of files; the loader's rates are printed beside it."""
    return _table(1, share=0.1) if quick else _table(5, share=1.0)


def _table(repeats: int, *, share: float) -> pd.DataFrame:
    rows = []
    with TemporaryDirectory() as folder:
        files = {
            name: _write_images(Path(folder, name), size, int(share * count))
            for name, (size, count) in FILES.items()
        }
        for backbone, size in NETWORKS:
            bundle = Path(folder, backbone)
            ways = _ways(bundle, _write_bundle(bundle, backbone, size))
            for name, paths in files.items():
                rates = measured(ways, paths, repeats=repeats)
                named = f"predict, {backbone} at {size}, {name} files"
                print(f"{named}, images/s: {rates.median().round().to_dict()}", flush=True)
                pairs = list(zip(1 / rates["loop"], 1 / rates["predict"], strict=True))
                against = "a plain batched loop"
                rows.append(row(named, against, pairs, goal="1 x", at_least=1.0))
    return pd.concat(rows, ignore_index=True)


def measured(
    ways: dict[str, Callable[[list[Path]], np.ndarray]], paths: list[Path], *, repeats: int
) -> pd.DataFrame:
    """Return images a second by repeat (rows) and way (columns), measured in turn.

    Args:
        ways: What predicts, by name; all must agree.
        paths: Image files.
        repeats: How often; once more before, which does not count.
    """
    first = [way(paths[:BATCH_SIZE]) for way in ways.values()]
    for other_NC in first[1:]:
        np.testing.assert_allclose(other_NC, first[0], atol=1e-5)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats):
        names = list(ways)
        for name in names[repeat % len(names) :] + names[: repeat % len(names)]:
            start = time.perf_counter()
            ways[name](paths)
            rates[name].append(len(paths) / (time.perf_counter() - start))
    return pd.DataFrame(rates)


def _ways(bundle: Path, size: Size) -> dict[str, Callable[[list[Path]], np.ndarray]]:
    read = read_bundle(bundle)
    predictor = Predictor(read, CPU)
    entry = read.manifest.members[0]
    files = (read.config_file(entry), read.weights_file(entry))
    model = load_member(*files, LABELS, CPU).model
    return {
        "predict": lambda paths: predictor.predict(paths, batch_size=BATCH_SIZE).probabilities,
        "loop": lambda paths: _plain_loop(model, paths, size),
        "DataLoader": lambda paths: _loader_loop(model, paths, size),
    }


@torch.inference_mode()
def _plain_loop(model: Classifier, paths: list[Path], size: Size) -> np.ndarray:
    probabilities = []
    for start in range(0, len(paths), BATCH_SIZE):
        images = [decode_image(path, size) for path in paths[start : start + BATCH_SIZE]]
        probabilities.append(model(torch.from_numpy(np.stack(images))).softmax(dim=1))
    return np.asarray(torch.cat(probabilities))


class _Files(Dataset[np.ndarray]):
    def __init__(self, paths: list[Path], size: Size) -> None:
        self.paths, self.size = paths, size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> np.ndarray:
        return decode_image(self.paths[place], self.size)


@torch.inference_mode()
def _loader_loop(model: Classifier, paths: list[Path], size: Size) -> np.ndarray:
    loader = DataLoader(_Files(paths, size), batch_size=BATCH_SIZE, num_workers=NUM_WORKERS)
    return np.asarray(torch.cat([model(batch).softmax(dim=1) for batch in loader]))


def _write_images(folder: Path, size: Size, count: int) -> list[Path]:
    """Write JPEG files of coarse shapes with fine noise, about as large as photos are."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    height, width = size
    paths = [folder / f"{number:05d}.jpg" for number in range(count)]
    for path in paths:
        coarse = rng.integers(0, 256, (8, 6, 3)).astype(np.float32)
        picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        noisy = picture + rng.normal(0, 8, picture.shape)
        cv2.imwrite(str(path), np.clip(noisy, 0, 255).astype(np.uint8))
    return paths


def _write_bundle(path: Path, backbone: str, size: str) -> Size:
    """Write a bundle of one network with random weights and return its size."""
    config = _config(backbone, size)
    model = build_classifier(config, LABELS, load_pretrained=False)
    entry = MemberEntry(
        folder="members/0",
        weight=1.0,
        run="benchmark",
        trial=0,
        size=config.resize,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        metrics={},
    )
    nobody = DataEntry(source="none", fingerprint="none", num_images={}, num_people={})
    manifest = Manifest(
        created_at="",
        chosen="",
        data=nobody,
        classes=LABELS.classes,
        attributes={},
        members=(entry,),
        metrics={},
    )
    with new_bundle(path) as folder:
        (folder / entry.folder).mkdir(parents=True)
        write_json(folder / entry.folder / CONFIG, config.model_dump(mode="json"))
        save_weights(folder / entry.folder / WEIGHTS, model.state_dict())
        seal(folder, manifest, card="")
    return config.resize


def _config(backbone: str, size: str) -> TrialConfig:
    return parse_config(
        {
            "backbone/name": backbone,
            "resize": size,
            "optimizer/name": "adamw",
            "optimizer/lr": 0.001,
            "epochs": 1,
        }
    )


if __name__ == "__main__":
    main()
