"""The pages of verified roles, over an API that answers as the real one does."""

from __future__ import annotations

import pytest

from tests.dashboard_world import GUILD, form_token

ROLES = f"/guilds/{GUILD}/roles"
ID = "01972f3c-7c00-7000-8000-0123456789ab"
ROLE = "81384788765712400"
RULE = {
    "id": ID,
    "role_id": ROLE,
    "threshold_seconds": 36_030,
    "scope": "period",
    "channel_ids": ["81384788765712390"],
    "remove_below": True,
    "last_error": "the bot lacks <Manage Roles>",
    "created_at": "2026-11-28T21:00:00.000Z",
    "updated_at": "2026-11-28T21:00:00.000Z",
}
RUN = {
    "id": ID,
    "rule_id": ID,
    "period_index": 4,
    "state": "judged",
    "error": None,
    "created_at": "2026-11-28T21:00:00.000Z",
    "done_at": None,
    "waiting": 30,
    "granted": 8,
    "removed": 1,
    "passed_over": 1,
    "failed": 0,
}
DRY = {
    "rule_id": ID,
    "role_id": ROLE,
    "period_index": 4,
    "problem": None,
    "grant": 1,
    "remove": 1,
    "keep": 7,
    "items": [
        {"user_id": "5", "display_name": "<b>ada</b>", "seconds": 40_000, "action": "grant"},
        {"user_id": "6", "display_name": "bob", "seconds": 60, "action": "remove"},
    ],
    "total": 2,
}
NAMED = {"role_id": ROLE, "name": "<i>Regulars</i>", "position": 3, "managed": False}
EVERYONE = {"role_id": str(GUILD), "name": "@everyone", "position": 0, "managed": False}
BOTS = {"role_id": "77", "name": "Another bot", "position": 2, "managed": True}
CHANNEL = {"channel_id": "81384788765712390", "name": "Deep <work>", "kind": "voice", "parent_id": None, "position": 1}
FORM = {"role_id": ROLE, "hours": "10", "minutes": "30", "scope": "lifetime", "channel_ids": ["1", "2"], "remove_below": "on"}


@pytest.fixture
def ruled(dashboard):
    answers = dashboard.api.answers
    answers["GET /subscription"] = (200, {"tier": "pro", "features": {"verified_roles": True}, "renews_at": None})
    answers["GET /verified-roles"] = (200, {"items": [RULE], "total": 1})
    answers[f"GET /verified-roles/{ID}/runs"] = (200, {"items": [RUN], "total": 1})
    answers[f"POST /verified-roles/{ID}/dry-run"] = (200, DRY)
    answers["GET /roles"] = (200, {"items": [NAMED, BOTS, EVERYONE], "total": 3})
    answers["GET /channels"] = (200, {"items": [CHANNEL], "total": 1})
    return dashboard


def writes(dashboard):
    return [
        (method, path.partition(str(GUILD))[2], body) for method, path, _, body in dashboard.api.requests if method != "GET"
    ]


async def test_rules_are_shown_by_names_that_are_no_markup(ruled):
    page = await (await ruled.signed_in()).get(ROLES)
    assert page.status_code == 200
    shown = ("&lt;i&gt;Regulars&lt;/i&gt;", "Deep &lt;work&gt;", "the bot lacks &lt;Manage Roles&gt;")
    assert all(words in page.text for words in shown)
    assert f'href="{ROLES}/{ID}"' in page.text


async def test_roles_that_nobody_can_be_given_are_not_offered(ruled):
    page = await (await ruled.signed_in()).get(ROLES)
    assert f'<option value="{ROLE}"' in page.text
    assert '<option value="77"' not in page.text
    assert f'<option value="{GUILD}"' not in page.text


async def test_without_discords_list_a_role_is_named_by_its_id(ruled):
    ruled.api.answers["GET /roles"] = (503, {"error": "Discord is away"})
    page = await (await ruled.signed_in()).get(ROLES)
    assert page.status_code == 200
    assert 'name="role_id" value=""' in page.text
    assert ROLE in page.text


