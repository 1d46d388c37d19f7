"""The pages of the signing key, over an API that answers as the real one does."""

from __future__ import annotations

import logging
import re

import pytest

from tests.dashboard_world import GUILD, come_back, form_token

SIGNING = f"/guilds/{GUILD}/signing"
KEYS = f"{SIGNING}/keys"
KID = "oKZag6Sga736WK_VglTg_hVjKkI4nHeCVuenzeB9puI"
X = "s8fvFvllZgevONQLBV2dDoKi5nnCxT4rKWBiwnTDyBc"
OPEN = {
    "configured": True,
    "unlocked": True,
    "auto_unlock": True,
    "kid": KID,
    "pending": 0,
    "oldest_pending_at": None,
    "period": None,
}
LOCKED = {**OPEN, "unlocked": False, "pending": 3, "oldest_pending_at": "2026-11-28T21:00:00.000Z"}
NONE = {**OPEN, "configured": False, "unlocked": False, "kid": None, "pending": 12}
KEY = {"kid": KID, "public_key": X, "created_at": "2026-10-01T12:00:00.000Z"}
GUILD_KEYS = [
    {
        "kid": KID,
        "public_key": X,
        "state": "active",
        "created_at": "2026-10-01T12:00:00.000Z",
        "first_guild_seq": 1042,
        "last_guild_seq": None,
    },
    {
        "kid": "second",
        "public_key": X,
        "state": "lost",
        "created_at": "2026-09-01T12:00:00.000Z",
        "first_guild_seq": 40,
        "last_guild_seq": 1041,
    },
    {
        "kid": "<first>",
        "public_key": X,
        "state": "revoked",
        "created_at": "2026-08-01T12:00:00.000Z",
        "first_guild_seq": 7,
        "last_guild_seq": 6,
    },
]
PERIOD = {
    "period_index": 4,
    "started_at": "2026-11-01T00:00:00.000Z",
    "ended_at": "2026-11-08T00:00:00.000Z",
    "state": "signed",
    "entry_count": 240,
    "kid": KID,
}
OLD, NEW = "the old and secret words", "the new & <secret> words"


@pytest.fixture
def signing(dashboard):
    dashboard.api.answers["GET /signing/status"] = (200, OPEN)
    dashboard.api.answers["GET /signing/public-key"] = (200, KEY)
    dashboard.api.answers["GET /signing/keys"] = (200, {"items": GUILD_KEYS, "total": 3})
    dashboard.api.answers["GET /signing/history"] = (200, {"items": [PERIOD], "total": 1})
    return dashboard


async def confirmed(dashboard):
    """A browser whose user has just said again at Discord who they are."""
    browser = await dashboard.signed_in()
    await come_back(browser, await browser.get("/auth/confirm", params={"return_url": KEYS}))
    return browser


def writes(dashboard):
    return [
        (path.partition(f"{GUILD}/signing/")[2], body) for method, path, _, body in dashboard.api.requests if method == "POST"
    ]


async def test_the_key_is_shown_with_where_to_check_what_it_signed(signing):
    page = await (await signing.signed_in()).get(SIGNING)
    assert page.status_code == 200
    assert all(words in page.text for words in (KID, X, "Everything is signed", "/.well-known/jwks.json", "240"))
    assert f"https://api.rollcall.example/verify/period/{GUILD}/4" in page.text
    assert f'href="/guilds/{GUILD}/exports/4"' in page.text


async def test_every_key_is_listed_with_its_state_and_what_it_is_good_for(signing):
    page = await (await signing.signed_in()).get(SIGNING)
    table = page.text.partition('id="keys"')[2].partition("</table>")[0]
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)[1:]]
    assert [(row[0], row[1], row[-2:]) for row in rows] == [
        (KID, "Signs", ["1,042", "open"]),
        ("second", "Lost", ["40", "1,041"]),
        ("&lt;first&gt;", "Revoked", ["none", "none"]),
    ]
    assert f'href="/guilds/{GUILD}/audit"' in page.text
    kids = (await (await confirmed(signing)).get(KEYS)).text.partition("<datalist")[2].partition("</datalist>")[0]
    assert re.findall(r'value="([^"]*)"', kids) == [KID, "second", "&lt;first&gt;"]


