"""Passphrases: how long they must be, how often they may be guessed, and what is made of them.

A passphrase is text in memory for one call. It is in no log line, no error and no ``repr``.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from attendance.core import SigningKey, wrap_parameters
from attendance.domain.ids import GuildId
from attendance.domain.signing_keys import RecordKey
from attendance.errors import InvalidInputError, KeyOpenError, RollcallError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.signing import PassphraseDerivation
from attendance.services.open_keys import PURPOSE

MIN_CHARACTERS = 12
MAX_BYTES = 1024
FREE_ATTEMPTS = 5
MAX_DELAY_MS = 300_000
# About 1 MB. Only who may manage a guild's keys can put it into this table.
_TABLE_SIZE = 10_000


class ThrottledError(RollcallError):
    """Too many wrong passphrases for a guild. ``retry_after_s`` in whole seconds."""

    code = "throttled"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too many wrong passphrases; wait before the next")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """What new wraps cost, and the least that is accepted of old ones (records, section 3). Memory in KiB."""

    m_kib: int = 262_144
    t: int = 3
    min_m_kib: int = 65_536
    min_t: int = 3


@dataclass(slots=True)
class Attempts:
    """Counts wrong passphrases for each guild: five are free, then each doubles the wait, up to five minutes.

    Counted before the passphrase is tried, so that many at once gain nothing. In memory: a second process has its own count,
    and each try costs its second of Argon2id anyway, one at a time.
    """

    clock: Clock
    _failures: OrderedDict[GuildId, tuple[int, int]] = field(default_factory=OrderedDict)  # count, not before (ms)

    def begin(self, guild_id: GuildId) -> None:
        """Count an attempt as failed until `succeed` says otherwise.

        Raises:
            ThrottledError: The wait is not over; this attempt is not counted.
        """
        now_ms = int(self.clock.monotonic() * 1000)
        count, not_before_ms = self._failures.get(guild_id, (0, now_ms))
        if now_ms < not_before_ms:
            raise ThrottledError(-((now_ms - not_before_ms) // 1000))
        beyond = count + 1 - FREE_ATTEMPTS
        delay_ms = 0 if beyond < 0 else min(1000 << min(beyond, 20), MAX_DELAY_MS)
        self._failures[guild_id] = (count + 1, now_ms + delay_ms)
        self._failures.move_to_end(guild_id)
        if len(self._failures) > _TABLE_SIZE:
            self._failures.popitem(last=False)

    def succeed(self, guild_id: GuildId) -> None:
        """Forget a guild's failures."""
        self._failures.pop(guild_id, None)

    def withdraw(self, guild_id: GuildId) -> None:
        """Take back the last `begin`: the passphrase could not even be tried."""
        count, not_before_ms = self._failures.get(guild_id, (1, 0))
        self._failures[guild_id] = (count - 1, min(not_before_ms, int(self.clock.monotonic() * 1000)))

    def count(self, guild_id: GuildId) -> int:
        """Failures since the last success."""
        return self._failures.get(guild_id, (0, 0))[0]


@dataclass(frozen=True, slots=True)
class Passphrases:
    """Seals keys under passphrases and opens them again."""

    derivation: PassphraseDerivation
    attempts: Attempts
    ids: IdSource
    cost: Argon2Cost = Argon2Cost()

    async def seal(self, key: SigningKey, passphrase: str) -> str:
        """The file of a key, wrapped under a new passphrase.

        Raises:
            InvalidInputError: The passphrase is too short or too long.
        """
        check_new(passphrase)
        salt, cost = self.ids.salt(), self.cost
        kek = await self.derivation.derive(passphrase, salt, cost.m_kib, cost.t)
        return key.wrap(PURPOSE, kek, cost.m_kib, cost.t, salt).decode("ascii")

    async def open(self, row: RecordKey, passphrase: str, *, named: str = "passphrase") -> SigningKey:
        """Open an active key.

        Raises:
            InvalidInputError: The passphrase is wrong.
            ThrottledError: Too many were.
        """
        self.attempts.begin(row.guild_id)
        wrapped, cost = row.wrapped.encode("ascii"), self.cost
        if not passphrase or len(passphrase.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise _wrong(named)
        salt, m_kib, t = wrap_parameters(wrapped, cost.min_m_kib, cost.min_t)
        try:
            kek = await self.derivation.derive(passphrase, salt, m_kib, t)
        except UnavailableError:
            self.attempts.withdraw(row.guild_id)
            raise
        try:
            key = SigningKey.open_wrapped(wrapped, kek, cost.min_m_kib, cost.min_t, PURPOSE)
        except KeyOpenError:
            raise _wrong(named) from None
        self.attempts.succeed(row.guild_id)
        return key


def check_new(passphrase: str) -> None:
    """Accept a passphrase of at least 12 characters and at most 1024 bytes.

    Raises:
        InvalidInputError: It is not.
    """
    if len(passphrase) < MIN_CHARACTERS or len(passphrase.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise InvalidInputError(
            "the passphrase is too short or too long",
            details={"passphrase": f"at least {MIN_CHARACTERS} characters and at most {MAX_BYTES} bytes"},
        )


def _wrong(named: str) -> InvalidInputError:
    return InvalidInputError("the passphrase does not open the key", details={named: "it does not open the key"})
