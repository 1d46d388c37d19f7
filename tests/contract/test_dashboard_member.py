"""The pages about a member: who may look, what is told of the time, and receipts."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.domain.streaks import reckon_streaks
from tests.dashboard_world import GUILD, MEMBER

OTHER = "81384788765712390"
SESSION = "01972f3c-7c00-7000-8000-0123456789ab"
HOSTILE = "Ada </h1><script>x</script>"


def stretch(start: str, end: str, seconds: int, status: str, **more):
    return {
        "start": start,
        "end": end,
        "seconds": seconds,
        "status": status,
        "credited": status in ("counted", "bridged"),
        "channel_id": "50",
        "channel_name": "Lounge <b>",
        "session_id": SESSION,
        "state": "signed",
        "stay": 4,
        "part": 0,
        "reason": "leave",
        "below_minimum": False,
        "rule": None,
        "rules_version": 3,
        "rules_set_by": OTHER,
        "rules_set_by_name": HOSTILE,
        "rules_since": "2026-11-01T09:00:00.000Z",
        **more,
    }


def explanation(user_id: str = OTHER, **more):
    none = dict.fromkeys(
        ("below_minimum", "unwitnessed", "deafened", "muted", "solo", "untracked", "afk", "off", "opted_out"), 0
    )
    return {
        "user_id": user_id,
        "display_name": HOSTILE,
        "from": "2026-11-27T23:00:00.000Z",
        "to": "2026-11-28T23:00:00.000Z",
        "as_of": "2026-11-28T22:00:00.000Z",
        "journal_from": "2026-11-28T06:00:00.000Z",
        "seconds": 4_323,
        "by_status": {"counted": 3_663, "bridged": 60, **none, "muted": 125, "afk": 30},
        "blind_seconds": 60,
        "blind": [
            {
                "started_at": "2026-11-28T19:00:00.000Z",
                "ended_at": "2026-11-28T19:01:00.000Z",
                "cause": "restart",
                "ended_by": "snapshot",
            },
            {"started_at": "2026-11-28T21:59:00.000Z", "ended_at": None, "cause": "stalled", "ended_by": None},
        ],
        "corrected_seconds": -120,
        "corrections": [
            {"session_id": SESSION, "at": "2026-11-28T19:30:00.000Z", "seconds": 600, "after_archive": False},
            {"session_id": SESSION, "at": "2026-11-28T19:30:00.000Z", "seconds": -120, "after_archive": True},
        ],
        "stretches": [
            stretch("2026-11-28T18:03:12.345Z", "2026-11-28T19:00:00.000Z", 3_408, "counted"),
            stretch("2026-11-28T19:00:00.000Z", "2026-11-28T19:01:00.000Z", 60, "bridged", rule="bridge_gap_seconds"),
            stretch("2026-11-28T19:01:00.000Z", "2026-11-28T19:03:05.000Z", 125, "muted", rule="pause_on_mute"),
            stretch(
                "2026-11-28T19:30:00.000Z",
                "2026-11-28T19:30:30.000Z",
                30,
                "afk",
                session_id=None,
                state=None,
                stay=None,
                part=None,
                reason=None,
                rule="exclude_afk",
                rules_set_by=None,
                rules_set_by_name=None,
            ),
            stretch(
                "2026-11-28T21:00:00.000Z", "2026-11-28T21:04:15.000Z", 255, "counted", session_id=None, state="open", stay=5,
                reason=None,
            ),
        ],
        **more,
    }  # fmt: skip


def stats(user_id: str = OTHER, **more):
    recent = {
        "session_id": SESSION,
        "channel_id": "51",
        "joined_at": "2026-11-27T23:30:00.000Z",
        "left_at": "2026-11-28T01:00:00.000Z",
        "seconds": 5_400,
        "reason": "leave",
        "state": "signed",
        "corrected_seconds": -60,
    }
    return {
        "user_id": user_id,
        "display_name": HOSTILE,
        "period_index": 4,
        "seconds": 11_220,
        "sessions": 3,
        "rank": 2,
        "live": True,
        "paused_seconds": {"deafened": 0, "muted": 125, "solo": 60},
        "unwitnessed_seconds": 61,
        "external_seconds": 3_600,
        "first_seen": "2026-11-01T18:00:00.000Z",
        "last_seen": "2026-11-28T21:04:15.000Z",
        "by_channel": [{"channel_id": "50", "name": "Lounge <b>", "seconds": 11_220, "sessions": 3}],
        "recent": [recent, recent | {"session_id": SESSION.replace("0", "1"), "state": "pending", "reason": "gap"}],
        **more,
    }


NEVER = stats(seconds=0, sessions=0, rank=None, live=False, first_seen=None, last_seen=None, by_channel=[], recent=[])
DAYS = [{"date": "2026-11-26", "seconds": -5}, {"date": "2026-11-27", "seconds": 7_625}, {"date": "2026-11-28", "seconds": 0}]
CORRECTION = {
    "correction_id": "01972f3c-7c00-7000-8000-0123456789ff",
    "session_id": SESSION,
    "user_id": OTHER,
    "channel_id": "50",
    "period_index": 4,
    "at": "2026-11-28T19:30:00.000Z",
    "delta_seconds": 600,
    "note": "muted by mistake <i>",
    "actor_id": str(MEMBER),
    "actor_name": "Grace <u>",
    "created_at": "2026-11-28T20:00:00.000Z",
    "after_archive": False,
}


@pytest.fixture
def world(dashboard):
    dashboard.api.answers["GET /stats"] = (200, stats())
    dashboard.api.answers["GET /stats/days"] = (200, {"items": DAYS})
    dashboard.api.answers["GET /stats/explain"] = (200, explanation())
    dashboard.api.answers["GET /corrections"] = (200, {"items": [CORRECTION], "total": 1})
    return dashboard


def as_ordinary_member(dashboard):
    dashboard.api.answers["GET /access"] = (200, {"present": True, "name": "G", "timezone": "Europe/Berlin", "rights": []})
    dashboard.api.answers["GET /stats"] = (200, stats(str(MEMBER)))
    dashboard.api.answers["GET /stats/explain"] = (200, explanation(str(MEMBER)))


def asked(world, path: str) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(one).query) for _, one, _, _ in world.api.requests if urlsplit(one).path.endswith(path)]


def page(user_id: object = OTHER, rest: str = "") -> str:
    return f"/guilds/{GUILD}/members/{user_id}{rest}"


async def test_a_member_shows_figures_days_channels_sessions_and_corrections(world):
    answer = await (await world.signed_in()).get(page())
    assert answer.status_code == 200
    assert not any(markup in answer.text for markup in ("<script>x", "Lounge <b>", "mistake <i>"))
    for words in ("In voice now", "Unwitnessed", "by other systems", "Days in a row", "+0:10:00", f"/receipts/{SESSION}"):
        assert words in answer.text, words
    assert "waits for its signature" in answer.text
    assert "timeline?day=2026-11-28" in answer.text  # 23:30 in UTC is half past midnight in Berlin


async def test_an_ordinary_member_sees_themselves_and_nobody_else(world):
    as_ordinary_member(world)
    browser = await world.signed_in()
    own = await browser.get(page(MEMBER))
    assert own.status_code == 200
    assert f"/guilds/{GUILD}/leaderboard" not in own.text
    assert not asked(world, "/corrections")
    world.api.requests.clear()
    for rest in ("", "/timeline", "/timeline.csv"):
        assert (await browser.get(page(OTHER, rest))).status_code == 403
    assert not [one for one in world.api.requests if "/stats" in one[1]]


@pytest.mark.parametrize("bad", ["x", "0", "-1", "9" * 20, "1%2F..", "\uff11"])
async def test_what_is_no_id_is_not_there(world, bad):
    browser = await world.signed_in()
    assert (await browser.get(page(bad))).status_code == 404
    assert (await browser.get(page(bad, "/timeline"))).status_code == 404


async def test_a_member_never_seen_is_told_as_one(world):
    world.api.answers["GET /stats"] = (200, NEVER)
    world.api.answers["GET /stats/explain"] = (200, explanation(stretches=[], blind=[]))
    answer = await (await world.signed_in()).get(page())
    assert answer.status_code == 200
    assert "Not seen yet" in answer.text


async def test_a_member_of_a_server_without_the_bot_is_told_so(world):
    world.api.answers["GET /access"] = (200, {"present": False, "name": "G", "timezone": "UTC", "rights": []})
    answer = await (await world.signed_in()).get(page(MEMBER))
    assert answer.status_code == 404
    assert "The bot is not in this server" in answer.text


async def test_every_stretch_has_its_reason_and_the_lengths_add_up(world):
    answer = await (await world.signed_in()).get(page(rest="/timeline?day=2026-11-28"))
    assert answer.status_code == 200
    assert "<script>x" not in answer.text
    for words in (
        "19:03:12",  # by Berlin's clocks, to the second
        "0:56:48",
        "pause while muted",
        "version 3 of the rules",
        "no session",
        "still open",
        "1:12:03",
        "Rollcall was being restarted.",
        "The machine stood still or slept.",
        "It goes on.",
        "known only since",
        "\N{MINUS SIGN}2\N{NO-BREAK SPACE}min of corrections",
    ):
        assert words in answer.text, words
    assert answer.text.count(f"/receipts/{SESSION}") == 1  # where the session begins
    assert asked(world, "/stats/explain")[-1] == {
        "user_id": [OTHER],
        "from": ["2026-11-27T23:00:00Z"],
        "to": ["2026-11-28T23:00:00Z"],
    }
    assert "day=2026-11-27" in answer.text


async def test_a_range_is_of_days_of_the_zone_that_was_asked_for(world):
    answer = await (await world.signed_in()).get(
        page(rest="/timeline"), params={"from": "2026-10-24", "to": "2026-10-25", "tz": "America/New_York"}
    )
    assert answer.status_code == 200
    assert asked(world, "/stats/explain")[-1]["from"] == ["2026-10-24T04:00:00Z"]
    assert "Everything on this page is by the clocks of America/New_York." in answer.text
    assert "from=2026-10-22&amp;to=2026-10-23" in answer.text
    assert "13:03:12" in answer.text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"from": "2026-11-28", "to": "2026-11-27"}, "must not end before"),
        ({"from": "tomorrow", "to": "<i>"}, "Give a day"),
        ({"from": "2026-01-01", "to": "2026-11-27"}, "At most 31 days"),
        ({"day": "2026-11-28", "tz": "Mars/<b>"}, "no such time zone"),
    ],
)
async def test_a_range_that_cannot_be_shown_says_why_beside_its_field(world, typed, words):
    answer = await (await world.signed_in()).get(page(rest="/timeline"), params=typed)
    assert answer.status_code == 422
    assert answer.text.count(words) >= 2
    assert "<b>" not in answer.text


async def test_a_day_without_anything_says_so(world):
    nothing = explanation(stretches=[], blind=[], journal_from=None, seconds=0, corrections=[], corrected_seconds=0)
    world.api.answers["GET /stats/explain"] = (200, nothing)
    answer = await (await world.signed_in()).get(page(rest="/timeline?day=nonsense"))
    assert answer.status_code == 200
    assert all(words in answer.text for words in ("Nothing was seen", "watched all the time", "no longer known"))


async def test_the_stretches_are_passed_on_as_a_table(world):
    answer = await (await world.signed_in()).get(page(rest="/timeline.csv?from=2026-11-01&to=2026-11-28"))
    assert answer.status_code == 200
    assert asked(world, "/stats/explain")[-1]["format"] == ["csv"]


async def test_a_receipt_is_passed_on_as_a_file(world):
    as_ordinary_member(world)
    world.api.answers[f"GET /receipts/{SESSION}"] = (200, {"format": "receipt"})
    answer = await (await world.signed_in()).get(f"/guilds/{GUILD}/receipts/{SESSION}")
    assert (answer.status_code, answer.json()) == (200, {"format": "receipt"})
    assert "no-store" in answer.headers["cache-control"]


async def test_a_receipt_that_waits_says_for_what(world):
    world.api.answers[f"GET /receipts/{SESSION}"] = (409, {"error": "the session's record waits for a signature"})
    browser = await world.signed_in()
    answer = await browser.get(f"/guilds/{GUILD}/receipts/{SESSION}")
    assert answer.status_code == 409
    assert all(words in answer.text for words in ("waits for a signature", "nothing of it is lost"))
    assert (await browser.get(f"/guilds/{GUILD}/receipts/..%2Ftokens")).status_code == 404


def test_a_streak_goes_on_until_a_day_without_time_is_over():
    def day(number: int) -> date:
        return date(2026, 11, number)

    seconds = {day(1): 5, day(2): 1, day(3): 9, day(4): 0, day(5): -3, day(26): 1, day(27): 2}
    now = reckon_streaks(seconds, day(28))
    assert (now.current.days, now.longest.days, now.longest.last, now.days) == (2, 3, day(3), 5)
    assert reckon_streaks(seconds, day(29)).current.days == 0
    assert reckon_streaks(seconds | {day(28): 1}, day(28)).longest.last == day(28)
    assert reckon_streaks({}, day(28)).longest.days == 0
