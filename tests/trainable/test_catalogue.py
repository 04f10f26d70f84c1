from pathlib import Path

from trainable.catalogue import catalogue, summary

ROOT = Path(__file__).parents[2]


def test_the_readme_says_what_can_be_searched():
    assert summary() in (ROOT / "README.md").read_text()


def test_the_page_of_parts_is_what_the_parts_say():
    remedy = "write it again: python -m trainable.catalogue > docs/parts.md"
    assert (ROOT / "docs" / "parts.md").read_text() == catalogue() + "\n", remedy
