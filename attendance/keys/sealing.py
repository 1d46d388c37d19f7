"""Secrets at rest: sealed by libsodium (XSalsa20-Poly1305) under keys derived from the deployment's master key.

Who can write to the database can delete a sealed secret, or put an older one of the same guild back; not read or make one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from nacl.encoding import RawEncoder
from nacl.exceptions import CryptoError
from nacl.hash import blake2b
from nacl.secret import SecretBox

from attendance.domain.ids import GuildId
from attendance.domain.webhooks import Secret
from attendance.errors import KeyOpenError

_PURPOSE = b"rollcall-webhook"  # 16 bytes: BLAKE2b's personalisation


@dataclass(frozen=True, slots=True)
class SecretSealer:
    """`attendance.ports.webhooks.SecretSealing`. Each guild has a key of its own: what is copied to another does not open."""

    master_key: bytes = field(repr=False)

    def seal(self, guild_id: GuildId, secrets: Sequence[Secret]) -> bytes:
        """A nonce, and the secrets sealed."""
        return bytes(self._box(guild_id).encrypt(msgspec.msgpack.encode([(one.key, one.until_ms) for one in secrets])))

    def open(self, guild_id: GuildId, sealed: bytes) -> list[Secret]:
        """The secrets.

        Raises:
            KeyOpenError: they do not open here.
        """
        try:
            pairs = msgspec.msgpack.decode(self._box(guild_id).decrypt(sealed), type=list[tuple[bytes, int | None]])
        except (CryptoError, ValueError, msgspec.DecodeError):
            raise KeyOpenError("a webhook's secret does not open: the master key is another one, or it is damaged") from None
        return [Secret(*pair) for pair in pairs]

    def _box(self, guild_id: GuildId) -> SecretBox:
        return SecretBox(blake2b(b"%d" % guild_id, key=self.master_key, person=_PURPOSE, encoder=RawEncoder))
