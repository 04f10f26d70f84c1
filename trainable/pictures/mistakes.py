"""The most confident mistakes as a picture: what to look at when data or labels may be wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from trainable.pictures.text import FAINT, INK, PAPER, Color, font, shortened

NUM_SHOWN, NUM_COLUMNS = 20, 5
THUMBNAIL = 140  # pixels, the longer side
TEXT_SIZE, LINE = 13, 18
MARGIN, WIDTH = 12, 224
PERCENT_WIDTH = 38
HEADING = "black: what it is; orange: what it was taken for; each with its probability"
WRONG: Color = (180, 60, 20)


@dataclass(frozen=True)
class Mistake:
    """An image taken for something else.

    Args:
        position: Its place among the images that were predicted.
        true: Number of its class.
        predicted: Number of the class it was taken for.
        probability: Probability of that class, in [0, 1].
        of_true: Probability of the true class, in [0, 1].
    """

    position: int
    true: int
    predicted: int
    probability: float
    of_true: float


def most_confident_mistakes(
    probabilities_NC: np.ndarray, labels_N: np.ndarray, num_shown: int = NUM_SHOWN
) -> list[Mistake]:
    """Return the wrong predictions of the highest probability, the highest first.

    Args:
        probabilities_NC: float32 [N, num_classes].
        labels_N: int64 [N], true classes.
        num_shown: How many at most.
    """
    predicted_N = probabilities_NC.argmax(axis=1)
    wrong = np.flatnonzero(predicted_N != labels_N)
    order = np.argsort(-probabilities_NC[wrong, predicted_N[wrong]], kind="stable")
    return [
        Mistake(
            position=int(i),
            true=int(labels_N[i]),
            predicted=int(predicted_N[i]),
            probability=float(probabilities_NC[i, predicted_N[i]]),
            of_true=float(probabilities_NC[i, labels_N[i]]),
        )
        for i in wrong[order[:num_shown]]
    ]


def draw_mistakes(
    images: Sequence[np.ndarray], mistakes: Sequence[Mistake], names: Sequence[str]
) -> np.ndarray:
    """Draw mistakes in rows of five, each with what it is and what it was taken for.

    Args:
        images: Of each mistake uint8 [H, W, 3], RGB, all of one size.
        mistakes: At least one.
        names: Names of the classes.

    Returns:
        uint8 [height, width, 3], RGB.
    """
    height, width = images[0].shape[:2]
    scale = THUMBNAIL / max(height, width)
    size = (round(width * scale), round(height * scale))
    step = size[1] + 2 * LINE + 2 * MARGIN
    top = TEXT_SIZE + 2 * MARGIN
    num_rows = -(-len(mistakes) // NUM_COLUMNS)
    sheet = Image.new("RGB", (MARGIN + NUM_COLUMNS * WIDTH, top + num_rows * step), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), HEADING, FAINT, font(TEXT_SIZE))
    for number, (image, mistake) in enumerate(zip(images, mistakes, strict=True)):
        row, column = divmod(number, NUM_COLUMNS)
        left, upper = MARGIN + column * WIDTH, top + row * step
        sheet.paste(Image.fromarray(image).resize(size), (left, upper))
        _write(draw, (left, upper + size[1]), mistake, names)
    return np.asarray(sheet)


def _write(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], mistake: Mistake, names: Sequence[str]
) -> None:
    left, top = corner
    right = left + WIDTH - 2 * MARGIN
    lines = (
        (names[mistake.true], mistake.of_true, INK),
        (names[mistake.predicted], mistake.probability, WRONG),
    )
    for number, (name, probability, color) in enumerate(lines):
        middle = top + number * LINE + LINE // 2 + 3
        short = shortened(name, TEXT_SIZE, right - left - PERCENT_WIDTH)
        draw.text((left, middle), short, color, font(TEXT_SIZE), anchor="lm")
        draw.text((right, middle), f"{probability:.0%}", FAINT, font(TEXT_SIZE), anchor="rm")
