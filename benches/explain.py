"""``/stats/explain`` of a month and ``/fairness/preview`` of a week in a busy guild, in the server (no socket)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from api.shapes_explain import explanation_body
from attendance.clock import FixedClock
from attendance.core import ClosedRow, Engine
from attendance.domain.ids import GuildId, UserId
from attendance.domain.stream.milestones import milestone_number
from attendance.ids import SystemIds
from attendance.services.explain import Explanations
from attendance.services.fairness_preview import FairnessPreviews, OtherRules
from attendance.store import schema
from attendance.store.database import Database, bulk_insert
from attendance.store.explain import SqlExplainSource
from attendance.store.milestones import MILESTONE_COLUMNS
from benches.setting import DIALECTS, migrated_database, percentile
from simulator.encoding import encode_json
from simulator.trace_output import TRACE_STARTS_AT_MS, trace_lines

MEMBERS = 1_000  # who come and go; the guild may have many more
WEEK_MS = 7 * 86_400_000
WEEKS = 5  # the last of them is in the journal
KEPT = 0.02
RUNS = 3
MEMBERS_ASKED = 60
_CHUNK = 5_000
_SESSION_COLUMNS = (
    "session_id", "guild_id", "ordinal", "user_id", "channel_id", "period_index", "stay", "part", "joined_at_ms", "left_at_ms",
    "reason", "timeline", "counted_ms", "bridged_ms", "unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms", "below_minimum",
    "credited_ms", "rules_sha256",
)  # fmt: skip


def week() -> Iterator[tuple[int, int | None, str, bytes]]:
    """The week's lines: instant, whom it is about, type, text.

    A trace has one rare line in twenty, as many guilds have together. One guild has far fewer: a few losses a day.
    """
    random, keeps_loss, at_once = Random(2), True, True
    for line in trace_lines(1, 1, MEMBERS):
        if line["at"] >= TRACE_STARTS_AT_MS + WEEK_MS:
            return
        kind = line["type"]
        at_once = at_once and kind != "voice_state"  # the guild's first lines introduce it
        if kind == "blind":
            keeps_loss = random.random() < KEPT
        keeps = keeps_loss if kind in {"blind", "resumed", "snapshot"} else random.random() < KEPT
        if kind == "voice_state" or at_once or keeps:
            user_id = int(line["user_id"]) if "user_id" in line else None
            yield line["at"], user_id, kind, encode_json(line)


async def main() -> None:
    lines = list(week())
    guild_id = GuildId(int(msgspec.json.decode(lines[0][3])["guild_id"]))
    for dialect in DIALECTS:
        async with migrated_database(dialect) as database:
            users = await _fill(database, guild_id, lines)
            clock = FixedClock(TRACE_STARTS_AT_MS + WEEK_MS)
            await _explain(database, clock, guild_id, users, dialect)
            await _preview(database, clock, guild_id, len(lines), dialect)


async def _explain(database: Database, clock: FixedClock, guild_id: GuildId, users: list[UserId], dialect: str) -> None:
    explanations = Explanations(SqlExplainSource(database), clock)
    from_ms = clock.at_ms - 30 * 86_400_000
    took: list[float] = []
    counts: list[float] = []
    for user_id in users:
        began = time.perf_counter()
        told = await explanations.explain(guild_id, user_id, from_ms, None, for_themselves=True)
        msgspec.json.encode(explanation_body(told))
        took.append((time.perf_counter() - began) * 1000)
        counts.append(len(told.rounded.stretches))
    print(
        f"{dialect}, explain of 30 days: median {percentile(took, 0.5):.1f} ms, p99 {percentile(took, 0.99):.1f} ms, "
        f"{percentile(counts, 0.5):.0f} to {max(counts)} stretches"
    )


async def _preview(database: Database, clock: FixedClock, guild_id: GuildId, lines: int, dialect: str) -> None:
    previews = FairnessPreviews(SqlExplainSource(database), clock)
    took: list[float] = []
    waits: list[float] = []
    for _ in range(RUNS):
        ticker = asyncio.create_task(_tick(waits))
        began = time.perf_counter()
        told = await previews.preview(guild_id, OtherRules({"pause_on_mute": True, "min_session_seconds": 300}), 50, 0)
        took.append(time.perf_counter() - began)
        ticker.cancel()
    print(
        f"{dialect}, preview of a week: {lines:,} lines, {len(told.members):,} members: median {percentile(took, 0.5):.2f} s; "
        f"the event loop was late by {percentile(waits, 0.99):.0f} ms (p99), {max(waits):.0f} ms at most"
    )


async def _tick(waits: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        waits.append((time.perf_counter() - began) * 1000 - 1)


async def _fill(database: Database, guild_id: GuildId, lines: list[tuple[int, int | None, str, bytes]]) -> list[UserId]:
    """Journal, milestones, and the sessions of five weeks like this one; the most active members and some others."""
    engine = Engine()
    milestones: list[tuple[Any, ...]] = [(guild_id, milestone_number(lines[0][0]), 0, lines[0][0], None)]
    closed: list[ClosedRow] = []
    for start in range(0, len(lines), _CHUNK):
        chunk = lines[start : start + _CHUNK]
        closed += engine.apply([line[3] for line in chunk]).closed
        at_ms = chunk[-1][0]
        if milestones[-1][1] != milestone_number(at_ms):
            state = engine.save(guild_id)
            milestones.append((guild_id, milestone_number(at_ms), start + len(chunk), at_ms, state))
        rows = [(guild_id, start + place, *line) for place, line in enumerate(chunk)]
        async with database.transaction() as connection:
            columns = ("guild_id", "seq", "at_ms", "user_id", "type", "line")
            await bulk_insert(connection, schema.journal, columns, rows)
    async with database.transaction() as connection:
        await bulk_insert(connection, schema.milestone, MILESTONE_COLUMNS, milestones)
        await bulk_insert(
            connection,
            schema.period,
            ("guild_id", "period_index", "started_at_ms", "state"),
            [(guild_id, 0, TRACE_STARTS_AT_MS - 4 * WEEK_MS, "running")],
        )
    await _fill_sessions(database, closed)
    if not database.is_sqlite:  # as its own housekeeping would have
        async with database.writer.connect() as raw:
            await (await raw.execution_options(isolation_level="AUTOCOMMIT")).exec_driver_sql("VACUUM ANALYZE")
    busiest = Counter(row.user_id for row in closed).most_common()
    some = busiest[: MEMBERS_ASKED // 2] + Random(1).sample(busiest, MEMBERS_ASKED // 2)
    print(f"{len(closed) * WEEKS:,} sessions")
    return [UserId(user_id) for user_id, _ in some]


async def _fill_sessions(database: Database, closed: list[ClosedRow]) -> None:
    ids = SystemIds()
    for weeks_ago in range(WEEKS):
        shift_ms = weeks_ago * WEEK_MS
        rows = []
        for row in closed:
            timeline = [[start - shift_ms, end - shift_ms, status] for start, end, status in msgspec.json.decode(row.timeline)]
            earlier = row._replace(
                ordinal=row.ordinal + weeks_ago * len(closed),
                joined_at_ms=row.joined_at_ms - shift_ms,
                left_at_ms=row.left_at_ms - shift_ms,
                timeline=msgspec.json.encode(timeline),
            )
            rows.append((ids.session_id(earlier.left_at_ms), *earlier[:19], row.rules_sha256))
        async with database.transaction() as connection:
            await bulk_insert(connection, schema.session, _SESSION_COLUMNS, rows)
