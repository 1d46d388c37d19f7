"""The only place that makes random ids and salts."""

from __future__ import annotations

import secrets
from uuid import UUID

from attendance.ports.ids import IdSource

__all__ = ["IdSource", "SystemIds", "uuid7"]


def uuid7(at_ms: int, randomness: bytes) -> UUID:
    """Assemble a UUID v7 from milliseconds and ten random bytes (74 bits of them are used; RFC 9562, section 5.7)."""
    bits = int.from_bytes(randomness, "big")
    value = (at_ms & (2**48 - 1)) << 80
    value |= 0x7 << 76
    value |= ((bits >> 62) & 0xFFF) << 64
    value |= 0b10 << 62
    value |= bits & (2**62 - 1)
    return UUID(int=value)


class SystemIds:
    """The operating system's generator."""

    def session_id(self, at_ms: int) -> UUID:
        """A UUID v7 with 74 random bits."""
        return uuid7(at_ms, secrets.token_bytes(10))

    def salt(self, count: int = 1) -> bytes:
        """``count`` times 16 random bytes."""
        return secrets.token_bytes(16 * count)
