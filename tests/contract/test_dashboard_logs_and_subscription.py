"""The pages of log channels and of the subscription."""

from __future__ import annotations

import re

import pytest

from tests.dashboard_world import GUILD, form_token

LOGS, SUBSCRIPTION = f"/guilds/{GUILD}/logs", f"/guilds/{GUILD}/subscription"
ID = "01972f3c-7c00-7000-8000-0123456789ab"
DESTINATION = {
    "id": ID,
    "channel_id": "81384788765712390",
    "types": ["session_end"],
    "frequency": "daily",
    "last_delivered_at": None,
    "last_error": "disabled: the channel is <gone>",
}


TEXT = [
    {"channel_id": "71", "name": "rules", "kind": "announcement", "category": None, "missing_permissions": []},
    {"channel_id": "72", "name": "general <b>", "kind": "text", "category": "Talk & more", "missing_permissions": []},
    {"channel_id": "73", "name": "secret", "kind": "text", "category": "Talk & more", "missing_permissions": ["Send Messages"]},
    {"channel_id": "81384788765712390", "name": "told", "kind": "text", "category": None, "missing_permissions": []},
]


@pytest.fixture
def logs(dashboard):
    dashboard.api.answers["GET /log-destinations"] = (200, {"items": [DESTINATION], "total": 1})
    dashboard.api.answers["GET /channels"] = (200, {"items": [], "total": 0})
    dashboard.api.answers["GET /text-channels"] = (200, {"items": TEXT, "total": len(TEXT)})
    return dashboard


def writes(dashboard):
    return [
        (method, path.partition(str(GUILD))[2], body) for method, path, _, body in dashboard.api.requests if body is not None
    ]


async def test_a_disabled_channel_says_why(logs):
    page = await (await logs.signed_in()).get(LOGS)
    assert page.status_code == 200
    assert "the channel is &lt;gone&gt;" in page.text
    assert "Switched off" in page.text


@pytest.mark.parametrize("given", ["81384788765712391", f"https://discord.com/channels/{GUILD}/81384788765712391"])
async def test_a_channel_is_named_by_its_link_or_its_id(logs, given):
    logs.api.answers["POST /log-destinations"] = (201, DESTINATION)
    browser = await logs.signed_in()
    form = {"_csrf_token": form_token(await browser.get(LOGS)), "channel": given, "types": ["signing"], "frequency": "hourly"}
    answer = await browser.post(LOGS, data=form)
    assert answer.status_code == 303
    wanted = {"channel_id": "81384788765712391", "types": ["signing"], "frequency": "hourly"}
    assert writes(logs) == [("POST", "/log-destinations", wanted)]
    assert "told from now on" in (await browser.get(LOGS)).text


@pytest.mark.parametrize("given", ["general", "https://evil.example/channels/1/2", "0", "https://discord.com/channels/1/"])
async def test_what_is_no_channel_is_said_beside_the_field(logs, given):
    browser = await logs.signed_in()
    form = {"_csrf_token": form_token(await browser.get(LOGS)), "channel": given, "frequency": "hourly"}
    answer = await browser.post(LOGS, data=form)
    assert answer.status_code == 422
    assert "neither a channel" in answer.text
    assert writes(logs) == []


async def test_a_channel_is_picked_from_those_in_which_the_bot_may_post(logs):
    logs.api.answers["POST /log-destinations"] = (201, DESTINATION)
    browser = await logs.signed_in()
    page = await browser.get(LOGS)
    assert re.findall(r'<option value="(7[0-9])">([^<]+)<', page.text) == [
        ("71", "#rules (announcements)"),
        ("72", "#general &lt;b&gt;"),
    ]
    assert '<optgroup label="Talk &amp; more"><option value="72">' in page.text
    assert 'option value="81384788765712390"' not in page.text  # it is told already
    form = {"_csrf_token": form_token(page), "picked": "72", "channel": "", "types": ["signing"], "frequency": "hourly"}
    assert (await browser.post(LOGS, data=form)).status_code == 303
    assert writes(logs) == [
        ("POST", "/log-destinations", {"channel_id": "72", "types": ["signing"], "frequency": "hourly"}),
    ]