async def test_a_rule_is_made(ruled):
    ruled.api.answers["POST /verified-roles"] = (201, RULE)
    browser = await ruled.signed_in()
    answer = await browser.post(ROLES, data={"_csrf_token": form_token(await browser.get(ROLES)), **FORM})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ROLES}/{ID}")
    body = {
        "role_id": ROLE,
        "threshold_seconds": 37_800,
        "scope": "lifetime",
        "channel_ids": ["1", "2"],
        "remove_below": True,
    }
    assert writes(ruled) == [("POST", "/verified-roles", body)]


@pytest.mark.parametrize(
    "bad",
    [
        {"role_id": ""},
        {"role_id": "<x>"},
        {"hours": "ten"},
        {"hours": "-1"},
        {"hours": "1.5"},
        {"hours": "٣"},
        {"hours": "0", "minutes": "0"},
        {"hours": "", "minutes": ""},
    ],
)
async def test_what_cannot_be_a_rule_is_said_beside_its_field(ruled, bad):
    browser = await ruled.signed_in()
    token = form_token(await browser.get(ROLES))
    for where in (ROLES, f"{ROLES}/{ID}"):
        answer = await browser.post(where, data={"_csrf_token": token, **FORM, **bad})
        assert answer.status_code == 422
        assert f'id="f-{next(iter(bad))}-error"' in answer.text
    assert writes(ruled) == []


async def test_what_the_api_refuses_stands_beside_the_role(ruled):
    refusal = {"error": "not valid", "details": {"role_id": "a <moderator's> role", "threshold_seconds": "ten years at most"}}
    ruled.api.answers["POST /verified-roles"] = (422, refusal)
    browser = await ruled.signed_in()
    answer = await browser.post(ROLES, data={"_csrf_token": form_token(await browser.get(ROLES)), **FORM})
    assert answer.status_code == 422
    assert "a &lt;moderator&#39;s&gt; role" in answer.text
    assert 'id="f-hours-error"' in answer.text
    ruled.api.answers["POST /verified-roles"] = (409, {"error": "the server has 25 rules"})
    full = await browser.post(ROLES, data={"_csrf_token": form_token(await browser.get(ROLES)), **FORM})
    assert (full.status_code, "the server has 25 rules" in full.text) == (409, True)


async def test_a_rule_is_changed_and_seconds_that_the_form_does_not_show_are_kept(ruled):
    ruled.api.answers["POST /verified-roles"] = (200, RULE)
    browser = await ruled.signed_in()
    page = await browser.get(f"{ROLES}/{ID}")
    assert 'name="hours" value="10"' in page.text
    form = {"_csrf_token": form_token(page), **FORM}
    await browser.post(f"{ROLES}/{ID}", data={**form, "minutes": "0"})
    await browser.post(f"{ROLES}/{ID}", data=form)
    first, second = (body for _, _, body in writes(ruled))
    assert (first["id"], "threshold_seconds" in first) == (ID, False)
    assert second["threshold_seconds"] == 37_800


async def test_a_run_shows_how_far_it_is_and_is_looked_at_again(ruled):
    browser = await ruled.signed_in()
    page = await browser.get(f"{ROLES}/{ID}")
    assert "10 of 40" in page.text
    assert f'hx-get="{ROLES}/{ID}"' in page.text
    done = {**RUN, "state": "failed", "error": "the role is <gone>", "done_at": "2026-11-28T22:00:00.000Z", "waiting": 0}
    ruled.api.answers[f"GET /verified-roles/{ID}/runs"] = (200, {"items": [done], "total": 1})
    page = await browser.get(f"{ROLES}/{ID}")
    assert "hx-get" not in page.text
    assert "the role is &lt;gone&gt;" in page.text


async def test_a_dry_run_names_who_would_change_and_changes_nothing(ruled):
    browser = await ruled.signed_in()
    page = await browser.get(f"{ROLES}/{ID}/dry-run", params={"offset": "50"})
    assert page.status_code == 200
    assert "&lt;b&gt;ada&lt;/b&gt;" in page.text
    assert all(words in page.text for words in ("gets the role", "loses the role", "Judged by period 4"))
    assert writes(ruled) == [("POST", f"/verified-roles/{ID}/dry-run?limit=50&offset=50", None)]


