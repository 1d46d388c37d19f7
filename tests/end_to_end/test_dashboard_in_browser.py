"""The dashboard in a real Chromium: the real service on SQLite with weeks of made-up life, and the simulator as Discord."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from simulator.demo_ids import demo_channel_id, demo_guild_id, demo_user_id
from tests.end_to_end.lived_in_dashboard import PATIENCE_MS, House, Visitor, pages_with_a_route, visitor
from tests.gallery.screens import RULES, SCREENSHOTS, complaints, is_wider_than_screen, photograph

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=PATIENCE_MS)

WIDTHS = (390, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOUNGE = demo_channel_id(0, 5)
BANNED, EXPIRED = demo_user_id(0, 7), demo_user_id(0, 8)
ELSEWHERE = demo_user_id(1, 3)  # a member of the second server only


async def look_at(came: Visitor, name: str) -> list[str]:
    """Everything that is wrong with the page that is open, on every screen; a picture of each is kept."""
    page, wrong = came.page, []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            await photograph(page, SCREENSHOTS / f"page-{name}-{width}-{scheme}.png")
            where = f"{name} at {width}px, {scheme}"
            rules = RULES if scheme == "light" else ["color-contrast"]  # all else is the same in the dark
            wrong += [f"{where}: {complaint}" for complaint in await complaints(page, rules)]
            if await is_wider_than_screen(page):
                wrong.append(f"{where}: scrolls sideways")
    if (headings := await page.locator("h1").count()) != 1:
        wrong.append(f"{name}: {headings} h1")
    if not (await page.title()).strip():
        wrong.append(f"{name}: no title")
    wrong += came.wrongs
    came.wrongs.clear()
    await page.set_viewport_size({"width": 1280, "height": 900})
    return wrong


async def test_who_comes_for_the_first_time_signs_in_and_out_again(stranger: Visitor, house: House) -> None:
    page = stranger.page
    assert await stranger.open(house.url) == 200
    assert await look_at(stranger, "landing") == []
    await stranger.sign_in(house.data.admin_id)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your servers")
    assert await look_at(stranger, "servers") == []
    await page.get_by_role("link", name="The Reading Room").click()
    await expect(page.get_by_role("navigation", name="Pages of this server")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert await stranger.open(house.guild()) == 401
    assert [cookie for cookie in await stranger.context.cookies() if cookie.get("name") == "auth_token"] == []


async def test_who_was_sent_to_sign_in_comes_back_to_where_they_were(stranger: Visitor, house: House) -> None:
    await stranger.sign_in(house.data.admin_id, start=house.guild("/audit"))
    assert stranger.page.url == house.guild("/audit")


async def test_who_does_not_consent_is_told_that_nothing_happened_and_can_try_again(stranger: Visitor, house: House) -> None:
    page = stranger.page
    await page.goto(f"{house.url}/auth/login")
    await stranger.consent(house.data.member_id, "Cancel")
    await expect(page.get_by_role("heading", level=1)).to_have_text("The sign-in was not finished")
    stranger.wrongs.clear()  # the console notes the status of the page itself
    assert await look_at(stranger, "declined") == []
    assert [cookie for cookie in await stranger.context.cookies() if cookie.get("name") == "auth_token"] == []
    await page.get_by_role("main").get_by_role("link", name="Sign in with Discord").click()
    await stranger.consent(house.data.member_id)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your servers")


async def test_a_session_that_expired_under_an_open_page_leads_to_sign_in_and_back(stranger: Visitor, house: House) -> None:
    await stranger.sign_in(EXPIRED)
    with closing(sqlite3.connect(house.dashboard_database, timeout=30, isolation_level=None)) as database:
        ended = database.execute("UPDATE session SET expires_at_ms = 1 WHERE user_id = ?", (EXPIRED,))
        assert ended.rowcount == 1
    await stranger.page.goto(house.guild(f"/members/{EXPIRED}"))
    await expect(stranger.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    stranger.wrongs.clear()
    assert await look_at(stranger, "expired") == []
    await stranger.page.get_by_role("main").get_by_role("link", name="Sign in with Discord").click()
    await stranger.page.wait_for_url(house.guild(f"/members/{EXPIRED}"))  # who consented before is not asked again


async def test_a_member_without_rights_has_their_own_page_and_no_other(member: Visitor, house: House) -> None:
    page = member.page
    own = house.guild(f"/members/{house.data.member_id}")
    await page.goto(house.guild())
    assert page.url == own
    links = await page.get_by_role("navigation", name="Pages of this server").get_by_role("link").all()
    offered = {await link.get_attribute("href") for link in links}
    assert offered <= {
        f"/guilds/{house.data.guild_id}/members/{house.data.member_id}",
        f"/guilds/{house.data.guild_id}/privacy",
    }
    member.wrongs.clear()
    others = [path for _, path in pages_with_a_route() if "{" in path.replace("{guild_id}", "").replace("{channel_id}", "")]
    for path in others:
        address = path.format(guild_id=house.data.guild_id, user_id=EXPIRED, channel_id=LOUNGE)
        assert await member.open(house.url + address) in {403, 404}, address
    elsewhere = f"{house.url}/guilds/{demo_guild_id(1)}/members/{ELSEWHERE}"
    assert await member.open(elsewhere) == 404
    member.wrongs.clear()


async def test_a_banned_member_is_signed_out_at_once_and_told_why(admin: Visitor, stranger: Visitor, house: House) -> None:
    await stranger.sign_in(BANNED)
    page = admin.page
    await page.goto(f"{house.url}/admin/users/{BANNED}")
    await page.get_by_label("Reason").fill("<b>Spam</b>, over and over")
    await page.get_by_role("button", name="Ban").click()
    await expect(page.get_by_text("<b>Spam</b>, over and over").first).to_be_visible()
    assert await stranger.open(house.url + "/auth/me") == 200
    assert '"authenticated":false' in (await stranger.page.content()).replace(" ", "")
    await stranger.page.goto(f"{house.url}/auth/login")
    await expect(stranger.page.get_by_role("heading", level=1)).to_have_text("This account may not sign in")
    await expect(stranger.page.get_by_text("<b>Spam</b>, over and over")).to_be_visible()
    stranger.wrongs.clear()
    assert await look_at(stranger, "banned") == []


@pytest.mark.parametrize(("name", "path"), pages_with_a_route(), ids=[name for name, _ in pages_with_a_route()])
@pytest.mark.usefixtures("member")  # who never signed in has no page among the accounts
async def test_every_page_is_sound_on_every_screen(admin: Visitor, house: House, name: str, path: str) -> None:
    address = path.format(guild_id=house.data.guild_id, user_id=house.data.member_id, channel_id=LOUNGE)
    admin.wrongs.clear()
    assert await admin.open(house.url + address) == 200
    await admin.until_whole()
    assert await look_at(admin, name) == []


async def test_without_scripts_one_signs_in_and_sets_the_time_zone(chromium_browser: Browser, house: House) -> None:
    async with visitor(chromium_browser, house, java_script_enabled=False) as plain:
        page = plain.page
        await plain.sign_in(house.data.admin_id)
        await page.goto(house.guild("/settings/general"))
        zone = page.locator("[name=timezone]")
        save = page.get_by_role("main").locator("form", has=zone).get_by_role("button").last
        await zone.fill("Mars/Olympus")
        await save.click()
        await expect(zone).to_have_attribute("aria-invalid", "true")
        await expect(zone).to_have_value("Mars/Olympus")
        await zone.fill("Asia/Tokyo")
        await save.click()
        await expect(zone).to_have_value("Asia/Tokyo")
        await expect(page.locator("[aria-invalid=true]")).to_have_count(0)
        await page.goto(house.guild("/leaderboard"))
        await expect(page.get_by_role("table").first).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_text("You are signed out.")).to_be_visible()


async def test_a_service_that_is_started_anew_under_an_open_page_knows_who_looks(member: Visitor, house: House) -> None:
    own = house.guild(f"/members/{house.data.member_id}")
    await member.page.goto(own)
    await house.stop()
    await house.start()
    assert await member.open(own) == 200
    await expect(member.page.get_by_role("heading", level=1)).to_have_text("My time")
    member.wrongs.clear()  # what a page asked for while nobody answered
