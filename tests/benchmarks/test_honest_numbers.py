from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from benchmarks.honest_figure import bias_figure
from benchmarks.honest_numbers import bias_table, gain_table, mean_interval

SVG = "{http://www.w3.org/2000/svg}"


def rows_of(estimates, truth):
    """Return rows with the same estimates everywhere, and intervals of 0.1 to either side."""
    rows = {}
    for what in ("best member", "ensemble"):
        rows[f"{what}/truth"] = truth
        for part in ("val", "crossfit", "test"):
            values = np.array(estimates) + (0.3 if part == "val" else 0)
            rows |= {f"{what}/{part}": values}
            rows |= {f"{what}/{part}/low": values - 0.1, f"{what}/{part}/high": values + 0.1}
    return pd.DataFrame(rows)


def test_bias_and_coverage_worked_out_by_hand():
    """Errors -0.05, 0.05 and 0.15: mean 0.05, deviation 0.1, t quantile of 2 degrees 2.92."""
    rows = rows_of([0.45, 0.55, 0.65], [0.5, 0.5, 0.5])
    table = bias_table(rows).set_index(["what", "part"])
    honest = table.loc[("ensemble", "test")]
    assert honest["bias"] == pytest.approx(0.05)
    assert honest["spread"] == pytest.approx(0.1)
    assert honest["bias_high"] - honest["bias"] == pytest.approx(2.92 * 0.1 / 3**0.5, rel=1e-3)
    assert honest["coverage"] == pytest.approx(2 / 3)
    assert table.loc[("best member", "val"), "bias"] == pytest.approx(0.35)
    assert table.loc[("best member", "val"), "coverage"] == 0


def test_gain_worked_out_by_hand():
    rows = rows_of([0.5, 0.6], [0.5, 0.6])
    rows["ensemble/truth"] += [0.02, -0.01]
    table = gain_table(rows).set_index("on")
    assert table.loc["truth", "gain"] == pytest.approx(0.005)
    assert table.loc["truth", "share_better"] == 0.5
    assert table.loc["test", "gain"] == 0
    assert table.loc["truth", "gain_low"] < 0 < table.loc["truth", "gain_high"]


def test_the_figure_has_a_point_and_a_bar_for_each_estimate_where_its_error_is():
    rows = rows_of([0.45, 0.55, 0.65], [0.5, 0.5, 0.5])
    table = bias_table(rows)
    drawn = ET.fromstring(bias_figure(table))
    points = [float(circle.get("cx")) for circle in drawn.iter(f"{SVG}circle")]
    zero, *bars = list(drawn.iter(f"{SVG}line"))
    assert len(points) == len(bars) == len(table)
    for point, bar, row in zip(points, bars, table.itertuples(), strict=True):
        assert float(bar.get("x1")) <= point <= float(bar.get("x2"))
        assert (point > float(zero.get("x1"))) == (row.bias > 0)
    labels = [text.text for text in drawn.iter(f"{SVG}text")]
    assert "best member, validation" in labels
    assert "ensemble, cross-fitted" in labels


def test_the_interval_of_a_single_search_is_missing():
    assert np.isnan(mean_interval(pd.Series([0.5]))).all()
