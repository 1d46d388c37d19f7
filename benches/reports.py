"""Reports of a guild with a year behind it: a million sessions of 100,000 members in ten channels, 1,000 members in voice."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from random import Random

from attendance.clock import SystemClock
from attendance.domain.local_time import Unit
from attendance.ports.reports import SessionFilter
from attendance.services.analytics import Analytics
from attendance.services.attendance_lists import AttendanceLists
from attendance.services.breakdowns import Breakdowns
from attendance.services.channel_statistics import ChannelReports
from attendance.services.leaderboards import LeaderboardQuery, Leaderboards
from attendance.services.standings_cache import StandingsCache
from attendance.services.statistics import Statistics
from attendance.store import schema
from attendance.store.database import Database, bulk_insert
from attendance.store.reports import SqlReportSource
from benches.big_guild import CHANNELS, GUILD, MEMBERS, SESSIONS, user
from benches.leaderboard import fill
from benches.setting import DIALECTS, migrated_database, percentile

DAYS = 366
ROUNDS = 30
LONG = frozenset({"trend of 366 days by week", "distribution of 366 days", "channels of 366 days", "channel stats"})
_QUARTER_MS = 900_000
_CHUNK = 50_000
_SESSION_COLUMNS = (
    "session_id", "guild_id", "ordinal", "user_id", "channel_id", "period_index", "stay", "part", "joined_at_ms", "left_at_ms",
    "reason", "timeline", "counted_ms", "bridged_ms", "unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms", "below_minimum",
    "credited_ms", "rules_sha256",
)  # fmt: skip
_CELL_COLUMNS = ("guild_id", "quarter", "channel_id", "credited_ms")
_MEMBER_CELL_COLUMNS = ("guild_id", "user_id", "quarter", "period_index", "channel_id", "credited_ms")
_SUM_COLUMNS = ("guild_id", "period_index", "channel_id", "user_id", "credited_ms", "session_count")


async def main() -> None:
    for dialect in DIALECTS:
        async with migrated_database(dialect) as database:
            now_ms = SystemClock().now_ms()
            await fill(database, started_at_ms=now_ms - DAYS * 96 * _QUARTER_MS)
            await _write_year(database, now_ms)
            if dialect == "postgresql":  # as its own housekeeping would have, in a year
                async with database.writer.connect() as connection:
                    autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
                    await autocommit.exec_driver_sql("VACUUM ANALYZE")
            await _measure(dialect, database)


async def _measure(dialect: str, database: Database) -> None:
    source, clock, random = SqlReportSource(database), SystemClock(), Random(3)
    boards = Leaderboards(source, clock, StandingsCache())
    analytics, statistics = Analytics(source, clock), Statistics(source, boards, clock)
    breakdowns = Breakdowns(source, clock)
    lists, channels = AttendanceLists(source, clock), ChannelReports(source, clock)
    await boards.page(LeaderboardQuery(guild_id=GUILD, limit=1, offset=0))
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "heatmap of 366 days": lambda: analytics.heatmap(GUILD, DAYS, "Europe/Berlin"),
        "heatmap of 28 days": lambda: analytics.heatmap(GUILD, 28, "Europe/Berlin"),
        "stats of a member": lambda: statistics.member(GUILD, user(random.randrange(MEMBERS))),
        "trend of 28 days": lambda: analytics.trend(GUILD, 28, "Europe/Berlin", Unit.DAY),
        "trend of 366 days by week": lambda: analytics.trend(GUILD, DAYS, "Europe/Berlin", Unit.WEEK),
        "distribution of 28 days": lambda: breakdowns.distribution(GUILD, 28, "Europe/Berlin"),
        "distribution of 366 days": lambda: breakdowns.distribution(GUILD, DAYS, "Europe/Berlin"),
        "channels of 28 days": lambda: breakdowns.channels(GUILD, 28, "Europe/Berlin"),
        "channels of 366 days": lambda: breakdowns.channels(GUILD, DAYS, "Europe/Berlin"),
        "channel stats": lambda: channels.channel(GUILD, random.choice(CHANNELS)),
        "search of a leaderboard": lambda: boards.page(
            LeaderboardQuery(guild_id=GUILD, search=f"member {random.randrange(100, 999)}", limit=50, offset=0)
        ),
        "page of sessions": lambda: lists.sessions(SessionFilter(GUILD, user_id=user(random.randrange(MEMBERS))), 50, 0),
    }
    for name, ask in asked.items():
        took = []
        for _ in range(3 if name in LONG else ROUNDS):
            began = time.perf_counter()
            await ask()
            took.append((time.perf_counter() - began) * 1000)
        print(f"{dialect}, {name}: median {percentile(took, 0.5):.1f} ms, longest {max(took):.1f} ms")


async def _write_year(database: Database, now_ms: int) -> None:
    """Sessions of about 40 minutes, evenly over the year, with the sums by quarter-hour that they would have left."""
    random = Random(11)
    last = now_ms // _QUARTER_MS
    cells = [
        (GUILD, quarter, channel, random.randrange(1, 20_000_000))
        for quarter in range(last - DAYS * 96, last)
        for channel in CHANNELS
    ]
    for start in range(0, len(cells), _CHUNK):
        async with database.transaction() as connection:
            await bulk_insert(connection, schema.channel_quarter, _CELL_COLUMNS, cells[start : start + _CHUNK])
    step = DAYS * 96 * _QUARTER_MS // SESSIONS
    for start in range(0, SESSIONS, _CHUNK):
        sessions, quarters, sums = [], [], []
        for number in range(start, start + _CHUNK):
            left = now_ms - (SESSIONS - number) * step
            joined = left - random.randrange(60_000, 4_800_000)
            member, channel = user(number % MEMBERS), CHANNELS[number % MEMBERS % len(CHANNELS)]
            timeline = b'[[%d,%d,"counted"]]' % (joined, left)
            credited = left - joined
            head = (
                uuid.UUID(int=number),
                GUILD,
                number,
                member,
                channel,
                0,
                number,
                0,
                joined,
                left,
                "leave",
                timeline,
                credited,
            )
            sessions.append((*head, 0, 0, 0, 0, 0, False, credited, b"r" * 32))
            quarters.append((GUILD, member, joined // _QUARTER_MS, 0, channel, credited))
            if number < MEMBERS:
                sums.append((GUILD, 0, channel, member, credited, SESSIONS // MEMBERS))
        async with database.transaction() as connection:
            await bulk_insert(connection, schema.session, _SESSION_COLUMNS, sessions)
            await bulk_insert(connection, schema.member_quarter, _MEMBER_CELL_COLUMNS, quarters)
            await bulk_insert(connection, schema.period_channel, _SUM_COLUMNS, sums)
