"""Do the books balance? What is stored, against the twin's accounting of the very lines that were journalled."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from sqlalchemy import select

from attendance.store import schema
from attendance.store.database import Database
from tests.twin.replay import Replay
from tests.twin.session import printed

_SAID = (
    "guild_id", "user_id", "channel_id", "period_index", "stay", "part", "joined_at_ms", "left_at_ms", "reason", "counted_ms",
    "bridged_ms", "unwitnessed_ms", "below_minimum", "credited_ms",
)  # fmt: skip


async def rows_of(database: Database, table: Any, *order: Any) -> list[dict[str, Any]]:
    async with database.snapshot() as connection:
        result = await connection.execute(select(table).order_by(*order))
        return [dict(row) for row in result.mappings()]


async def journal_replayed(database: Database) -> Replay:
    """The journal, line by line, through the twin; positions have no gaps."""
    twin = Replay()
    positions: dict[int, int] = defaultdict(int)
    for row in await rows_of(database, schema.journal, schema.journal.c.guild_id, schema.journal.c.seq):
        assert row["seq"] == positions[row["guild_id"]], "a gap or a double in the journal"
        positions[row["guild_id"]] += 1
        twin.feed(bytes(row["line"]) + b"\n")
    assert twin.malformed is None, twin.what
    return twin


async def books_balance(database: Database) -> Replay:
    """Assert that sessions, sums, open sessions and queue are exactly what the journal adds up to."""
    twin = await journal_replayed(database)
    expected = [printed(session) for session in twin.closed]
    stored = await rows_of(database, schema.session, schema.session.c.guild_id, schema.session.c.ordinal)
    by_guild = sorted(expected, key=lambda session: int(session["guild_id"]))
    assert [_as_printed(row) for row in stored] == by_guild
    await _sums_agree(database, stored)
    await _queue_agrees(database, stored)
    await _open_agree(database, twin)
    return twin


def _as_printed(row: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {name: row[name] for name in _SAID}
    for name in ("guild_id", "user_id", "channel_id"):
        said[name] = str(said[name])
    said["timeline"] = json.loads(row["timeline"])
    said["paused_ms"] = {name: row[f"{name}_ms"] for name in ("deafened", "muted", "solo")}
    return said


async def _sums_agree(database: Database, sessions: list[dict[str, Any]]) -> None:
    totals: dict[tuple[int, ...], list[int]] = defaultdict(lambda: [0, 0])
    channels: dict[tuple[int, ...], list[int]] = defaultdict(lambda: [0, 0])
    for row in sessions:
        for sums, key in (
            (totals, (row["guild_id"], row["period_index"], row["user_id"])),
            (channels, (row["guild_id"], row["period_index"], row["channel_id"], row["user_id"])),
        ):
            sums[key][0] += row["credited_ms"]
            sums[key][1] += 1
    stored = await rows_of(database, schema.period_member)
    assert {(r["guild_id"], r["period_index"], r["user_id"]): [r["credited_ms"], r["session_count"]] for r in stored} == totals
    assert all(row["rank_key"] == -row["credited_ms"] for row in stored)
    stored = await rows_of(database, schema.period_channel)
    assert {
        (r["guild_id"], r["period_index"], r["channel_id"], r["user_id"]): [r["credited_ms"], r["session_count"]]
        for r in stored
    } == channels
    credited = sum(row["credited_ms"] for row in sessions)
    for table in (schema.member_quarter, schema.channel_quarter):
        cells = await rows_of(database, table)
        assert sum(cell["credited_ms"] for cell in cells) == credited
        assert all(cell["credited_ms"] > 0 for cell in cells)


async def _queue_agrees(database: Database, sessions: list[dict[str, Any]]) -> None:
    """Every session waits once to be signed, or has been."""
    queued = await rows_of(database, schema.record_queue, schema.record_queue.c.id)
    signed = await rows_of(database, schema.record)
    waiting = [row["session_id"] for row in [*queued, *signed] if row["type"] == "voice.session"]
    assert sorted(waiting) == sorted(row["session_id"] for row in sessions)


async def _open_agree(database: Database, twin: Replay) -> None:
    expected = {(int(s["guild_id"]), int(s["user_id"])): s for s in map(printed, twin.still_open())}
    stored = {(row["guild_id"], row["user_id"]): row for row in await rows_of(database, schema.open_session)}
    assert stored.keys() == expected.keys()
    for key, row in stored.items():
        for name in ("stay", "part", "joined_at_ms", "period_index"):
            assert row[name] == expected[key][name], (key, name)
        assert str(row["channel_id"]) == expected[key]["channel_id"]
