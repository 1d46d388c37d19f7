"""The keys that this process holds open. Seeds stay inside `SigningKey`; what is here is a table of them.

A key with a wrap under the master key opens by itself when something waits for it. A key without one is here because a human
gave its passphrase to this process, and this process alone signs with it. The row has the last word: after a ``lock`` said
anywhere, nobody uses or keeps the key.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from attendance.core import SigningKey
from attendance.domain.ids import GuildId
from attendance.domain.signing_keys import RecordKey
from attendance.errors import KeyOpenError
from attendance.ports.clock import Clock
from attendance.ports.signing import KeyStore

PURPOSE = "record"
# Another process believes for so long that a key is open; renewed three times in that span.
HELD_FOR_MS = 60_000
RENEW_AFTER_MS = HELD_FOR_MS // 3

_log = structlog.get_logger("signing")


@dataclass(slots=True, eq=False)
class OpenKeys:
    """The table, by guild. ``master_key`` is the deployment's, 32 bytes."""

    store: KeyStore
    clock: Clock
    master_key: bytes = field(repr=False)
    _held: dict[GuildId, SigningKey] = field(default_factory=dict, repr=False)
    _by_passphrase: dict[GuildId, str] = field(default_factory=dict, repr=False)
    _unopenable: dict[GuildId, str] = field(default_factory=dict, repr=False)
    _renewed_at_ms: int = 0

    def open(self, row: RecordKey) -> SigningKey | None:
        """The key of a row that was just read, or None if it is locked, not active, or another process's to sign with."""
        if not row.is_active or row.is_locked:
            self.drop(row.guild_id)
            return None
        held = self._held.get(row.guild_id)
        if held is not None and held.kid == row.kid:
            return held
        self.drop(row.guild_id)
        return self._open_under_master(row)

    def hold(self, guild_id: GuildId, key: SigningKey, *, by_passphrase: bool) -> None:
        """Keep a key; ``by_passphrase``: it has no wrap under the master key, so that others must be told that it is open."""
        self._held[guild_id] = key
        self._unopenable.pop(guild_id, None)
        if by_passphrase:
            self._by_passphrase[guild_id] = key.kid
        else:
            self._by_passphrase.pop(guild_id, None)

    def drop(self, guild_id: GuildId) -> None:
        """Forget a guild's key; the core wipes it."""
        self._held.pop(guild_id, None)
        self._by_passphrase.pop(guild_id, None)

    def seal(self, key: SigningKey) -> str:
        """A key's wrap under the master key."""
        return key.wrap_under_master(PURPOSE, self.master_key).decode("ascii")

    def held_until_ms(self) -> int:
        """Until when to say that a key is open, from now."""
        return self.clock.now_ms() + HELD_FOR_MS

    async def renew(self) -> None:
        """Say of keys opened by passphrase that they still are; drop those that were locked elsewhere. Cheap when not due."""
        now_ms = self.clock.now_ms()
        # A clock that was set back counts as due: the note would otherwise run out.
        if not self._by_passphrase or 0 <= now_ms - self._renewed_at_ms < RENEW_AFTER_MS:
            return
        asked = dict(self._by_passphrase)
        still_open = await self.store.renew(list(asked.values()), now_ms + HELD_FOR_MS)
        self._renewed_at_ms = now_ms
        for guild_id, kid in asked.items():
            if kid not in still_open and self._by_passphrase.get(guild_id) == kid:
                self.drop(guild_id)

    def _open_under_master(self, row: RecordKey) -> SigningKey | None:
        if row.master_wrapped is None or self._unopenable.get(row.guild_id) == row.master_wrapped:
            return None
        try:
            key = SigningKey.open_master(row.master_wrapped.encode("ascii"), self.master_key, PURPOSE)
        except (KeyOpenError, UnicodeEncodeError) as error:
            self._note_unopenable(row, str(error))
            return None
        if key.kid != row.kid:
            self._note_unopenable(row, f"it holds {key.kid}")
            return None
        self._held[row.guild_id] = key
        return key

    def _note_unopenable(self, row: RecordKey, reason: str) -> None:
        # Not this master key's: a restored backup, perhaps. The passphrase still opens it; said once, not every second.
        self._unopenable[row.guild_id] = row.master_wrapped or ""
        _log.warning("a key does not open under the master key", guild_id=row.guild_id, kid=row.kid, reason=reason)
