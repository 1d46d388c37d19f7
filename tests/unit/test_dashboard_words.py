"""The catalogue and the templates agree: no key without words, no words without a use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fluent.syntax import FluentParser, ast
from jinja2 import Environment, FileSystemLoader, nodes

ROOT = Path(__file__).parents[2] / "dashboard"
CATALOGUE = ROOT / "text" / "en"
TEMPLATES = Environment(loader=FileSystemLoader(ROOT / "templates"), autoescape=True)
_KEY_LIKE = re.compile(r"[\"'`]([a-z][a-z0-9]*(?:-[a-z0-9_]+)+)[\"'`]")
_PREFIX_LIKE = re.compile(r"f\"([a-z][a-z0-9]*(?:-[a-z0-9_]+)*-)\{")


def messages() -> list[tuple[str, str]]:
    """(file, key) of every message."""
    found = []
    for path in sorted(CATALOGUE.glob("*.ftl")):
        for entry in FluentParser().parse(path.read_text(encoding="utf-8")).body:
            assert not isinstance(entry, ast.Junk), f"{path.name}: {entry.content}"
            if isinstance(entry, ast.Message):
                found.append((path.name, entry.id.name))
    return found


def asked_in_templates() -> tuple[set[str], set[str]]:
    """Keys that templates name in full, and beginnings of those they put together (``"ui-nav-" ~ key``)."""
    keys, beginnings = set(), set()
    for name in TEMPLATES.list_templates(extensions=["html"]):
        for call in TEMPLATES.parse(TEMPLATES.loader.get_source(TEMPLATES, name)[0]).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t" and call.args:
                first = call.args[0]
                if isinstance(first, nodes.Concat):
                    first = first.nodes[0]
                    assert isinstance(first, nodes.Const), f"{name}: t() of something that no test can know"
                    beginnings.add(first.value)
                elif isinstance(first, nodes.Const):
                    keys.add(first.value)
                else:
                    assert not isinstance(first, nodes.Name), f"{name}: t({first}) of something that no test can know"
    return keys, beginnings


def named_in_code() -> Iterator[str]:
    for path in ROOT.rglob("*.py"):
        yield from _KEY_LIKE.findall(path.read_text(encoding="utf-8"))


def begun_in_code() -> Iterator[str]:
    for path in ROOT.rglob("*.py"):
        yield from _PREFIX_LIKE.findall(path.read_text(encoding="utf-8"))


def test_no_key_is_there_twice():
    keys = [key for _, key in messages()]
    assert sorted(keys) == sorted(set(keys))


def test_every_key_that_templates_ask_for_has_words():
    keys, beginnings = asked_in_templates()
    known = {key for _, key in messages()}
    assert keys - known == set()
    assert [one for one in sorted(beginnings) if not any(key.startswith(one) for key in known)] == []


def test_no_words_are_there_for_nothing():
    keys, beginnings = asked_in_templates()
    used = keys | set(named_in_code())
    begun = tuple(beginnings | set(begun_in_code()))
    offered = "ui.ftl"  # what every page may say, whether one does yet or not
    found = [(file, key) for file, key in messages() if key not in used and not key.startswith(begun)]
    assert [one for one in found if one[0] != offered] == []


@pytest.mark.parametrize("kind", ["-title", ""])
def test_every_error_page_has_its_words(kind):
    from dashboard.error_pages import _OF_API, _OF_LITESTAR, PAGES  # noqa: PLC0415

    pages = {page for _, page in PAGES.values()} | set(_OF_API.values()) | set(_OF_LITESTAR.values())
    known = {key for _, key in messages()}
    assert {f"error-{page}{kind}" for page in pages | {"session-ended", "fault"}} - known == set()
