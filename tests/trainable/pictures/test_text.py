import numpy as np

from trainable.pictures.text import shortened, text_width, upright


def test_a_name_that_fits_stays():
    assert shortened("worn", 14, 200) == "worn"


def test_of_a_long_name_both_ends_stay():
    short = shortened("incorrect_female_30to59", 14, 100)
    assert short.startswith("incor")
    assert short.endswith("59")
    assert "…" in short
    assert text_width(short, 14) <= 100


def test_upright_text_is_as_high_as_the_line_is_long():
    picture = upright("predicted", 14)
    assert picture.height == text_width("predicted", 14)
    assert np.asarray(picture).min() < 100
