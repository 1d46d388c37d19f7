"""What log destinations are told, when, and how much of it in one message, on both databases."""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, update

from attendance.clock import FixedClock
from attendance.domain.announcements import Happening, LogType
from attendance.domain.audit import Actor
from attendance.domain.ids import UserId
from attendance.domain.log_destinations import Frequency
from attendance.ports.log_deliveries import Answer, Claim, Outcome
from attendance.ports.log_destinations import DestinationChange
from attendance.services.log_delivery import CLAIM_MS, ITEMS_A_MESSAGE
from attendance.store import schema
from attendance.store.database import Database, bulk_insert, open_database
from attendance.store.log_destinations import SqlLogDestinationStore
from tests.log_world import (
    CHANNEL,
    GATHERED,
    GUILD,
    KID,
    NOW,
    ChannelList,
    deliverer,
    destination,
    name,
    sessions,
    settle,
    stored,
    tell,
    waiting,
)

HOUR = 3_600_000
ADMIN = Actor(UserId(7))


@pytest.fixture
async def guild(database: Database) -> Database:
    await settle(database)
    return database


async def archived(database: Database, index: int, members: int) -> None:
    columns = ("guild_id", "period_index", "started_at_ms", "ended_at_ms", "state", "reason", "entry_count")
    row = (GUILD, index, NOW - HOUR, NOW, "archived", "schedule", members)
    entries = ("guild_id", "period_index", "position", "user_id", "rank", "credited_ms", "session_count", "leaf_sha256")
    rows = [
        (GUILD, index, place, 1_000 + place if place else None, place + 1, HOUR - place, 1, b"l" * 32)
        for place in range(members)
    ]
    async with database.transaction() as connection:
        await bulk_insert(connection, schema.period, columns, [row])
        await bulk_insert(connection, schema.period_entry, entries, rows)


async def test_a_session_is_told_once_it_has_gathered_for_two_seconds(guild: Database) -> None:
    await destination(guild)
    await name(guild, 1_000, "*Ada* @everyone")
    (session_id,) = await sessions(guild, 1)
    clock, channels = FixedClock(NOW + GATHERED - 2), ChannelList()
    assert await deliverer(guild, channels, clock).deliver_due() == 0
    clock.advance(2)
    assert await deliverer(guild, channels, clock).deliver_due() == 1
    ((channel, nonce, (embed,)),) = channels.posted
    assert (channel, embed.title) == (CHANNEL, "Session ended")
    assert embed.description == "**\\*Ada\\* \\@everyone** (<@1000>) was in 50 (<#50>) for 1 h 02 min"
    shown = {field.name: field.value for field in embed.fields}
    assert shown["Counted"] == "**1 h 00 min**"
    assert shown["Not counted"] == "2 min 05 s deafened"
    assert shown["Ended because"] == "left the channel"
    assert shown["Session to verify"] == f"`{session_id}`"
    assert embed.footer == f"Rollcall · {nonce}"
    assert await waiting(guild) == (0, 0)
    assert (await stored(guild)).last_delivered_at_ms == clock.now_ms()
    assert await deliverer(guild, channels, clock).deliver_due() == 0


async def test_a_destination_is_told_only_of_its_types(guild: Database) -> None:
    await destination(guild, types=[LogType.SIGNING])
    await sessions(guild, 1)
    await tell(guild, Happening.SIGNING_LOCKED, body={"kid": KID, "reason": "Locked by an admin"})
    await tell(guild, Happening.SIGNING_UNLOCKED, body={"kid": KID})
    await tell(guild, Happening.KEY_CHANGED, body={"kid": KID, "change": "rotate"})
    channels = ChannelList()
    await deliverer(guild, channels, FixedClock(NOW + GATHERED)).deliver_due()
    assert channels.titles == [["Signing is locked", "Signing is unlocked", "Signing key changed"]]


async def test_a_period_s_end_and_its_leaderboard_are_told(guild: Database) -> None:
    await destination(guild)
    await archived(guild, 3, 12)
    await name(guild, 1_001, "Ada")
    await tell(guild, Happening.PERIOD_CUT, period_index=3)
    await tell(guild, Happening.PERIOD_ARCHIVED, period_index=3)
    channels = ChannelList()
    await deliverer(guild, channels, FixedClock(NOW + GATHERED)).deliver_due()
    ((_, _, (reset, board)),) = channels.posted
    assert reset.title == "Period ended"
    assert "by its schedule" in reset.description
    lines = board.description.splitlines()
    assert board.title == "Leaderboard of period 3"
    assert lines[1:3] == ["**1.** A member · 1 h 00 min", "**2.** **Ada** (<@1001>) · 59 min 59 s"]
    assert lines[-1] == "… and 2 more"


