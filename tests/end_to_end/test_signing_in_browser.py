"""The signing key and the exports in a browser: made, locked, opened and replaced, with wrong and right passphrases."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from hashlib import sha256

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Request, expect

from attendance.cli.made_up.making import PASSPHRASE
from tests.end_to_end.forms_in_browser import Form, a_new_page, look, press, says
from tests.end_to_end.lived_in_dashboard import House, Visitor, visitor
from tests.end_to_end.processes import Api, api_of

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

WRONG = "not the passphrase of the key"


@pytest_asyncio.fixture(loop_scope="module")
async def api(house: House) -> AsyncIterator[Api]:
    """The guild's, with its key unlocked: other tests of this module leave it in whatever state they end in."""
    assert house.service is not None
    async with api_of(house.service, house.data.guild_id, house.data.admin_id) as opened:
        await opened.done("/signing/unlock", passphrase=PASSPHRASE)
        yield opened


async def at_the_keys(came: Visitor) -> None:
    assert await came.open(came.house.guild("/signing/keys")) == 200
    await expect(came.page.get_by_role("heading", level=1)).to_have_text("The signing key")


async def test_before_the_keys_discord_is_asked_again_and_nothing_is_done_by_who_was_not(
    admin: Visitor, house: House, api: Api
) -> None:
    await at_the_keys(admin)
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/oauth2/authorize?" in request.url and request.method == "GET":
            asked.append(request.url)

    admin.page.on("request", note)
    await at_the_keys(admin)
    assert asked == []  # it holds for ten minutes
    with closing(sqlite3.connect(house.dashboard_database, timeout=30, isolation_level=None)) as database:
        database.execute("UPDATE session SET authenticated_at_ms = 1 WHERE user_id = ?", (house.data.admin_id,))
    await admin.page.locator("#lock summary").click()
    await Form(admin.page, "/signing/keys/lock").send()
    await admin.consent(house.data.member_id)  # a borrowed browser
    await expect(admin.page.get_by_role("heading", level=1)).to_have_text("The sign-in was not finished")
    assert await look(admin, "confirmed-as-somebody-else") == []
    await admin.open(house.guild("/signing/keys"))
    await admin.consent(house.data.admin_id)
    await says(admin.page, "Confirmed")
    await expect(admin.page).to_have_url(house.guild("/signing/keys"))
    assert len(asked) == 2
    assert (await api.ask("/signing/status"))[1]["unlocked"] is True
    admin.page.remove_listener("request", note)


