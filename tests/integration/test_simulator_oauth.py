"""The simulator's OAuth2: what Discord takes and refuses, and the dashboard's whole way through it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from simulator import DEFAULT_BOT_ID, DEFAULT_CLIENT_SECRET, DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings, running_simulator
from simulator.oauth import s256

REDIRECT = "https://rollcall.example/auth/callback"
VERIFIER = "v" * 64
CLIENT = {"Authorization": aiohttp.encode_basic_auth(str(DEFAULT_BOT_ID), DEFAULT_CLIENT_SECRET)}


@pytest.fixture
async def discord():
    async with running_simulator(Settings(speed=0, redirect_uris=(REDIRECT,))) as simulator:
        yield simulator


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


def asked(**changes):
    query = {
        "response_type": "code",
        "client_id": str(DEFAULT_BOT_ID),
        "scope": "identify guilds",
        "state": "a state",
        "redirect_uri": REDIRECT,
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (query | changes).items() if value is not None}


async def decide(http, discord, decision="authorize", user_id=DEMO_ADMIN_ID, **changes):
    form = asked(**changes) | {"decision": decision, "user_id": str(user_id)}
    async with http.post(f"{discord.base_url}/oauth2/authorize", data=form, allow_redirects=False) as answer:
        assert answer.status == 302
        where = urlsplit(answer.headers["Location"])
        assert f"{where.scheme}://{where.netloc}{where.path}" == REDIRECT
        return {name: values[0] for name, values in parse_qs(where.query).items()}


async def tokens(http, discord, auth=CLIENT, **form):
    given = {"redirect_uri": REDIRECT, "code_verifier": VERIFIER, "grant_type": "authorization_code"} | form
    given = {name: value for name, value in given.items() if value is not None}
    async with http.post(f"{discord.rest_url}/oauth2/token", data=given, headers=auth) as answer:
        return answer.status, await answer.json()


async def bearer(http, discord, token, path="/users/@me"):
    async with http.get(discord.rest_url + path, headers={"Authorization": f"Bearer {token}"}) as answer:
        return answer.status, await answer.json()


async def test_a_person_is_shown_who_asks_and_chooses_who_they_are(discord, http):
    async with http.get(f"{discord.base_url}/oauth2/authorize?{urlencode(asked())}") as page:
        text = await page.text()
    assert page.status == 200
    assert f'<option value="{DEMO_ADMIN_ID}">' in text
    assert "Manage Server everywhere" in text
    assert not re.search(r'option value="' + str(DEFAULT_BOT_ID), text)


async def test_tokens_show_the_person_and_their_guilds(discord, http):
    back = await decide(http, discord)
    assert back["state"] == "a state"
    status, given = await tokens(http, discord, code=back["code"])
    assert (status, given["token_type"], given["expires_in"], given["scope"]) == (200, "Bearer", 604_800, "guilds identify")
    _, me = await bearer(http, discord, given["access_token"])
    assert me["id"] == str(DEMO_ADMIN_ID)
    _, guilds = await bearer(http, discord, given["access_token"], "/users/@me/guilds")
    first = next(guild for guild in guilds if guild["id"] == str(DEMO_GUILD_ID))
    assert (first["owner"], bool(int(first["permissions"]) & 0x20)) == (False, True)


@pytest.mark.parametrize("change", [{"client_id": "1"}, {"redirect_uri": REDIRECT + "/"}, {"redirect_uri": None}])
async def test_a_wrong_client_or_redirect_leads_nowhere(discord, http, change):
    url = f"{discord.base_url}/oauth2/authorize"
    async with http.get(url, params=asked(**change), allow_redirects=False) as answer:
        assert (answer.status, "Location" in answer.headers) == (400, False)
    form = asked(**change) | {"decision": "authorize", "user_id": str(DEMO_ADMIN_ID)}
    async with http.post(url, data=form, allow_redirects=False) as answer:
        assert (answer.status, "Location" in answer.headers) == (400, False)


async def test_other_mistakes_and_a_refusal_lead_back_with_an_error(discord, http):
    assert (await decide(http, discord, scope="identify everything"))["error"] == "invalid_scope"
    assert (await decide(http, discord, response_type="token"))["error"] == "unsupported_response_type"
    assert (await decide(http, discord, code_challenge_method="plain"))["error"] == "invalid_request"
    refused = await decide(http, discord, "cancel")
    assert (refused["error"], refused["state"]) == ("access_denied", "a state")


async def test_a_code_is_good_once_in_time_for_its_redirect_and_its_verifier(discord, http, monkeypatch):
    code = (await decide(http, discord))["code"]
    assert (await tokens(http, discord, code=code))[0] == 200
    again = await tokens(http, discord, code=code)
    assert again == (400, {"error": "invalid_grant", "error_description": 'Invalid "code" in request.'})
    for wrong in ({"redirect_uri": "https://elsewhere.example/"}, {"code_verifier": "w" * 64}, {"code_verifier": None}):
        code = (await decide(http, discord))["code"]
        assert (await tokens(http, discord, code=code, **wrong))[1]["error"] == "invalid_grant"
        assert (await tokens(http, discord, code=code))[0] == 400
    code, now = (await decide(http, discord))["code"], discord.rest.oauth.now_s()
    monkeypatch.setattr(discord.rest.oauth, "now_s", lambda: now + 600)
    assert (await tokens(http, discord, code=code))[1]["error"] == "invalid_grant"


async def test_only_the_application_gets_tokens_and_only_by_a_form(discord, http):
    code = (await decide(http, discord))["code"]
    wrong = {"Authorization": aiohttp.encode_basic_auth(str(DEFAULT_BOT_ID), "wrong")}
    assert await tokens(http, discord, auth=wrong, code=code) == (401, {"error": "invalid_client"})
    async with http.post(f"{discord.rest_url}/oauth2/token", json={"code": code}, headers=CLIENT) as answer:
        assert answer.status == 400
    assert (await tokens(http, discord, grant_type="password"))[1] == {"error": "unsupported_grant_type"}
    in_body = {"client_id": str(DEFAULT_BOT_ID), "client_secret": DEFAULT_CLIENT_SECRET}
    assert (await tokens(http, discord, auth=None, code=code, **in_body))[0] == 200


async def test_a_refresh_uses_the_old_tokens_up_and_a_revocation_ends_both(discord, http):
    _, old = await tokens(http, discord, code=(await decide(http, discord))["code"])
    refresh = {"grant_type": "refresh_token", "refresh_token": old["refresh_token"]}
    status, new = await tokens(http, discord, **refresh)
    assert status == 200
    assert (await tokens(http, discord, **refresh))[1]["error"] == "invalid_grant"
    assert (await bearer(http, discord, old["access_token"]))[0] == 401
    assert (await bearer(http, discord, new["access_token"]))[0] == 200
    async with http.post(
        f"{discord.rest_url}/oauth2/token/revoke", data={"token": new["refresh_token"]}, headers=CLIENT
    ) as answer:
        assert answer.status == 200
    assert (await bearer(http, discord, new["access_token"]))[0] == 401


async def test_a_token_shows_only_what_it_was_given_for(discord, http):
    _, given = await tokens(http, discord, code=(await decide(http, discord, scope="identify"))["code"])
    assert (await bearer(http, discord, given["access_token"]))[0] == 200
    assert (await bearer(http, discord, given["access_token"], "/users/@me/guilds"))[0] == 401
    assert (await bearer(http, discord, "nonsense"))[0] == 401


async def test_prompt_none_spares_who_has_consented_and_nobody_else(discord, http):
    url = f"{discord.base_url}/oauth2/authorize"

    async def status(**changes):
        async with http.get(url, params=asked(**changes), allow_redirects=False) as answer:
            return answer.status

    assert await status(prompt="none") == 200
    await tokens(http, discord, code=(await decide(http, discord))["code"])
    assert await status(prompt="none") == 302
    assert await status(prompt="consent") == 200
    assert await status(prompt="none", scope="identify guilds email") == 200
