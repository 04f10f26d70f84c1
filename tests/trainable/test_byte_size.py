import re

import pytest

from trainable.byte_size import normal_size, num_bytes, size_text


@pytest.mark.parametrize(
    ("text", "normal", "size"),
    [
        ("20GiB", "20GiB", 20 * 2**30),
        ("500MB", "500MB", 500_000_000),
        ("1.5TiB", "1.5TiB", 3 * 2**39),
        ("20 gib", "20GiB", 20 * 2**30),
        ("64kb", "64KB", 64_000),
        (".5MiB", ".5MiB", 2**19),
    ],
)
def test_sizes_have_binary_or_decimal_units(text, normal, size):
    assert normal_size(text) == normal
    assert num_bytes(text) == num_bytes(normal) == size


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("20", "Did you mean 20GiB or 20GB?"),
        ("20G", "Did you mean 20GiB or 20GB?"),
        ("1.5t", "Did you mean 1.5TiB or 1.5TB?"),
        ("20GBs", "Did you mean 20GB?"),
        ("20Gibs", "Did you mean 20GiB?"),
        ("20 miles", None),
        ("much", None),
        ("0GiB", None),
        ("-1GiB", None),
        ("1.2.3GiB", None),
        ("GiB", None),
        ("٣GiB", None),
    ],
)
def test_what_is_no_size_is_answered_with_the_units(text, question):
    units = "Units: KiB, MiB, GiB, TiB, PiB (steps of 1024), KB, MB, GB, TB, PB (steps of 1000)."
    start = "" if question is None else f"{question} "
    with pytest.raises(ValueError, match=f"^{re.escape(start + units)}$"):
        num_bytes(text)


@pytest.mark.parametrize("size", [0, 1, 1023, 2**20, 2**20 + 1, 123_456_789, 10**12, 2**50 * 7])
def test_a_size_that_is_shown_can_be_given_and_is_no_smaller(size):
    text = size_text(size)
    if size:
        assert size <= num_bytes(text) <= size * 1.01 + 11