async def test_a_dry_run_of_a_role_that_cannot_be_given_offers_no_run(ruled):
    ruled.api.answers[f"POST /verified-roles/{ID}/dry-run"] = (200, {**DRY, "problem": "the role is above the <bot>"})
    page = await (await ruled.signed_in()).get(f"{ROLES}/{ID}/dry-run")
    assert "the role is above the &lt;bot&gt;" in page.text
    assert f'action="{ROLES}/{ID}/run"' not in page.text


async def test_a_rule_is_run_and_removed(ruled):
    ruled.api.answers[f"POST /verified-roles/{ID}/run"] = (201, RUN)
    ruled.api.answers[f"DELETE /verified-roles/{ID}"] = (204, None)
    browser = await ruled.signed_in()
    token = form_token(await browser.get(f"{ROLES}/{ID}"))
    ran = await browser.post(f"{ROLES}/{ID}/run", data={"_csrf_token": token})
    assert (ran.status_code, ran.headers["location"]) == (303, f"{ROLES}/{ID}#runs")
    gone = await browser.post(f"{ROLES}/{ID}/remove", data={"_csrf_token": token})
    assert (gone.status_code, gone.headers["location"]) == (303, ROLES)
    assert [(method, path) for method, path, _ in writes(ruled)] == [
        ("POST", f"/verified-roles/{ID}/run"),
        ("DELETE", f"/verified-roles/{ID}"),
    ]


@pytest.mark.parametrize("status", [404, 422])
async def test_a_rule_that_is_none_is_not_found(ruled, status):
    for path in ("POST /verified-roles/x/run", "POST /verified-roles/x/dry-run", "DELETE /verified-roles/x"):
        ruled.api.answers[path] = (status, {"error": "no", "details": {"rule_id": "not an id"}})
    browser = await ruled.signed_in()
    token = form_token(await browser.get(ROLES))
    for where in (f"{ROLES}/x", f"{ROLES}/x/dry-run"):
        assert (await browser.get(where)).status_code == 404
    for where in (f"{ROLES}/x", f"{ROLES}/x/run", f"{ROLES}/x/remove"):
        assert (await browser.post(where, data={"_csrf_token": token, **FORM})).status_code == 404


async def test_without_pro_the_way_to_it_is_shown(ruled):
    ruled.api.answers["GET /subscription"] = (200, {"tier": "free", "features": {"verified_roles": False}, "renews_at": None})
    page = await (await ruled.signed_in()).get(ROLES)
    assert (page.status_code, "Verified roles need Pro" in page.text) == (200, True)
    ruled.api.answers["GET /verified-roles"] = (403, {"error": "using verified roles needs Pro"})
    refused = await (await ruled.signed_in()).get(f"{ROLES}/{ID}")
    assert (refused.status_code, "using verified roles needs Pro" in refused.text) == (403, True)


async def test_who_may_only_read_looks_and_changes_nothing(ruled):
    ruled.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": ["read"]})
    browser = await ruled.signed_in()
    for where in (ROLES, f"{ROLES}/{ID}", f"{ROLES}/{ID}/dry-run"):
        page = await browser.get(where)
        assert page.status_code == 200
        assert f'action="{ROLES}' not in page.text


async def test_a_member_without_rights_and_another_site_get_nothing(ruled):
    browser = await ruled.signed_in()
    for where in (ROLES, f"{ROLES}/{ID}", f"{ROLES}/{ID}/run", f"{ROLES}/{ID}/remove"):
        assert (await browser.post(where, data=FORM)).status_code == 403
    assert writes(ruled) == []


async def test_a_member_without_rights_does_not_see_the_pages(ruled):
    ruled.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": []})
    browser = await ruled.signed_in()
    for where in (ROLES, f"{ROLES}/{ID}", f"{ROLES}/{ID}/dry-run"):
        assert (await browser.get(where)).status_code == 403
