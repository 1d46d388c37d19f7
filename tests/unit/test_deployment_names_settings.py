"""The files for a deployment set what the program reads: a name that nothing reads would be a setting that does nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attendance.config import OPTIONS

DEPLOY = Path(__file__).parents[2] / "deploy"
NAMES = {option.name for option in OPTIONS}
KNOWN = NAMES | {f"{name}_FILE" for name in NAMES}
_SET = {
    "compose.yaml": re.compile(r"^ +((?:ROLLCALL|DISCORD|API|DATABASE|ADMIN)_[A-Z_]+):", re.MULTILINE),
    "Containerfile": re.compile(r"\b(ROLLCALL_[A-Z_]+)="),
}


@pytest.mark.parametrize("file", sorted(_SET))
def test_every_variable_that_is_set_is_a_setting(file):
    named = set(_SET[file].findall((DEPLOY / file).read_text(encoding="utf-8")))
    assert named
    assert named - KNOWN == set()


def test_every_secret_that_a_container_reads_is_a_file_beside_it():
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    read = set(re.findall(r"/run/secrets/([a-z_]+)", text))
    given = set(re.findall(r"file: secrets/([a-z_]+)", text))
    guide = (DEPLOY.parent / "docs" / "operating.md").read_text(encoding="utf-8")
    assert read == given
    assert {name for name in given if f"> {name}" not in guide} == set()
