"""Rankings. The stored part of a period's board comes ordered from a covering index; nothing here sorts 100,000 members."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import BigInteger, ColumnElement, Select, and_, func, literal, or_, select, tuple_, union_all

from attendance.domain.ids import GuildId, UserId
from attendance.domain.ranking import Contender, Ranked
from attendance.domain.reporting import LIVE_SESSION, LiveSession
from attendance.ports.reports import Board, SumsVersion
from attendance.store.reports.connected import GUILD, PERIOD, Connected, Query
from attendance.store.schema import (
    correction,
    member,
    open_session,
    period_channel,
    period_entry,
    period_member,
    session,
    stream,
)

# One compound select may have 500 parts on SQLite.
_COUNTS_AT_ONCE = 400


_SUMS_VERSION = select(stream.c.closed_count, stream.c.sums_revision).where(stream.c.guild_id == GUILD)
_LIVE = select(*(open_session.c[name] for name in LIVE_SESSION)).where(
    open_session.c.guild_id == GUILD, open_session.c.period_index == PERIOD
)
# The columns of the covering index, in its order.
_RANK_COLUMNS = (period_member.c.rank_key, period_member.c.user_id, period_member.c.session_count)


@dataclass(frozen=True, slots=True)
class RankingQueries(Connected):
    """`RankingView` in SQL."""

    async def sums_version(self, guild_id: GuildId) -> SumsVersion:
        """Which sums the guild has."""
        row = (await self.connection.execute(_SUMS_VERSION, {"guild_id": guild_id})).first()
        return SumsVersion(0, 0) if row is None else SumsVersion(*row)

    async def live_sessions(self, board: Board) -> list[LiveSession]:
        """Open sessions of the board's members."""
        values = {"guild_id": board.guild_id, "period_index": board.period_index}
        if board.channel_id is None and board.search is None:
            rows = (await self.connection.execute(_LIVE, values)).all()
        else:
            rows = (await self.connection.execute(_on_live_board(_LIVE, board), values)).all()
        return cast("list[LiveSession]", rows)  # rows are tuples

    async def stored_of_live(self, board: Board) -> dict[UserId, tuple[int, int]]:
        """Closed sessions of the board's members who have an open one."""
        sums: Any = period_member if board.channel_id is None else period_channel
        joined = open_session.join(
            sums,
            and_(
                sums.c.guild_id == open_session.c.guild_id,
                sums.c.period_index == open_session.c.period_index,
                sums.c.user_id == open_session.c.user_id,
            ),
        )
        query = select(sums.c.user_id, sums.c.credited_ms, sums.c.session_count).select_from(joined)
        query = _on_live_board(query.where(open_session.c.guild_id == GUILD, open_session.c.period_index == PERIOD), board)
        if board.channel_id is not None:
            query = query.where(sums.c.channel_id == board.channel_id)
        values = {"guild_id": board.guild_id, "period_index": board.period_index}
        rows = (await self.connection.execute(query, values)).all()
        return {UserId(user_id): (credited_ms, sessions) for user_id, credited_ms, sessions in rows}

    async def stored_after(self, board: Board, after: tuple[int, int] | None, limit: int) -> list[tuple[int, int, int]]:
        """The next lines of a whole guild's board, from the covering index."""
        rank = tuple_(period_member.c.rank_key, period_member.c.user_id)
        query = _on_board(select(*_RANK_COLUMNS), Board(board.guild_id, board.period_index))
        if after is not None:
            query = query.where(rank > tuple_(literal(after[0], BigInteger), literal(after[1], BigInteger)))
        query = query.order_by(period_member.c.rank_key, period_member.c.user_id).limit(limit)
        return [(key, user_id, count) for key, user_id, count in (await self.connection.execute(query)).all()]

    async def stored_changed(self, board: Board, since_count: int) -> list[tuple[int, int, int]]:
        """The lines of members whose sessions were stored since."""
        recent = select(session.c.user_id).where(
            session.c.guild_id == board.guild_id,
            session.c.ordinal >= since_count,
            session.c.period_index == board.period_index,
        )
        query = _on_board(select(*_RANK_COLUMNS), Board(board.guild_id, board.period_index))
        query = query.where(period_member.c.user_id.in_(recent))
        return [(key, user_id, count) for key, user_id, count in (await self.connection.execute(query)).all()]

    async def members_found(self, guild_id: GuildId, search: str) -> set[UserId]:
        """Members found by name or id."""
        rows = await self.connection.execute(_named(guild_id, search))
        found = {UserId(row[0]) for row in rows}
        number = _as_id(search)
        return found if number is None else found | {number}

    async def stored(self, board: Board, limit: int, offset: int) -> list[Contender]:
        """Members by their closed sessions."""
        sums: Any = period_member if board.channel_id is None else period_channel
        key = sums.c.rank_key if board.channel_id is None else -sums.c.credited_ms
        query = _on_board(select(key, sums.c.user_id, sums.c.session_count), board)
        query = query.order_by(key, sums.c.user_id).limit(limit).offset(offset)
        return [(*row, False) for row in (await self.connection.execute(query)).all()]

    async def count_stored(self, board: Board) -> int:
        """How many there are."""
        sums = period_member if board.channel_id is None else period_channel
        query = _on_board(select(func.count()).select_from(sums), board)
        return int((await self.connection.execute(query)).scalar_one())

    async def counts_above(self, board: Board, credited_ms: Collection[int]) -> dict[int, int]:
        """How many have more: counted between neighbouring amounts, so that one walk along the index answers for all."""
        everyone = Board(board.guild_id, board.period_index, board.channel_id)
        sums: Any = period_member if board.channel_id is None else period_channel
        key = sums.c.rank_key if board.channel_id is None else -sums.c.credited_ms
        amounts = sorted(set(credited_ms), reverse=True)
        between: dict[int, int] = {}
        for start in range(0, len(amounts), _COUNTS_AT_ONCE):
            parts = []
            for index in range(start, min(start + _COUNTS_AT_ONCE, len(amounts))):
                part = select(literal(amounts[index], BigInteger).label("amount"), func.count().label("members")).select_from(
                    sums
                )
                part = _on_board(part, everyone).where(key < -amounts[index])
                parts.append(part if index == 0 else part.where(key >= -amounts[index - 1]))
            rows = (await self.connection.execute(union_all(*parts))).all()
            between.update({int(amount): int(members) for amount, members in rows})
        above: dict[int, int] = {}
        so_far = 0
        for amount in amounts:
            so_far += between[amount]
            above[amount] = so_far
        return above

    async def archived(self, board: Board, limit: int, offset: int) -> list[Ranked]:
        """The entries of an archived period in their order."""
        entry = period_entry.c
        query = _entries(select(entry.rank, entry.user_id, entry.credited_ms, entry.session_count), board)
        # Positions have no gaps: the page is found by its first one, unless only some members are wanted.
        query = query.where(entry.position >= offset) if board.search is None else query.offset(offset)
        query = query.order_by(entry.position).limit(limit)
        rows = (await self.connection.execute(query)).all()
        return [Ranked(rank, user_id, credited_ms, count, live=False) for rank, user_id, credited_ms, count in rows]

    async def count_archived(self, board: Board) -> int:
        """How many there are."""
        query = _entries(select(func.count()).select_from(period_entry), board)
        return int((await self.connection.execute(query)).scalar_one())

    async def late_corrections(self, board: Board) -> dict[UserId, int]:
        """What was corrected after the archive."""
        made = correction.c
        query = (
            select(made.user_id, func.sum(made.delta_ms))
            .where(made.guild_id == board.guild_id, made.period_index == board.period_index, made.after_archive)
            .group_by(made.user_id)
        )
        if board.channel_id is not None:
            query = query.where(made.channel_id == board.channel_id)
        return {UserId(user_id): int(delta_ms) for user_id, delta_ms in await self.connection.execute(query)}


