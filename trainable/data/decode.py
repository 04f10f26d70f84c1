"""From the bytes of an image file to RGB pixels of a wanted size."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

# To be raised with every change of the pixels that decode_image gives: caches are kept by it.
DECODER_VERSION = 1
MAX_PIXELS = 100_000_000
# Named, since Pillow also reads formats that run other programs (EPS) or are no pictures.
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "PPM", "AVIF")
ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
FIRST_LYING = 5  # EXIF orientations 5 to 8 swap width and height
REDUCTIONS = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}
START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
# What Pillow's decoders raise for files that are not as they should be.
BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, RuntimeError)
UNREADABLE = (*BROKEN, struct.error, zlib.error, MemoryError, Image.DecompressionBombError)

Size = tuple[int, int]

# Pillow warns at 89 million pixels on stderr; here MAX_PIXELS decides, with an error.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)
# Nor of EXIF data that it cannot read: the image is what matters.
warnings.filterwarnings("ignore", module=r"PIL\.")


def decode_image(source: Path | bytes, size: Size, *, crop: Size | None = None) -> np.ndarray:
    """Decode an image, scale it until it covers the size, and cut out its centre.

    EXIF rotation is applied; grey, palette and CMYK become RGB; of 16 bits the upper 8 are kept;
    what is transparent is laid over white; of an animation the first picture is taken. JPEG is
    decoded at a half, quarter or eighth where that still is no smaller than the size.

    Args:
        source: Path or content of an image file.
        size: Height and width in pixels.
        crop: Height and width in pixels of the image's own centre, which alone is scaled; of an
            image that is smaller, what there is.

    Returns:
        uint8 [height, width, 3], RGB.

    Raises:
        ValueError: If the image cannot be read; the text is the reason, without the path.
    """
    data = source if isinstance(source, bytes) else read_file(source)
    image = _open(data)
    picture, reduction = _decode_jpeg(data, image, size, crop=crop) or (_decode_any(image), 1)
    if crop is not None:
        picture = _centre(picture, crop[0] / reduction, crop[1] / reduction)
    return _scaled(picture, size)


def check_image(data: bytes) -> None:
    """Check cheaply that an image can be decoded to its end.

    Raises:
        ValueError: If it cannot; the text is the reason.
    """
    image = _open(data)
    image.draft(None, (image.width // 8, image.height // 8))  # only JPEG can, others pass over it
    _load(image)


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        ValueError: If it cannot be read or is empty; the text is the reason, without the path.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(error.strerror or "cannot be read") from error
    if not data:
        raise ValueError("the file is empty")
    return data


def _open(data: bytes) -> Image.Image:
    """Read the header."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ValueError(_too_large("more")) from error
    except UnidentifiedImageError as error:
        raise ValueError(f"not an image of a known format ({', '.join(FORMATS)})") from error
    except UNREADABLE as error:
        raise ValueError(str(error)) from error
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(_too_large(f"{image.width} x {image.height}"))
    if image.mode in ("I", "F"):
        raise ValueError(f"expected 8 or 16 bits a channel, got 32 (mode {image.mode})")
    return image


def _too_large(got: str) -> str:
    return f"expected at most {MAX_PIXELS:,} pixels, got {got}"


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except UNREADABLE as error:
        raise ValueError(str(error) or "cannot be decoded") from error


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) where the file says none that can be read."""
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except UNREADABLE:
        return 1
    return orientation if orientation in UPRIGHT else 1


def _decode_jpeg(
    data: bytes, image: Image.Image, size: Size, *, crop: Size | None
) -> tuple[np.ndarray, int] | None:
    """Return the picture and how many times smaller it is, or None where this way does not do.

    What is kept of it, its centre or all, is no smaller than the size.

    OpenCV fills what a truncated file lacks with grey and says nothing, so that files without a
    clear end are left to Pillow.
    """
    plain = image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB")
    if not plain or data.rfind(END_OF_IMAGE) < data.rfind(START_OF_SCAN):
        return None
    width, height = image.size[::-1] if _orientation(image) >= FIRST_LYING else image.size
    if crop is not None:
        height, width = min(height, crop[0]), min(width, crop[1])
    room = min(height / size[0], width / size[1])
    reduction = max((factor for factor in REDUCTIONS if factor <= room), default=1)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), REDUCTIONS[reduction])
    return None if picture is None else (cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), reduction)


def _decode_any(image: Image.Image) -> np.ndarray:
    """Return the picture as RGB in its full size."""
    _load(image)
    if (orientation := _orientation(image)) in UPRIGHT:
        image = image.transpose(UPRIGHT[orientation])
    if image.mode.startswith("I;16"):
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return np.stack([grey] * 3, axis=2)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))


def _centre(picture: np.ndarray, wanted_height: float, wanted_width: float) -> np.ndarray:
    """Cut out the centre of this height and width, at most the whole picture."""
    height, width = picture.shape[:2]
    cut_height = max(1, min(height, round(wanted_height)))
    cut_width = max(1, min(width, round(wanted_width)))
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    return picture[top : top + cut_height, left : left + cut_width]


def _scaled(picture: np.ndarray, size: Size) -> np.ndarray:
    """Cut out the largest centred part with the size's proportions and scale it to the size."""
    height, width = picture.shape[:2]
    cut = _centre(picture, width * size[0] / size[1], height * size[1] / size[0])
    interpolation = cv2.INTER_AREA if cut.shape[0] >= size[0] else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(cut), size[::-1], interpolation=interpolation)
