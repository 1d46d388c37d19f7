"""The settings' tabs: what is sent, what is only shown, and who is shown a form."""

from __future__ import annotations

import re

import pytest

from tests.dashboard_world import GUILD, MEMBER, come_back, form_token

SETTINGS = f"/guilds/{GUILD}/settings"
ALL_RIGHTS = ["erase", "panel_roles", "read", "write"]
CHANNELS = [
    {"channel_id": "10", "name": "Rooms", "kind": "category", "parent_id": None, "position": 0},
    {"channel_id": "11", "name": "<b>Lobby", "kind": "voice", "parent_id": "10", "position": 1},
    {"channel_id": "12", "name": "Stage", "kind": "stage", "parent_id": None, "position": 2},
]
FAIRNESS = {
    "pause_on_mute": True,
    "pause_on_deafen": False,
    "pause_when_solo": False,
    "exclude_afk": True,
    "min_session_seconds": 0,
    "bridge_gap_seconds": 120,
}
SCHEDULE = {
    "interval": "weekly",
    "anchor": "calendar",
    "timezone": "Europe/Berlin",
    "weekday": 0,
    "day": 1,
    "month": 1,
    "hour": 4,
    "next_reset_at": "2026-03-30T02:00:00.000Z",
    "next_resets": ["2026-03-23T03:00:00.000Z", "2026-03-30T02:00:00.000Z"],
}
GENERAL = {"timezone": "UTC", "names_shown": True, "retention_days": None, "read_roles": ["5"], "write_roles": ["99"]}
ROLES = [{"role_id": "5", "name": "<i>Mods", "position": 1}, {"role_id": str(GUILD), "name": "@everyone", "position": 0}]
PREVIEW = {
    "from": "2026-01-01T00:00:00.000Z",
    "to": "2026-01-08T00:00:00.000Z",
    "not_covered": [{"from": "2026-01-01T00:00:00.000Z", "to": "2026-01-02T00:00:00.000Z", "why": "not_recorded"}],
    "blind_seconds": 660,
    "seconds_now": 7200,
    "seconds_then": 3600,
    "difference_seconds": -3600,
    "members_now": 2,
    "members_then": 1,
    "appearing": 0,
    "disappearing": 1,
    "items": [
        {
            "user_id": "7",
            "display_name": "<script>Mallory",
            "seconds_now": 3600,
            "seconds_then": 0,
            "difference_seconds": -3600,
            "sessions_now": 2,
            "sessions_then": 0,
            "change": "disappears",
        },
        {
            "user_id": "8",
            "display_name": "Unchanged",
            "seconds_now": 3600,
            "seconds_then": 3600,
            "difference_seconds": 0,
            "sessions_now": 1,
            "sessions_then": 1,
            "change": "same",
        },
    ],
    "total": 2,
}


def listed(items):
    return (200, {"items": items, "total": len(items)})


@pytest.fixture
def world(dashboard):
    dashboard.api.answers |= {
        "GET /access": (200, {"present": True, "name": "G", "timezone": "Europe/Berlin", "rights": ALL_RIGHTS}),
        "GET /overview": (200, {"tracking_mode": "Allowlist"}),
        "GET /channels": listed(CHANNELS),
        "GET /tracked-channels": listed([{"channel_id": "11"}, {"channel_id": "77"}]),
        "GET /fairness": (200, FAIRNESS),
        "PATCH /fairness": (200, FAIRNESS),
        "GET /reset-interval": (200, SCHEDULE),
        "PATCH /reset-interval": (200, SCHEDULE),
        "GET /settings": (200, GENERAL),
        "PATCH /settings": (200, GENERAL),
        "GET /roles": listed(ROLES),
        "PATCH /tracking-mode": (200, {"mode": "All"}),
        "POST /tracked-channels": (201, {}),
        "DELETE /tracked-channels/11": (204, None),
        "DELETE /tracked-channels/77": (404, {"error": "it is not on the list"}),
        "POST /fairness/preview": (200, PREVIEW),
    }
    return dashboard


