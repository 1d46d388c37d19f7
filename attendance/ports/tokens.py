"""Where API tokens are kept."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from attendance.domain.audit import AuditEntry
from attendance.domain.ids import GuildId
from attendance.domain.tokens import ApiToken


class TokenStore(Protocol):
    """Tokens of all guilds, each as the hash of its secret. Changes are audited in their transactions.

    Every method raises UnavailableError while the database is away.
    """

    async def add(self, token: ApiToken, token_sha256: bytes, most: int, audit: AuditEntry) -> bool:
        """Store a token; False, and nothing stored, if the guild has ``most`` already (revoked ones do not count)."""
        ...

    async def find(self, token_sha256: bytes) -> ApiToken | None:
        """The token of this secret, unless it was revoked."""
        ...

    async def get(self, token_id: UUID) -> ApiToken | None:
        """The token, unless it was revoked."""
        ...

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[ApiToken], int]:
        """A guild's tokens that were not revoked, newest first, and how many there are."""
        ...

    async def revoke(self, guild_id: GuildId, token_id: UUID, now_ms: int, audit: AuditEntry) -> bool:
        """Revoke a token for ever; False if the guild has none of this id, or it was revoked before."""
        ...

    async def note_use(self, token_id: UUID, at_ms: int) -> None:
        """Remember that it was used then."""
        ...
