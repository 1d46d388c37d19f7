"""Signing in by Discord: the way there and back, what the cookie is good for, and how it ends."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from httpx import ASGITransport, AsyncClient

from dashboard.domain.activity import Action, Activity
from dashboard.domain.ids import UserId
from dashboard.domain.sessions import IDLE_MS, SESSION_MS
from dashboard.domain.users import Ban
from dashboard.security.cookies import MOST_FLOWS
from dashboard.store.accounts import SqlAccountStore
from tests.dashboard_world import (
    API_SECRET,
    GUILD,
    MEMBER,
    OPERATOR,
    SERVICE_KEY,
    come_back,
    dashboard_world,
    form_token,
    sign_in,
)
from tests.fixtures_dashboard import serve

MINUTE = 60_000


async def ban(dashboard, user_id=MEMBER, reason="Spam"):
    store = SqlAccountStore(dashboard.services.sign_in.sessions.database)
    now = dashboard.clock.now_ms()
    entry = Activity(UserId(OPERATOR), Action.BAN, reason, None, now, UserId(user_id))
    assert await store.ban(await store.version(), UserId(user_id), Ban(reason, UserId(OPERATOR), now), entry)


async def test_a_login_goes_to_discord_with_state_and_pkce(dashboard):
    answer = await dashboard.browser().get("/auth/login")
    url = urlsplit(answer.headers["location"])
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (answer.status_code, url.path) == (303, "/oauth2/authorize")
    assert query["client_id"] == "1180000000000000512"
    assert query["redirect_uri"] == "https://rollcall.example/auth/callback"
    assert (query["response_type"], query["scope"], query["code_challenge_method"]) == ("code", "identify guilds", "S256")
    assert len(query["state"]) >= 32
    assert len(query["code_challenge"]) == 43
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-sign_in_")
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))
    assert query["state"] not in cookie.split(";")[0].partition("=")[2]


async def test_the_cookie_is_a_jwt_of_its_own_and_cannot_be_read_by_scripts(dashboard):
    browser = await dashboard.signed_in()
    token = browser.cookies["auth_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["sub"]) == ("rollcall-dashboard", str(MEMBER))
    again = await sign_in(dashboard.browser())
    cookie = next(value for value in again.headers.get_list("set-cookie") if value.startswith("auth_token="))
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", f"Max-Age={SESSION_MS // 1000}"))


async def test_me_is_the_contracts_shape(dashboard):
    browser = await dashboard.signed_in()
    answer = await browser.get("/auth/me")
    assert answer.json() == {
        "authenticated": True,
        "user": {
            "id": str(MEMBER),
            "username": f"user{MEMBER}",
            "global_name": "y u m e",
            "avatar": None,
            "created_at": "2027-01-15T08:00:00.000Z",
        },
        "roles": [],
        "permissions": [],
        "is_super_admin": False,
    }
    bearer = {"Authorization": f"Bearer {browser.cookies['auth_token']}"}
    assert (await dashboard.browser().get("/auth/me", headers=bearer)).json() == answer.json()
    stranger = await dashboard.browser().get("/auth/me")
    assert (stranger.status_code, stranger.json()) == (200, {"authenticated": False})


async def test_permissions_are_the_contracts_shape(dashboard):
    operator = await dashboard.signed_in(OPERATOR)
    answer = (await operator.get("/auth/permissions")).json()
    assert answer["is_super_admin"]
    assert {"view_admin", "manage_users"} <= set(answer["permissions"])
    assert answer["roles"] == []
    stranger = await dashboard.browser().get("/auth/permissions")
    assert (stranger.status_code, stranger.json()) == (401, {"error": "sign in first"})


async def test_another_service_asks_whether_a_token_is_good(dashboard):
    browser = await dashboard.signed_in()
    token = browser.cookies["auth_token"]
    key = {"X-Service-Key": SERVICE_KEY}
    service = dashboard.browser()
    good = await service.post("/auth/validate", json={"token": token}, headers=key)
    user = {"id": str(MEMBER), "username": f"user{MEMBER}"}
    assert good.json() == {"valid": True, "user": user, "permissions": [], "roles": []}
    for wrong in ("", "x", token + "x", jwt.encode({"sub": "1"}, "another secret of thirty-two bytes", algorithm="HS256")):
        answer = await service.post("/auth/validate", json={"token": wrong}, headers=key)
        assert (answer.status_code, answer.json()) == (200, {"valid": False})
    assert (await service.post("/auth/validate", json={"token": token})).status_code == 401
    assert (await service.post("/auth/validate", json={"token": token}, headers={"X-Service-Key": "no"})).status_code == 401
    for body in (b"", b"[]", b"{}", b'{"token": 1}', b'{"token": "x", "more": 1}', b"\xff"):
        assert (await service.post("/auth/validate", content=body, headers=key)).status_code == 422


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_logout_ends_the_session_for_good(dashboard, method):
    browser = await dashboard.signed_in()
    token = browser.cookies["auth_token"]
    if method == "GET":
        answer = await browser.get("/auth/logout", params={"return_url": "https://emuy.gg/bye"})
        assert answer.headers["location"] == "https://emuy.gg/bye"
    else:
        page = await browser.get("/")
        answer = await browser.post("/auth/logout", data={"_csrf_token": form_token(page)})
        assert answer.headers["location"] == "/"
    assert answer.status_code == 303
    assert "auth_token" not in browser.cookies
    # What somebody kept a copy of is worth nothing.
    assert (await dashboard.browser(cookies={"auth_token": token}).get("/auth/me")).json() == {"authenticated": False}
    assert dashboard.discord.revoked == ["refresh-1"]


async def test_a_logout_without_its_forms_token_changes_nothing(dashboard):
    browser = await dashboard.signed_in()
    assert (await browser.post("/auth/logout")).status_code == 403
    assert (await browser.get("/auth/me")).json()["authenticated"]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ("/guilds/1?x=2#y", "/guilds/1?x=2#y"),
        ("https://emuy.gg/dashboard", "https://emuy.gg/dashboard"),
        ("https://emuy.gg:443/", "https://emuy.gg:443/"),
        ("https://rollcall.example/guilds/1", "https://rollcall.example/guilds/1"),
        ("https://evil.example/", "/"),
        ("http://emuy.gg/", "/"),
        ("https://emuy.gg:8443/", "/"),
        ("https://emuy.gg.evil.example/", "/"),
        ("https://emuy.gg@evil.example/", "/"),
        ("https://x@emuy.gg/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https:evil.example", "/"),
        ("https:///evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("data:text/html,x", "/"),
        (" https://emuy.gg", "/"),
        ("https://emuy.gg\\@evil.example", "/"),
        ("https://[::1", "/"),
        ("", "/"),
        ("guilds/1", "/"),
        ("/" + "x" * 3000, "/"),
    ],
)
async def test_a_sign_in_leads_only_to_addresses_that_are_allowed(dashboard, given, where):
    browser = dashboard.browser()
    answer = await sign_in(browser, return_url=given)
    assert (answer.status_code, answer.headers["location"]) == (303, where)
    assert (await browser.get("/auth/logout", params={"return_url": given})).headers["location"] == where


async def test_a_session_that_was_planted_before_is_worth_nothing_after(dashboard):
    attacker = await dashboard.signed_in(666)
    planted = attacker.cookies["auth_token"]
    victim = dashboard.browser(cookies={"auth_token": planted})
    dashboard.discord.user_id = MEMBER
    await sign_in(victim)
    mine = victim.cookies.get("auth_token", domain="rollcall.example")
    assert mine != planted
    bearer = {"Authorization": f"Bearer {mine}"}
    assert (await dashboard.browser().get("/auth/me", headers=bearer)).json()["user"]["id"] == str(MEMBER)
    # The one that the browser had is over, whoever's it was.
    assert (await dashboard.browser(cookies={"auth_token": planted}).get("/auth/me")).json() == {"authenticated": False}


async def test_a_code_of_somebody_elses_sign_in_is_not_taken(dashboard):
    """Login CSRF: the attacker's code and state, brought to the victim's browser."""
    attacker = dashboard.browser()
    to_discord = await attacker.get("/auth/login")
    victim = dashboard.browser()
    answer = await come_back(victim, to_discord)
    assert answer.status_code == 400
    assert "auth_token" not in victim.cookies
    assert dashboard.discord.asked == []


async def test_a_sign_in_is_finished_once_and_in_time(dashboard):
    browser = dashboard.browser()
    to_discord = await browser.get("/auth/login")
    assert (await come_back(browser, to_discord)).status_code == 303
    assert (await come_back(browser, to_discord)).status_code == 400
    late = await browser.get("/auth/login")
    dashboard.clock.advance(10 * MINUTE + 1)
    assert (await come_back(browser, late)).status_code == 400


async def test_two_sign_ins_in_two_tabs_do_not_disturb_each_other(dashboard):
    browser = dashboard.browser()
    first = await browser.get("/auth/login", params={"return_url": "/guilds/1"})
    second = await browser.get("/auth/login", params={"return_url": "/guilds/2"})
    assert (await come_back(browser, first)).headers["location"] == "/guilds/1"
    assert (await come_back(browser, second)).headers["location"] == "/guilds/2"


async def test_who_refuses_consent_is_told_so(dashboard):
    browser = dashboard.browser()
    answer = await come_back(browser, await browser.get("/auth/login"), error="access_denied")
    assert answer.status_code == 400
    assert "You did not let Rollcall see" in answer.text
    dashboard.discord.refuses_code = True
    refused = await sign_in(browser)
    assert (refused.status_code, "auth_token" in browser.cookies) == (400, False)
    assert "Begin anew" in refused.text


async def test_discord_away_is_a_page_and_nobody_is_signed_in(dashboard):
    dashboard.discord.away = True
    browser = dashboard.browser()
    answer = await sign_in(browser)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Discord does not answer" in answer.text
    assert "auth_token" not in browser.cookies


async def test_a_banned_user_is_kept_out_with_the_reason_and_a_signed_in_one_is_put_out(dashboard):
    browser = await dashboard.signed_in()
    await ban(dashboard, reason="Spam & <b>more</b>")
    assert (await browser.get("/auth/me")).json() == {"authenticated": False}
    assert (await browser.get("/guilds/1")).status_code == 401
    again = await sign_in(dashboard.browser())
    assert again.status_code == 403
    assert "Spam &amp; &lt;b&gt;more&lt;/b&gt;" in again.text
    assert not any(value.startswith("auth_token=ey") for value in again.headers.get_list("set-cookie"))


async def test_whom_the_settings_name_no_ban_keeps_out(dashboard):
    await dashboard.signed_in(OPERATOR)
    await ban(dashboard, OPERATOR)
    browser = await dashboard.signed_in(OPERATOR)
    assert (await browser.get("/auth/me")).json()["is_super_admin"]


@pytest.mark.parametrize("age_ms", [SESSION_MS, IDLE_MS])
async def test_an_expired_session_is_a_page_that_leads_back(dashboard, age_ms):
    browser = await dashboard.signed_in()
    dashboard.clock.advance(age_ms)
    answer = await browser.get(f"/guilds/{GUILD}?x=1")
    assert answer.status_code == 401
    assert "Your session has ended" in answer.text
    assert f"/auth/login?return_url=%2Fguilds%2F{GUILD}%3Fx%3D1" in answer.text
    assert "auth_token" not in browser.cookies


async def test_a_session_lives_on_by_being_used_but_not_for_ever(dashboard):
    browser = await dashboard.signed_in()
    for _ in range(7):
        assert (await browser.get("/auth/me")).json()["authenticated"]
        dashboard.clock.advance(IDLE_MS - 1)
    assert (await browser.get("/auth/me")).json()["authenticated"]
    dashboard.clock.advance(MINUTE)
    assert not (await browser.get("/auth/me")).json()["authenticated"]


async def test_an_internal_jwt_is_nobody_here_and_our_cookie_is_nobody_at_the_api(dashboard):
    from api.auth import Tokens  # noqa: PLC0415
    from api.errors import NotAuthenticatedError  # noqa: PLC0415

    exp = dashboard.clock.now_ms() // 1000 + 60
    claims = {"user_id": str(MEMBER), "guild_id": str(GUILD), "exp": exp, "aud": "rollcall-dashboard", "sub": str(MEMBER)}
    claims["sid"] = base64.urlsafe_b64encode(hashlib.sha256(b"x").digest()).decode()
    internal = jwt.encode(claims, API_SECRET, algorithm="HS256")
    for browser in (
        dashboard.browser(cookies={"auth_token": internal}),
        dashboard.browser(headers={"Authorization": f"Bearer {internal}"}),
    ):
        assert (await browser.get("/auth/me")).json() == {"authenticated": False}
        assert (await browser.get("/auth/permissions")).status_code == 401
    service = dashboard.browser(headers={"X-Service-Key": SERVICE_KEY})
    assert (await service.post("/auth/validate", json={"token": internal})).json() == {"valid": False}

    token = (await dashboard.signed_in()).cookies["auth_token"]
    with pytest.raises(NotAuthenticatedError):
        Tokens((API_SECRET.encode(),), dashboard.clock).read(token)
    # Not even where somebody gives both the same secret.
    with pytest.raises(NotAuthenticatedError):
        Tokens((dashboard.services.settings.secret.encode(),), dashboard.clock).read(token)


@pytest.mark.parametrize("change", ["none", "hs384", "no exp", "other audience", "truncated"])
async def test_a_token_that_was_tampered_with_is_nobodys(dashboard, change):
    token = (await dashboard.signed_in()).cookies["auth_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    key = dashboard.services.keys.cookie
    if change == "none":
        token = jwt.encode(claims, None, algorithm="none")
    elif change == "hs384":
        token = jwt.encode(claims, key * 2, algorithm="HS384")
    elif change == "no exp":
        token = jwt.encode({name: value for name, value in claims.items() if name != "exp"}, key, algorithm="HS256")
    elif change == "other audience":
        token = jwt.encode(claims | {"aud": "elsewhere"}, key, algorithm="HS256")
    else:
        token = token[:-4]
    assert (await dashboard.browser(cookies={"auth_token": token}).get("/auth/me")).json() == {"authenticated": False}


async def test_discords_tokens_are_sealed_at_rest_and_refreshed_when_they_end(dashboard):
    browser = await dashboard.signed_in()
    sealed = await dashboard.services.sign_in.sessions.token(
        dashboard.services.auth_tokens.session_key(browser.cookies["auth_token"])
    )
    assert b"access-" not in sealed
    assert b"refresh-" not in sealed
    dashboard.discord.lifetime_s = 600_000
    assert (await browser.get("/")).status_code == 200
    for _ in range(7):
        dashboard.clock.advance(IDLE_MS - 1)
        last = await browser.get("/")
        assert last.status_code == 200
    assert "refresh_token" in dashboard.discord.asked


async def test_a_sign_in_from_one_address_is_slowed(dashboard):
    browser = dashboard.browser()
    statuses = [(await browser.get("/auth/login")).status_code for _ in range(61)]
    assert statuses == [303] * 60 + [429]
    refused = await browser.get("/auth/login")
    assert 1 <= int(refused.headers["retry-after"]) <= 120
    assert "Try again in" in refused.text


async def test_a_confirmation_holds_for_ten_minutes_in_that_session_and_only_for_the_same_person(dashboard):
    browser = await dashboard.signed_in()
    other = await dashboard.signed_in()
    dashboard.clock.advance(11 * MINUTE)
    key = dashboard.services.auth_tokens.session_key(browser.cookies["auth_token"])

    async def is_confirmed(one):
        found = await dashboard.services.sign_in.find(one.cookies["auth_token"])
        return dashboard.services.sign_in.is_confirmed(found)

    assert not await is_confirmed(browser)
    to_discord = await browser.get("/auth/confirm", params={"return_url": f"/guilds/{GUILD}/signing"})
    assert "prompt=consent" in to_discord.headers["location"]
    dashboard.discord.user_id = 666
    refused = await come_back(browser, to_discord)
    assert (refused.status_code, await is_confirmed(browser)) == (400, False)

    dashboard.discord.user_id = MEMBER
    confirmed = await come_back(browser, await browser.get("/auth/confirm", params={"return_url": f"/guilds/{GUILD}/signing"}))
    assert confirmed.headers["location"] == f"/guilds/{GUILD}/signing"
    assert await is_confirmed(browser)
    assert not await is_confirmed(other)
    assert dashboard.services.auth_tokens.session_key(browser.cookies["auth_token"]) == key
    dashboard.clock.advance(10 * MINUTE)
    assert not await is_confirmed(browser)
    assert (await dashboard.browser().get("/auth/confirm")).status_code == 401


async def test_who_comes_by_another_name_of_loopback_is_led_to_the_address_of_the_settings(sqlite_accounts_database):
    own, html = "http://127.0.0.1:8081", {"accept": "text/html,*/*"}
    async with dashboard_world(sqlite_accounts_database, serve, url=own) as world:
        other = AsyncClient(transport=ASGITransport(world.app), base_url="http://localhost:8081")
        led = await other.get("/guilds/7/audit", params={"action": "x.y"}, headers=html)
        assert (led.status_code, led.headers["location"]) == (302, f"{own}/guilds/7/audit?action=x.y")
        led = await other.get("//evil.example/%0d%0aSet-Cookie:x", headers=html)
        assert led.status_code == 404 or led.headers["location"].startswith(f"{own}/")
        assert (await other.get("/auth/me", headers=html)).json() == {"authenticated": False}
        assert (await other.get("/")).status_code == 200
        assert (await other.post("/auth/logout", headers=html)).status_code == 403
        home = AsyncClient(transport=ASGITransport(world.app), base_url=own)
        assert (await home.get("/", headers=html)).status_code == 200
        stranger = AsyncClient(transport=ASGITransport(world.app), base_url="http://evil.example:8081")
        assert (await stranger.get("/", headers=html)).status_code == 200


async def test_an_address_that_is_none_says_where_to_go_on(dashboard):
    page = await dashboard.browser().get("/no/such/page")
    assert page.status_code == 404
    assert 'href="/auth/login"' in page.text
    page = await (await dashboard.signed_in()).get("/no/such/page")
    assert page.status_code == 404
    assert "Your servers" in page.text
    assert 'href="/auth/login"' not in page.text


async def test_sign_ins_that_nobody_finished_do_not_pile_up_in_the_browser(dashboard):
    browser = dashboard.browser()
    for _ in range(30):
        last = await browser.get("/auth/login")
    assert 0 < len(browser.cookies) <= MOST_FLOWS + 1
    back = await come_back(browser, last)
    assert (back.status_code, back.headers["location"]) == (303, "/")
