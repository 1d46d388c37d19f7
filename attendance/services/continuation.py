"""A guild's next records, signed one after the other on the head that was read."""

from __future__ import annotations

from dataclasses import dataclass, field

from attendance.core import SigningKey
from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType
from attendance.ports.ids import IdSource
from attendance.ports.signing import ChainHead, SignedRecord


@dataclass(slots=True)
class Continuation:
    """Collects (kid, record) pairs; each record's ``prev`` is the one before it."""

    guild_id: GuildId
    head: ChainHead
    signed_at_ms: int
    ids: IdSource
    records: list[tuple[str, SignedRecord]] = field(default_factory=list)

    @property
    def next_guild_seq(self) -> int:
        """Where the next record goes."""
        return self.head.next_guild_seq + len(self.records)

    def sign(self, key: SigningKey, kind: RecordType, draft: bytes) -> int:
        """Sign one draft and return its ``guild_seq``."""
        position = self.next_guild_seq
        previous = self.records[-1][1].sha256 if self.records else self.head.head_sha256
        drafts = [(draft, self.ids.salt())]
        ((record, digest, signature),) = key.sign_chain(self.guild_id, position, previous, self.signed_at_ms, drafts)
        self.records.append((key.kid, SignedRecord(kind.value, record, digest, signature, None, None)))
        return position
