"""One secret of the deployment, and keys of it for each purpose: none of them says anything about another."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from nacl.encoding import RawEncoder
from nacl.hash import blake2b
from nacl.secret import SecretBox


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys by purpose (BLAKE2b, personalised, of ROLLCALL_DASHBOARD_SECRET)."""

    cookie: bytes = field(repr=False)  # HS256 of `auth_token`
    forms: bytes = field(repr=False)  # HMAC of the forms' tokens
    tokens: SecretBox = field(repr=False)  # Discord's tokens at rest
    browser: SecretBox = field(repr=False)  # what a browser keeps for us and should not read


def derive_keys(secret: str) -> Keys:
    """The keys of a deployment's secret."""
    root = sha256(secret.encode()).digest()

    def key(purpose: bytes) -> bytes:
        return blake2b(b"", key=root, person=purpose, encoder=RawEncoder)

    return Keys(
        key(b"rollcall-cookie"), key(b"rollcall-forms"), SecretBox(key(b"rollcall-tokens")), SecretBox(key(b"rollcall-browser"))
    )