async def test_a_locked_key_says_how_many_records_wait_and_that_none_is_lost(signing):
    signing.api.answers["GET /signing/status"] = (200, LOCKED)
    page = await (await signing.signed_in()).get(SIGNING)
    assert "3 records wait" in page.text
    assert '<time datetime="2026-11-28T21:00:00' in page.text
    assert f'href="{KEYS}#unlock"' in page.text


async def test_without_a_key_it_is_said_that_time_is_recorded_all_the_same(signing):
    signing.api.answers["GET /signing/status"] = (200, NONE)
    signing.api.answers["GET /signing/public-key"] = (404, {"error": "the guild has no signing key"})
    signing.api.answers["GET /signing/keys"] = (200, {"items": [], "total": 0})
    page = await (await signing.signed_in()).get(SIGNING)
    assert page.status_code == 200
    assert "There is no signing key yet" in page.text
    assert "12 records wait" in page.text


async def test_who_may_only_read_sees_the_key_and_nothing_to_change_it(signing):
    signing.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": ["read"]})
    browser = await confirmed(signing)
    page = await browser.get(SIGNING)
    assert X in page.text
    assert KEYS not in page.text
    assert f"/guilds/{GUILD}/exports/4" not in page.text
    assert (await browser.get(KEYS)).status_code == 403


async def test_a_member_without_rights_does_not_see_the_page(signing):
    signing.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": []})
    assert (await (await signing.signed_in()).get(SIGNING)).status_code == 403


async def test_keys_are_for_who_has_just_confirmed_who_they_are(signing):
    browser = await signing.signed_in()
    token = form_token(await browser.get(KEYS))
    signing.clock.advance(11 * 60_000)
    assert (await browser.get(SIGNING)).status_code == 200
    for answer in (await browser.get(KEYS), await browser.post(f"{KEYS}/lock", data={"_csrf_token": token})):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/auth/confirm?")
    assert writes(signing) == []


@pytest.mark.parametrize(
    ("form", "typed", "path", "body"),
    [
        ("unlock", {"passphrase": OLD}, "unlock", {"passphrase": OLD}),
        ("lock", {}, "lock", None),
        (
            "generate",
            {"passphrase": NEW, "again": NEW, "auto_unlock": "no"},
            "generate-keys",
            {"passphrase": NEW, "auto_unlock": False},
        ),
        (
            "change-passphrase",
            {"passphrase": OLD, "new_passphrase": NEW, "again": NEW},
            "change-passphrase",
            {"passphrase": OLD, "new_passphrase": NEW},
        ),
        ("rotate", {"passphrase": NEW, "again": NEW}, "rotate", {"passphrase": NEW, "auto_unlock": None}),
        (
            "rotate",
            {"passphrase": NEW, "again": NEW, "current_passphrase": OLD, "auto_unlock": "yes"},
            "rotate",
            {"passphrase": NEW, "current_passphrase": OLD, "auto_unlock": True},
        ),
        ("lost", {"passphrase": NEW, "again": NEW}, "rotate", {"passphrase": NEW, "auto_unlock": None, "lost": True}),
        (
            "revoke",
            {"reason": " stolen ", "last_good_guild_seq": "1041", "kid": KID},
            "revoke",
            {"reason": "stolen", "last_good_guild_seq": 1041, "kid": KID},
        ),
        (
            "revoke",
            {"reason": "stolen", "last_good_guild_seq": "-1", "passphrase": NEW, "again": NEW},
            "revoke",
            {"reason": "stolen", "last_good_guild_seq": -1, "passphrase": NEW, "auto_unlock": None},
        ),
    ],
)
async def test_each_form_asks_the_api_for_what_it_says(signing, form, typed, path, body):
    signing.api.answers[f"POST /signing/{path}"] = (200, KEY)
    browser = await confirmed(signing)
    answer = await browser.post(f"{KEYS}/{form}", data={"_csrf_token": form_token(await browser.get(KEYS)), **typed})
    assert (answer.status_code, answer.headers["location"]) == (303, SIGNING)
    assert writes(signing) == [(path, body)]
    assert 'data-tone="good"' in (await browser.get(SIGNING)).text


@pytest.mark.parametrize("form", ["unlock", "lock", "generate", "change-passphrase", "rotate", "lost", "revoke"])
async def test_no_form_is_taken_from_another_site(signing, form):
    browser = await confirmed(signing)
    assert (await browser.post(f"{KEYS}/{form}", data={"passphrase": OLD})).status_code == 403
    assert writes(signing) == []


