"""SSHSIG, the signatures of ``ssh-keygen -Y`` (OpenSSH, PROTOCOL.sshsig), for Ed25519 keys.

A string is its length (uint32, big-endian) and its bytes. What the key signs::

    "SSHSIG"  string namespace  string reserved ""  string "sha512"  string SHA-512(message)

The armoured file holds::

    "SSHSIG"  uint32 1  string public key  string namespace  string reserved ""  string "sha512"  string signature
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha512
from struct import pack

_MAGIC = b"SSHSIG"
_VERSION = 1
_KEY_TYPE = b"ssh-ed25519"
_HASH = b"sha512"
_LINE = 70


def signed_data(message: bytes, namespace: str) -> bytes:
    """The bytes that the key has to sign for a message."""
    return _MAGIC + _string(namespace.encode()) + _string(b"") + _string(_HASH) + _string(sha512(message).digest())


def armoured_signature(public_key: bytes, signature: bytes, namespace: str) -> bytes:
    """The file that ``ssh-keygen -Y verify -s`` reads.

    Args:
        public_key: 32 bytes.
        signature: Ed25519 over `signed_data`, 64 bytes.
        namespace: The same as in `signed_data`.
    """
    blob = _MAGIC + pack(">I", _VERSION) + _string(public_key_blob(public_key)) + _string(namespace.encode())
    blob += _string(b"") + _string(_HASH) + _string(_string(_KEY_TYPE) + _string(signature))
    text = b64encode(blob).decode("ascii")
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""]).encode("ascii")


def allowed_signer(identity: str, public_key: bytes, namespace: str) -> str:
    """A line of an ``allowed_signers`` file: whose key, and what for. Without dates: `-Y verify` would want to be told one."""
    return f'{identity} namespaces="{namespace}" ssh-ed25519 {b64encode(public_key_blob(public_key)).decode("ascii")}\n'


def public_key_blob(public_key: bytes) -> bytes:
    """A public key as SSH writes it (RFC 8709)."""
    return _string(_KEY_TYPE) + _string(public_key)


def _string(data: bytes) -> bytes:
    return pack(">I", len(data)) + data
