"""Signatures of webhooks: Standard Webhooks (https://www.standardwebhooks.com, specification of 2023), scheme ``v1``.

Signed is ``{webhook-id}.{webhook-timestamp}.{body}`` by HMAC-SHA256; the secret is ``whsec_`` and the key in base64.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from hashlib import sha256

from attendance.errors import InvalidInputError

PREFIX = "whsec_"
KEY_BYTES = 32
_LEAST_KEY_BYTES, _MOST_KEY_BYTES = 24, 64  # the specification's
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def secret_of(key: bytes) -> str:
    """The secret as receivers are given it."""
    return PREFIX + base64.b64encode(key).decode("ascii")


def key_of(secret: str) -> bytes:
    """The key in a secret.

    Raises:
        InvalidInputError: it is none.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _LEAST_KEY_BYTES <= len(key) <= _MOST_KEY_BYTES:
        raise InvalidInputError("this is not a webhook's secret")
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, with its version: ``v1,`` and base64. ``timestamp`` in whole Unix seconds."""
    if not _ID.fullmatch(message_id):
        # A dot would let the id run into the timestamp.
        raise ValueError("a webhook's id has letters, digits, underscores and hyphens")
    signed = b"%s.%d." % (message_id.encode("ascii"), timestamp) + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, sha256)).decode("ascii")


def signed_headers(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers. Several keys, while a secret is being replaced, give several signatures, the newest first."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(key, message_id, timestamp, body) for key in keys),
    }