async def test_a_wrong_passphrase_is_said_beside_it_and_never_written_back(signing, caplog):
    signing.api.answers["GET /signing/status"] = (200, LOCKED)
    refusal = {"error": "the passphrase does not open the key", "details": {"passphrase": "it does not <open> the key"}}
    signing.api.answers["POST /signing/unlock"] = (422, refusal)
    browser = await confirmed(signing)
    page = await browser.get(KEYS)
    assert 'autocomplete="current-password"' in page.text
    with caplog.at_level(logging.DEBUG):
        answer = await browser.post(f"{KEYS}/unlock", data={"_csrf_token": form_token(page), "passphrase": OLD})
    assert answer.status_code == 422
    assert 'id="unlock-passphrase-error"' in answer.text
    assert "it does not &lt;open&gt; the key" in answer.text
    assert OLD not in answer.text
    assert OLD not in caplog.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("form", "field"), [("unlock", "passphrase"), ("rotate", "current_passphrase")])
async def test_too_many_wrong_ones_are_told_how_long_to_wait(signing, form, field):
    signing.api.answers["GET /signing/status"] = (200, LOCKED)
    signing.api.answers[f"POST /signing/{form}"] = (429, {"error": "too many requests"})
    browser = await confirmed(signing)
    typed = {"passphrase": OLD, "again": OLD, "current_passphrase": OLD}
    answer = await browser.post(f"{KEYS}/{form}", data={"_csrf_token": form_token(await browser.get(KEYS)), **typed})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert "Try again in" in answer.text
    assert f'id="{form}-{field}-error"' in answer.text


@pytest.mark.parametrize("form", ["generate", "change-passphrase", "rotate", "lost", "revoke"])
async def test_a_new_passphrase_typed_in_two_ways_is_not_sent(signing, form):
    if form == "generate":
        signing.api.answers["GET /signing/status"] = (200, NONE)
    browser = await confirmed(signing)
    typed = {"passphrase": NEW, "new_passphrase": NEW, "again": NEW + "!", "last_good_guild_seq": "3", "reason": "<kept>"}
    answer = await browser.post(f"{KEYS}/{form}", data={"_csrf_token": form_token(await browser.get(KEYS)), **typed})
    assert answer.status_code == 422
    assert f'id="{form}-again-error"' in answer.text
    assert "secret" not in answer.text.replace("secret-", "")
    assert writes(signing) == []
    if form == "revoke":
        assert "&lt;kept&gt;" in answer.text
        assert '<details class="confirm" open>' in answer.text


@pytest.mark.parametrize("position", ["", "-2", "1.5", "x", "٣", "12345678901234567"])
async def test_what_is_no_position_is_said_beside_it(signing, position):
    browser = await confirmed(signing)
    typed = {"_csrf_token": form_token(await browser.get(KEYS)), "reason": "r", "last_good_guild_seq": position}
    answer = await browser.post(f"{KEYS}/revoke", data=typed)
    assert answer.status_code == 422
    assert 'id="revoke-last_good_guild_seq-error"' in answer.text
    assert writes(signing) == []


async def test_a_position_of_another_key_is_said_with_those_that_it_has(signing):
    refusal = {"error": "the position is not one of the key's", "details": {"last_good_guild_seq": "4203 to 4226"}}
    signing.api.answers["POST /signing/revoke"] = (422, refusal)
    browser = await confirmed(signing)
    typed = {"_csrf_token": form_token(await browser.get(KEYS)), "reason": "r", "last_good_guild_seq": "0"}
    answer = await browser.post(f"{KEYS}/revoke", data=typed)
    assert answer.status_code == 422
    assert "the position is not one of the key&#39;s" in answer.text
    assert "4203 to 4226" in answer.text


async def test_what_contradicts_the_key_is_said_at_the_top(signing):
    signing.api.answers["POST /signing/rotate"] = (409, {"error": "the active key is locked and must sign"})
    browser = await confirmed(signing)
    typed = {"_csrf_token": form_token(await browser.get(KEYS)), "passphrase": NEW, "again": NEW}
    answer = await browser.post(f"{KEYS}/rotate", data=typed)
    assert answer.status_code == 409
    assert "the active key is locked and must sign" in answer.text