def only(world, *rights):
    world.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "UTC", "rights": list(rights)})


def writes(world):
    return [(method, path.partition(str(GUILD))[2], body) for method, path, _, body in world.api.requests if method != "GET"]


async def send(browser, path, **fields):
    token = form_token(await browser.get(path.partition("/end")[0].removesuffix("/retention")))
    return await browser.post(path, data={"_csrf_token": token, **fields})


async def signed_in_long_ago(world):
    """A browser whose sign-in no longer confirms anything."""
    browser = await world.signed_in()
    world.clock.advance(11 * 60_000)
    return browser


async def confirmed(world):
    """A browser whose viewer has confirmed anew at Discord who they are."""
    browser = await signed_in_long_ago(world)
    back = await come_back(browser, await browser.get("/auth/confirm", params={"return_url": SETTINGS}))
    assert back.headers["location"] == SETTINGS
    return browser


async def test_only_the_channels_and_the_mode_that_differ_are_sent(world):
    browser = await world.signed_in()
    page = await browser.get(SETTINGS)
    assert "&lt;b&gt;Lobby" in page.text
    assert re.findall(r'name="was" value="(\d+)"', page.text) == ["11", "77"]
    fields = {"was_mode": "Allowlist", "was": ["11", "77"]}
    same = await send(browser, SETTINGS, mode="Allowlist", channels=["11", "77"], **fields)
    assert (same.status_code, writes(world)) == (303, [])
    changed = await send(browser, SETTINGS, mode="All", channels=["12", "77"], **fields)
    assert changed.status_code == 303
    assert writes(world) == [
        ("PATCH", "/tracking-mode", {"mode": "All"}),
        ("POST", "/tracked-channels", {"channel_id": "12"}),
        ("DELETE", "/tracked-channels/11", None),
    ]


async def test_a_list_that_is_about_to_count_is_completed_before_its_mode(world):
    browser = await world.signed_in()
    gone = await send(browser, SETTINGS, mode="Denylist", channels=["12"], was_mode="All", was="77")
    assert gone.status_code == 303  # 77 is off the list already: that is what was wanted
    assert [path for _, path, _ in writes(world)] == ["/tracked-channels", "/tracked-channels/77", "/tracking-mode"]


async def test_a_channel_that_is_refused_is_said_beside_the_list(world):
    details = {"channel_id": "no <channel> of this server"}
    world.api.answers["POST /tracked-channels"] = (422, {"error": "no such channel", "details": details})
    answer = await send(await world.signed_in(), SETTINGS, mode="All", channels="1/../2", was_mode="All")
    assert answer.status_code == 422
    assert "not there any more. It stands first in the list" in answer.text


@pytest.mark.parametrize(
    ("path", "fields", "asked"),
    [
        (
            SETTINGS,
            {"mode": "Off", "channels": "12", "was_mode": "All", "was": "11"},
            {"tracking_mode": "Off", "tracked_channels": ["12"]},
        ),
        (
            f"{SETTINGS}/fairness",
            {"pause_when_solo": "on", "min_session_seconds": "60", "bridge_gap_seconds": "0"},
            {
                "pause_on_mute": False,
                "pause_on_deafen": False,
                "pause_when_solo": True,
                "exclude_afk": False,
                "min_session_seconds": 60,
                "bridge_gap_seconds": 0,
            },
        ),
    ],
)
async def test_a_preview_shows_who_would_lose_how_much_and_stores_nothing(world, path, fields, asked):
    browser = await world.signed_in()
    answer = await send(browser, path, do="preview", **fields)
    assert answer.status_code == 200
    assert writes(world) == [("POST", "/fairness/preview?limit=20", asked)]
    assert "&lt;script&gt;Mallory" in answer.text
    assert "Unchanged" not in answer.text
    assert "-1\N{NO-BREAK SPACE}h 00\N{NO-BREAK SPACE}min" in answer.text.replace("\N{MINUS SIGN}", "-")
    assert "For 11\N{NO-BREAK SPACE}min of this week Rollcall did not see voice" in answer.text
    assert "In this part nothing was recorded yet" in answer.text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", answer.text)


