"""``/leaderboard`` of a guild with 100,000 members in the period and 1,000 in voice, in the server (no socket)."""

from __future__ import annotations

import time
from random import Random

from attendance.clock import SystemClock
from attendance.services.leaderboards import LeaderboardQuery, Leaderboards
from attendance.services.standings_cache import StandingsCache
from attendance.store import schema
from attendance.store.database import Database, bulk_insert
from attendance.store.reports import SqlReportSource
from benches.big_guild import CHANNELS, GUILD, MEMBERS, user, write_members
from benches.setting import DIALECTS, migrated_database, percentile

REQUESTS = 400
IN_VOICE = 1_000


async def main() -> None:
    for dialect in DIALECTS:
        async with migrated_database(dialect) as database:
            await fill(database)
            boards = Leaderboards(SqlReportSource(database), SystemClock(), StandingsCache())
            for name, deepest in (("first pages", 500), ("any page", MEMBERS)):
                random = Random(3)
                took = []
                for _ in range(REQUESTS):
                    query = LeaderboardQuery(guild_id=GUILD, limit=50, offset=random.randrange(deepest))
                    began = time.perf_counter()
                    page = await boards.page(query)
                    took.append((time.perf_counter() - began) * 1000)
                    assert len(page.lines) == 50 or query.offset > MEMBERS - 50
                print(
                    f"{dialect}, {name}: median {percentile(took, 0.5):.1f} ms, p99 {percentile(took, 0.99):.1f} ms, "
                    f"first request {took[0]:.0f} ms, {page.total:,} members"
                )


async def fill(database: Database, started_at_ms: int | None = None) -> None:
    """The guild with its members, 1,000 of them in voice; its period began just now unless told otherwise."""
    now_ms = SystemClock().now_ms()
    async with database.transaction() as connection:
        await bulk_insert(
            connection, schema.guild, ("guild_id", "name", "owner_id", "first_seen_at_ms"), [(GUILD, "big", 1, now_ms)]
        )
        await bulk_insert(connection, schema.stream, ("guild_id", "shard_count", "closed_count"), [(GUILD, 1, 1_000_000)])
        await bulk_insert(
            connection,
            schema.shard_lease,
            ("shard_count", "shard_id", "holder", "epoch", "expires_at_ms", "alive_at_ms", "connected"),
            [(1, 0, "bench", 1, now_ms + 3_600_000, now_ms, True)],
        )
        await bulk_insert(
            connection,
            schema.period,
            ("guild_id", "period_index", "started_at_ms", "state"),
            [(GUILD, 0, now_ms - 1 if started_at_ms is None else started_at_ms, "running")],
        )
        columns = (
            "guild_id", "user_id", "channel_id", "period_index", "stay", "part", "joined_at_ms", "status", "since_ms",
            "timeline", "counted_ms", "bridged_ms", "unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms", "stay_counted_ms",
            "min_session_ms",
        )  # fmt: skip
        rows = [
            (GUILD, user(number * 90), CHANNELS[number % 10], 0, number, 0, now_ms, "counted", now_ms, b"[]", *[0] * 8)
            for number in range(IN_VOICE)
        ]
        await bulk_insert(connection, schema.open_session, columns, rows)
    await write_members(database)
