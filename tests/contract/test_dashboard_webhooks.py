"""The pages of webhooks, over an API that answers as the real one does."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard_world import GUILD, form_token

WEBHOOKS = f"/guilds/{GUILD}/webhooks"
ID = "01972f3c-7c00-7000-8000-0123456789ab"
URL = "https://receiver.example/rollcall?a=1&b=2"
SETTINGS = {
    "url": URL,
    "secret_set": True,
    "events": ["session.completed"],
    "enabled": True,
    "failing_since": None,
    "disabled_reason": None,
}
DELIVERY = {
    "id": ID,
    "event": "session.completed",
    "session_id": ID,
    "period_index": None,
    "state": "failed",
    "attempts": 2,
    "created_at": "2026-11-28T21:00:00.000Z",
    "next_attempt_at": None,
    "delivered_at": None,
    "last_status": 500,
    "last_error": "it answered <500>",
}
ATTEMPT = {"number": 1, "at": "2026-11-28T21:00:01.000Z", "duration_ms": 45, "status": None, "error": "no <answer>"}


@pytest.fixture
def hooks(dashboard):
    dashboard.api.answers["GET /subscription"] = (200, {"tier": "pro", "features": {"webhooks": True}, "renews_at": None})
    dashboard.api.answers["GET /webhooks/settings"] = (200, SETTINGS)
    dashboard.api.answers["GET /webhooks/deliveries"] = (200, {"items": [DELIVERY], "total": 120})
    dashboard.api.answers[f"GET /webhooks/deliveries/{ID}"] = (200, {"delivery": DELIVERY, "attempts": [ATTEMPT]})
    return dashboard


def writes(dashboard):
    return [
        (method, path.partition(str(GUILD))[2], body) for method, path, _, body in dashboard.api.requests if method != "GET"
    ]


async def test_settings_and_log_are_shown_and_nothing_of_others_is_markup(hooks):
    page = await (await hooks.signed_in()).get(WEBHOOKS)
    assert page.status_code == 200
    assert "https://receiver.example/rollcall?a=1&amp;b=2" in page.text
    assert "it answered &lt;500&gt;" in page.text
    assert f'href="{WEBHOOKS}/deliveries/{ID}"' in page.text


async def test_the_log_is_narrowed_by_state_and_turned_by_page(hooks):
    browser = await hooks.signed_in()
    page = await browser.get(WEBHOOKS, params={"state": "failed", "offset": "50"})
    asked = [parse_qs(urlsplit(path).query) for _, path, _, _ in hooks.api.requests if "/deliveries?" in path]
    assert asked == [{"limit": ["50"], "offset": ["50"], "state": ["failed"]}]
    assert "state=failed&amp;offset=100" in page.text or "offset=100&amp;state=failed" in page.text
    await browser.get(WEBHOOKS, params={"state": "';--", "offset": "-1"})
    assert parse_qs(urlsplit([p for _, p, _, _ in hooks.api.requests if "/deliveries?" in p][-1]).query) == {
        "limit": ["50"],
        "offset": ["0"],
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"failing_since": "2026-11-27T21:00:00.000Z"}, "It has only failed since"),
        ({"enabled": False, "disabled_reason": "the receiver <said> 410"}, "the receiver &lt;said&gt; 410"),
    ],
)
async def test_what_is_wrong_with_the_receiver_is_said(hooks, changes, words):
    hooks.api.answers["GET /webhooks/settings"] = (200, {**SETTINGS, **changes})
    assert words in (await (await hooks.signed_in()).get(WEBHOOKS)).text


async def test_settings_are_saved(hooks):
    hooks.api.answers["PATCH /webhooks/settings"] = (200, {**SETTINGS, "secret": None})
    browser = await hooks.signed_in()
    token = form_token(await browser.get(WEBHOOKS))
    form = {"_csrf_token": token, "url": f" {URL} ", "events": ["period.archived", "signing.locked"], "enabled": "on"}
    answer = await browser.post(WEBHOOKS, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, WEBHOOKS)
    await browser.post(WEBHOOKS, data={"_csrf_token": token, "url": ""})
    assert [body for _, _, body in writes(hooks)] == [
        {"url": URL, "events": ["period.archived", "signing.locked"], "enabled": True},
        {"url": None, "events": [], "enabled": False},
    ]


async def test_a_secret_is_shown_once_when_it_is_made_and_when_it_is_replaced(hooks):
    hooks.api.answers["PATCH /webhooks/settings"] = (200, {**SETTINGS, "secret": "whsec_once"})
    browser = await hooks.signed_in()
    token = form_token(await browser.get(WEBHOOKS))
    for where, form in ((WEBHOOKS, {"url": URL, "enabled": "on"}), (f"{WEBHOOKS}/rotate", {})):
        answer = await browser.post(where, data={"_csrf_token": token, **form})
        assert (answer.status_code, "whsec_once" in answer.text) == (200, True)
        assert answer.headers["cache-control"] == "no-store"
    assert writes(hooks)[-1] == ("PATCH", "/webhooks/settings", {"rotate_secret": True})
    assert "whsec_once" not in (await browser.get(WEBHOOKS)).text


async def test_what_the_api_refuses_stands_beside_the_address(hooks):
    details = {"url": "an https:// URL <of> the internet"}
    hooks.api.answers["PATCH /webhooks/settings"] = (422, {"error": "the URL cannot be used", "details": details})
    browser = await hooks.signed_in()
    form = {"_csrf_token": form_token(await browser.get(WEBHOOKS)), "url": "http://10.0.0.1/<x>"}
    answer = await browser.post(WEBHOOKS, data=form)
    assert answer.status_code == 422
    assert "an https:// URL &lt;of&gt; the internet" in answer.text
    assert "http://10.0.0.1/&lt;x&gt;" in answer.text


async def test_a_test_leads_to_its_delivery(hooks):
    hooks.api.answers["POST /webhooks/test"] = (201, {**DELIVERY, "event": "webhook.test"})
    browser = await hooks.signed_in()
    token = form_token(await browser.get(WEBHOOKS))
    answer = await browser.post(f"{WEBHOOKS}/test", data={"_csrf_token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{WEBHOOKS}/deliveries/{ID}")
    hooks.api.answers["POST /webhooks/test"] = (409, {"error": "the webhook is switched <off>"})
    refused = await browser.post(f"{WEBHOOKS}/test", data={"_csrf_token": token})
    assert (refused.status_code, "switched &lt;off&gt;" in refused.text) == (409, True)


async def test_a_delivery_shows_its_attempts_and_is_replayed(hooks):
    hooks.api.answers[f"POST /webhooks/deliveries/{ID}/replay"] = (200, DELIVERY)
    browser = await hooks.signed_in()
    where = f"{WEBHOOKS}/deliveries/{ID}"
    page = await browser.get(where)
    assert all(words in page.text for words in ("no &lt;answer&gt;", "45 ms", ID))
    token = form_token(page)
    answer = await browser.post(f"{where}/replay", data={"_csrf_token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, where)
    hooks.api.answers[f"POST /webhooks/deliveries/{ID}/replay"] = (409, {"error": "what it told has been erased"})
    refused = await browser.post(f"{where}/replay", data={"_csrf_token": token})
    assert (refused.status_code, "what it told has been erased" in refused.text) == (409, True)


@pytest.mark.parametrize("status", [404, 422])
async def test_a_delivery_that_is_none_is_not_found(hooks, status):
    refusal = (status, {"error": "no", "details": {"delivery_id": "not an id"}})
    hooks.api.answers["GET /webhooks/deliveries/nothing"] = refusal
    hooks.api.answers["POST /webhooks/deliveries/nothing/replay"] = refusal
    browser = await hooks.signed_in()
    token = form_token(await browser.get(WEBHOOKS))
    assert (await browser.get(f"{WEBHOOKS}/deliveries/nothing")).status_code == 404
    assert (await browser.post(f"{WEBHOOKS}/deliveries/nothing/replay", data={"_csrf_token": token})).status_code == 404


async def test_without_pro_the_way_to_it_is_shown(hooks):
    hooks.api.answers["GET /subscription"] = (200, {"tier": "free", "features": {"webhooks": False}, "renews_at": None})
    hooks.api.answers["GET /webhooks/settings"] = (403, {"error": "using webhooks needs Pro"})
    page = await (await hooks.signed_in()).get(WEBHOOKS)
    assert (page.status_code, "Webhooks need Pro" in page.text) == (200, True)


async def test_who_may_only_read_is_shown_no_form(hooks):
    hooks.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": ["read"]})
    browser = await hooks.signed_in()
    for where in (WEBHOOKS, f"{WEBHOOKS}/deliveries/{ID}"):
        page = await browser.get(where)
        assert page.status_code == 200
        assert f'method="post" action="{WEBHOOKS}' not in page.text


async def test_a_member_without_rights_and_another_site_get_nothing(hooks):
    browser = await hooks.signed_in()
    for where in (WEBHOOKS, f"{WEBHOOKS}/rotate", f"{WEBHOOKS}/test", f"{WEBHOOKS}/deliveries/{ID}/replay"):
        assert (await browser.post(where, data={"url": URL})).status_code == 403
    assert writes(hooks) == []
    hooks.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": []})
    other = await hooks.signed_in()
    hooks.clock.advance(10 * 60_000)
    assert (await other.get(WEBHOOKS)).status_code == 403
