"""How the report looks: the style sheet, and what all figures have in common."""

from html import escape

import plotly.graph_objects as go

INK, FAINT, GRID, PAPER = "#1b1f24", "#6b7280", "#e5e7eb", "#ffffff"
BEST, SECOND = "#c2410c", "#1d4ed8"
STATE_COLORS = {
    "complete": "#15803d",
    "pruned": "#a3a3a3",
    "failed": "#dc2626",
    "running": "#2563eb",
    "waiting": "#9ca3af",
}
STATE_WORDS = {"pruned": "stopped early"}
ROW_HEIGHT = 22  # pixels, of a line of text in a figure
MOST_TICKS = 8
FONT = "system-ui, sans-serif"
STYLE = """
*{box-sizing:border-box}
body{margin:0;background:#f3f4f6;color:#1b1f24;font:15px/1.5 system-ui,sans-serif}
main{max-width:1060px;margin:0 auto;padding:16px 12px 48px}
h1{font-size:1.6rem;margin:.3em 0;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:0 0 .5em}
h3{font-size:1rem;margin:.9em 0 .2em}
nav{display:flex;flex-wrap:wrap;gap:4px 14px;margin:0 0 14px}
a{color:#1d4ed8;text-decoration:none}
section{background:#fff;border:1px solid #e5e7eb;border-radius:8px;padding:14px 16px;
 margin:0 0 14px}
p{margin:.4em 0;overflow-wrap:anywhere}
.note{color:#6b7280;font-size:.88rem}
.big{font-size:1.15rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;margin:.5em 0}
th,td{padding:3px 14px 3px 0;text-align:left;vertical-align:top;border-bottom:1px solid #e5e7eb;
 font-variant-numeric:tabular-nums}
thead th{color:#6b7280;font-weight:500}
tbody th{font-weight:500}
pre{background:#f3f4f6;padding:10px;border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere;
 font-size:.82rem;margin:.5em 0}
summary{cursor:pointer;color:#1d4ed8;margin:.4em 0}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:12px}
figure{margin:0;font-size:.78rem;line-height:1.35;overflow-wrap:anywhere}
figure img{width:100%;max-height:190px;object-fit:contain;background:#f3f4f6;display:block}
@media (max-width:600px){main{padding:8px 6px 32px}section{padding:10px}}
@media print{
 @page{margin:14mm}
 body{background:#fff;font-size:11px}
 main{padding:0;max-width:none}
 nav{display:none}
 section{border:0;padding:0 0 6px}
 h2,h3{break-after:avoid}
 .wide{overflow:visible;break-inside:avoid}
 .wide>div{min-width:0!important}
 tr,figure{break-inside:avoid}
 .pictures{grid-template-columns:repeat(5,1fr)}
}
"""


def plain(text: object) -> str:
    """Return a text as figures show it: plotly reads some tags and entities of HTML.

    Example:
        >>> plain("<b>R&D</b>")
        '&lt;b&gt;R&amp;D&lt;/b&gt;'
    """
    return escape(str(text), quote=False)


def new_figure(*, height: int) -> go.Figure:
    """Return an empty figure, as wide as its place.

    Args:
        height: In pixels.
    """
    drawn = go.Figure()
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"}
    drawn.update_layout(
        template="none",
        height=height,
        autosize=True,
        margin={"l": 8, "r": 12, "t": 30, "b": 8},
        font={"family": FONT, "size": 12, "color": INK},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        legend=legend,
        hovermode="closest",
        hoverlabel={"align": "left"},
        dragmode=False,  # a finger on a figure scrolls the page
    )
    drawn.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True, title_standoff=6)
    drawn.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True, title_standoff=6)
    return drawn


def with_rows(drawn: go.Figure, labels: list[str]) -> go.Figure:
    """Name the rows of a figure whose y counts them from 0 on top; labels are escaped already."""
    drawn.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=labels,
        range=[len(labels) - 0.5, -0.5],
        showgrid=False,
    )
    return drawn


def rows_height(num_rows: int) -> int:
    """Return the height of a figure of so many lines of text, in pixels."""
    return 90 + ROW_HEIGHT * num_rows


def state_words(state: str) -> str:
    """Return a state as readers know it."""
    return STATE_WORDS.get(state, state)


def whole_step(most: int) -> int:
    """Return the distance between ticks at whole numbers up to one.

    Example:
        >>> whole_step(4), whole_step(30)
        (1, 4)
    """
    return -(-most // MOST_TICKS)
