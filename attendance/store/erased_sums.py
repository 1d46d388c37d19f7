"""Taking sessions out of the sums that reports read, exactly as they and their corrections once came in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.core import quarters_of
from attendance.domain.ids import GuildId
from attendance.store.database import bulk_execute
from attendance.store.schema import correction, session

_QUARTER_MS = 900_000


class ErasedSession(NamedTuple):
    """As much of a session as its sums were made of."""

    session_id: UUID
    user_id: int
    channel_id: int
    period_index: int
    left_at_ms: int
    unwitnessed_ms: int
    deafened_ms: int
    muted_ms: int
    solo_ms: int
    below_minimum: bool
    credited_ms: int
    timeline: bytes


SESSION_COLUMNS = tuple(session.c[name] for name in ErasedSession._fields)
Sums = Mapping[tuple[int, ...], Sequence[int]]


async def subtract(connection: AsyncConnection, guild_id: GuildId, sessions: Sequence[ErasedSession]) -> None:
    """Let the members' sums lose these sessions; what comes to nothing goes. A channel's own sums stay: they name nobody."""
    given = await _corrected(connection, guild_id, sessions)
    members: defaultdict[tuple[int, ...], list[int]] = defaultdict(lambda: [0] * 6)
    channels: defaultdict[tuple[int, ...], list[int]] = defaultdict(lambda: [0, 0])
    quarters: defaultdict[tuple[int, ...], list[int]] = defaultdict(lambda: [0])
    for one in sessions:
        credited_ms = one.credited_ms + given.get(one.session_id, 0)
        amounts = (credited_ms, 1, one.unwitnessed_ms, one.deafened_ms, one.muted_ms, one.solo_ms)
        _add(members[one.period_index, one.user_id], amounts)
        _add(channels[one.period_index, one.channel_id, one.user_id], amounts[:2])
        place = (one.period_index, one.channel_id)
        for quarter, amount in () if one.below_minimum else quarters_of(one.timeline):
            _add(quarters[one.user_id, quarter, *place], (amount,))
        if one.session_id in given:
            _add(quarters[one.user_id, (one.left_at_ms - 1) // _QUARTER_MS, *place], (given[one.session_id],))
    await _subtract_members(connection, guild_id, members)
    await _subtract_channels(connection, guild_id, channels)
    await _subtract_quarters(connection, guild_id, quarters)


async def _corrected(connection: AsyncConnection, guild_id: GuildId, sessions: Sequence[ErasedSession]) -> dict[UUID, int]:
    """What corrections moved in the sums; those after the archive are beside them."""
    ids = [one.session_id for one in sessions]
    query = select(correction.c.session_id, correction.c.delta_ms).where(
        correction.c.guild_id == guild_id, correction.c.session_id.in_(ids), correction.c.after_archive.is_(False)
    )
    moved: defaultdict[UUID, int] = defaultdict(int)
    for row in await connection.execute(query):
        moved[row.session_id] += row.delta_ms
    return dict(moved)


def _add(sums: list[int], amounts: Iterable[int]) -> None:
    for index, amount in enumerate(amounts):
        sums[index] += amount


async def _subtract_members(connection: AsyncConnection, guild_id: GuildId, sums: Sums) -> None:
    rows = [(*amounts, guild_id, *key) for key, amounts in sums.items()]
    await bulk_execute(
        connection,
        sqlite="UPDATE period_member SET credited_ms = credited_ms - ?1, rank_key = rank_key + ?1, "
        "session_count = session_count - ?2, unwitnessed_ms = unwitnessed_ms - ?3, deafened_ms = deafened_ms - ?4, "
        "muted_ms = muted_ms - ?5, solo_ms = solo_ms - ?6 WHERE guild_id = ?7 AND period_index = ?8 AND user_id = ?9",
        postgresql="UPDATE period_member SET credited_ms = credited_ms - a, rank_key = rank_key + a, "
        "session_count = session_count - b, unwitnessed_ms = unwitnessed_ms - c, deafened_ms = deafened_ms - d, "
        "muted_ms = muted_ms - e, solo_ms = solo_ms - f FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], "
        "$5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) AS gone(a, b, c, d, e, f, g, p, u) "
        "WHERE guild_id = g AND period_index = p AND user_id = u",
        rows=rows,
    )
    await bulk_execute(
        connection,
        sqlite="DELETE FROM period_member WHERE guild_id = ? AND period_index = ? AND user_id = ? AND session_count <= 0",
        postgresql="DELETE FROM period_member USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS gone(g, p, u) "
        "WHERE guild_id = g AND period_index = p AND user_id = u AND session_count <= 0",
        rows=[(guild_id, *key) for key in sums],
    )


async def _subtract_channels(connection: AsyncConnection, guild_id: GuildId, sums: Sums) -> None:
    await bulk_execute(
        connection,
        sqlite="UPDATE period_channel SET credited_ms = credited_ms - ?, session_count = session_count - ? "
        "WHERE guild_id = ? AND period_index = ? AND channel_id = ? AND user_id = ?",
        postgresql="UPDATE period_channel SET credited_ms = credited_ms - a, session_count = session_count - b "
        "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) "
        "AS gone(a, b, g, p, c, u) WHERE guild_id = g AND period_index = p AND channel_id = c AND user_id = u",
        rows=[(*amounts, guild_id, *key) for key, amounts in sums.items()],
    )
    await bulk_execute(
        connection,
        sqlite="DELETE FROM period_channel WHERE guild_id = ? AND period_index = ? AND channel_id = ? AND user_id = ? "
        "AND session_count <= 0",
        postgresql="DELETE FROM period_channel USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) "
        "AS gone(g, p, c, u) WHERE guild_id = g AND period_index = p AND channel_id = c AND user_id = u AND session_count <= 0",
        rows=[(guild_id, *key) for key in sums],
    )


async def _subtract_quarters(connection: AsyncConnection, guild_id: GuildId, sums: Sums) -> None:
    await bulk_execute(
        connection,
        sqlite="UPDATE member_quarter SET credited_ms = credited_ms - ? "
        "WHERE guild_id = ? AND user_id = ? AND quarter = ? AND period_index = ? AND channel_id = ?",
        postgresql="UPDATE member_quarter SET credited_ms = credited_ms - a "
        "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) "
        "AS gone(a, g, u, q, p, c) "
        "WHERE guild_id = g AND user_id = u AND quarter = q AND period_index = p AND channel_id = c",
        rows=[(*amounts, guild_id, *key) for key, amounts in sums.items()],
    )
    await bulk_execute(
        connection,
        sqlite="DELETE FROM member_quarter "
        "WHERE guild_id = ? AND user_id = ? AND quarter = ? AND period_index = ? AND channel_id = ? AND credited_ms = 0",
        postgresql="DELETE FROM member_quarter USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], "
        "$5::bigint[]) AS gone(g, u, q, p, c) "
        "WHERE guild_id = g AND user_id = u AND quarter = q AND period_index = p AND channel_id = c AND credited_ms = 0",
        rows=[(guild_id, *key) for key in sums],
    )
