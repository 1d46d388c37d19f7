"""The screens that pages are looked at on: phone and desk, light and dark."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, Page

AXE = Path(__file__).parents[2] / "dashboard/assets/node_modules/axe-core/axe.min.js"
SCREENSHOTS = Path(__file__).parents[2] / "target/screenshots"  # where tests leave what a person should look at
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class Screen:
    """A width in CSS pixels and what its owner prefers."""

    name: str
    width: int
    scheme: Literal["light", "dark"]

    async def open(self, browser: Browser, url: str, **options: Any) -> Page:
        """A page in a context of its own; closing the context is the caller's."""
        context = await browser.new_context(
            viewport={"width": self.width, "height": 900}, color_scheme=self.scheme, reduced_motion="reduce", **options
        )
        page = await context.new_page()
        await page.goto(url)
        return page


SCREENS = (
    Screen("phone-light", 360, "light"),
    Screen("phone-dark", 360, "dark"),
    Screen("desk-light", 1280, "light"),
    Screen("desk-dark", 1280, "dark"),
)


async def photograph(page: Page, path: Path) -> None:
    """The whole page, however long."""
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    await page.screenshot(path=path, full_page=True)


async def complaints(page: Page, rules: Sequence[str] = RULES) -> list[str]:
    """What axe finds wrong by these rules or sets of rules, one line a node."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))  # the policy lets no script tag in; the debugger may
    found = await page.evaluate("rules => axe.run(document, {runOnly: rules})", list(rules))
    return [f"{fault['id']}: {node['target']} {node['html'][:160]}" for fault in found["violations"] for node in fault["nodes"]]


async def is_wider_than_screen(page: Page) -> bool:
    """Whether the page itself scrolls sideways."""
    return bool(await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