@pytest.mark.slow
async def test_a_stage_of_ten_thousand_that_ends_is_a_handful_of_messages(guild: Database) -> None:
    await destination(guild)
    await sessions(guild, 10_000)
    channels = ChannelList()
    assert await deliverer(guild, channels, FixedClock(NOW + GATHERED)).deliver_due() == 10_000 // ITEMS_A_MESSAGE
    assert channels.titles == [["2,500 sessions ended"]] * 4
    assert await waiting(guild) == (0, 0)


async def test_ten_sessions_are_told_one_by_one_and_eleven_together(guild: Database) -> None:
    await destination(guild)
    await sessions(guild, 10)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList()
    await deliverer(guild, channels, clock).deliver_due()
    await sessions(guild, 11, first=10)
    await deliverer(guild, channels, clock).deliver_due()
    assert channels.titles == [["Session ended"] * 10, ["11 sessions ended"]]


async def test_without_names_nobody_can_be_told_apart(database: Database) -> None:
    await settle(database, names_shown=False)
    await destination(database)
    await name(database, 1_000, "Ada")
    await sessions(database, 1)
    await archived(database, 3, 2)
    await tell(database, Happening.PERIOD_ARCHIVED, period_index=3)
    channels = ChannelList()
    await deliverer(database, channels, FixedClock(NOW + GATHERED)).deliver_due()
    texts = repr(channels.posted)
    assert "A member was in" in texts
    assert not any(text in texts for text in ("Ada", "<@", "1000", "1001"))


async def test_what_was_erased_meanwhile_is_left_out(guild: Database) -> None:
    await destination(guild)
    erased, _ = await sessions(guild, 2)
    async with guild.transaction() as connection:
        await connection.execute(delete(schema.session).where(schema.session.c.session_id == erased))
    channels = ChannelList()
    await deliverer(guild, channels, FixedClock(NOW + GATHERED)).deliver_due()
    assert channels.titles == [["Session ended"]]
    (gone,) = await sessions(guild, 1, first=2)
    async with guild.transaction() as connection:
        await connection.execute(delete(schema.session).where(schema.session.c.session_id == gone))
    await deliverer(guild, channels, FixedClock(NOW + GATHERED)).deliver_due()
    assert len(channels.posted) == 1
    assert await waiting(guild) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("frequency", "at", "told"),
    [
        (Frequency.HOURLY, "2027-03-28 01:30", "2027-03-28 03:00"),  # the clocks go from 02:00 to 03:00
        (Frequency.DAILY, "2027-03-27 12:00", "2027-03-28 00:00"),
        (Frequency.DAILY, "2027-03-28 00:30", "2027-03-29 00:00"),
        (Frequency.DAILY, "2027-10-31 12:00", "2027-11-01 00:00"),
        (Frequency.WEEKLY, "2027-03-23 12:00", "2027-03-29 00:00"),
    ],
)
async def test_what_has_gathered_is_told_when_the_local_hour_day_or_week_begins(
    guild: Database, frequency: Frequency, at: str, told: str
) -> None:
    def ms(text: str) -> int:
        return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)

    await timezone(guild, "Europe/Berlin")
    await destination(guild, frequency, timezone="Europe/Berlin", at_ms=ms(at))
    clock, channels = FixedClock(ms(told) - 1), ChannelList()
    await sessions(guild, 3, at_ms=ms(at))
    assert await deliverer(guild, channels, clock).deliver_due() == 0
    clock.advance(1)
    assert await deliverer(guild, channels, clock).deliver_due() == 1
    assert channels.titles == [["Session ended"] * 3]
    assert (await stored(guild)).next_due_at_ms > clock.now_ms()


async def timezone(database: Database, zone: str) -> None:
    values = {"tracking_mode": "all", "timezone": zone, "reset_interval": "off", "reset_anchor": "calendar"}
    numbers = dict.fromkeys(
        ("min_session_seconds", "bridge_gap_seconds", "reset_weekday", "reset_day", "reset_month", "reset_hour"), 1
    )
    flags = dict.fromkeys(("pause_on_mute", "pause_on_deafen", "pause_when_solo", "exclude_afk"), False)
    async with database.transaction() as connection:
        await connection.execute(insert(schema.guild_settings).values(guild_id=GUILD, **values, **numbers, **flags))


