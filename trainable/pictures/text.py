"""Text in pictures: one font at any size, cut to the room that there is."""

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]
INK: Color = (35, 35, 40)
FAINT: Color = (125, 125, 135)
PAPER: Color = (255, 255, 255)
CUT = "…"


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that Pillow brings along (Latin letters), ``size`` pixels high."""
    return ImageFont.load_default(size)


def text_width(text: str, size: int) -> int:
    """Return the width of a line of text in pixels, rounded up."""
    return int(font(size).getlength(text)) + 1


def shortened(text: str, size: int, width: int) -> str:
    """Return a line that fits into ``width`` pixels, its middle left out where it must be.

    Names of classes often differ in their last word.
    """
    kept = len(text)
    short = text
    while kept > 1 and text_width(short, size) > width:
        kept -= 1
        short = text[: (kept + 1) // 2] + CUT + text[len(text) - kept // 2 :]
    return short


def upright(text: str, size: int, color: Color = INK) -> Image.Image:
    """Return a line of text that reads upwards."""
    line = Image.new("RGB", (text_width(text, size), size + 6), PAPER)
    ImageDraw.Draw(line).text((0, line.height // 2), text, color, font(size), anchor="lm")
    return line.transpose(Image.Transpose.ROTATE_90)
