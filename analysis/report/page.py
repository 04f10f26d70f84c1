"""The page: HTML of headings, tables and figures in which every text is escaped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

from analysis.report.style import STYLE

CONFIG = {"responsive": True, "displaylogo": False, "displayModeBar": False}
# A browser prints figures as wide as they are on screen: they are set to the paper's width first.
PRINTING = """
const figures = () => document.querySelectorAll('.plotly-graph-div');
addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
  for (const figure of figures()) {
    const width = figure.closest('.wide').firstElementChild.style.width;
    const most = width.endsWith('px') ? Math.min(parseInt(width), 680) : 680;
    Plotly.relayout(figure, {autosize: false, width: most});
  }
});
addEventListener('afterprint', () => {
  for (const figure of figures()) Plotly.relayout(figure, {autosize: true, width: null});
});
"""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        name: Its place in the address, such as ``cost``.
        title: Its heading.
        lead: What there is to see, a sentence or two.
        blocks: Its content, pieces of HTML.
    """

    name: str
    title: str
    lead: str
    blocks: tuple[str, ...]


def paragraph(text: str, *, kind: str = "") -> str:
    """Return a paragraph; ``kind`` is a class of the style sheet.

    Example:
        >>> paragraph("a < b", kind="note")
        '<p class="note">a &lt; b</p>'
    """
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def subtitle(text: str) -> str:
    """Return a heading within a section."""
    return f"<h3>{escape(text)}</h3>"


def code(text: str) -> str:
    """Return a command or the like, to be copied."""
    return f"<pre><code>{escape(text)}</code></pre>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "") -> str:
    """Return a table of texts; the first column names the rows.

    Args:
        header: Names of the columns.
        rows: The rows.
        kind: A class of the style sheet: ``texts`` for long ones, which are broken into lines.
    """
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(_row(row) for row in rows)
    inner = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="{f"wide {kind}".strip()}">{inner}</div>'


def _row(row: Sequence[str]) -> str:
    first, *others = (escape(cell) for cell in row)
    return f"<tr><th>{first}</th>{''.join(f'<td>{cell}</td>' for cell in others)}</tr>"


def folded(summary: str, block: str) -> str:
    """Return a block that is open only on demand, and in print."""
    return f"<details><summary>{escape(summary)}</summary>{block}</details>"


def as_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the table that a figure shows, to be unfolded below it."""
    return folded("As a table", table(header, rows))


def picture(jpeg_base64: str, *, captions: Sequence[str]) -> str:
    """Return a picture with lines of text below."""
    image = f'<img alt="" src="data:image/jpeg;base64,{jpeg_base64}">'
    lines = "<br>".join(escape(caption) for caption in captions)
    return f"<figure>{image}<figcaption>{lines}</figcaption></figure>"


def pictures(blocks: Iterable[str]) -> str:
    """Return pictures side by side, as many in a row as there is room for."""
    return f'<div class="pictures">{"".join(blocks)}</div>'


def beside(blocks: Iterable[str]) -> str:
    """Return blocks side by side where there is room."""
    return f'<div class="beside">{"".join(f"<div>{block}</div>" for block in blocks)}</div>'


def figure(
    drawn: go.Figure, name: str, *, least_width: int = 0, most_width: int | None = None
) -> str:
    """Return a figure as HTML.

    Args:
        drawn: The figure.
        name: Unique on the page.
        least_width: In pixels; on a narrower screen it is scrolled sideways.
        most_width: In pixels; None for all the room there is.
    """
    html = plotly.io.to_html(
        drawn, full_html=False, include_plotlyjs=False, config=CONFIG, div_id=f"figure-{name}"
    )
    width = "100%" if most_width is None else f"{most_width}px"
    style = f"min-width:{least_width}px;width:{width};max-width:100%"
    return f'<div class="wide"><div style="{style}">{html}</div></div>'


def page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Return the whole page, everything that it needs within it."""
    links = " ".join(f'<a href="#{s.name}">{escape(s.title)}</a>' for s in sections)
    body = "".join(
        f'<section id="{s.name}"><h2>{escape(s.title)}</h2>{paragraph(s.lead, kind="lead")}'
        f"{''.join(s.blocks)}</section>\n"
        for s in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head>\n<body><main>"
        f"<h1>{escape(title)}</h1><p>{escape(subtitle)}</p><nav>{links}</nav>\n{body}"
        f"</main><script>{PRINTING}</script></body></html>\n"
    )
