"""A guild's record key as its admins see it: unlock, lock, another passphrase, and what may be shown of it.

Making and ending keys is `attendance.services.succession`.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from attendance.domain.audit import SYSTEM, Actor, AuditEntry
from attendance.domain.ids import GuildId
from attendance.domain.signing_keys import RecordKey, active_key
from attendance.errors import ConflictError, NotFoundError
from attendance.ports.clock import Clock
from attendance.ports.signing import ArchivedPeriod, KeyStore, Wake
from attendance.services.open_keys import OpenKeys
from attendance.services.passphrases import Passphrases, check_new

_log = structlog.get_logger("signing")


@dataclass(frozen=True, slots=True)
class RunningPeriod:
    """The period that is running; ``ends_at_ms`` is None where no reset is planned."""

    index: int
    started_at_ms: int
    ends_at_ms: int | None


@dataclass(frozen=True, slots=True)
class SigningStatus:
    """Whether a guild's records are being signed. ``oldest_pending_at_ms``: since when the oldest draft waits."""

    configured: bool
    unlocked: bool
    auto_unlock: bool
    kid: str | None
    pending: int
    oldest_pending_at_ms: int | None
    period: RunningPeriod | None


@dataclass(frozen=True, slots=True, eq=False)
class Keyring:
    """The keys of all guilds. ``wake`` is the signer's: an unlocked key has a backlog."""

    store: KeyStore
    open_keys: OpenKeys
    passphrases: Passphrases
    clock: Clock
    wake: Wake

    async def active(self, guild_id: GuildId) -> RecordKey:
        """The guild's key that signs.

        Raises:
            NotFoundError: There is none yet.
        """
        keys, _ = await self.store.guild_keys(guild_id)
        return require_active(keys)

    async def keys(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[RecordKey], int]:
        """Every key the guild ever had, the newest first, and how many there are. A guild has a handful in all its life."""
        keys, _ = await self.store.guild_keys(guild_id)
        return list(reversed(keys))[offset : offset + limit], len(keys)

    async def unlock(self, guild_id: GuildId, passphrase: str, *, actor: Actor = SYSTEM) -> SigningStatus:
        """Open the key and sign the backlog; with ``auto_unlock`` it is wrapped under the master key again.

        Raises:
            NotFoundError: There is no key.
            InvalidInputError: The passphrase is wrong.
            ThrottledError: Too many were.
        """
        row = await self.active(guild_id)
        key = await self.passphrases.open(row, passphrase)
        sealed = self.open_keys.seal(key) if row.auto_unlock else None
        audit = self._audit(guild_id, actor, "signing_key.unlock", row.kid)
        if not await self.store.unlock(guild_id, row.kid, self.open_keys.held_until_ms(), sealed, audit):
            raise ConflictError("the key was replaced meanwhile")
        self.open_keys.hold(guild_id, key, by_passphrase=not row.auto_unlock)
        self.wake.set()
        _log.info("signing key unlocked", guild_id=guild_id, kid=row.kid)
        return await self.status(guild_id)

    async def lock(self, guild_id: GuildId, *, actor: Actor = SYSTEM) -> SigningStatus:
        """Close the key in every process until `unlock`. What is recorded meanwhile waits.

        Raises:
            NotFoundError: There is no key.
        """
        locked = await self.store.lock(guild_id, self._audit(guild_id, actor, "signing_key.lock"))
        self.open_keys.drop(guild_id)
        if not locked:
            raise NotFoundError("the guild has no signing key")
        _log.info("signing key locked", guild_id=guild_id)
        return await self.status(guild_id)

    async def change_passphrase(
        self, guild_id: GuildId, passphrase: str, new_passphrase: str, *, actor: Actor = SYSTEM
    ) -> RecordKey:
        """Seal the key under another passphrase. Whether it is locked does not change.

        Raises:
            NotFoundError: There is no key.
            InvalidInputError: The passphrase is wrong, or the new one too short or too long.
            ThrottledError: Too many were wrong.
            ConflictError: Another change came first.
        """
        check_new(new_passphrase)
        row = await self.active(guild_id)
        key = await self.passphrases.open(row, passphrase)
        sealed = await self.passphrases.seal(key, new_passphrase)
        audit = self._audit(guild_id, actor, "signing_key.change_passphrase", row.kid)
        if not await self.store.rewrap(guild_id, row.kid, row.wrapped, sealed, audit):
            raise ConflictError("the key or its passphrase was changed meanwhile")
        _log.info("signing key's passphrase changed", guild_id=guild_id, kid=row.kid)
        return row

    async def status(self, guild_id: GuildId) -> SigningStatus:
        """Whether records are being signed, by whichever process."""
        keys, _ = await self.store.guild_keys(guild_id)
        row = active_key(keys)
        pending, oldest_ms = await self.store.waiting(guild_id)
        running = await self.store.running_period(guild_id)
        return SigningStatus(
            configured=row is not None,
            unlocked=row is not None and self._is_unlocked(row),
            auto_unlock=row is not None and row.auto_unlock,
            kid=None if row is None else row.kid,
            pending=pending,
            oldest_pending_at_ms=oldest_ms,
            period=None if running is None else RunningPeriod(*running),
        )

    async def history(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[ArchivedPeriod], int]:
        """Archived periods, newest first, and how many there are."""
        return await self.store.archived_periods(guild_id, limit, offset)

    async def public_keys(self) -> list[tuple[str, bytes]]:
        """(kid, 32 bytes) of every key of every guild, active and not: old records verify for ever."""
        return await self.store.public_keys()

    def _audit(self, guild_id: GuildId, actor: Actor, action: str, kid: str | None = None) -> AuditEntry:
        return AuditEntry(guild_id=guild_id, at_ms=self.clock.now_ms(), actor=actor, action=action, target=kid)

    def _is_unlocked(self, row: RecordKey) -> bool:
        if self.open_keys.open(row) is not None:
            return True
        return row.unlocked_until_ms is not None and row.unlocked_until_ms > self.clock.now_ms()


def require_active(keys: tuple[RecordKey, ...]) -> RecordKey:
    """The key that signs.

    Raises:
        NotFoundError: There is none.
    """
    row = active_key(keys)
    if row is None:
        raise NotFoundError("the guild has no signing key")
    return row
