"""How the report looks: the style sheet, and what all figures have in common."""

from html import escape

import plotly.graph_objects as go

INK, FAINT, GRID, PAPER = "#1b1f24", "#6b7280", "#e5e7eb", "#ffffff"
# Colours that people who see no red or no green tell apart (Okabe and Ito 2008).
BEST, SECOND, PALE = "#d55e00", "#0072b2", "#a9c9de"
STATE_COLORS = {
    "complete": SECOND,
    "pruned": "#a3a3a3",
    "failed": "#cc79a7",
    "running": "#009e73",
    "waiting": "#9ca3af",
}
STATE_SYMBOLS = {"complete": "circle", "pruned": "x-thin-open", "running": "triangle-up-open"}
STATE_WORDS = {"pruned": "stopped early"}
ROW_HEIGHT = 22  # pixels, of a line of text in a figure
MOST_TICKS = 8
LONGEST_LABEL = 28
FONT = "system-ui, sans-serif"
# In the dark, figures are turned around as a whole: their paper then is the colour of --card.
STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--faint:#5b6270;--line:#e5e7eb;--card:#fff;
 --ground:#f3f4f6;--link:#1d4ed8}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif;
 -webkit-text-size-adjust:100%}
main{max-width:1060px;margin:0 auto;padding:16px 12px 48px}
h1{font-size:1.6rem;margin:.3em 0;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:0}
h3{font-size:1rem;margin:.9em 0 .2em;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:6px 14px;margin:0 0 14px}
a{color:var(--link);text-decoration:none}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px;
 margin:0 0 14px}
p{margin:.4em 0;overflow-wrap:anywhere}
.lead{color:var(--faint);margin:0 0 .7em}
.note{color:var(--faint);font-size:.88rem}
.big{font-size:1.15rem}
.wide{overflow-x:auto}
.beside{display:flex;flex-wrap:wrap;gap:0 36px}
.beside>div{max-width:100%}
table{border-collapse:collapse;font-size:.9rem;margin:.5em 0}
th,td{padding:3px 14px 3px 0;text-align:left;vertical-align:top;
 border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}
.texts td{overflow-wrap:anywhere;min-width:6.5em}
thead th{color:var(--faint);font-weight:500}
tbody th{font-weight:500}
pre{background:var(--ground);padding:10px;border-radius:6px;white-space:pre-wrap;
 overflow-wrap:anywhere;font-size:.82rem;margin:.5em 0}
pre code{user-select:all}
summary{cursor:pointer;color:var(--link);margin:.4em 0}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:12px}
figure{margin:0;font-size:.78rem;line-height:1.35;overflow-wrap:anywhere}
figure img{width:100%;max-height:190px;object-fit:contain;background:var(--ground);display:block}
@media (max-width:600px){main{padding:8px 6px 32px}section{padding:10px}
 th,td{padding-right:9px}}
@media screen and (prefers-color-scheme:dark){
 :root{--ink:#e6e7e9;--faint:#a4a9b3;--line:#33363b;--card:#1c1c1c;--ground:#101112;
  --link:#8ab4f8}
 .plotly-graph-div{filter:invert(.89) hue-rotate(180deg)}
}
@media print{
 @page{margin:14mm}
 body{background:#fff;font-size:11px}
 main{padding:0;max-width:none}
 nav{display:none}
 section{border:0;padding:0 0 6px}
 h2,h3,.lead{break-after:avoid}
 .wide{overflow:visible;break-inside:avoid}
 .wide>div{min-width:0!important}
 details .wide,.texts{break-inside:auto}
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


def label(text: object, most: int = LONGEST_LABEL) -> str:
    """Return a text as a figure's axis shows it: cut in the middle where it is too long.

    Example:
        >>> label("swin_small_patch4_window7_224", 16)
        'swin_sma…w7_224'
    """
    whole = str(text)
    if len(whole) > most:
        whole = f"{whole[: most // 2]}…{whole[len(whole) - most // 2 + 2 :]}"
    return plain(whole)


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
