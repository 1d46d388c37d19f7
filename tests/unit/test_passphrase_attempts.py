"""How wrong passphrases are counted, without any cryptography."""

from __future__ import annotations

import pytest

from attendance.clock import FixedClock
from attendance.core import SigningKey
from attendance.domain.signing_keys import RecordKey, check_window
from attendance.errors import InvalidRecordError, UnavailableError
from attendance.ids import SystemIds
from attendance.services.passphrases import MAX_DELAY_MS, Attempts, Passphrases, ThrottledError
from tests.signing_world import CHEAP, GUILD, OTHER_GUILD, PASSPHRASE, CheapDerivation


def a_row(key: SigningKey, wrapped: str = "", **values: object) -> RecordKey:
    members = {"guild_id": GUILD, "kid": key.kid, "public_key": key.public_key, "wrapped": wrapped, "master_wrapped": None}
    members |= {"auto_unlock": False, "state": "active", "created_at_ms": 0, "first_guild_seq": 0, "last_guild_seq": None}
    return RecordKey(**{**members, "unlocked_until_ms": None, **values})


def test_five_are_free_and_then_the_wait_doubles_up_to_five_minutes():
    clock = FixedClock()
    attempts = Attempts(clock)
    waits = []
    for _ in range(20):
        attempts.begin(GUILD)
        try:
            attempts.begin(GUILD)
            waits.append(0)
        except ThrottledError as error:
            waits.append(error.retry_after_s)
            clock.advance(error.retry_after_s * 1000)
    # a try that was not refused counts as one more, so the free ones go two by two
    assert waits[:2] == [0, 0]
    assert waits[2:10] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert set(waits[11:]) == {MAX_DELAY_MS // 1000}


def test_success_forgets_and_one_guild_is_not_anothers():
    attempts = Attempts(FixedClock())
    for _ in range(5):
        attempts.begin(GUILD)
    with pytest.raises(ThrottledError):
        attempts.begin(GUILD)
    attempts.begin(OTHER_GUILD)
    attempts.succeed(GUILD)
    attempts.begin(GUILD)
    assert attempts.count(GUILD) == 1


async def test_a_passphrase_that_could_not_be_tried_does_not_count():
    class Full:
        async def derive(self, *_args):
            raise UnavailableError("too many wait")

    key, ids, attempts = SigningKey.generate(), SystemIds(), Attempts(FixedClock())
    wrapped = await Passphrases(CheapDerivation(), attempts, ids, CHEAP).seal(key, PASSPHRASE)
    full = Passphrases(Full(), attempts, ids, CHEAP)
    for _ in range(9):
        with pytest.raises(UnavailableError):
            await full.open(a_row(key, wrapped), PASSPHRASE)
    assert attempts.count(GUILD) == 0
    opened = await Passphrases(CheapDerivation(), attempts, ids, CHEAP).open(a_row(key, wrapped), PASSPHRASE)
    assert opened.kid == key.kid


async def test_a_wrapped_key_below_the_accepted_cost_is_not_even_tried():
    key, ids, derivation = SigningKey.generate(), SystemIds(), CheapDerivation()
    wrapped = await Passphrases(derivation, Attempts(FixedClock()), ids, CHEAP).seal(key, PASSPHRASE)
    with pytest.raises(Exception, match="m_kib=8"):
        await Passphrases(derivation, Attempts(FixedClock()), ids).open(a_row(key, wrapped), PASSPHRASE)
    assert derivation.derived == 1


@pytest.mark.parametrize(
    ("first", "last", "good", "bad"),
    [(0, None, [0, 10**12], [-1]), (3, 5, [3, 4, 5], [2, 6]), (4, 3, [], [3, 4]), (None, None, [], [0])],
)
def test_a_keys_window_is_by_position(first, last, good, bad):
    row = a_row(SigningKey.generate(), first_guild_seq=first, last_guild_seq=last)
    for position in good:
        check_window(row, position)
    for position in bad:
        with pytest.raises(InvalidRecordError):
            check_window(row, position)
