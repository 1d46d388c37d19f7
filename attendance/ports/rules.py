"""The rules that were ever in force."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from attendance.domain.ids import GuildId, UserId


class RulesLine(NamedTuple):
    """A version of a guild's rules, in force from ``from_ms`` until the next.

    ``rules`` is their canonical JSON, which ``rules_sha256`` is over. No actor: the default, or the AFK channel moved.
    """

    version: int
    from_ms: int
    rules_sha256: bytes
    rules: bytes
    actor_id: UserId | None


class RulesHistory(Protocol):
    """Every version of every guild's rules: records name them, so none is ever deleted or changed.

    Both methods raise UnavailableError while the database is away.
    """

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[RulesLine], int]:
        """A guild's versions, newest first, and how many there are."""
        ...

    async def of_digest(self, guild_id: GuildId, rules_sha256: bytes) -> list[RulesLine]:
        """The versions that have exactly these rules, oldest first."""
        ...