async def test_an_hour_in_which_nothing_happened_is_passed_over_and_a_late_item_waits_for_the_next(guild: Database) -> None:
    await destination(guild, Frequency.HOURLY)
    clock, channels = FixedClock(NOW + HOUR), ChannelList()
    await deliverer(guild, channels, clock).deliver_due()
    assert (await stored(guild)).next_due_at_ms == NOW + 2 * HOUR
    await sessions(guild, 1, at_ms=clock.now_ms())
    clock.advance(60_000)
    await deliverer(guild, channels, clock).deliver_due()
    assert channels.posted == []
    clock.advance(HOUR)
    await deliverer(guild, channels, clock).deliver_due()
    assert len(channels.posted) == 1


async def test_a_day_s_worth_is_told_at_once_however_many_messages_it_takes(guild: Database) -> None:
    await destination(guild, Frequency.DAILY)
    await sessions(guild, ITEMS_A_MESSAGE + 1)
    channels = ChannelList()
    assert await deliverer(guild, channels, FixedClock(NOW + 16 * HOUR)).deliver_due() == 2
    assert channels.titles == [["2,500 sessions ended"], ["Session ended"]]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(Outcome.GONE, "the channel is gone"), "disabled: the channel is gone"),
        (None, "disabled: the bot has left the server"),
    ],
)
async def test_a_channel_that_is_gone_is_disabled_with_its_queue_and_audited(
    guild: Database, answer: Answer | None, reason: str
) -> None:
    known = await destination(guild)
    await sessions(guild, ITEMS_A_MESSAGE + 5)
    if answer is None:
        async with guild.transaction() as connection:
            await connection.execute(update(schema.guild).values(left_at_ms=NOW))
    clock, channels = FixedClock(NOW + GATHERED), ChannelList(answers=[answer] if answer else [])
    await deliverer(guild, channels, clock).deliver_due()
    found = await stored(guild)
    assert (found.last_error, found.disabled_at_ms) == (reason, clock.now_ms())
    assert (channels.posted, await waiting(guild)) == ([], (0, 0))
    async with guild.snapshot() as connection:
        audit = (await connection.execute(select(schema.audit))).one()
    assert (audit.action, audit.target, audit.actor_id, audit.via) == ("log_destination.disable", str(known), None, "system")
    await sessions(guild, 1, first=5_000)
    assert await waiting(guild) == (0, 0), "a disabled destination is told nothing"


async def test_a_disabled_destination_that_is_changed_is_told_what_comes_then(guild: Database) -> None:
    known = await destination(guild)
    await sessions(guild, 1)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList(answers=[Answer(Outcome.GONE, "forbidden")])
    await deliverer(guild, channels, clock).deliver_due()
    await SqlLogDestinationStore(guild).change(GUILD, known, DestinationChange(), ADMIN, clock.now_ms())
    await sessions(guild, 1, first=1)
    await deliverer(guild, channels, clock).deliver_due()
    assert len(channels.posted) == 1
    assert (await stored(guild)).last_error is None


async def test_items_of_a_destination_that_is_no_more_are_thrown_away(guild: Database) -> None:
    known = await destination(guild)
    await sessions(guild, 3)
    async with guild.transaction() as connection:
        await connection.execute(delete(schema.log_destination).where(schema.log_destination.c.destination_id == known))
    channels = ChannelList()
    await deliverer(guild, channels, FixedClock(NOW)).deliver_due()
    assert (channels.posted, await waiting(guild)) == ([], (0, 0))


async def test_a_refused_message_is_dropped_and_said_and_the_next_one_goes(guild: Database) -> None:
    await destination(guild)
    await sessions(guild, 1)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList(answers=[Answer(Outcome.REFUSED, "50035")])
    await deliverer(guild, channels, clock).deliver_due()
    assert ((await stored(guild)).last_error, await waiting(guild)) == ("50035", (0, 0))
    await sessions(guild, 1, first=1)
    await deliverer(guild, channels, clock).deliver_due()
    assert ((await stored(guild)).last_error, len(channels.posted)) == (None, 1)


