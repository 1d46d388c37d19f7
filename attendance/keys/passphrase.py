"""Argon2id by libsodium: what a passphrase becomes before the core seals or opens a key with it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from nacl.exceptions import RuntimeError as SodiumError
from nacl.pwhash import argon2id

from attendance.errors import InvalidInputError, UnavailableError

KEK_BYTES = 32
# At half a second each, who comes last has waited for eight; more than that is an attack or a misunderstanding.
MAX_WAITING = 16


class SodiumDerivation:
    """`attendance.ports.signing.PassphraseDerivation`: one derivation at a time, in a thread of its own.

    One at a time since each takes its memory (256 MiB by default, 2 GiB at most). The thread and not a lock sees to that:
    a caller who gives up would release a lock while libsodium still computes.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="argon2id")
        self._waiting = 0

    async def derive(self, passphrase: str, salt: bytes, m_kib: int, t: int) -> bytes:
        """32 bytes of a passphrase, taken as it is: no stripping, no normalisation.

        Args:
            passphrase: As it was typed.
            salt: 16 bytes.
            m_kib: Memory in KiB, 8 at least. Bounds are the core's to check, before this is called.
            t: Passes, 1 at least.

        Raises:
            InvalidInputError: The passphrase is not Unicode text (half of a surrogate pair).
            UnavailableError: Too many wait already, or there is not that much memory.
        """
        secret = _encode(passphrase)
        if self._waiting >= MAX_WAITING:
            raise UnavailableError("too many passphrases are being tried; try again in a moment")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, _argon2id, secret, salt, m_kib, t)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Take no more, and drop what has not begun. What runs ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _encode(passphrase: str) -> bytes:
    try:
        return passphrase.encode()
    except UnicodeEncodeError:
        # Not chained: the error carries the passphrase.
        raise InvalidInputError("the passphrase is not Unicode text", details={"passphrase": "lone surrogate"}) from None


def _argon2id(secret: bytes, salt: bytes, m_kib: int, t: int) -> bytes:
    """RFC 9106, version 1.3, one lane: libsodium knows no other."""
    try:
        return argon2id.kdf(KEK_BYTES, secret, salt, opslimit=t, memlimit=m_kib * 1024)
    except (SodiumError, MemoryError) as error:
        raise UnavailableError(f"no memory for a passphrase: {m_kib} KiB are needed") from error
