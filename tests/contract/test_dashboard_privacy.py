"""The pages of privacy: one's own, and for who manages the server anybody's, behind a confirmation by Discord."""

from __future__ import annotations

import re

import pytest

from dashboard.store.accounts import SqlAccountStore
from tests.dashboard_world import GUILD, MEMBER, come_back, form_token

PRIVACY = f"/guilds/{GUILD}/privacy"
OTHER = "81384788765712390"
OUT = {"opted_out": True, "since": "2026-11-20T10:00:00.000Z"}
ERASURE = {
    "state": "waiting",
    "requested_by": OTHER,
    "requested_at": "2026-11-28T10:00:00.000Z",
    "due_at": "2026-12-01T10:00:00.000Z",
    "ended_at": None,
    "told_at": None,
    "tell_error": "their direct messages are closed <b>",
}
RIGHTS = ["erase", "keys", "own_data", "read", "write"]


def answer(world, user_id: object, opt_out=None, erasure=None) -> None:
    world.api.answers[f"GET /members/{user_id}/opt-out"] = (200, opt_out or {"opted_out": False, "since": None})
    world.api.answers[f"GET /members/{user_id}/erase"] = (200, erasure) if erasure else (404, {"error": "none was asked for"})


def may(world, rights: list[str]) -> None:
    world.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "Europe/Berlin", "rights": rights})


@pytest.fixture
def world(dashboard):
    may(dashboard, RIGHTS)
    for user_id in (MEMBER, OTHER):
        answer(dashboard, user_id)
        for method, what in (("POST", "opt-out"), ("DELETE", "opt-out"), ("POST", "erase"), ("DELETE", "erase")):
            dashboard.api.answers[f"{method} /members/{user_id}/{what}"] = (200, {})
    dashboard.api.answers["GET /settings"] = (200, {"retention_days": 90})
    for path in ("opt-outs", "erasures"):
        dashboard.api.answers[f"GET /{path}"] = (200, {"items": [], "total": 0})
    dashboard.api.answers["GET /stats"] = (200, {"display_name": "Ada <i>"})
    return dashboard


async def confirmed(world):
    browser = await world.signed_in()
    await come_back(browser, await browser.get("/auth/confirm", params={"return_url": PRIVACY}))
    return browser


def written(world) -> list[str]:
    return [f"{method} {path.partition('/members/')[2]}" for method, path, _, _ in world.api.requests if method != "GET"]


async def test_an_ordinary_member_sees_what_is_held_and_nothing_about_others(world):
    may(world, [])
    page = await (await world.signed_in()).get(PRIVACY)
    assert page.status_code == 200
    assert all(words in page.text for words in ("Download everything", "Opt out", "Erase", "for whoever runs this server"))
    assert "Other members" not in page.text
    others = ("/settings", "/opt-outs", "/erasures")
    assert not [path for _, path, _, _ in world.api.requests if path.partition("?")[0].endswith(others)]


async def test_opting_out_and_in_again_is_a_form_and_says_so(world):
    may(world, [])
    browser = await world.signed_in()
    token = form_token(await browser.get(PRIVACY))
    assert (await browser.post(f"{PRIVACY}/opt-out")).status_code == 403
    assert not written(world)
    sent = await browser.post(f"{PRIVACY}/opt-out", data={"_csrf_token": token})
    assert (sent.status_code, sent.headers["location"]) == (303, PRIVACY)
    answer(world, MEMBER, OUT)
    page = await browser.get(PRIVACY)
    assert all(words in page.text for words in ("No sessions are recorded from now on.", "No sessions since", "20 Nov 2026"))
    await browser.post(f"{PRIVACY}/opt-in", data={"_csrf_token": token})
    assert written(world) == [f"POST {MEMBER}/opt-out", f"DELETE {MEMBER}/opt-out"]


async def test_erasing_asks_discord_again_and_says_what_goes_and_what_stays(world):
    browser = await confirmed(world)
    page = await browser.get(f"{PRIVACY}/erase")
    assert all(words in page.text for words in ("What goes", "What stays", "still verify", "72 hours"))
    world.clock.advance(11 * 60_000)
    for ask in (
        await browser.get(f"{PRIVACY}/erase"),
        await browser.post(f"{PRIVACY}/erase", data={"_csrf_token": form_token(page)}),
    ):
        assert ask.status_code == 303
        assert ask.headers["location"].startswith("/auth/confirm?")
    assert not written(world)
    await come_back(browser, await browser.get("/auth/confirm", params={"return_url": PRIVACY}))
    token = form_token(await browser.get(f"{PRIVACY}/erase"))
    assert (await browser.post(f"{PRIVACY}/erase", data={"_csrf_token": token})).status_code == 303
    assert written(world) == [f"POST {MEMBER}/erase"]


