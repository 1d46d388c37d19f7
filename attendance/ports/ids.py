"""Unpredictable values, as the services need them."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class IdSource(Protocol):
    """Where unpredictable values come from."""

    def session_id(self, at_ms: int) -> UUID:
        """A UUID v7 (RFC 9562) of the instant ``at_ms`` with 74 random bits."""
        ...

    def salt(self, count: int = 1) -> bytes:
        """``count`` times 16 random bytes."""
        ...