async def test_a_preview_that_changes_nobody_says_so(world):
    world.api.answers["POST /fairness/preview"] = (200, PREVIEW | {"items": PREVIEW["items"][1:], "not_covered": []})
    numbers = {"min_session_seconds": "0", "bridge_gap_seconds": "120"}
    answer = await send(await world.signed_in(), f"{SETTINGS}/fairness", do="preview", **numbers)
    assert "Nobody&#39;s time would change" in answer.text


async def test_fairness_is_saved_whole(world):
    browser = await world.signed_in()
    numbers = {"min_session_seconds": "60", "bridge_gap_seconds": "0"}
    answer = await send(browser, f"{SETTINGS}/fairness", pause_on_mute="on", exclude_afk="on", **numbers)
    assert answer.headers["location"] == f"{SETTINGS}/fairness"
    assert writes(world) == [("PATCH", "/fairness", FAIRNESS | {"min_session_seconds": 60, "bridge_gap_seconds": 0})]


@pytest.mark.parametrize("given", ["", "-1", "1.5", "\uff11", "9" * 10, '"><b>'])
async def test_seconds_that_are_no_number_are_said_beside_the_field(world, given):
    numbers = {"min_session_seconds": given, "bridge_gap_seconds": "0"}
    answer = await send(await world.signed_in(), f"{SETTINGS}/fairness", **numbers)
    assert (answer.status_code, writes(world)) == (422, [])
    assert "Give a whole number of seconds" in answer.text
    assert '"><b>' not in answer.text


async def test_the_apis_words_stand_beside_a_number_that_is_too_large(world):
    world.api.answers["PATCH /fairness"] = (422, {"error": "not valid", "details": {"bridge_gap_seconds": "at most <600>"}})
    numbers = {"min_session_seconds": "0", "bridge_gap_seconds": "601"}
    answer = await send(await world.signed_in(), f"{SETTINGS}/fairness", **numbers)
    assert (answer.status_code, "at most &lt;600&gt;" in answer.text) == (422, True)


async def test_the_next_resets_are_shown_by_the_servers_clock_across_a_change_of_it(world):
    text = (await (await world.signed_in()).get(f"{SETTINGS}/periods")).text
    assert "23 Mar 2026, 04:00" in text
    assert "30 Mar 2026, 04:00" in text


async def test_a_schedule_is_saved_with_numbers_as_numbers(world):
    fields = {"interval": "monthly", "anchor": "rolling", "timezone": " UTC ", "hour": "3", "weekday": "6", "day": "31"}
    answer = await send(await world.signed_in(), f"{SETTINGS}/periods", month="x", **fields)
    assert answer.status_code == 303
    wanted = fields | {"timezone": "UTC", "hour": 3, "weekday": 6, "day": 31, "month": "x"}
    assert writes(world) == [("PATCH", "/reset-interval", wanted)]


async def test_ending_a_period_twice_from_one_form_sends_one_key(world):
    world.api.answers["POST /reset-now"] = (200, {"period_index": 4, "entry_count": 2})
    browser = await world.signed_in()
    page = await browser.get(f"{SETTINGS}/periods")
    key = re.search(r'name="key" value="([^"]+)"', page.text)[1]
    for _ in range(2):
        form = {"_csrf_token": form_token(page), "key": key}
        assert (await browser.post(f"{SETTINGS}/periods/end", data=form)).status_code == 303
    sent = [headers.get("idempotency-key") for headers in world.api.headers]
    assert [one for one in sent if one] == [key, key]
    assert "Period 4 has ended" in (await browser.get(f"{SETTINGS}/periods")).text
    assert re.search(r'name="key" value="([^"]+)"', (await browser.get(f"{SETTINGS}/periods")).text)[1] != key