@pytest.mark.parametrize(
    ("picked", "pasted", "says"),
    [("", "", "Choose a channel."), ("72", "71", "Choose one or paste one"), ("72", "general", "neither a channel")],
)
async def test_two_channels_or_none_are_asked_about(logs, picked, pasted, says):
    browser = await logs.signed_in()
    form = {"_csrf_token": form_token(await browser.get(LOGS)), "picked": picked, "channel": pasted, "frequency": "hourly"}
    answer = await browser.post(LOGS, data=form)
    assert answer.status_code == 422
    assert says in answer.text
    assert writes(logs) == []


async def test_while_discord_is_away_a_channel_is_pasted(logs):
    logs.api.answers["GET /text-channels"] = (503, {"error": "Discord is away"})
    logs.api.answers["POST /log-destinations"] = (201, DESTINATION)
    browser = await logs.signed_in()
    page = await browser.get(LOGS)
    assert "Discord cannot be asked" in page.text
    assert 'name="picked"' not in page.text
    form = {"_csrf_token": form_token(page), "channel": "72", "types": ["signing"], "frequency": "hourly"}
    assert (await browser.post(LOGS, data=form)).status_code == 303


async def test_what_the_api_refuses_stands_beside_the_channel(logs):
    details = {"channel_id": "the bot lacks: SEND_MESSAGES"}
    logs.api.answers["POST /log-destinations"] = (422, {"error": "the bot may not post there", "details": details})
    browser = await logs.signed_in()
    form = {"_csrf_token": form_token(await browser.get(LOGS)), "channel": "5", "types": "signing", "frequency": "hourly"}
    answer = await browser.post(LOGS, data=form)
    assert answer.status_code == 422
    assert "the bot lacks: SEND_MESSAGES" in answer.text


async def test_types_and_frequency_are_changed_and_a_channel_removed(logs):
    logs.api.answers[f"PATCH /log-destinations/{ID}/types"] = (200, DESTINATION)
    logs.api.answers[f"PATCH /log-destinations/{ID}/frequency"] = (200, DESTINATION)
    logs.api.answers[f"DELETE /log-destinations/{ID}"] = (204, None)
    browser = await logs.signed_in()
    token = form_token(await browser.get(LOGS))
    changed = await browser.post(f"{LOGS}/{ID}", data={"_csrf_token": token, "types": ["signing"], "frequency": "weekly"})
    assert changed.status_code == 303
    assert [body for _, _, body in writes(logs)] == [{"types": ["signing"]}, {"frequency": "weekly"}]
    assert (await browser.post(f"{LOGS}/{ID}/remove", data={"_csrf_token": token})).status_code == 303
    assert logs.api.requests[-1][0] == "DELETE"


async def test_who_may_only_read_is_shown_no_form(logs):
    logs.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": ["read"]})
    page = await (await logs.signed_in()).get(LOGS)
    assert f'action="{LOGS}"' not in page.text
    assert not any("/text-channels" in path for _, path, _, _ in logs.api.requests)


async def test_the_tier_is_shown_and_only_operators_may_set_it(dashboard):
    features = {"exports": True, "verified_roles": False, "webhooks": True}
    dashboard.api.answers["GET /subscription"] = (200, {"tier": "free", "features": features, "renews_at": None})
    browser = await dashboard.signed_in()
    page = await browser.get(SUBSCRIPTION)
    assert "needs Pro" in page.text
    assert f'action="{SUBSCRIPTION}"' not in page.text


async def test_an_operator_sets_a_last_day(dashboard):
    rights = ["read", "write", "subscription"]
    dashboard.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "Europe/Berlin", "rights": rights})
    answer = {"tier": "pro", "features": {}, "renews_at": "2027-01-31T23:00:00.000Z"}
    dashboard.api.answers["GET /subscription"] = dashboard.api.answers["PATCH /subscription"] = (200, answer)
    browser = await dashboard.signed_in()
    token = form_token(await browser.get(SUBSCRIPTION))
    bad = await browser.post(SUBSCRIPTION, data={"_csrf_token": token, "tier": "pro", "renews_at": "soon"})
    assert (bad.status_code, "Give a day" in bad.text) == (422, True)
    good = await browser.post(SUBSCRIPTION, data={"_csrf_token": token, "tier": "pro", "renews_at": "2027-01-31"})
    assert good.status_code == 303
    assert writes(dashboard) == [("PATCH", "/subscription", {"tier": "pro", "renews_at": "2027-01-31T23:00:00Z"})]
