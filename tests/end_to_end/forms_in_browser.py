"""Forms as people fill them in a browser: what is refused is said at its field and kept, and both states are looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tests.end_to_end.lived_in_dashboard import PATIENCE_MS, Visitor
from tests.gallery.screens import SCREENSHOTS, complaints, is_wider_than_screen, photograph

expect.set_options(timeout=PATIENCE_MS)

# Words of a program, that no page may show.
JARGON = re.compile(r"Expected|Traceback|\bint\b|\bstr\b|<=|>=|\bnull\b|None|Error\b|_seconds")
_ONLY_A_STATUS = re.compile(r"the server responded with a status of 4[0-9]{2}")


@dataclass(frozen=True)
class Form:
    """The form of a page's main part that is sent to an address with ``path`` in it and has a field."""

    page: Page
    path: str
    has: str | None = None

    @property
    def node(self) -> Locator:
        found = self.page.locator(f'main form[method=post][action*="{self.path}"]')
        return found if self.has is None else found.filter(has=self.page.locator(self.has))

    def field(self, name: str) -> Locator:
        return self.node.locator(f"[name={name}]:not([type=hidden])")

    async def fill(self, **values: str) -> None:
        for name, text in values.items():
            await self.field(name).fill(text)

    async def send(self, **values: str) -> None:
        """Fill in and press its button; returns when the answer is there as a page."""
        await self.fill(**values)
        async with a_new_page(self.page):
            await self.node.locator("button:not([name], [type=button])").last.click()

    async def is_refused(self, name: str, typed: str | None = None) -> str:
        """The words at a field, where everything is as it must be after a refusal; ``typed`` is still there."""
        field = self.field(name).first
        await expect(field).to_be_visible()
        await expect(field).to_have_attribute("aria-invalid", "true")
        if typed is not None:
            await expect(field).to_have_value(typed)
        field_id = await field.get_attribute("id")
        assert f"{field_id}-error" in (await field.get_attribute("aria-describedby") or "").split()
        words = self.page.locator(f"[id={field_id}-error]")
        await expect(words).to_be_visible()
        await expect(self.page.locator("#errors")).to_be_focused()
        await expect(self.page.locator(f'#errors a[href="#{field_id}"]')).to_have_count(1)
        return await _said(words)

    async def group_is_refused(self, name: str) -> str:
        """The same of a group of boxes or cards, which no browser lets be invalid."""
        group, words = self.node.locator(f"fieldset#f-{name}"), self.page.locator(f"#f-{name}-error")
        await expect(words).to_be_visible()
        assert f"f-{name}-error" in (await group.get_attribute("aria-describedby") or "").split()
        await expect(self.page.locator("#errors")).to_be_focused()
        return await _said(words)


async def _said(words: Locator) -> str:
    text = (await words.inner_text()).strip()
    assert text, "an error without words"
    assert not JARGON.search(text), text
    return text


class a_new_page:  # noqa: N801  # reads as what is waited for
    """Waits until another document is there than the one it began on: what is looked for next is not the old page's."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def __aenter__(self) -> None:
        await self.page.evaluate("document.documentElement.dataset.old = 'yes'")

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await expect(self.page.locator("html:not([data-old])")).to_have_count(1)
            await self.page.wait_for_load_state("load")


async def says(page: Page, words: str | re.Pattern[str]) -> None:
    """What the last write did, where it is read out."""
    await expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


async def press(page: Page, name: str) -> None:
    """A button or a link of the main part that leads to another page."""
    found = page.get_by_role("main")
    async with a_new_page(page):
        await found.get_by_role("button", name=name, exact=True).or_(found.get_by_role("link", name=name, exact=True)).click()


async def look(came: Visitor, name: str) -> list[str]:
    """What is wrong with the page that is open, on a phone and on a desk; a picture of each is kept.

    axe judges what only a write makes of a page: a refusal, or an opened step.
    """
    page, wrong = came.page, []
    for width in (390, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        await photograph(page, SCREENSHOTS / f"form-{name}-{width}.png")
        if await is_wider_than_screen(page):
            wrong.append(f"{name} at {width}px scrolls sideways")
    if await page.locator("main :is([autofocus], .confirm[open])").count():
        wrong += [f"{name}: {complaint}" for complaint in await complaints(page)]
    wrong += [one for one in came.wrongs if not _ONLY_A_STATUS.search(one)]  # Chromium notes the status of a refused form
    came.wrongs.clear()
    return wrong
