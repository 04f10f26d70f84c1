import pandas as pd
import pytest

from analysis.predict import main

GRAPHS = ("onnx", "torch-export")


def predict(bundle, images, out, *options):
    assert main([str(bundle), "--images", str(images), "--out", str(out), *options]) == 0
    return pd.read_csv(out)


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("options", [[], ["--flip"], ["--batch-size", "1"], ["--batch-size", "7"]])
def test_every_format_predicts_the_same(graphs, coloured_data, tmp_path, name, options):
    photos = coloured_data.index.root / "photos"
    wanted = predict(graphs, photos, tmp_path / "a.csv", *options)
    table = predict(graphs, photos, tmp_path / "b.csv", "--format", name, *options)
    pd.testing.assert_frame_equal(table, wanted, atol=1e-4, rtol=0)
    assert wanted["prob/red"].std() > 0.001
