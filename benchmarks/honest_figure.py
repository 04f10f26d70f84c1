"""The figure of the proof of honest numbers: how far each estimate is from the truth, as SVG."""

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import pandas as pd

WIDTH, ROW, LEFT, RIGHT, TOP = 760, 34, 210, 40, 44
COLORS = {"val": "#c2570c", "crossfit": "#2a78b5", "test": "#3b8a4f"}
WORDS = {"val": "validation", "crossfit": "cross-fitted", "test": "test"}
INK, FAINT = "#444", "#bbb"
STEPS = 5


def bias_figure(table: pd.DataFrame) -> str:
    """Return ``bias_table`` drawn: a row an estimate, its mean error with the 90 % interval.

    Args:
        table: As ``benchmarks.honest_numbers.bias_table`` returns it.
    """
    height = TOP + ROW * len(table) + 40
    least = min(0.0, float(table["bias_low"].min()))
    most = max(0.0, float(table["bias_high"].max()))
    scale = (WIDTH - LEFT - RIGHT) / (most - least)

    def place(value: float) -> float:
        return round(LEFT + (value - least) * scale, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        _text(LEFT, 20, "Estimate less truth, macro F1: mean and its 90 % interval"),
        _line(place(0), TOP - 12, place(0), height - 36, FAINT),
    ]
    for number, row in enumerate(table.itertuples(index=False)):
        parts += _row(row, TOP + ROW * number + 12, place)
    step = (most - least) / STEPS
    for number in range(STEPS + 1):
        value = least + number * step
        parts.append(_text(place(value), height - 14, f"{value:+.3f}", anchor="middle"))
    return "\n".join([*parts, "</svg>\n"])


def _row(row: Any, y: int, place: Callable[[float], float]) -> Iterator[str]:  # noqa: ANN401
    color = COLORS[row.part]
    yield _text(LEFT - 12, y + 4, f"{row.what}, {WORDS[row.part]}", anchor="end")
    yield _line(place(row.bias_low), y, place(row.bias_high), y, color)
    yield f'<circle cx="{place(row.bias)}" cy="{y}" r="5" fill="{color}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" fill="{INK}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, color: str) -> str:
    ends = f'x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"'
    return f'<line {ends} stroke="{color}" stroke-width="2"/>'
