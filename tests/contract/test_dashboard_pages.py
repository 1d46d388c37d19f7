"""What every page has in common: headers, forms' tokens, errors as pages, and that nobody sees another's server."""

from __future__ import annotations

import re

import pytest

from tests.dashboard_world import GUILD, MEMBER, OPERATOR, OTHER_GUILD, form_token
from tests.glance import GLANCE, OVERVIEW

SETTINGS = {"timezone": "Europe/Berlin", "names_shown": True, "retention_days": None, "read_roles": [], "write_roles": []}
FORM = f"/guilds/{GUILD}/settings/general"


@pytest.fixture
async def browser(dashboard):
    dashboard.api.answers |= GLANCE
    dashboard.api.answers["GET /settings"] = (200, SETTINGS)
    dashboard.api.answers["PATCH /settings"] = (200, SETTINGS)
    return await dashboard.signed_in()


async def test_every_answer_has_the_headers_that_keep_strangers_out(browser):
    for path in ("/", f"/guilds/{GUILD}", "/nowhere", "/auth/me", "/auth/login", "/static/app-1.css"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["strict-transport-security"].startswith("max-age=")
        assert headers["x-request-id"]
        assert headers["cache-control"] == (
            "no-store" if not path.startswith("/static") else "public, max-age=31536000, immutable"
        )


async def test_pages_have_neither_inline_script_nor_inline_style(browser):
    for path in ("/", f"/guilds/{GUILD}", FORM, "/nowhere"):
        text = (await browser.get(path)).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
        assert not re.search(r"<script(?![^>]*\ssrc=)", text)


async def test_head_is_get_without_a_body(browser):
    for path, status in (("/", 200), (f"/guilds/{GUILD}", 200), ("/static/app-1.css", 200), ("/nowhere", 404)):
        head = await browser.head(path)
        assert (head.status_code, head.content) == (status, b"")
        assert int(head.headers["content-length"]) > 0


async def test_the_picker_lists_discords_servers_and_a_name_is_text(browser):
    page = await browser.get("/")
    assert f'href="/guilds/{GUILD}"' in page.text
    assert "Guild &lt;one&gt;" in page.text
    assert str(OTHER_GUILD) not in page.text


async def test_discords_list_is_asked_once_a_minute_and_shown_while_discord_is_away(dashboard, browser):
    for _ in range(3):
        await browser.get("/")
    assert dashboard.discord.asked.count("guilds") == 1
    dashboard.discord.away = True
    dashboard.clock.advance(5 * 60_000)
    assert (await browser.get("/")).status_code == 200
    dashboard.clock.advance(11 * 60_000)
    assert (await browser.get("/")).status_code == 503


async def test_a_server_that_is_not_the_viewers_is_like_one_that_is_not_there(dashboard, browser):
    """IDOR: no call reaches the API, and the page says nothing."""
    token = form_token(await browser.get("/"))
    asked = len(dashboard.api.requests)
    answers = [
        await browser.get(f"/guilds/{guild}{rest}")
        for guild in (OTHER_GUILD, 1, "x", "-1", "9" * 30)
        for rest in ("", "/settings/general")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({re.sub(r"<input[^>]*>", "", answer.text) for answer in answers}) == 1
    assert len(dashboard.api.requests) == asked
    sent = await browser.post(f"/guilds/{OTHER_GUILD}/settings/general", data={"_csrf_token": token})
    assert (sent.status_code, len(dashboard.api.requests)) == (404, asked)


@pytest.mark.usefixtures("browser")
async def test_an_operator_sees_servers_that_they_are_not_in(dashboard):
    dashboard.discord.guilds = []
    operator = await dashboard.signed_in(OPERATOR)
    assert (await operator.get(f"/guilds/{GUILD}")).status_code == 200


async def test_the_api_is_asked_in_the_viewers_name_with_a_token_of_a_minute(dashboard, browser):
    page = await browser.get(f"/guilds/{GUILD}", headers={"X-Request-Id": "abc"})
    assert page.status_code == 200
    _, path, claims, _ = next(one for one in dashboard.api.requests if one[1].endswith("/overview"))
    assert path == f"/api/v1/guilds/{GUILD}/overview"
    assert (claims["user_id"], claims["guild_id"]) == (str(MEMBER), str(GUILD))
    assert claims["exp"] == dashboard.clock.now_ms() // 1000 + 60
    assert claims["dashboard"] == {"address": "127.0.0.1"}
    assert dashboard.api.headers[-1]["x-request-id"] == "abc"


async def test_the_overview_shows_the_apis_numbers(dashboard, browser):
    text = (await browser.get(f"/guilds/{GUILD}")).text
    assert "2\N{NO-BREAK SPACE}h 03\N{NO-BREAK SPACE}min" in text
    assert "4 records are waiting for the key." in text
    dashboard.api.answers["GET /overview"] = (200, OVERVIEW | {"period": None})
    assert "No period has begun yet." in (await browser.get(f"/guilds/{GUILD}")).text


async def test_a_member_without_a_right_is_led_to_their_own_page(dashboard, browser):
    status, access = dashboard.api.answers["GET /access"]
    dashboard.api.answers["GET /access"] = (status, access | {"rights": []})
    answer = await browser.get(f"/guilds/{GUILD}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/guilds/{GUILD}/members/{MEMBER}")
    assert (await browser.get(FORM)).status_code == 403


async def test_a_server_without_the_bot_says_how_to_add_it(dashboard, browser):
    dashboard.api.answers["GET /access"] = (200, {"present": False, "name": None, "timezone": "UTC", "rights": []})
    answer = await browser.get(f"/guilds/{GUILD}")
    assert answer.status_code == 404
    assert f"guild_id={GUILD}" in answer.text


@pytest.mark.parametrize(
    ("status", "shown", "words"),
    [
        (401, 503, "The API is away"),
        (403, 403, "You may not do this"),
        (404, 404, "There is nothing here"),
        (429, 429, "Too many at once"),
        (500, 503, "The API is away"),
        (503, 503, "The API is away"),
    ],
)
async def test_the_apis_refusals_are_pages(dashboard, browser, status, shown, words):
    dashboard.api.answers["GET /overview"] = (status, {"error": "because"})
    answer = await browser.get(f"/guilds/{GUILD}")
    assert answer.status_code == shown
    assert words in answer.text
    assert ("retry-after" in answer.headers) == (shown in (429, 503))


async def test_an_api_that_does_not_answer_is_a_page(dashboard, browser):
    dashboard.api.away = True
    answer = await browser.get(f"/guilds/{GUILD}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "The API is away" in answer.text


async def test_a_form_that_is_taken_ends_in_a_redirect_that_says_so_once(dashboard, browser):
    page = await browser.get(FORM)
    assert 'value="Europe/Berlin"' in page.text
    sent = {"_csrf_token": form_token(page), "timezone": "Europe/Paris", "names_shown": "on"}
    answer = await browser.post(FORM, data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, FORM)
    assert dashboard.api.requests[-1][3] == {"timezone": "Europe/Paris", "names_shown": True}
    assert "Saved." in (await browser.get(FORM)).text
    assert "Saved." not in (await browser.get(FORM)).text


async def test_a_form_that_is_refused_comes_back_with_what_was_typed_and_the_apis_words(dashboard, browser):
    refusal = {"error": "not valid", "details": {"timezone": "must be a <time zone>"}}
    dashboard.api.answers["PATCH /settings"] = (422, refusal)
    sent = {"_csrf_token": form_token(await browser.get(FORM)), "timezone": '"><b>Mars'}
    answer = await browser.post(FORM, data=sent)
    assert answer.status_code == 422
    assert "must be a &lt;time zone&gt;" in answer.text
    assert "<b>Mars" not in answer.text
    assert "Mars" in answer.text


@pytest.mark.parametrize("token", ["missing", "empty", "another's", "nobody's", "cookie alone", "planted"])
async def test_a_write_without_its_forms_token_is_refused(dashboard, browser, token):
    mine = form_token(await browser.get(FORM))
    other = await dashboard.signed_in(7)
    dashboard.discord.user_id = MEMBER
    theirs = form_token(await other.get("/"))
    nobodys = form_token(await dashboard.browser().get("/"))
    data = {"timezone": "Europe/Paris"}
    cookies = None
    if token == "empty":
        data["_csrf_token"] = ""
    elif token == "another's":
        data["_csrf_token"] = theirs
    elif token == "nobody's":
        data["_csrf_token"] = nobodys
    elif token == "planted":  # a subdomain plants a pair that matches, signed for another session
        data["_csrf_token"] = theirs
        cookies = {"auth_token": browser.cookies["auth_token"], "__Host-csrf": theirs}
    sender = browser if cookies is None else dashboard.browser(cookies=cookies)
    answer = await sender.post(FORM, data=data)
    assert answer.status_code == 403
    assert "This form is out of date" in answer.text
    assert all(method != "PATCH" for method, *_ in dashboard.api.requests)
    assert mine


async def test_a_write_from_another_site_is_refused_even_with_the_token(browser):
    sent = {"_csrf_token": form_token(await browser.get(FORM)), "timezone": "Europe/Paris"}
    answer = await browser.post(FORM, data=sent, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    by_header = {"X-CSRF-Token": sent.pop("_csrf_token"), "Sec-Fetch-Site": "same-origin"}
    assert (await browser.post(FORM, data=sent, headers=by_header)).status_code == 303


async def test_a_stranger_is_asked_to_sign_in_and_comes_back(dashboard):
    answer = await dashboard.browser().get(FORM)
    assert answer.status_code == 401
    assert f"/auth/login?return_url=%2Fguilds%2F{GUILD}%2Fsettings%2Fgeneral" in answer.text
    landing = await dashboard.browser().get("/")
    assert landing.status_code == 200
    assert 'href="https://api.rollcall.example/verify"' in landing.text


async def test_the_appearance_is_kept_by_the_browser_and_leads_back_only_to_us(dashboard):
    browser = dashboard.browser()
    token = form_token(await browser.get("/"))
    sent = {"_csrf_token": token, "theme": "dark"}
    answer = await browser.post("/appearance", data=sent, headers={"Referer": "https://rollcall.example/guilds/1"})
    assert answer.headers["location"] == "/guilds/1"
    assert 'data-theme="dark"' in (await browser.get("/")).text
    answer = await browser.post("/appearance", data=sent, headers={"Referer": "https://evil.example/x"})
    assert answer.headers["location"] == "/"
    await browser.post("/appearance", data={"_csrf_token": token, "theme": '"><script>'})
    assert "data-theme" not in (await browser.get("/")).text.partition("<head>")[0]


async def test_the_build_is_served_for_good_and_nothing_beside_it(dashboard):
    browser = dashboard.browser()
    plain = await browser.get("/static/app-1.css", headers={"Accept-Encoding": "identity"})
    assert plain.headers["content-type"] == "text/css; charset=utf-8"
    assert len(plain.content) == 2000
    for path in ("/static/app.css", "/static/..%2fapp.py", "/static/manifest.json", "/static/"):
        assert (await browser.get(path)).status_code == 404


async def test_errors_of_the_contracts_routes_are_json(dashboard):
    browser = dashboard.browser()
    for path in ("/auth/admin/nothing", "/auth/permissions"):
        assert (await browser.get(path)).headers["content-type"] == "application/json"
    assert (await browser.get("/auth/nothing")).headers["content-type"].startswith("text/html")
