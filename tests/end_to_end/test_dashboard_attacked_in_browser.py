"""The dashboard under attack: other sites, planted cookies, other people's pages, and names that want to be more than names."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import jwt
import pytest
from playwright.async_api import APIResponse, Browser, expect

from simulator.demo_ids import demo_channel_id, demo_guild_id, demo_user_id
from tests.end_to_end.lived_in_dashboard import PATIENCE_MS, House, Visitor, visitor
from tests.end_to_end.processes import SECRET

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=PATIENCE_MS)

LOUNGE = demo_channel_id(0, 5)
HOSTILE = '<img src=x onerror="document.title=`owned`">\u202e\u200b</script>'


async def cookie_of(came: Visitor, name: str) -> str:
    return next(str(cookie["value"]) for cookie in await came.context.cookies() if cookie["name"] == name)


async def post(came: Visitor, path: str, **form: str) -> APIResponse:
    """A form of this session, by whoever has its cookies."""
    return await came.context.request.post(came.house.guild(path), form=form, max_redirects=0, timeout=PATIENCE_MS)


async def test_signing_in_leads_to_no_other_site(member: Visitor, house: House) -> None:
    for trap in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        f"{house.url}@evil.example",
    ):
        answer = await member.context.request.get(f"{house.url}/auth/login", params={"return_url": trap}, timeout=PATIENCE_MS)
        assert answer.url == f"{house.url}/", trap  # who consented before is back at once


async def test_a_planted_session_is_worth_nothing_after_signing_in(chromium_browser: Browser, house: House) -> None:
    async with visitor(chromium_browser, house) as attacker, visitor(chromium_browser, house) as victim:
        await attacker.sign_in(demo_user_id(0, 9))
        planted = await cookie_of(attacker, "auth_token")
        await victim.context.add_cookies([{"name": "auth_token", "value": planted, "url": house.url, "httpOnly": True}])
        await victim.page.goto(f"{house.url}/auth/login?account=choose")
        await victim.consent(house.data.member_id)
        await expect(victim.page.get_by_role("heading", level=1)).to_have_text("Your servers")
        assert await cookie_of(victim, "auth_token") != planted
        assert await attacker.open(house.guild(f"/members/{house.data.member_id}")) == 401  # their own has ended with it


async def test_cookies_and_headers_keep_scripts_frames_and_caches_out(member: Visitor, house: House) -> None:
    for cookie in await member.context.cookies():
        if not cookie["name"].startswith("simulated"):
            assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/"), cookie["name"]
    answer = await member.context.request.get(house.guild(f"/members/{house.data.member_id}"), timeout=PATIENCE_MS)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_no_token_of_one_side_is_anybody_at_the_other(member: Visitor, house: House) -> None:
    """Neither the dashboard's cookie at the API, nor the API's token at the dashboard."""
    cookie = await cookie_of(member, "auth_token")
    api = f"{house.api_url}/api/v1/guilds/{house.data.guild_id}/access"
    for headers in ({"Authorization": f"Bearer {cookie}"}, {"Cookie": f"auth_token={cookie}"}):
        async with house.http.get(api, headers=headers) as answer:
            assert answer.status == 401
    claims = {"user_id": str(house.data.admin_id), "guild_id": str(house.data.guild_id), "exp": int(time.time()) + 50}
    internal = jwt.encode(claims, SECRET, algorithm="HS256")
    for headers in ({"Authorization": f"Bearer {internal}"}, {"Cookie": f"auth_token={internal}"}):
        async with house.http.get(f"{house.url}/auth/permissions", headers=headers) as answer:
            assert answer.status == 401


async def test_a_write_without_the_forms_token_or_from_another_site_changes_nothing(admin: Visitor, house: House) -> None:
    await admin.page.goto(house.guild("/tokens"))
    token = await admin.page.locator("input[name=_csrf_token]").first.input_value()
    assert (await post(admin, "/tokens", name="forged", scopes="read")).status == 403
    assert (await post(admin, "/tokens", name="forged", scopes="read", _csrf_token="a" * len(token))).status == 403
    answer = await admin.context.request.post(
        house.guild("/tokens"),
        form={"name": "forged", "scopes": "read", "_csrf_token": token},
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        timeout=PATIENCE_MS,
    )
    assert answer.status == 403
    await admin.page.reload()
    await expect(admin.page.get_by_text("forged")).to_have_count(0)


async def test_nobody_sees_or_changes_what_is_anothers(member: Visitor, house: House) -> None:
    """By ids in addresses: another member's pages, another server's, and the writes of whoever manages them."""
    other, elsewhere = demo_user_id(0, 8), f"{house.url}/guilds/{demo_guild_id(1)}"
    get = member.context.request.get
    for path in (f"/members/{other}", f"/members/{other}/timeline", f"/members/{other}/timeline.csv", "/leaderboard", "/audit"):
        assert (await get(house.guild(path), timeout=PATIENCE_MS)).status in {403, 404}, path
    for path in ("", "/leaderboard", f"/members/{demo_user_id(1, 3)}", f"/members/{house.data.member_id}"):
        assert (await get(elsewhere + path, timeout=PATIENCE_MS)).status == 404, path
    for path in ("/admin/users", "/admin/roles", "/admin/activity", f"/admin/users/{house.data.admin_id}"):
        assert (await get(house.url + path, timeout=PATIENCE_MS)).status == 403, path
    await member.page.goto(house.guild(f"/members/{house.data.member_id}"))
    token = await member.page.locator("input[name=_csrf_token]").first.input_value()
    for path, form in {
        "/settings/general": {"timezone": "Asia/Tokyo"},
        "/logs": {"channel": str(LOUNGE), "types": "signing"},
        "/tokens": {"name": "mine", "scopes": "read"},
    }.items():
        assert (await post(member, path, _csrf_token=token, **form)).status in {403, 404}, path
    async with house.http.get(f"{house.url}/auth/me") as answer:
        assert await answer.json() == {"authenticated": False}


async def test_names_that_are_script_stay_names(admin: Visitor, house: House) -> None:
    guild_id = str(house.data.guild_id)
    await house.control("world", edit="update_channel", channel_id=str(LOUNGE), name=HOSTILE)
    await house.control("world", edit="update_guild", guild_id=guild_id, name=HOSTILE)
    await house.control("world", edit="create_role", guild_id=guild_id, name=HOSTILE)
    added = await house.control("world", edit="add_member", guild_id=guild_id, name=HOSTILE)
    user_id = str(added["result"])
    await house.control("world", edit="join", guild_id=guild_id, user_id=user_id, channel_id=str(LOUNGE))
    admin.wrongs.clear()
    for path in (
        "",
        "/leaderboard?search=onerror",
        f"/members/{user_id}",
        f"/channels/{LOUNGE}",
        "/settings",
        "/settings/panel",
    ):
        await shown_as_text(admin, house.guild(path))
        assert await admin.page.title() != "owned", path
        assert await admin.page.locator("img[src=x]").count() == 0, path
    assert [wrong for wrong in admin.wrongs if "Security Policy" in wrong] == []


async def shown_as_text(came: Visitor, address: str) -> None:
    """Open a page until the name stands on it, letter by letter: names are known to the service a moment after Discord."""
    shown = ""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while True:
                assert await came.open(address) == 200, address
                shown = await came.page.locator("main").inner_text()
                if "<img src=x onerror=" in shown:
                    return
    pytest.fail(f"{address} does not show the name:\n{shown}")
