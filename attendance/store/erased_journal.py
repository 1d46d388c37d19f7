"""Taking a member out of what the recorder keeps of the past: the journal before the checkpoint, and milestones.

Nothing behind the checkpoint is touched: a start reads it. What stands before it is read by explanations and previews only, and
a position that is missing, or a snapshot with one member less, is a trace like any other. Whoever was with the member is alone
in it from then on.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, LargeBinary, Select, delete, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.domain.erasure import is_in_state, snapshot_mark, snapshot_without, state_mark, state_without
from attendance.domain.ids import GuildId, UserId
from attendance.store.database import Database, bulk_execute
from attendance.store.schema import checkpoint, journal, milestone, open_session, opt_out

Positions = Select[int]


@dataclass(frozen=True, slots=True)
class ErasedJournal:
    """One member of one guild."""

    database: Database
    guild_id: GuildId
    user_id: UserId

    async def erase(self, limit: int) -> None:
        """Erase ``limit`` lines a transaction."""
        async with self.database.snapshot() as connection:
            keep_opt_out = await self._is_out(connection)
            stored = await self._checkpoint_seq(connection)
            own = list(await connection.scalars(self._own_lines(keep_opt_out=keep_opt_out).where(journal.c.seq + 0 < stored)))
            snapshots = list(await connection.scalars(self._snapshots(connection).where(journal.c.seq < stored)))
            marked = milestone.c.guild_id == self.guild_id, _holds(connection, milestone.c.state, state_mark(self.user_id))
            milestones = list(await connection.scalars(select(milestone.c.number).where(*marked)))
        for start in range(0, len(own), limit):
            await self._delete_lines(own[start : start + limit])
        for seq in snapshots:
            await self._rewrite_snapshot(seq)
        for number in milestones:
            await self._rewrite_milestone(number, keep_opt_out=keep_opt_out)

    async def end(self, connection: AsyncConnection) -> int:
        """The position of the journal's last line, before which `what_is_left` may already have looked."""
        return await connection.scalar(select(func.max(journal.c.seq)).where(journal.c.guild_id == self.guild_id)) or 0

    async def what_is_left(self, connection: AsyncConnection, *, after: int | None = None) -> str | None:
        """Where the recorder still has the member, in words for a log; None if nowhere.

        Args:
            connection: Of the caller's transaction.
            after: Look only at lines behind this position; all of them are some time's reading.
        """
        here = open_session.c.guild_id == self.guild_id, open_session.c.user_id == self.user_id
        if await connection.scalar(select(open_session.c.user_id).where(*here)) is not None:
            return "they are in voice"
        state = await connection.scalar(select(checkpoint.c.state).where(checkpoint.c.guild_id == self.guild_id))
        if state is not None and is_in_state(self.guild_id, bytes(state), self.user_id):
            return "they are in voice, or were when the recorder stored its state"
        keep_opt_out = await self._is_out(connection)
        if after is not None:
            new = select(journal.c.seq).where(journal.c.guild_id == self.guild_id, journal.c.seq > after)
            own = new.where(journal.c.user_id == self.user_id)
            own = own.where(journal.c.type != "opt_out") if keep_opt_out else own
            snapshots = new.where(journal.c.type == "snapshot", named_in(connection, journal.c.line, self.user_id))
        else:
            own, snapshots = self._own_lines(keep_opt_out=keep_opt_out), self._snapshots(connection)
        for lines in (own, snapshots):
            if await connection.scalar(lines.limit(1)) is not None:
                return "the recorder has not stored its state since they were in voice"
        return None

    async def _is_out(self, connection: AsyncConnection) -> bool:
        this = opt_out.c.guild_id == self.guild_id, opt_out.c.user_id == self.user_id
        return await connection.scalar(select(opt_out.c.user_id).where(*this)) is not None

    async def _checkpoint_seq(self, connection: AsyncConnection) -> int:
        return await connection.scalar(select(checkpoint.c.seq).where(checkpoint.c.guild_id == self.guild_id)) or 0

    def _own_lines(self, *, keep_opt_out: bool) -> Positions:
        own = lines_of(self.guild_id, self.user_id)
        if not keep_opt_out:
            return own
        return _among(self.guild_id, own).where(journal.c.type != "opt_out")

    def _snapshots(self, connection: AsyncConnection) -> Positions:
        lines = _among(self.guild_id, lines_of(self.guild_id, None))
        return lines.where(journal.c.type == "snapshot", named_in(connection, journal.c.line, self.user_id))

    async def _delete_lines(self, positions: list[int]) -> None:
        async with self.database.transaction() as connection:
            await bulk_execute(
                connection,
                sqlite="DELETE FROM journal WHERE guild_id = ? AND seq = ?",
                postgresql="DELETE FROM journal USING unnest($1::bigint[], $2::bigint[]) AS old(g, s) "
                "WHERE guild_id = g AND seq = s",
                rows=[(self.guild_id, seq) for seq in positions],
            )

    async def _rewrite_snapshot(self, seq: int) -> None:
        this = journal.c.guild_id == self.guild_id, journal.c.seq == seq
        async with self.database.transaction() as connection:
            # Read and written under the row's lock: another member's erasure may be at the same line.
            line = await connection.scalar(select(journal.c.line).where(*this).with_for_update())
            if line is not None:
                without = snapshot_without(bytes(line), self.user_id)
                await connection.execute(update(journal).where(*this).values(line=without))

    async def _rewrite_milestone(self, number: int, *, keep_opt_out: bool) -> None:
        this = milestone.c.guild_id == self.guild_id, milestone.c.number == number
        async with self.database.transaction() as connection:
            state = await connection.scalar(select(milestone.c.state).where(*this).with_for_update())
            if state is None:
                return
            without = state_without(self.guild_id, bytes(state), self.user_id, keep_opt_out=keep_opt_out)
            if without is None:
                await connection.execute(delete(milestone).where(*this))  # a replay begins at an earlier one
            elif without != bytes(state):
                await connection.execute(update(milestone).where(*this).values(state=without))


def lines_of(guild_id: GuildId, user_id: UserId | None) -> Positions:
    """Positions of one member's lines, or of those that are nobody's own.

    By the index on (guild, at, user) alone: the lines themselves are not read.
    """
    whose = journal.c.user_id.is_(None) if user_id is None else journal.c.user_id == user_id
    return select(journal.c.seq).where(journal.c.guild_id == guild_id, journal.c.at_ms >= 0, whose)


def named_in(connection: AsyncConnection, column: ColumnElement[bytes], user_id: UserId) -> ColumnElement[bool]:
    """Whether a snapshot's line, or a record, has the member in it."""
    return _holds(connection, column, snapshot_mark(user_id))


def _among(guild_id: GuildId, positions: Positions) -> Positions:
    return select(journal.c.seq).where(journal.c.guild_id == guild_id, journal.c.seq.in_(positions))


def _holds(connection: AsyncConnection, column: ColumnElement[bytes], needle: bytes) -> ColumnElement[bool]:
    """Whether bytes hold others."""
    wanted = literal(needle, LargeBinary)
    if connection.dialect.name == "sqlite":
        return func.instr(column, wanted) > 0
    return func.pg_catalog.position(column, wanted) > 0
