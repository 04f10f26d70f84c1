import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from trainable.data.decode import check_image, decode_image

QUARTERS = np.array([[[250, 0, 0], [0, 250, 0]], [[0, 0, 250], [250, 250, 250]]], dtype=np.uint8)
ORANGE = (200, 100, 50)


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def four_colours(height: int = 80, width: int = 60) -> Image.Image:
    """Red and green above blue and white."""
    picture = cv2.resize(QUARTERS, (width, height), interpolation=cv2.INTER_NEAREST)
    return Image.fromarray(picture)


def corners(picture: np.ndarray) -> np.ndarray:
    """Return the colours in the middle of the four quarters, [2, 2, 3]."""
    height, width = picture.shape[:2]
    return picture[height // 4 :: height // 2, width // 4 :: width // 2][:2, :2].astype(int)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM", "AVIF"])
def test_colours_and_places_are_kept(form: str) -> None:
    options = {} if form in ("BMP", "PPM", "PNG", "TIFF") else {"quality": 95}
    data = encode(four_colours(), form, **options)
    picture = decode_image(data, (40, 30))
    assert picture.shape == (40, 30, 3)
    assert picture.dtype == np.uint8
    assert np.abs(corners(picture) - QUARTERS).max() < 25


def test_a_path_is_read_like_its_content(tmp_path: Path) -> None:
    data = encode(four_colours(), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    assert np.array_equal(decode_image(tmp_path / "a.png", (9, 7)), decode_image(data, (9, 7)))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = four_colours(80, 60)
    data = encode(stored, form, exif=exif)
    turns = {
        1: QUARTERS,
        2: np.fliplr(QUARTERS),
        3: np.rot90(QUARTERS, 2),
        4: np.flipud(QUARTERS),
        5: QUARTERS.transpose(1, 0, 2),
        6: np.rot90(QUARTERS, -1),
        7: np.rot90(QUARTERS, 2).transpose(1, 0, 2),
        8: np.rot90(QUARTERS, 1),
    }
    size = (60, 80) if orientation >= 5 else (80, 60)
    picture = decode_image(data, size)
    assert np.abs(corners(picture) - turns[orientation]).max() < 40


def test_reduced_decoding_hardly_differs_from_the_full_one() -> None:
    coarse = np.random.default_rng(0).integers(0, 255, (16, 12, 3), dtype=np.uint8)
    large = cv2.resize(coarse, (384, 512), interpolation=cv2.INTER_CUBIC)
    data = encode(Image.fromarray(large), "JPEG", quality=95)
    exact = cv2.resize(large, (96, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(decode_image(data, (128, 96)).astype(int) - exact).mean() < 1.5


def test_what_does_not_fit_the_proportions_is_cut_off_on_both_sides() -> None:
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, 40:80] = ORANGE
    picture = decode_image(encode(Image.fromarray(wide), "PNG"), (20, 20))
    assert (picture == ORANGE).all()


def framed(form: str, *, orientation: int = 1) -> bytes:
    """Four colours of 320x256 in the middle of a black picture of 512x384."""
    picture = np.zeros((512, 384, 3), np.uint8)
    picture[96:416, 64:320] = np.asarray(four_colours(320, 256))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(picture, orientation // 6)))
    return encode(stored, form, exif=exif, **({"quality": 95} if form == "JPEG" else {}))


@pytest.mark.parametrize("size", [(320, 256), (128, 96), (40, 32)])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_centre_is_all_that_is_seen_of_a_larger_image(form, size, orientation) -> None:
    data = framed(form, orientation=orientation)
    picture = decode_image(data, size, crop=(320, 256)).astype(int)
    assert picture.shape == (*size, 3)
    assert np.abs(corners(picture) - QUARTERS).max() < 25
    assert picture[[0, 0, -1, -1], [0, -1, 0, -1]].max(axis=1).min() > 150  # no black frame
    assert decode_image(data, size)[0, 0].max() < 100


def test_a_centre_is_cut_out_before_scaling_to_the_pixel() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (512, 384, 3), dtype=np.uint8)
    data = encode(Image.fromarray(picture), "PNG")
    centre = encode(Image.fromarray(picture[96:416, 64:320]), "PNG")
    assert np.array_equal(
        decode_image(data, (64, 48), crop=(320, 256)), decode_image(centre, (64, 48))
    )


def test_of_an_image_smaller_than_the_centre_all_is_seen() -> None:
    data = encode(four_colours(), "JPEG", quality=95)
    assert np.array_equal(
        decode_image(data, (40, 30), crop=(320, 256)), decode_image(data, (40, 30))
    )


def test_of_an_image_narrower_than_the_centre_only_the_height_is_cut() -> None:
    picture = np.zeros((400, 100, 3), np.uint8)
    picture[150:250] = ORANGE
    data = encode(Image.fromarray(picture), "PNG")
    assert (decode_image(data, (20, 20), crop=(100, 200)) == ORANGE).all()


@pytest.mark.parametrize(("height", "width"), [(4, 4), (1, 300), (300, 1), (8, 1000)])
def test_small_and_narrow_images_are_enlarged(height: int, width: int) -> None:
    data = encode(Image.new("RGB", (width, height), ORANGE), "PNG")
    assert (decode_image(data, (64, 48)) == ORANGE).all()


def test_images_are_grey_as_rgb() -> None:
    for form in ("JPEG", "PNG"):
        data = encode(Image.new("L", (20, 20), 77), form)
        assert (decode_image(data, (10, 10)) == 77).all()


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_of_16_bits_the_upper_8_are_kept(form: str) -> None:
    data = encode(Image.fromarray(np.full((9, 9), 0x9C40, np.uint16)), form)
    assert (decode_image(data, (9, 9)) == 0x9C).all()


def test_16_bit_colour_is_read() -> None:
    data = cv2.imencode(".png", np.full((9, 9, 3), 0x9C40, np.uint16))[1].tobytes()
    assert (decode_image(data, (9, 9)) == 0x9C).all()


def test_what_is_transparent_is_laid_over_white() -> None:
    half = Image.new("RGBA", (8, 8), (*ORANGE, 128))
    picture = decode_image(encode(half, "PNG"), (8, 8))
    assert picture[0, 0].tolist() == [227, 177, 152]
    nothing = Image.new("LA", (8, 8), (0, 0))
    assert (decode_image(encode(nothing, "PNG"), (8, 8)) == 255).all()


def test_palettes_are_looked_up_and_their_transparent_colour_is_white() -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, *ORANGE])
    assert (decode_image(encode(image, "PNG"), (8, 8)) == ORANGE).all()
    assert (decode_image(encode(image, "PNG", transparency=1), (8, 8)) == 255).all()


def test_cmyk_is_converted() -> None:
    data = encode(Image.new("RGB", (16, 16), ORANGE).convert("CMYK"), "JPEG", quality=98)
    assert np.abs(decode_image(data, (8, 8)).astype(int) - ORANGE).max() <= 3


def test_the_first_picture_of_an_animation_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (ORANGE, "black")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (decode_image(data, (8, 8)) == ORANGE).all()


def test_bytes_after_the_end_of_a_jpeg_do_not_matter() -> None:
    data = encode(four_colours(), "JPEG", quality=95)
    for trailer in (b"\x00" * 9, b"\xff\xda half another picture"):
        check_image(data + trailer)
        picture = decode_image(data + trailer, (40, 30))
        assert np.abs(corners(picture) - QUARTERS).max() < 25


def test_broken_exif_does_not_matter() -> None:
    data = encode(four_colours(), "JPEG", quality=95, exif=b"Exif\x00\x00MM nonsense")
    assert np.abs(corners(decode_image(data, (40, 30))) - QUARTERS).max() < 25


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("function", [check_image, lambda data: decode_image(data, (8, 8))])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x00" * 100, r"not an image of a known format \(JPEG, PNG"),
        (encode(four_colours(), "JPEG")[:-200], "truncated"),
        (encode(four_colours(), "JPEG")[:-2], "truncated"),
        (encode(Image.effect_noise((60, 60), 50), "PNG")[:-900], "truncated"),
        (encode(four_colours(), "WEBP")[:-30], "."),
        (encode(Image.new("F", (4, 4)), "TIFF"), r"expected 8 or 16 bits a channel, got 32"),
        (encode(Image.new("1", (10_001, 10_000)), "PNG"), r"at most 100,000,000 pixels, got 100"),
        (encode(Image.new("1", (20_000, 10_000)), "PNG"), r"at most 100,000,000 pixels, got more"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image of a known format"),
    ],
    ids=["zeros", "jpeg", "jpeg end", "png", "webp", "float", "large", "bomb", "program"],
)
def test_what_cannot_be_read_is_refused_with_the_reason(function, data, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(data)


def test_a_missing_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        decode_image(tmp_path / "a.png", (8, 8))
    (tmp_path / "b.png").touch()
    with pytest.raises(ValueError, match="the file is empty"):
        decode_image(tmp_path / "b.png", (8, 8))
