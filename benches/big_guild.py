"""A guild with a long period behind it: 100,000 members, a million sessions, written as rows."""

from __future__ import annotations

import hashlib
import uuid
from random import Random

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.store import schema
from attendance.store.database import Database, bulk_insert

GUILD = GuildId(7 << 22)
CHANNELS = [ChannelId(10 + number) for number in range(10)]
MEMBERS = 100_000
SESSIONS = 1_000_000
_CHUNK = 50_000
_RECORD_COLUMNS = (
    "guild_id", "guild_seq", "type", "record_sha256", "body", "signature", "kid", "signed_at_ms", "session_id", "period_index",
)  # fmt: skip


def user(number: int) -> UserId:
    return UserId(1_000_000 + number)


async def write_members(database: Database, period_index: int = 0) -> None:
    """The period's sums of every member."""
    random = Random(7)
    columns = (
        "guild_id", "period_index", "user_id", "credited_ms", "session_count", "unwitnessed_ms", "deafened_ms", "muted_ms",
        "solo_ms", "rank_key",
    )  # fmt: skip
    rows = []
    for number in range(MEMBERS):
        credited = random.randrange(50_000_000)
        rows.append((GUILD, period_index, user(number), credited, SESSIONS // MEMBERS, 0, 0, 0, 0, -credited))
    names = [(GUILD, user(number), f"member {number}", False) for number in range(MEMBERS)]
    for start in range(0, MEMBERS, _CHUNK):
        async with database.transaction() as connection:
            await bulk_insert(connection, schema.period_member, columns, rows[start : start + _CHUNK])
            await bulk_insert(
                connection, schema.member, ("guild_id", "user_id", "display_name", "bot"), names[start : start + _CHUNK]
            )


async def write_signed_sessions(database: Database, kid: str, first_seq: int, prev: bytes) -> bytes:
    """A million session records as a signer left them (their bodies stand for themselves); returns the chain's new head."""
    body, signature = b"x" * 700, b"s" * 64
    head = prev
    for start in range(0, SESSIONS, _CHUNK):
        rows = []
        for number in range(start, start + _CHUNK):
            head = hashlib.sha256(number.to_bytes(8, "big")).digest()
            session_id = uuid.UUID(int=number)
            rows.append((GUILD, first_seq + number, "voice.session", head, body, signature, kid, 1, session_id, 0))
        async with database.transaction() as connection:
            await bulk_insert(connection, schema.record, _RECORD_COLUMNS, rows)
    return head
