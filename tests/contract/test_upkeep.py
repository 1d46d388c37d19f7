from __future__ import annotations

from sqlalchemy import insert, select

from attendance.clock import FixedClock, SystemClock
from attendance.ids import SystemIds
from attendance.metrics import OVERDUE_PERIODS
from attendance.ports.archiving import PeriodKey
from attendance.ports.upkeep import Overdue
from attendance.services.archive import Archiver
from attendance.services.upkeep import COMMANDS_KEPT_MS, LATE_MS, Upkeep
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.periods import SqlPeriodStore
from attendance.store.upkeep import SqlUpkeepStore
from scheduler.app import create_scheduler
from tests.closed_periods import GUILD, assert_archived_once, close_period, period_row

NOW = FixedClock().now_ms()


def upkeep(database: Database) -> Upkeep:
    return Upkeep(SqlUpkeepStore(database), FixedClock())


async def give_commands(database: Database, *applied_at_ms: int | None, created_at_ms: int = 1) -> None:
    rows = [
        {
            "guild_id": GUILD,
            "kind": "reset",
            "body": "{}",
            "actor_id": 1,
            "created_at_ms": created_at_ms,
            "applied_at_ms": applied,
            "result": None if applied is None else "{}",
        }
        for applied in applied_at_ms
    ]
    async with database.transaction() as connection:
        await connection.execute(insert(schema.command), rows)


async def schedule_reset(database: Database, guild_id: int, at_ms: int | None, left_at_ms: int | None = None) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            insert(schema.guild).values(guild_id=guild_id, name="g", owner_id=1, first_seen_at_ms=0, left_at_ms=left_at_ms)
        )
        await connection.execute(
            insert(schema.guild_settings).values(
                guild_id=guild_id,
                tracking_mode="all",
                pause_on_mute=False,
                pause_on_deafen=False,
                pause_when_solo=False,
                min_session_seconds=0,
                bridge_gap_seconds=120,
                exclude_afk=True,
                timezone="UTC",
                reset_interval="daily",
                reset_anchor="calendar",
                reset_weekday=0,
                reset_day=1,
                reset_month=1,
                reset_hour=0,
                next_reset_at_ms=at_ms,
            )
        )


async def test_commands_are_kept_for_thirty_days_after_they_were_applied(database: Database) -> None:
    old = NOW - COMMANDS_KEPT_MS
    await give_commands(database, old - 1, old, NOW, None)
    assert await upkeep(database).trim() == 1
    async with database.snapshot() as connection:
        kept = list(await connection.scalars(select(schema.command.c.applied_at_ms).order_by(schema.command.c.id)))
    assert kept == [old, NOW, None]


async def test_many_old_commands_go_in_steps(database: Database) -> None:
    await give_commands(database, *[1] * 2_500)
    assert await SqlUpkeepStore(database).trim_commands(NOW, 1_000) == 1_000
    assert await upkeep(database).trim() == 1_500


async def test_nothing_is_overdue_in_an_empty_database(database: Database) -> None:
    assert await upkeep(database).sound_alarms() == Overdue(0, 0, 0, None)


async def test_what_is_late_by_more_than_a_minute_is_counted_by_what_it_waits_for(database: Database) -> None:
    late, in_time = NOW - LATE_MS - 1, NOW - LATE_MS
    await schedule_reset(database, GUILD, late)
    await schedule_reset(database, GUILD + 1, in_time)
    await schedule_reset(database, GUILD + 2, None)
    await schedule_reset(database, GUILD + 3, late, left_at_ms=5)
    for index, (state, ended) in enumerate(
        [("cut", late), ("cut", late), ("cut", in_time), ("closed", late), ("closed", in_time), ("archived", late)]
    ):
        await close_period(database, [], PeriodKey(GUILD, index), state, ended)
    await give_commands(database, None, created_at_ms=NOW - 9_000)
    await give_commands(database, None, NOW, created_at_ms=NOW - 90_000)
    assert await upkeep(database).sound_alarms() == Overdue(1, 2, 1, NOW - 90_000)
    assert OVERDUE_PERIODS._value.get() == 4


async def test_the_scheduler_archives_what_is_closed(database: Database) -> None:
    await close_period(database)
    archiver = Archiver(SqlPeriodStore(database), SystemClock(), SystemIds(), "test")
    scheduler = create_scheduler(archiver, database, SystemClock())
    await scheduler.start()
    await archiver.queued.wait()
    await scheduler.stop()
    await assert_archived_once(database)
    assert (await period_row(database)).state == "archived"