def _on_live_board(query: Query, board: Board) -> Query:
    if board.channel_id is not None:
        query = query.where(open_session.c.channel_id == board.channel_id)
    return query if board.search is None else query.where(_found(board, open_session.c.user_id))


def _on_board(query: Query, board: Board) -> Query:
    sums: Any = period_member if board.channel_id is None else period_channel
    query = query.where(sums.c.guild_id == board.guild_id, sums.c.period_index == board.period_index)
    if board.channel_id is not None:
        query = query.where(sums.c.channel_id == board.channel_id)
    return query if board.search is None else query.where(_found(board, sums.c.user_id))


def _entries(query: Query, board: Board) -> Query:
    entry = period_entry.c
    query = query.where(entry.guild_id == board.guild_id, entry.period_index == board.period_index)
    return query if board.search is None else query.where(_found(board, entry.user_id))


def _found(board: Board, user_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Members whose display name contains the text, case ignored, or whose id it is."""
    text = board.search or ""
    # Uncorrelated, so that the names are looked through once and not once a member.
    named = user_id.in_(_named(board.guild_id, text))
    number = _as_id(text)
    return named if number is None else or_(named, user_id == number)


def _named(guild_id: GuildId, text: str) -> Select[int]:
    return select(member.c.user_id).where(member.c.guild_id == guild_id, member.c.display_name.icontains(text, autoescape=True))


def _as_id(text: str) -> UserId | None:
    """The id that a text may be: what surely fits 64 bits."""
    return UserId(int(text)) if text.isascii() and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004
