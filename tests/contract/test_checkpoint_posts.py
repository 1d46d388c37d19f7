"""The day's checkpoint in a guild's channel: once a day, by the guild's clock, byte for byte, whoever looks how often."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, update

from attendance.clock import FixedClock
from attendance.core import SigningKey, sign_checkpoint
from attendance.domain.announcements import LogType
from attendance.domain.audit import Actor
from attendance.domain.ids import UserId
from attendance.domain.kept_checkpoints import note_of_copy
from attendance.domain.log_destinations import Frequency
from attendance.errors import UnavailableError
from attendance.ports.log_deliveries import Answer, Outcome
from attendance.ports.log_destinations import DestinationChange
from attendance.services.checkpoint_posts import CheckpointPosts
from attendance.services.log_reading import PublicLog
from attendance.store import schema
from attendance.store.checkpoint_posts import SqlCheckpointPosts
from attendance.store.database import Database
from attendance.store.log_destinations import SqlLogDestinationStore
from attendance.store.log_folder import LogFolder
from tests.log_world import CHANNEL, GATHERED, GUILD, IDS, NOW, ChannelList, deliverer, destination, sessions, settle, waiting

HOUR = 3_600_000
DAY = 24 * HOUR
MIDNIGHT = NOW + 16 * HOUR  # the next in UTC
ADMIN = Actor(UserId(7))
KEY = SigningKey.generate()
ORIGIN = "attendance.example.org/log"


def a_note(size: int) -> bytes:
    return sign_checkpoint(ORIGIN, size, bytes([size % 256]) * 32, KEY)


@pytest.fixture
async def guild(database: Database) -> Database:
    await settle(database)
    return database


@pytest.fixture
def files(tmp_path: Path) -> LogFolder:
    folder = LogFolder(tmp_path / "log")
    folder.publish(a_note(17), 17)
    return folder


def posts(database: Database, files: LogFolder, clock: FixedClock) -> CheckpointPosts:
    return CheckpointPosts(SqlCheckpointPosts(database), PublicLog(files), clock, IDS)


async def wanting(database: Database, frequency: Frequency = Frequency.IMMEDIATE, at_ms: int = NOW, **more: object) -> None:
    """A destination that wants checkpoints, turned on as an admin does."""
    known = await destination(database, frequency, types=[LogType.SESSION_END], at_ms=at_ms, **more)
    change = DestinationChange(added=(LogType.CHECKPOINT,))
    await SqlLogDestinationStore(database).change(GUILD, known, change, ADMIN, at_ms)


async def due(database: Database) -> list[int | None]:
    async with database.snapshot() as connection:
        return list(await connection.scalars(select(schema.log_destination.c.checkpoint_due_at_ms)))


async def test_the_checkpoint_of_the_day_is_posted_byte_for_byte_at_midnight(guild: Database, files: LogFolder) -> None:
    await wanting(guild)
    clock, channels = FixedClock(MIDNIGHT - 1), ChannelList()
    assert await posts(guild, files, clock).look() == 0
    clock.advance(1)
    assert await posts(guild, files, clock).look() == 1
    files.publish(a_note(18), 18)  # what was decided is what is posted
    assert await deliverer(guild, channels, clock).deliver_due() == 1
    ((channel, nonce, (embed,)),) = channels.posted
    assert (channel, embed.title, embed.footer) == (CHANNEL, "Today's checkpoint", f"Rollcall · {nonce}")
    assert "had 17 entries" in embed.description
    (text,) = channels.texts
    assert text == f"```\n{a_note(17).decode()}```"
    assert note_of_copy(text.encode()) == a_note(17)
    assert await waiting(guild) == (0, 0)


@pytest.mark.parametrize("frequency", list(Frequency))
async def test_each_day_has_one_whatever_the_frequency_and_what_was_missed_is_not_made_up(
    guild: Database, files: LogFolder, frequency: Frequency
) -> None:
    await wanting(guild, frequency)
    clock, channels = FixedClock(MIDNIGHT), ChannelList()
    for hours, so_far in [(0, 1), (12, 1), (24, 2), (24 * 6 + 5, 3), (24 * 6 + 23, 3), (24 * 7, 4)]:
        clock = FixedClock(MIDNIGHT + hours * HOUR)
        for _ in range(2):
            await posts(guild, files, clock).look()
            await deliverer(guild, channels, clock).deliver_due()
        assert len(channels.texts) == so_far, hours
    assert all(channels.texts)


@pytest.mark.parametrize(
    ("zone", "at", "days"),
    [
        ("Europe/Berlin", "2027-03-27 12:00", ["2027-03-28 00:00", "2027-03-29 00:00"]),  # a day of 23 hours
        ("Europe/Berlin", "2027-10-30 12:00", ["2027-10-31 00:00", "2027-11-01 00:00"]),  # of 25
        ("Africa/Cairo", "2027-04-29 12:00", ["2027-04-30 01:00", "2027-05-01 00:00"]),  # midnight does not exist
        ("Asia/Kathmandu", "2027-03-27 12:00", ["2027-03-28 00:00", "2027-03-29 00:00"]),
        ("America/Havana", "2027-11-06 12:00", ["2027-11-07 00:00", "2027-11-08 00:00"]),  # midnight comes twice
    ],
)
async def test_days_are_the_guild_s_own_when_the_clocks_change_too(
    guild: Database, files: LogFolder, zone: str, at: str, days: list[str]
) -> None:
    def ms(text: str) -> int:
        return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)

    await timezone(guild, zone)
    await wanting(guild, at_ms=ms(at), timezone=zone)
    channels = ChannelList()
    for number, day in enumerate(days):
        assert await due(guild) == [ms(day)]
        for now_ms, so_far in [(ms(day) - 1, number), (ms(day), number + 1), (ms(day) + HOUR, number + 1)]:
            await posts(guild, files, FixedClock(now_ms)).look()
            await deliverer(guild, channels, FixedClock(now_ms)).deliver_due()
            assert len(channels.texts) == so_far


async def timezone(database: Database, zone: str) -> None:
    values = {"tracking_mode": "all", "timezone": zone, "reset_interval": "off", "reset_anchor": "calendar"}
    numbers = dict.fromkeys(
        ("min_session_seconds", "bridge_gap_seconds", "reset_weekday", "reset_day", "reset_month", "reset_hour"), 1
    )
    flags = dict.fromkeys(("pause_on_mute", "pause_on_deafen", "pause_when_solo", "exclude_afk"), False)
    async with database.transaction() as connection:
        await connection.execute(insert(schema.guild_settings).values(guild_id=GUILD, **values, **numbers, **flags))


async def test_two_that_look_at_once_put_it_there_once(guild: Database, files: LogFolder) -> None:
    for channel in (60, 61, 62):
        await wanting(guild, channel_id=channel)
    clock, channels = FixedClock(MIDNIGHT), ChannelList()
    put = await asyncio.gather(*(posts(guild, files, clock).look() for _ in range(4)))
    assert sum(put) == 3
    await asyncio.gather(*(deliverer(guild, channels, clock, name).deliver_due() for name in ("one", "two")))
    assert sorted(channel for channel, _, _ in channels.posted) == [60, 61, 62]


class Dies(Exception):  # noqa: N818  # not an error: the process is gone
    pass


async def test_whoever_dies_before_in_or_after_the_transaction_leaves_one_post(guild: Database, files: LogFolder) -> None:
    class Store(SqlCheckpointPosts):
        async def put(self, *arguments):
            if when == "before":
                raise Dies
            await super().put(*arguments)
            raise Dies

    for day, when in enumerate(("before", "after"), start=1):
        if day == 1:
            await wanting(guild)
        clock, channels = FixedClock(MIDNIGHT + (day - 1) * DAY), ChannelList()
        with pytest.raises(Dies):
            await CheckpointPosts(Store(guild), PublicLog(files), clock, IDS).look()
        await posts(guild, files, clock).look()
        channels.lost = 1  # and the answer to the first POST is lost
        for _ in range(3):
            await deliverer(guild, channels, clock).deliver_due()
            clock.advance(60_000)
        assert (len(channels.texts), await waiting(guild)) == (1, (0, 0)), when


async def test_before_there_is_a_log_nothing_is_posted_and_a_day_passes(guild: Database, tmp_path: Path) -> None:
    await wanting(guild)
    clock, channels, empty = FixedClock(MIDNIGHT), ChannelList(), LogFolder(tmp_path / "none")
    assert await posts(guild, empty, clock).look() == 0
    await deliverer(guild, channels, clock).deliver_due()
    assert (channels.posted, await waiting(guild), await due(guild)) == ([], (0, 0), [MIDNIGHT + DAY])


async def test_what_lies_there_and_is_no_checkpoint_is_not_posted_and_stays_due(guild: Database, tmp_path: Path) -> None:
    await wanting(guild)
    (tmp_path / "checkpoint").write_bytes(b"nonsense")
    with pytest.raises(UnavailableError):
        await posts(guild, LogFolder(tmp_path), FixedClock(MIDNIGHT)).look()
    assert await due(guild) == [MIDNIGHT]


async def test_turned_off_disabled_and_on_again(guild: Database, files: LogFolder) -> None:
    await wanting(guild)
    store = SqlLogDestinationStore(guild)
    ((known,), _) = await store.page(GUILD, 10, 0)
    off, on = DestinationChange(removed=(LogType.CHECKPOINT,)), DestinationChange(added=(LogType.CHECKPOINT,))
    await store.change(GUILD, known.destination_id, off, ADMIN, NOW + 1)
    assert await due(guild) == [None]
    assert await posts(guild, files, FixedClock(MIDNIGHT)).look() == 0
    await store.change(GUILD, known.destination_id, on, ADMIN, MIDNIGHT + HOUR)
    await store.change(GUILD, known.destination_id, on, ADMIN, MIDNIGHT + 2 * DAY)  # again: nothing moves
    assert await due(guild) == [MIDNIGHT + DAY]
    clock = FixedClock(MIDNIGHT + DAY)
    assert await posts(guild, files, clock).look() == 1
    gone = ChannelList(answers=[Answer(Outcome.GONE, "the channel is gone")])
    await deliverer(guild, gone, clock).deliver_due()
    assert await posts(guild, files, FixedClock(MIDNIGHT + 5 * DAY)).look() == 0, "a disabled destination is posted nothing"
    await store.change(GUILD, known.destination_id, DestinationChange(), ADMIN, MIDNIGHT + 5 * DAY)
    assert await due(guild) == [MIDNIGHT + 6 * DAY]


async def test_it_waits_for_nothing_that_gathers_and_holds_nothing_up(guild: Database, files: LogFolder) -> None:
    await wanting(guild, Frequency.WEEKLY)
    await sessions(guild, 3, at_ms=MIDNIGHT)
    clock, channels = FixedClock(MIDNIGHT + GATHERED), ChannelList()
    await posts(guild, files, clock).look()
    await deliverer(guild, channels, clock).deliver_due()
    assert channels.titles == [["Today's checkpoint"]]
    assert await waiting(guild) == (3, 0)


async def test_a_left_server_is_told_nothing(guild: Database, files: LogFolder) -> None:
    await wanting(guild)
    async with guild.transaction() as connection:
        await connection.execute(update(schema.guild).values(left_at_ms=NOW))
    clock, channels = FixedClock(MIDNIGHT), ChannelList()
    await posts(guild, files, clock).look()
    await deliverer(guild, channels, clock).deliver_due()
    assert (channels.posted, await waiting(guild)) == ([], (0, 0))
