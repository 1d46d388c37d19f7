"""An open overview keeps up by itself: with members who come and go, over a restart of the service, and over being offline."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.async_api import Locator, Page, expect

from simulator.demo_ids import demo_channel_id, demo_user_id
from tests.end_to_end.lived_in_dashboard import PATIENCE_MS, House, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=PATIENCE_MS)

LOUNGE = demo_channel_id(0, 5)


@dataclass
class Overview:
    """The overview of the demo's guild, opened once and never loaded again by the test."""

    house: House
    page: Page

    async def open(self) -> None:
        await self.page.goto(self.house.guild())
        await self.is_live()
        await self.page.evaluate("window.sameDocument = true")

    async def is_live(self, state: str = "on") -> None:
        await expect(self.page.locator("[data-live-status]")).to_have_attribute("data-live-status", state)

    async def was_never_reloaded(self) -> bool:
        return bool(await self.page.evaluate("window.sameDocument === true"))

    def person(self, user_id: int) -> Locator:
        """Their name among those who are in voice."""
        return self.page.locator('[data-live-slot="voice"] .people').locator(f'a[href$="/members/{user_id}"]')

    async def move(self, user_id: int, channel_id: int | None) -> None:
        """In Discord."""
        ids = {"guild_id": str(self.house.data.guild_id), "user_id": str(user_id)}
        if channel_id is None:
            await self.house.control("world", edit="leave", **ids)
        else:
            await self.house.control("world", edit="join", channel_id=str(channel_id), **ids)


@pytest.fixture
def overview(admin: Visitor, house: House) -> Overview:
    return Overview(house, admin.page)


async def test_who_comes_moves_and_leaves_is_seen_without_loading_again(overview: Overview, admin: Visitor) -> None:
    user_id = demo_user_id(0, 31)
    await overview.move(user_id, None)
    await overview.open()
    await expect(overview.person(user_id)).to_have_count(0)
    await overview.move(user_id, LOUNGE)
    await expect(overview.person(user_id)).to_be_visible()
    card = overview.page.locator('[data-live-slot="voice"] .card')
    here = card.filter(has=overview.page.locator(f'a[href$="/members/{user_id}"]'))
    await expect(here.locator(f'a[href$="/channels/{LOUNGE}"]')).to_be_visible()
    await overview.move(user_id, None)
    await expect(overview.person(user_id)).to_have_count(0)
    assert await overview.was_never_reloaded()
    assert admin.wrongs == []


async def test_an_open_page_says_that_the_service_is_away_and_is_right_again_by_itself(
    overview: Overview, admin: Visitor, house: House
) -> None:
    came, left = demo_user_id(0, 32), demo_user_id(0, 33)
    await overview.move(came, None)
    await overview.move(left, LOUNGE)
    await overview.open()
    await expect(overview.person(left)).to_be_visible()
    await house.stop()
    await overview.is_live("off")
    await overview.move(came, LOUNGE)
    await overview.move(left, None)
    await house.start()
    await overview.is_live()
    await expect(overview.person(came)).to_be_visible()
    await expect(overview.person(left)).to_have_count(0)
    assert await overview.was_never_reloaded()
    admin.wrongs.clear()  # what could not be fetched meanwhile


async def test_a_page_that_was_offline_is_right_again_by_itself(overview: Overview, admin: Visitor) -> None:
    came = demo_user_id(0, 34)
    await overview.move(came, None)
    await overview.open()
    await expect(overview.person(came)).to_have_count(0)
    await admin.context.set_offline(offline=True)
    try:
        await overview.is_live("off")
        await overview.move(came, LOUNGE)
    finally:
        await admin.context.set_offline(offline=False)
    await overview.is_live()
    await expect(overview.person(came)).to_be_visible()
    assert await overview.was_never_reloaded()
    admin.wrongs.clear()
