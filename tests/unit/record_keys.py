"""Keys with a known seed, which the core cannot be asked for: sealed here by libsodium, opened there."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as seal
from nacl.signing import SigningKey as SodiumKey

from attendance.core import SigningKey

MASTER = b"m" * 32
NONCE = b"n" * 24


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def dumps(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def thumbprint_of(public: bytes) -> str:
    """RFC 7638 by hand."""
    return b64url(hashlib.sha256(dumps({"crv": "Ed25519", "kty": "OKP", "x": b64url(public)})).digest())


def sealed_file(seed: bytes, key: bytes, kdf: dict[str, Any], /, **header: Any) -> bytes:
    """A wrapped key as the specification describes it; ``header`` overrides members before sealing."""
    public = SodiumKey(seed).verify_key.encode()
    members = {
        "v": 1,
        "purpose": "record",
        "kid": thumbprint_of(public),
        "x": b64url(public),
        "kdf": kdf,
        "aead": {"name": "xchacha20-poly1305", "nonce": b64url(NONCE)},
    } | header
    return json.dumps(members | {"ct": b64url(seal(seed, dumps(members), NONCE, key))}).encode()


def key_of(seed: bytes) -> SigningKey:
    return SigningKey.open_master(sealed_file(seed, MASTER, {"name": "master"}), MASTER)