@pytest.mark.parametrize("key", ["", "a b", "x\r\nX-Other: 1"])
async def test_a_period_is_not_ended_by_a_form_without_its_key(world, key):
    answer = await send(await world.signed_in(), f"{SETTINGS}/periods/end", key=key)
    assert (answer.status_code, writes(world)) == (422, [])


async def test_panel_roles_are_shown_by_name_and_changed_only_by_who_confirmed(world):
    browser = await signed_in_long_ago(world)
    path = f"{SETTINGS}/panel"
    page = await browser.get(path)
    assert "&lt;i&gt;Mods" in page.text
    assert "not in the server any more" in page.text  # 99 is no role of theirs
    assert f'action="{path}"' not in page.text
    sent = await browser.post(path, data={"_csrf_token": form_token(page), "read_roles": "5"})
    assert sent.headers["location"].startswith("/auth/confirm")
    assert writes(world) == []

    browser = await confirmed(world)
    answer = await send(browser, path, read_roles=["5", str(GUILD)])
    assert answer.status_code == 303
    assert writes(world) == [("PATCH", "/settings", {"read_roles": ["5", str(GUILD)], "write_roles": []})]


async def test_roles_that_are_refused_come_back_with_the_apis_words(world):
    world.api.answers["PATCH /settings"] = (422, {"error": "no", "details": {"write_roles": "not <everyone>"}})
    answer = await send(await confirmed(world), f"{SETTINGS}/panel", write_roles=str(GUILD))
    assert (answer.status_code, "not &lt;everyone&gt;" in answer.text) == (422, True)


@pytest.mark.parametrize(("given", "sent"), [("30", 30), ("", None)])
async def test_a_retention_is_set_after_confirming(world, given, sent):
    path = f"{SETTINGS}/general/retention"
    plain = await send(await signed_in_long_ago(world), path, retention_days=given)
    assert plain.headers["location"].startswith("/auth/confirm")
    answer = await send(await confirmed(world), path, retention_days=given)
    assert answer.headers["location"] == f"{SETTINGS}/general"
    assert writes(world) == [("PATCH", "/settings", {"retention_days": sent})]


@pytest.mark.parametrize("given", ["soon", "-1", "1e3"])
async def test_days_that_are_no_number_are_said_beside_the_field(world, given):
    answer = await send(await confirmed(world), f"{SETTINGS}/general/retention", retention_days=given)
    assert (answer.status_code, writes(world)) == (422, [])
    assert "Give a whole number of days" in answer.text


@pytest.mark.parametrize("tab", ["", "/fairness", "/periods", "/panel", "/general"])
async def test_who_may_only_read_sees_every_tab_and_no_button(world, tab):
    only(world, "read")
    page = await (await world.signed_in()).get(SETTINGS + tab)
    assert page.status_code == 200
    main = page.text.partition("<main")[2]
    assert 'type="submit"' not in main
    assert "retention_days" not in main
    assert "/auth/confirm" not in main


@pytest.mark.parametrize("tab", ["", "/fairness", "/periods", "/panel", "/general"])
async def test_a_member_without_a_right_sees_no_settings(world, tab):
    only(world)
    page = await (await world.signed_in(MEMBER)).get(SETTINGS + tab)
    assert page.status_code == 403


async def test_a_list_longer_than_one_answer_is_picked_from_whole(world):
    many = [{"channel_id": str(n), "name": f"c{n}", "kind": "voice", "parent_id": None} for n in range(1, 201)]
    world.api.answers["GET /channels"] = (200, {"items": many, "total": 250})
    await (await world.signed_in()).get(SETTINGS)
    asked = sorted(path.partition("?")[2] for _, path, *_ in world.api.requests if "/channels?" in path)
    assert asked == ["limit=200", "limit=200&offset=200"]
