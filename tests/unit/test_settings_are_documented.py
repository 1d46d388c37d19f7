"""docs/settings.md is the table of options, written out. Run this file as a program to write it anew."""

from __future__ import annotations

import re
from pathlib import Path

from attendance.config import OPTIONS, Option

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "settings.md"
WRITE_ANEW = (
    "docs/settings.md is not what attendance/config.py says: run .venv/bin/python tests/unit/test_settings_are_documented.py"
)

_HEAD = """\
# Settings

Written from the table `OPTIONS` of `attendance/config.py` by `tests/unit/test_settings_are_documented.py`: change the table,
not this page.

Settings are environment variables, read once at the start. Each may be given as a file instead: `NAME_FILE` holds a path, and
the file's content is the value (white space around it is dropped). Giving both is refused. A variable that is set to nothing
counts as not set. If anything is wrong, the start is refused with exit code 2 and every problem is named, one a line.
`rollcall config-dump` prints what holds and where it comes from; it hides the settings marked secret.

| setting | default | what it is for |
|---|---|---|
"""


def _row(option: Option) -> str:
    default = f"`{option.default}`" if option.default else ""
    secret = " Secret." if option.secret else ""
    return f"| `{option.name}` | {default} | {option.help}{secret} |\n"


def settings_page() -> str:
    """The page as it must be."""
    return _HEAD + "".join(_row(option) for option in OPTIONS)


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_page(), WRITE_ANEW


def test_every_option_has_a_line_of_its_own_and_a_sentence() -> None:
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)
    assert all(re.fullmatch(r"[^|\n]+[.]", option.help) for option in OPTIONS)


def test_no_other_page_names_a_setting_that_is_not_there() -> None:
    known = {option.name for option in OPTIONS} | {f"{option.name}_FILE" for option in OPTIONS}
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/*")]
    named = {name for page in pages if page.is_file() for name in re.findall(r"\bROLLCALL_[A-Z_]+\b", page.read_text("utf-8"))}
    assert named <= known


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
