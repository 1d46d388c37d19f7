"""The gallery without a browser: components render as templates, and hold what every page must hold."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, DictLoader

from tests.gallery.site import GallerySite

TEMPLATES = Path(__file__).parents[2] / "dashboard/templates"


class Elements(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def site() -> GallerySite:
    return GallerySite()


@pytest.fixture(scope="module")
def elements(site: GallerySite) -> list[tuple[str, dict[str, str | None]]]:
    return Elements(site.page()).found


def render(site: GallerySite, source: str, **values: object) -> str:
    """A template of a few lines, in the dashboard's environment."""
    environment = site.templates.environment.overlay(
        loader=ChoiceLoader([site.templates.environment.loader, DictLoader({"few_lines.html": source})])
    )
    return environment.get_template("few_lines.html").render(values)


def test_nothing_is_styled_or_scripted_inline(elements) -> None:
    for tag, attributes in elements:
        assert "style" not in attributes, (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert tag != "style"
        if tag == "script":
            assert attributes.get("src") or attributes.get("type") == "application/json"


def test_ids_are_the_pages_only_ones_and_what_refers_to_them_finds_them(elements) -> None:
    ids = Counter(attributes["id"] for _, attributes in elements if attributes.get("id"))
    assert [one for one, times in ids.items() if times > 1] == []
    for tag, attributes in elements:
        for name in ("aria-describedby", "aria-labelledby", "for", "popovertarget", "list", "data-copy", "data-dense-chart"):
            for wanted in (attributes.get(name) or "").split():
                assert wanted in ids, (tag, name, wanted)
        href = attributes.get("href") or ""
        if href.startswith("#"):
            assert href[1:] in ids, href


def test_every_form_that_writes_carries_its_token(elements) -> None:
    forms = sum(tag == "form" and attributes.get("method") == "post" for tag, attributes in elements)
    tokens = sum(tag == "input" and attributes.get("name") == "_csrf_token" for tag, attributes in elements)
    assert tokens == forms > 3


def test_every_word_that_a_template_names_is_in_the_catalogue(site: GallerySite) -> None:
    named = {
        (path.name, key)
        for path in TEMPLATES.rglob("*.html")
        for key in re.findall(r"""\bt\(\s*["']([a-z0-9_-]+)["']\s*[,)]""", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 60
    assert [(name, key) for name, key in sorted(named) if key not in site.templates.words] == []


def test_what_people_typed_is_text_wherever_it_stands(site: GallerySite) -> None:
    evil = '"><script>alert(1)</script>'
    html = site.page(
        guild={"id": "1", "name": evil, "icon_url": None},
        viewer={"name": evil, "is_operator": False},
        members=[{"rank": 1, "name": evil, "seconds": 1, "mark": None}],
        channels=[{"channel_id": "10", "name": evil, "kind": "voice", "parent_id": None}],
        flashes=[{"tone": "bad", "text": evil}],
        dense={
            "x": [0],
            "series": [{"label": "</script>" + evil, "values": [1], "kind": "line"}],
            "label_x": "T",
            "unit": None,
        },
        slot=evil,
    )
    assert "<script>alert" not in html
    assert html.count("</script>") == len(re.findall("<script ", html))


def test_pages_that_a_viewer_may_not_open_are_not_in_the_navigation(site: GallerySite) -> None:
    from dashboard.navigation import guild_navigation  # noqa: PLC0415

    html = site.page(navigation=guild_navigation(1, 2, {"self"}))
    assert 'href="/guilds/1/members/2"' in html
    assert 'href="/guilds/1/tokens"' not in html


def test_the_page_that_is_open_is_marked_once(elements) -> None:
    (marked,) = [
        attributes
        for _, attributes in elements
        if attributes.get("aria-current") == "page" and "/guilds/" in (attributes.get("href") or "")
    ]
    assert marked["href"] == "/guilds/1/analytics"


def test_a_heading_that_sorts_links_to_the_other_way_round(site: GallerySite) -> None:
    source = (
        '{% from "components/tables.html" import data_table, cell %}'
        '{% call(row) data_table("c", [{"label": "A", "sort": "a"}, {"label": "B", "sort": "b"}], [1], url="/x?q=1&offset=50",'
        ' sort="a", descending=descending) %}{{ cell(row) }}{% endcall %}'
    )
    rising = render(site, source, descending=False)
    assert 'aria-sort="ascending"' in rising
    assert 'href="/x?q=1&amp;sort=a&amp;order=desc"' in rising
    assert 'href="/x?q=1&amp;sort=b"' in rising
    falling = render(site, source, descending=True)
    assert 'aria-sort="descending"' in falling
    assert 'href="/x?q=1&amp;sort=a"' in falling


@pytest.mark.parametrize(
    ("total", "offset", "shown"),
    [(0, 0, None), (50, 0, None), (51, 0, "1 to 50 of 51"), (51, 50, "51 to 51 of 51"), (51, 100, "None")],
)
def test_pages_are_offered_only_where_there_are_some(site: GallerySite, total: int, offset: int, shown: str | None) -> None:
    source = '{% from "components/tables.html" import pagination %}{{ pagination("/x", total, 50, offset) }}'
    html = render(site, source, total=total, offset=offset)
    if shown is None:
        assert html.strip() == ""
    else:
        assert shown in html
        assert "offset=0" not in html


def test_an_error_stands_beside_its_field_and_is_tied_to_it(site: GallerySite) -> None:
    source = '{% from "components/forms.html" import field %}{{ field("a", "A", 5, hint="why", error="too small") }}'
    html = render(site, source)
    (control,) = [attributes for tag, attributes in Elements(html).found if tag == "input"]
    assert control["aria-describedby"] == "f-a-hint f-a-error"
    assert control["aria-invalid"] == "true"
    assert 'id="f-a-error"' in html
    plain = render(site, source.replace(', error="too small"', "").replace(', hint="why"', ""))
    assert "aria-" not in plain


def test_a_channel_that_is_gone_can_be_unticked(site: GallerySite) -> None:
    source = '{% from "components/forms.html" import channel_picker %}{{ channel_picker("c", "C", channels, chosen) }}'
    channels = [{"channel_id": "5", "name": "Lobby", "kind": "voice", "parent_id": "77"}]  # its category is not seen
    boxes = [
        attributes
        for tag, attributes in Elements(render(site, source, channels=channels, chosen=["5", "9"])).found
        if tag == "input" and attributes["type"] == "checkbox"
    ]
    assert [(box["value"], "checked" in box) for box in boxes] == [("9", True), ("5", True)]  # where it is seen at once


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0 min"), (59, "0 min"), (60, "1 min"), (3599, "59 min"), (11220, "3 h 07 min")]
)
def test_what_goes_on_is_shown_in_minutes_from_the_first_as_its_script_shows_it(site: GallerySite, seconds, shown) -> None:
    source = '{% from "components/times.html" import running %}{{ running("2026-11-28T21:00:00Z", seconds) }}'
    assert re.sub("<[^>]+>", "", render(site, source, seconds=seconds)).replace("\N{NO-BREAK SPACE}", " ").strip() == shown
