"""Forms in a browser against the real service: bad input is said beside its field and changes nothing, good input is kept."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.end_to_end.lived_in_dashboard import PATIENCE_MS, House, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=PATIENCE_MS)

# Words of a program, that no page may show.
JARGON = re.compile(r"Expected|Traceback|\bint\b|\bstr\b|<=|>=|\bnull\b|None|Error\b")


class Form:
    """The form of a page's main part that has a field."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.field = page.locator(f"main form[method=post] [name={name}]:not([type=hidden])").first

    @property
    def form(self) -> Locator:
        return self.page.locator("main form[method=post]").filter(has=self.page.locator(f"#{self._id}"))

    async def find(self) -> None:
        self._id = await self.field.get_attribute("id")

    async def send(self) -> None:
        await self.form.locator("button:not([name])").last.click()

    async def is_refused(self, typed: str) -> None:
        await expect(self.field).to_have_attribute("aria-invalid", "true")
        await expect(self.field).to_have_value(typed)
        words = self.page.locator(f"#{self._id}-error")
        await expect(words).to_be_visible()
        text = await words.inner_text()
        assert text.strip(), "an error without words"
        assert not JARGON.search(text), text


async def opened(admin: Visitor, address: str, name: str) -> Form:
    assert await admin.open(address) == 200
    form = Form(admin.page, name)
    await form.find()
    return form


@pytest.mark.parametrize(
    "case",
    [
        ("/settings/fairness", "min_session_seconds", "a bit", "90"),
        ("/settings/fairness", "bridge_gap_seconds", "999999", "60"),
        ("/settings/periods", "timezone", "Mars/Olympus", "Europe/Lisbon"),
        ("/settings/general", "timezone", "Berlin", "Europe/Berlin"),
        ("/webhooks", "url", "http://192.168.1.7/hook", "https://hooks.example.org/rollcall"),
    ],
    ids=lambda case: f"{case[0]} {case[1]}",
)
async def test_a_setting_is_refused_in_words_and_then_kept(
    admin: Visitor, house: House, case: tuple[str, str, str, str]
) -> None:
    path, name, bad, good = case
    form = await opened(admin, house.guild(path), name)
    before = await form.field.input_value()
    await form.field.fill(bad)
    await form.send()
    await form.is_refused(bad)
    form = await opened(admin, house.guild(path), name)
    await expect(form.field).to_have_value(before)  # nothing was changed
    await form.field.fill(good)
    await form.send()
    await expect(admin.page.get_by_role("status").first).to_be_visible()
    form = await opened(admin, house.guild(path), name)
    await expect(form.field).to_have_value(good)
    admin.wrongs.clear()  # Chromium writes a refused form's status into the console


async def test_a_log_destination_needs_a_channel_that_is_there(admin: Visitor, house: House) -> None:
    form = await opened(admin, house.guild("/logs"), "channel")
    await admin.page.get_by_text("It is not in the list").click()
    rows = admin.page.locator("main .card, main tbody tr")
    before = await rows.count()
    await form.field.fill("no-such-channel-anywhere")
    await form.form.locator("[name=types]").first.check()
    await form.send()
    await form.is_refused("no-such-channel-anywhere")
    await admin.open(house.guild("/logs"))
    await expect(rows).to_have_count(before)
    await (await opened(admin, house.guild("/logs"), "picked")).field.select_option(label="#attendance")
    await admin.page.get_by_role("button", name="Tell this channel").click()
    await expect(admin.page.get_by_role("heading", name="attendance", exact=True)).to_be_visible()
    await expect(admin.page.locator("[name=picked] option", has_text="attendance")).to_have_count(0)  # it is told now
    admin.wrongs.clear()


async def test_an_api_token_needs_a_name_and_is_shown_once(admin: Visitor, house: House) -> None:
    form = await opened(admin, house.guild("/tokens"), "name")
    await form.field.fill("   ")
    await form.form.locator("[name=scopes]").first.check()
    await form.send()
    await form.is_refused("")
    form = await opened(admin, house.guild("/tokens"), "name")
    await form.field.fill("Weekly report")
    await form.form.locator("[name=scopes]").first.check()
    await form.send()
    secret = admin.page.locator("#new-token")
    await expect(secret).to_be_visible()
    shown = await secret.evaluate("node => node.value ?? node.textContent")
    assert len(shown.strip()) > 20
    assert await admin.open(house.guild("/tokens")) == 200
    await expect(admin.page.get_by_role("main")).to_contain_text("Weekly report")
    assert shown.strip() not in await admin.page.content()
    admin.wrongs.clear()