async def test_who_asks_for_their_erasure_may_leave_the_dashboard_with_it(world, sqlite_accounts_database):
    other = await world.signed_in()
    browser = await confirmed(world)
    page = await browser.get(f"{PRIVACY}/erase")
    assert re.search(r'name="account"[^>]*>', page.text)
    assert not re.search(r'name="account"[^>]* checked', page.text)  # who asks a server to forget them asked for no more
    sent = await browser.post(f"{PRIVACY}/erase", data={"_csrf_token": form_token(page), "account": "on"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/")
    assert written(world) == [f"POST {MEMBER}/erase"]
    home = await browser.get("/")
    assert "your account on this dashboard is deleted" in home.text
    for gone in (browser, other):
        assert (await gone.get("/auth/me")).json() == {"authenticated": False}
    assert await SqlAccountStore(sqlite_accounts_database).user(MEMBER) is None
    assert len(world.discord.revoked) >= 2
    # And back, to withdraw it.
    answer(world, MEMBER, erasure=ERASURE)
    assert "Withdraw it" in (await (await world.signed_in()).get(PRIVACY)).text


async def test_an_account_stays_where_the_server_refuses(world, sqlite_accounts_database):
    store = SqlAccountStore(sqlite_accounts_database)
    browser = await confirmed(world)
    token = form_token(await browser.get(f"{PRIVACY}/erase"))
    world.api.answers[f"POST /members/{MEMBER}/erase"] = (409, {"error": "no"})
    refused = await browser.post(f"{PRIVACY}/erase", data={"_csrf_token": token, "account": "on"})
    assert refused.status_code == 409
    assert await store.user(MEMBER) is not None


async def test_a_waiting_erasure_can_be_withdrawn_by_whoever_is_signed_in(world):
    answer(world, MEMBER, erasure=ERASURE)
    browser = await world.signed_in()
    world.clock.advance(11 * 60_000)  # keeping what is there needs no confirmation
    page = await browser.get(PRIVACY)
    assert "closed &lt;b&gt;" in page.text
    assert "Erase what is held of me" not in page.text
    sent = await browser.post(f"{PRIVACY}/withdraw", data={"_csrf_token": form_token(page)})
    assert (sent.status_code, written(world)) == (303, [f"DELETE {MEMBER}/erase"])


async def test_what_the_api_refuses_stands_on_the_page(world):
    answer(world, MEMBER, erasure=ERASURE)
    world.api.answers[f"DELETE /members/{MEMBER}/erase"] = (409, {"error": "the erasure has begun <i>"})
    browser = await world.signed_in()
    page = await browser.post(f"{PRIVACY}/withdraw", data={"_csrf_token": form_token(await browser.get(PRIVACY))})
    assert page.status_code == 409
    assert "the erasure has begun &lt;i&gt;" in page.text


@pytest.mark.parametrize("state", ["running", "withdrawn", "done"])
async def test_every_state_of_an_erasure_has_its_words(world, state):
    answer(world, MEMBER, erasure=ERASURE | {"state": state, "ended_at": "2026-11-28T11:00:00.000Z"})
    page = await (await world.signed_in()).get(PRIVACY)
    assert page.status_code == 200
    assert f"privacy-erasure-{state}" not in page.text
    assert "Withdraw it" not in page.text


async def test_their_own_file_is_passed_on(world):
    may(world, [])
    world.api.answers[f"GET /members/{MEMBER}/data"] = (200, {"sessions": []})
    got = await (await world.signed_in()).get(f"{PRIVACY}/data")
    assert (got.status_code, got.json()) == (200, {"sessions": []})
    assert "no-store" in got.headers["cache-control"]


async def test_a_manager_sees_whom_it_concerns_and_the_way_to_them(world):
    asked = {name: ERASURE[name] for name in ("requested_at", "due_at", "told_at", "tell_error")}
    pending = [
        {"user_id": OTHER, "display_name": "<b>Ada", "state": "waiting", "requested_by": OTHER, **asked},
        {"user_id": "13", "display_name": "13", "state": "running", "requested_by": "5", **asked},
    ]
    out = [
        {"user_id": "14", "display_name": "Grace", "since": "2026-11-20T10:00:00.000Z", "own": True},
        {"user_id": "15", "display_name": "Linus", "since": "2026-11-20T10:00:00.000Z", "own": False},
    ]
    world.api.answers["GET /erasures"] = (200, {"items": pending, "total": 2})
    world.api.answers["GET /opt-outs"] = (200, {"items": out, "total": 102})
    text = (await (await world.signed_in()).get(PRIVACY)).text
    for user_id, name in ((OTHER, "&lt;b&gt;Ada"), ("13", "13"), ("14", "Grace"), ("15", "Linus")):
        assert f'<a href="{PRIVACY}/members/{user_id}"><bdi>{name}</bdi></a>' in text
    assert "<b>Ada" not in text
    for words in ("waits", "under way", "by 5", "by themselves", "somebody who manages the server", "closed &lt;b&gt;"):
        assert words in text, words
    assert "1 to 50 of 102" in text
    assert f'href="{PRIVACY}?opt_outs=50#opted-out"' in text
    assert f'href="/guilds/{GUILD}/audit?action=opt_out.add"' in text


async def test_each_of_the_two_lists_is_paged_by_itself(world):
    world.api.answers["GET /erasures"] = (200, {"items": [], "total": 60})
    world.api.answers["GET /opt-outs"] = (200, {"items": [], "total": 160})
    page = await (await world.signed_in()).get(PRIVACY, params={"opt_outs": "100", "erasures": "50"})
    assert all(words in page.text for words in ("51 to 60 of 60", "101 to 150 of 160"))
    assert f'href="{PRIVACY}?erasures=50&amp;opt_outs=150#opted-out"' in page.text
    assert f'href="{PRIVACY}?opt_outs=100#pending"' in page.text  # the other list stays where it is
    asked = [path.partition(f"{GUILD}/")[2] for _, path, _, _ in world.api.requests]
    assert {"erasures?limit=50&offset=50", "opt-outs?limit=50&offset=100"} <= set(asked)


async def test_a_manager_finds_a_member_by_id_and_may_do_the_same_for_them(world):
    browser = await confirmed(world)
    found = await browser.get(f"{PRIVACY}/members", params={"user_id": f" {OTHER} "})
    assert found.headers["location"] == f"{PRIVACY}/members/{OTHER}"
    page = await browser.get(found.headers["location"])
    assert all(words in page.text for words in (OTHER, "Ada &lt;i&gt;", "What goes", "Opt them out"))
    token = form_token(page)
    for what in ("opt-out", "opt-in", "erase", "withdraw"):
        assert (await browser.post(f"{PRIVACY}/members/{OTHER}/{what}", data={"_csrf_token": token})).status_code == 303
    assert written(world) == [
        f"POST {OTHER}/opt-out",
        f"DELETE {OTHER}/opt-out",
        f"POST {OTHER}/erase",
        f"DELETE {OTHER}/erase",
    ]
    world.api.answers[f"DELETE /members/{OTHER}/opt-out"] = (403, {"error": "they opted out themselves"})
    refused = await browser.post(f"{PRIVACY}/members/{OTHER}/opt-in", data={"_csrf_token": token})
    assert (refused.status_code, "they opted out themselves" in refused.text) == (409, True)
    own = await browser.get(f"{PRIVACY}/members/{MEMBER}")
    assert own.headers["location"] == PRIVACY


async def test_what_is_no_id_is_refused_beside_its_field(world):
    page = await (await world.signed_in()).get(f"{PRIVACY}/members", params={"user_id": "<b>ada"})
    assert page.status_code == 422
    assert "only digits" in page.text
    assert "<b>ada" not in page.text


async def test_others_are_out_of_reach_without_the_right_and_without_a_fresh_confirmation(world):
    browser = await confirmed(world)
    token = form_token(await browser.get(PRIVACY))
    world.clock.advance(11 * 60_000)
    for rest in ("", "/data"):
        answered = await browser.get(f"{PRIVACY}/members/{OTHER}{rest}")
        assert answered.headers["location"].startswith("/auth/confirm?")
    may(world, ["read", "write"])
    world.clock.advance(60_000)
    await come_back(browser, await browser.get("/auth/confirm", params={"return_url": PRIVACY}))
    world.api.requests.clear()
    for rest in ("", "/data"):
        assert (await browser.get(f"{PRIVACY}/members/{OTHER}{rest}")).status_code == 403
    for what in ("opt-out", "opt-in", "erase", "withdraw"):
        assert (await browser.post(f"{PRIVACY}/members/{OTHER}/{what}", data={"_csrf_token": token})).status_code == 403
    assert (await browser.get(f"{PRIVACY}/members?user_id={OTHER}")).status_code == 403
    assert not [path for _, path, _, _ in world.api.requests if "/members/" in path]
