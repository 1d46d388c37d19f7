"""docs/formats.md shows what the code makes, byte by byte. Run this file as a program to write its examples anew."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.worked_examples import examples  # noqa: E402  # after the path, for the program

PAGE = ROOT / "docs/formats.md"
BLOCK = re.compile(r"(<!-- made: ([a-z0-9 ]+) -->\n```[a-z]*\n)(.*?)(```)", re.DOTALL)
WRITE_ANEW = (
    "docs/formats.md is not what the code makes: run .venv/bin/python tests/unit/test_formats_are_true.py, and read the diff"
)


def page(text: str) -> str:
    """The page with its blocks as they must be."""
    made = examples()
    return BLOCK.sub(lambda found: f"{found[1]}{made[found[2]]}\n{found[4]}", text)


def test_the_examples_are_what_the_code_makes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), WRITE_ANEW


def test_every_example_is_shown_once() -> None:
    shown = [found[2] for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]
    assert sorted(shown) == sorted(examples())
    assert PAGE.read_text(encoding="utf-8").count("<!-- made:") == len(shown)


def test_links_within_the_documents_lead_somewhere() -> None:
    for document in ("formats.md", "keys.md", "verifying.md", "transparency-log.md", "logs.md", "exports.md"):
        text = (ROOT / "docs" / document).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" in target:
                continue
            name, _, anchor = target.partition("#")
            page_text = (ROOT / "docs" / (name or document)).read_text(encoding="utf-8")
            titles = re.findall(r"^#+ (.+)$", page_text, re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in titles}
            assert not anchor or anchor in anchors, (document, target)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
