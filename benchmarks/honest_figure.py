"""The figure of the proof of honest numbers: how far each estimate is from the truth, as SVG."""

import math
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import pandas as pd

WIDTH, ROW, LEFT, RIGHT, TOP = 760, 34, 210, 40, 44
COLORS = {"val": "#c2570c", "crossfit": "#2a78b5", "test": "#3b8a4f"}
WORDS = {"val": "validation", "crossfit": "cross-fitted", "test": "test"}
INK, FAINT = "#444", "#bbb"
STEPS = 5
TINY = 1e-6


def bias_figure(table: pd.DataFrame) -> str:
    """Return ``bias_table`` drawn: a row an estimate, its mean error with the 90 % interval.

    Args:
        table: As ``benchmarks.honest_numbers.bias_table`` returns it.
    """
    height = TOP + ROW * len(table) + 40
    ticks = ticks_between(float(table["bias_low"].min()), float(table["bias_high"].max()))
    least, most = ticks[0], ticks[-1]
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
    parts += [_text(place(at), height - 14, f"{at:+g}", anchor="middle") for at in ticks]
    return "\n".join([*parts, "</svg>\n"])


def ticks_between(low: float, high: float) -> list[float]:
    """Return round numbers at even distances, around 0 and an interval.

    Example:
        >>> ticks_between(-0.025, 0.069)
        [-0.04, -0.02, 0.0, 0.02, 0.04, 0.06, 0.08]
        >>> ticks_between(0.2, 2.4)
        [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    """
    low, high = min(low, 0.0), max(high, 0.0)
    about = max(high - low, TINY) / STEPS
    power = 10.0 ** math.floor(math.log10(about))
    step = next(power * of for of in (1, 2, 5, 10) if power * of >= about)
    numbers = range(math.floor(low / step), math.ceil(high / step) + 1)
    return [round(number * step, 9) for number in numbers]


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
