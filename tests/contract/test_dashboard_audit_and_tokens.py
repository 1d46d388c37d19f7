"""The pages of the audit and of API tokens, over an API that answers as the real one does."""

from __future__ import annotations

import re
from dataclasses import asdict
from urllib.parse import parse_qs, urlsplit

from attendance.domain.preferences import Preferences, as_audited
from attendance.domain.schedule import Schedule
from attendance.domain.settings import Fairness
from attendance.domain.webhooks import WebhookSettings, shown_settings
from dashboard.words import Words
from tests.dashboard_world import GUILD, MEMBER, come_back, form_token

AUDIT, TOKENS = f"/guilds/{GUILD}/audit", f"/guilds/{GUILD}/tokens"
ENTRY = {
    "at": "2026-11-28T21:00:00.000Z",
    "action": "fairness.update",
    "target": "<script>1</script>",
    "target_name": None,
    "actor_id": str(MEMBER),
    "actor_name": "Ada <i>",
    "via": "api",
    "token_id": None,
    "address": "203.0.113.9",
    "before": {"pause_on_mute": False},
    "after": {"pause_on_mute": True, "note": "<b>&"},
}
TOKEN = {
    "token_id": "01972f3c-7c00-7000-8000-0123456789ab",
    "name": "<i>nightly</i>",
    "scopes": ["read", "export"],
    "created_by": str(MEMBER),
    "created_at": "2026-11-28T21:00:00.000Z",
    "expires_at": None,
    "last_used_at": None,
}


async def confirmed(dashboard):
    """A browser whose user has just said again at Discord who they are."""
    browser = await dashboard.signed_in()
    answer = await come_back(browser, await browser.get("/auth/confirm", params={"return_url": TOKENS}))
    assert answer.headers["location"] == TOKENS
    return browser


async def test_a_change_shows_who_made_it_and_both_sides_of_it(dashboard):
    dashboard.api.answers["GET /audit"] = (200, {"items": [ENTRY], "total": 1})
    page = await (await dashboard.signed_in()).get(AUDIT)
    assert page.status_code == 200
    assert "<script>1" not in page.text
    assert "<b>&" not in page.text
    assert "Ada <i>" not in page.text
    told = ("Changed the fairness rules", "fairness.update", "Ada &lt;i&gt;", "203.0.113.9", "Pause while muted", "One change")
    assert all(words in page.text for words in told)


async def test_members_of_a_change_have_words_and_unknown_ones_their_name(dashboard):
    entry = ENTRY | {"before": {"pause_on_mute": False, "glow": 3}, "after": {"pause_on_mute": True, "glow": 4, "events": []}}
    dashboard.api.answers["GET /audit"] = (200, {"items": [entry], "total": 1})
    page = await (await dashboard.signed_in()).get(AUDIT)
    cell = " ".join(re.sub("<[^>]+>", " ", page.text.partition('title="pause_on_mute">')[2].partition("</td>")[0]).split())
    assert cell == "Pause while muted : before no → , then yes glow : before 3 → , then 4 Events : none"


def test_every_member_that_the_audit_keeps_has_words():
    kept = {
        *asdict(Fairness()),
        *asdict(Schedule()),
        *as_audited(Preferences()),
        *shown_settings(WebhookSettings()),
    }
    assert [name for name in sorted(kept) if f"audit-field-{name}" not in Words("en")] == []


async def test_ids_are_shown_as_what_the_server_calls_them_and_choices_in_their_forms_words(dashboard):
    before = {"channel_id": "11", "read_roles": ["21", "22"], "frequency": "immediate", "types": ["leaderboard", "moon"]}
    after = {"channel_id": "12", "mode": "Denylist", "events": ["session.completed"]}
    entry = ENTRY | {
        "action": "opt_out.add",
        "target": str(MEMBER),
        "target_name": "Grace <u>",
        "before": before,
        "after": after,
    }
    dashboard.api.answers["GET /audit"] = (200, {"items": [entry], "total": 1})
    spoken = {"channel_id": "11", "name": "Lounge <s>", "kind": "voice", "parent_id": None, "position": 0}
    dashboard.api.answers["GET /channels"] = (200, {"items": [spoken], "total": 1})
    written = {"channel_id": "12", "name": "logs", "kind": "text", "category": None, "missing_permissions": []}
    dashboard.api.answers["GET /text-channels"] = (200, {"items": [written], "total": 1})
    role = {"role_id": "21", "name": "Regulars", "position": 1, "managed": False}
    dashboard.api.answers["GET /roles"] = (200, {"items": [role], "total": 1})
    browser = await dashboard.signed_in()
    page = (await browser.get(AUDIT)).text
    for told in (
        "Lounge &lt;s&gt;",
        "logs",
        "Regulars, 22",
        "At once",
        "Leaderboards, moon",
        "All but the list",
        "Finished sessions",
    ):
        assert f">{told}</span>" in page
    assert f'href="/guilds/{GUILD}/members/{MEMBER}"><bdi>Grace &lt;u&gt;</bdi>' in page
    for path in ("/text-channels", "/roles"):
        dashboard.api.answers[f"GET {path}"] = (503, {"error": {"code": "unavailable", "message": "Discord does not answer"}})
    page = (await browser.get(AUDIT)).text
    assert ">12</span>" in page
    assert ">21, 22</span>" in page


