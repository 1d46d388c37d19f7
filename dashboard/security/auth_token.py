"""The JWT in the cookie ``auth_token``: a session's secret id, signed under a key and for an audience of its own."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import sha256

import jwt

from attendance.clock import Clock

AUDIENCE = "rollcall-dashboard"
SECRET_BYTES = 32
MOST_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Named:
    """A session's key in the table, and whose it was when the token was made (a Discord id)."""

    session_key: bytes
    user_id: str


@dataclass(frozen=True, slots=True)
class AuthTokens:
    """Makes and reads them. Whether the session still is one, only the table of sessions says."""

    key: bytes = field(repr=False)
    clock: Clock

    def make(self, secret: bytes, user_id: int, expires_at_ms: int) -> str:
        """A token of a session."""
        claims = {
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": base64.urlsafe_b64encode(secret).decode("ascii"),
            "iat": self.clock.now_ms() // 1000,
            "exp": expires_at_ms // 1000,
        }
        return jwt.encode(claims, self.key, algorithm="HS256")

    def session_key(self, token: str) -> bytes | None:
        """The key of the session that a token names; None if we never made it, or it is too old."""
        named = self.read(token)
        return None if named is None else named.session_key

    def read(self, token: str) -> Named | None:
        """What a token names; None if we never made it, or it is too old."""
        if len(token) > MOST_CHARACTERS:
            return None
        try:
            claims = jwt.decode(
                token,
                self.key,
                algorithms=["HS256"],
                audience=AUDIENCE,
                # Times are judged with the injected clock.
                options={"require": ["aud", "sub", "sid", "exp"], "verify_exp": False, "verify_iat": False},
            )
            secret = base64.urlsafe_b64decode(str(claims["sid"]))
            expires_at_s = int(claims["exp"])
        except (jwt.PyJWTError, binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
            return None
        if len(secret) != SECRET_BYTES or expires_at_s * 1000 <= self.clock.now_ms():
            return None
        return Named(key_of(secret), str(claims["sub"]))


def key_of(secret: bytes) -> bytes:
    """What the table has of a session's secret: who reads the table can use no session."""
    return sha256(secret).digest()
