"""The draft of a period's record, from what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from attendance.core import MerkleRoot
from attendance.domain.ids import GuildId
from attendance.domain.records import PeriodFacts, clip_intervals, period_draft
from attendance.errors import ConflictError
from attendance.ports.signing import PeriodSources, QueuedDraft, SigningStore

ARCHIVED = "archived"


async def draft_of_period(store: SigningStore, guild_id: GuildId, row: QueuedDraft) -> bytes | None:
    """The draft, or None while a session of the period is not in the chain yet.

    A million sessions are hashed as a stream; the memory does not grow with them.

    Raises:
        ConflictError: The queue names a period that is not archived, or the chain has more sessions than its entries say.
    """
    period_index = -1 if row.period_index is None else row.period_index
    sources = await store.period_sources(guild_id, period_index)
    if sources is None or sources.ended_at_ms is None or sources.state != ARCHIVED or sources.entries_root is None:
        raise ConflictError(f"queue row {row.id} asks for a record of period {period_index}, which is not archived")
    if sources.recorded_sessions < sources.expected_sessions:
        return None
    root, count = await root_of_sessions(store.session_hashes(guild_id, period_index))
    if count != sources.expected_sessions:
        raise ConflictError(f"period {period_index} has {count} session records, its entries {sources.expected_sessions}")
    return period_draft(_facts(period_index, sources, sources.ended_at_ms, sources.entries_root, root))


async def root_of_sessions(hashes: AsyncGenerator[bytes, None]) -> tuple[bytes, int]:
    """RFC 6962 root over the log entries of records given by their hashes, and how many there were."""
    tree = MerkleRoot()
    return await _root(tree, tree.add_record_hashes, hashes)


async def root_of_entries(hashes: AsyncGenerator[bytes, None]) -> tuple[bytes, int]:
    """RFC 6962 root over entries given by their leaf hashes, and how many there were."""
    tree = MerkleRoot()
    return await _root(tree, tree.add_leaf_hashes, hashes)


async def _root(tree: MerkleRoot, add: Callable[[bytes], None], hashes: AsyncGenerator[bytes, None]) -> tuple[bytes, int]:
    async with aclosing(hashes) as pages:
        async for page in pages:
            await asyncio.to_thread(add, page)
    return tree.root(), tree.size


def _facts(
    period_index: int, sources: PeriodSources, ended_at_ms: int, entries_root: bytes, sessions_root: bytes
) -> PeriodFacts:
    return PeriodFacts(
        period_index=period_index,
        started_at_ms=sources.started_at_ms,
        ended_at_ms=ended_at_ms,
        rules=sources.rules,
        blind=clip_intervals(sources.blind, sources.started_at_ms, ended_at_ms),
        first_guild_seq=sources.first_guild_seq,
        last_guild_seq=sources.last_guild_seq,
        session_count=sources.recorded_sessions,
        sessions_root=sessions_root,
        entry_count=sources.entry_count or 0,
        entries_root=entries_root,
    )