async def test_a_change_that_a_newer_api_knows_is_shown_by_its_name(dashboard):
    entry = ENTRY | {"action": "moon.paint", "actor_id": None, "actor_name": None}
    dashboard.api.answers["GET /audit"] = (200, {"items": [entry], "total": 1})
    page = await (await dashboard.signed_in()).get(AUDIT, params={"action": "moon.paint"})
    assert page.text.count("moon.paint") > 2
    assert "Rollcall itself" in page.text


async def test_days_are_those_of_the_servers_clocks(dashboard):
    dashboard.api.answers["GET /audit"] = (200, {"items": [], "total": 0})
    browser = await dashboard.signed_in()
    page = await browser.get(AUDIT, params={"from": "2026-10-25", "to": "2026-10-25", "action": "token.create", "offset": "50"})
    assert "No change matches" in page.text
    asked = parse_qs(urlsplit(dashboard.api.requests[-1][1]).query)
    assert asked["from"] == ["2026-10-24T22:00:00Z"]
    assert asked["to"] == ["2026-10-25T23:00:00Z"]  # Berlin's clocks go back that day: it has 25 hours
    assert (asked["action"], asked["offset"]) == (["token.create"], ["50"])


async def test_a_filter_that_makes_no_sense_is_as_if_it_was_not_there(dashboard):
    dashboard.api.answers["GET /audit"] = (200, {"items": [ENTRY], "total": 1})
    nonsense = {"from": "2026-13-01", "to": "3999-12-31", "action": "';--", "actor_id": "\uff11\uff12", "offset": "-1"}
    page = await (await dashboard.signed_in()).get(AUDIT, params=nonsense)
    assert page.status_code == 200
    assert set(parse_qs(urlsplit(dashboard.api.requests[-1][1]).query)) == {"limit", "offset"}


async def test_tokens_are_shown_only_to_who_has_just_confirmed_who_they_are(dashboard):
    dashboard.api.answers["GET /tokens"] = (200, {"items": [], "total": 0})
    browser = await dashboard.signed_in()
    dashboard.clock.advance(11 * 60_000)
    answer = await browser.get(TOKENS)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/auth/confirm?")


async def test_a_new_tokens_secret_is_shown_once(dashboard):
    dashboard.api.answers["GET /tokens"] = (200, {"items": [TOKEN], "total": 1})
    dashboard.api.answers["POST /tokens"] = (201, {**TOKEN, "token": "rc_secret"})
    browser = await confirmed(dashboard)
    page = await browser.get(TOKENS)
    assert "rc_secret" not in page.text
    assert "<i>nightly" not in page.text
    typed = {"_csrf_token": form_token(page), "name": "nightly", "scopes": ["read", "export"], "expires_at": "2027-01-31"}
    made = await browser.post(TOKENS, data=typed)
    assert "rc_secret" in made.text
    assert made.headers["cache-control"] == "no-store"
    bodies = [body for method, _, _, body in dashboard.api.requests if method == "POST"]
    assert bodies == [{"name": "nightly", "scopes": ["read", "export"], "expires_at": "2027-01-31T23:00:00Z"}]
    assert "rc_secret" not in (await browser.get(TOKENS)).text


async def test_what_the_api_refuses_stands_beside_its_field(dashboard):
    dashboard.api.answers["GET /tokens"] = (200, {"items": [], "total": 0})
    dashboard.api.answers["POST /tokens"] = (422, {"error": "not valid", "details": {"scopes": "choose at least one <x>"}})
    browser = await confirmed(dashboard)
    token = form_token(await browser.get(TOKENS))
    page = await browser.post(TOKENS, data={"_csrf_token": token, "name": "kept & shown"})
    assert page.status_code == 422
    assert "choose at least one &lt;x&gt;" in page.text
    assert "kept &amp; shown" in page.text
    bad_day = await browser.post(TOKENS, data={"_csrf_token": token, "name": "n", "scopes": "read", "expires_at": "tomorrow"})
    assert "Give a day" in bad_day.text


async def test_a_token_is_revoked_by_its_form_only(dashboard):
    dashboard.api.answers["GET /tokens"] = (200, {"items": [TOKEN], "total": 1})
    path = f"DELETE /tokens/{TOKEN['token_id']}"
    dashboard.api.answers[path] = (204, None)
    browser = await confirmed(dashboard)
    page = await browser.get(TOKENS)
    where = f"{TOKENS}/{TOKEN['token_id']}/revoke"
    assert (await browser.post(where)).status_code == 403
    answer = await browser.post(where, data={"_csrf_token": form_token(page)})
    assert (answer.status_code, answer.headers["location"]) == (303, TOKENS)
    assert [method for method, *_ in dashboard.api.requests if method == "DELETE"] == ["DELETE"]
    gone = await browser.post(f"{TOKENS}/nothing/revoke", data={"_csrf_token": form_token(page)})
    assert gone.status_code == 404