async def test_a_locked_key_is_said_on_every_page_and_opened_by_its_passphrase_only(
    admin: Visitor, house: House, api: Api
) -> None:
    page = admin.page
    await at_the_keys(admin)
    summary = page.locator("#lock summary")
    await summary.click()
    await expect(page.get_by_role("button", name="Lock the key")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(summary).to_be_focused()
    await summary.click()
    await Form(page, "/signing/keys/lock").send()
    await says(page, "The key is locked. Recording goes on")
    await expect(page.locator(".alert-title", has_text="The key is locked")).to_be_visible()
    await expect(page.get_by_text("stays locked", exact=True)).to_be_visible()
    assert await look(admin, "signing-locked") == []
    for path in ("", "/settings/general"):
        await page.goto(house.guild(path))
        await expect(page.get_by_text("Signing is locked").first).to_be_visible()
    await page.goto(house.guild("/signing"))
    await press(page, "Unlock")
    unlock = Form(page, "/signing/keys/unlock")
    await unlock.send(passphrase=WRONG)
    await unlock.is_refused("passphrase", typed="")  # a passphrase is not written into a page
    assert await look(admin, "unlock-refused") == []
    assert (await api.ask("/signing/status"))[1]["unlocked"] is False
    await unlock.send(passphrase=PASSPHRASE)
    await says(page, "The key is unlocked")
    assert await look(admin, "unlocked") == []
    await page.goto(house.guild("/settings/general"))
    await expect(page.get_by_text("Signing is locked")).to_have_count(0)


async def test_a_locked_key_is_replaced_with_its_own_passphrase_only(admin: Visitor, api: Api) -> None:
    page, before = admin.page, (await api.ask("/signing/status"))[1]["kid"]
    await api.done("/signing/lock")
    await at_the_keys(admin)
    await page.locator("#rotate summary").click()
    rotate = Form(page, "/signing/keys/rotate")
    await expect(rotate.field("current_passphrase")).to_be_focused()
    await rotate.fill(current_passphrase=WRONG, passphrase=PASSPHRASE, again=PASSPHRASE)
    await rotate.field("auto_unlock").select_option("no")
    await rotate.send()
    await rotate.is_refused("current_passphrase", typed="")
    await expect(rotate.field("auto_unlock")).to_have_value("no")
    assert await look(admin, "rotate-refused") == []
    await rotate.send(current_passphrase=PASSPHRASE, passphrase=PASSPHRASE, again=f"{PASSPHRASE}!")
    assert "not the same" in await rotate.is_refused("again")
    assert (await api.ask("/signing/status"))[1]["kid"] == before
    await rotate.field("auto_unlock").select_option("yes")  # as it was: the other tests come in any order
    await rotate.send(current_passphrase=PASSPHRASE, passphrase=PASSPHRASE, again=PASSPHRASE)
    await says(page, "The new key signs from now on")
    after = (await api.ask("/signing/status"))[1]["kid"]
    assert after != before
    await expect(page.locator("#kid")).to_have_text(after)
    rows = page.locator("#keys tbody tr")
    await expect(rows.filter(has_text=after)).to_contain_text("Signs")
    await expect(rows.filter(has_text=before)).to_contain_text("Retired")
    assert await look(admin, "rotated") == []


async def test_a_server_without_a_key_gets_one_for_a_good_passphrase(chromium_browser: Browser, house: House) -> None:
    added = await house.control("world", edit="add_guild", name="Brand New", owner_id=str(house.data.admin_id))
    guild_id = int(str(added["result"]))
    assert house.service is not None
    async with api_of(house.service, guild_id, house.data.admin_id) as api:
        await api.until("/access", lambda body: body["present"])
    async with visitor(chromium_browser, house) as owner:
        await owner.sign_in(house.data.admin_id)
        page = owner.page
        await page.goto(f"{house.url}/guilds/{guild_id}/signing")
        await expect(page.get_by_text("There is no signing key yet", exact=True)).to_be_visible()
        await press(page, "Make the key")
        generate = Form(page, "/signing/keys/generate")
        await generate.fill(passphrase="short", again="short")
        await generate.node.get_by_role("radio", name="Ask for the passphrase").check()
        await generate.send()
        assert "12" in await generate.is_refused("passphrase", typed="")
        await expect(generate.node.get_by_role("radio", name="Ask for the passphrase")).to_be_checked()
        assert await look(owner, "generate-refused") == []
        await generate.send(passphrase=PASSPHRASE, again="something else entirely")
        await generate.is_refused("again", typed="")
        await generate.send(passphrase=PASSPHRASE, again=PASSPHRASE)
        await says(page, "The key is made")
        await expect(page.get_by_text("asks for the passphrase").first).to_be_visible()
        assert await look(owner, "generated") == []


async def test_a_period_is_exported_checked_and_downloaded(admin: Visitor, house: House, api: Api) -> None:
    page = admin.page
    signed = await api.until("/signing/history", lambda body: any(one["state"] == "signed" for one in body["items"]))
    index = next(one["period_index"] for one in signed["items"] if one["state"] == "signed")
    await page.goto(house.guild("/exports"))
    async with a_new_page(page):
        await page.get_by_role("link", name=re.compile(rf"^Details Period {index}$")).click()
    download = page.get_by_role("link", name="Download", exact=True)
    await expect(download).to_be_visible()  # it is made while one looks, and comes without loading again
    assert await look(admin, "export-ready") == []
    async with page.expect_download() as coming:
        await download.click()
    path = await (await coming.value).path()
    assert sha256(path.read_bytes()).hexdigest() == await page.locator("#sha256").inner_text()
    assert (await coming.value).suggested_filename == f"rollcall-{house.data.guild_id}-{index}.tar.gz"
    assert await admin.open(house.guild("/exports/99999")) == 404
    admin.wrongs.clear()
