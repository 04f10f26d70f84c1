"""Networks of the kinds that large searches are made of: trained, exported, predicting."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.predict import main as predict
from trainable.data.prepared import prepare_data

pytestmark = pytest.mark.slow

COLOURS = {"blue": (30, 60, 200), "green": (40, 180, 60), "red": (200, 40, 50)}
COMMON = {"optimizer/name": "adamw", "optimizer/lr": 1e-4, "batch_size": 2, "epochs": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return 18 noisy images of three colours."""
    folder = tmp_path_factory.mktemp("few")
    rng = np.random.default_rng(0)
    for label, colour in COLOURS.items():
        (folder / label).mkdir()
        for number in range(6):
            noisy = np.clip(np.array(colour) + rng.normal(0, 60, (128, 96, 3)), 0, 255)
            Image.fromarray(noisy.astype(np.uint8)).save(folder / label / f"{number}.png")
    return prepare_data(str(folder), cache_dir=tmp_path_factory.mktemp("cache"), seed=0)


@pytest.mark.parametrize(
    ("name", "resize"),
    [
        ("convnext_tiny", "128x96"),
        ("efficientnet_b2", "256x192"),
        ("densenet121", "128x96"),
        ("resnext50_32x4d", "128x96"),
    ],
)
def test_a_bundle_of_it_predicts_what_was_recorded_in_training(
    name, resize, data, tmp_path, export_one
):
    bundle, recorded = export_one(COMMON | {"backbone/name": name, "resize": resize}, data)
    out = tmp_path / "out.csv"
    assert predict([str(bundle), "--images", str(data.index.root), "--out", str(out)]) == 0
    predicted = pd.read_csv(out).set_index("path").loc[data.index.table["path"]]
    probabilities = predicted[[f"prob/{label}" for label in COLOURS]].to_numpy()
    np.testing.assert_allclose(probabilities[recorded["rows"]], recorded["probs"], atol=1e-4)