@pytest.mark.slow
async def test_without_an_answer_it_is_tried_again_ever_more_slowly_and_the_reason_is_shown(guild: Database) -> None:
    await destination(guild)
    await sessions(guild, 1)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList(answers=[Answer(Outcome.UNKNOWN, "Discord answered 503")] * 12)
    waits = []
    while not channels.posted:
        await deliverer(guild, channels, clock).deliver_due()
        before = clock.now_ms()
        async with guild.snapshot() as connection:
            due_ms = await connection.scalar(select(schema.log_message.c.next_attempt_at_ms))
        if due_ms is None:
            break
        assert (await stored(guild)).last_error == "Discord answered 503; tried again"
        clock.advance(due_ms - before - 1)
        attempts = channels.attempts
        await deliverer(guild, channels, clock).deliver_due()
        assert channels.attempts == attempts
        clock.advance(1)
        waits.append(due_ms - before)
    for number, wait_ms in enumerate(waits):
        assert min(2_000 << number, 600_000) // 2 <= wait_ms <= min(2_000 << number, 600_000)
    assert (len(waits), len(channels.posted)) == (12, 1)
    assert (await stored(guild)).last_error is None


async def test_a_rate_limit_is_waited_for_and_does_not_hold_up_others(guild: Database) -> None:
    await destination(guild)
    await destination(guild, channel_id=61)
    await sessions(guild, 1)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList(answers=[Answer(Outcome.LIMITED, retry_after_s=30)])
    assert await deliverer(guild, channels, clock).deliver_due() == 1
    assert [channel for channel, _, _ in channels.posted] in ([60], [61])
    clock.advance(29_999)
    assert await deliverer(guild, channels, clock).deliver_due() == 0
    clock.advance(1)
    assert await deliverer(guild, channels, clock).deliver_due() == 1
    assert sorted(channel for channel, _, _ in channels.posted) == [60, 61]


@pytest.mark.slow
async def test_a_limit_on_everything_ends_the_look(guild: Database) -> None:
    for channel in range(60, 90):
        await destination(guild, channel_id=channel)
    await sessions(guild, 1)
    limited = Answer(Outcome.LIMITED, retry_after_s=1, for_all=True)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList(answers=[limited] * 100)
    await deliverer(guild, channels, clock).deliver_due()
    assert channels.attempts <= 16
    channels.answers.clear()
    clock.advance(1_000)
    await deliverer(guild, channels, clock).deliver_due()
    assert len(channels.posted) == 30


async def test_a_lost_answer_shows_the_message_once(guild: Database) -> None:
    await destination(guild)
    await sessions(guild, 1)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList(lost=3)
    for _ in range(4):
        await deliverer(guild, channels, clock).deliver_due()
        clock.advance(20_000)
    assert (channels.attempts, len(channels.posted), await waiting(guild)) == (4, 1, (0, 0))


@pytest.mark.parametrize(("readable", "shown"), [(True, 1), (False, 2)])
async def test_after_the_nonce_is_forgotten_the_channel_is_looked_through(guild: Database, readable: bool, shown: int) -> None:  # noqa: FBT001
    await destination(guild)
    await sessions(guild, 1)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList(lost=1, readable=readable)
    await deliverer(guild, channels, clock).deliver_due()
    channels.nonces.clear()
    clock.advance(10 * 60_000)
    assert await deliverer(guild, channels, clock).deliver_due() == 1
    assert (len(channels.posted), await waiting(guild)) == (shown, (0, 0))


@pytest.mark.postgresql
async def test_two_processes_share_the_work_and_tell_everything_once(migrated_database_url) -> None:
    url = await migrated_database_url("postgresql")
    one, other = open_database(url), open_database(url)
    await settle(one)
    for channel in range(60, 100):
        await destination(one, channel_id=channel)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList()
    for first in (0, 40, 80):
        await sessions(one, 40, first=first)
        ended = await asyncio.gather(
            *(deliverer(database, channels, clock, "x").deliver_due() for database in (one, other, one, other))
        )
        assert sum(ended) == 40
    told = sorted((channel, embeds[0].title) for channel, _, embeds in channels.posted)
    assert told == sorted([(channel, "40 sessions ended") for channel in range(60, 100)] * 3)
    assert len(channels.posted) == channels.attempts == 120
    assert await waiting(one) == (0, 0)
    await one.close()
    await other.close()


async def test_a_dead_deliverers_message_is_taken_up_when_its_claim_has_run_out(guild: Database) -> None:
    known = await destination(guild)
    await sessions(guild, 1)
    clock, channels = FixedClock(NOW + GATHERED), ChannelList()
    dead = deliverer(guild, channels, clock)
    claim = await dead.store.compose(known, UUID(int=1), _claim(clock), clock.now_ms(), 10)
    assert claim is not None
    assert await deliverer(guild, channels, clock).deliver_due() == 0
    clock.advance(CLAIM_MS + 1)
    assert await deliverer(guild, channels, clock).deliver_due() == 1


def _claim(clock: FixedClock) -> Claim:
    return Claim("dead", clock.now_ms() + CLAIM_MS)
