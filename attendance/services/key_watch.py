"""Looks for keys that a restart has locked: whoever relies on signatures is told, once, and not only those who look."""

from __future__ import annotations

from dataclasses import dataclass

from attendance.ports.clock import Clock
from attendance.ports.signing import KeyStore
from attendance.services.open_keys import HELD_FOR_MS

# Beyond what the holder has promised: a database that was away for a moment is no loss of a key.
_GRACE_MS = HELD_FOR_MS
_KEYS_A_STEP = 200


@dataclass(frozen=True, slots=True)
class KeyWatch:
    """Announces lost keys. Any number of processes may; each loss is announced once."""

    store: KeyStore
    clock: Clock

    async def tell_lost(self) -> int:
        """Announce every key that needs its passphrase again; how many.

        Raises:
            UnavailableError: the database is away.
        """
        told = 0
        now_ms = self.clock.now_ms()
        while step := await self.store.tell_lost(now_ms - _GRACE_MS, now_ms, _KEYS_A_STEP):
            told += step
        return told
