"""Passphrases become wrapping keys as libsodium says, one at a time, without holding up the loop."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from nacl.pwhash import argon2id

from attendance.core import SigningKey, wrap_parameters
from attendance.errors import InvalidInputError, KeyOpenError, UnavailableError
from attendance.keys import passphrase as module
from attendance.keys.passphrase import MAX_WAITING, SodiumDerivation
from attendance.ports.signing import PassphraseDerivation
from tests.unit.record_vectors import vector_json

SALT = b"s" * 16
CHEAP = {"m_kib": 64, "t": 1}


@pytest.fixture
def derivation():
    one: PassphraseDerivation = SodiumDerivation()
    yield one
    one.close()


async def test_a_passphrase_becomes_what_libsodium_says_byte_for_byte(derivation):
    for text in ["correct horse battery staple", " spaces kept\n", "ünïcödé 😀", ""]:
        kek = await derivation.derive(text, SALT, **CHEAP)
        assert kek == argon2id.kdf(32, text.encode(), SALT, opslimit=1, memlimit=64 * 1024)


async def test_the_vector_opens_with_its_passphrase_and_not_with_a_newline_after_it(derivation):
    vector = vector_json("derived/wrapped-key.json")
    file = json.dumps(vector["file"]).encode()
    parameters = wrap_parameters(file)
    kek = await derivation.derive(vector["passphrase_utf8"], *parameters)
    assert kek.hex() == vector["argon2id"]["kek_hex"]
    assert SigningKey.open_wrapped(file, kek).kid == vector["file"]["kid"]


async def test_wrap_and_open_go_through_the_core_at_a_lowered_cost(derivation):
    key = SigningKey.generate()
    file = key.wrap("record", await derivation.derive("a passphrase", SALT, **CHEAP), CHEAP["m_kib"], CHEAP["t"], SALT)
    salt, m_kib, t = wrap_parameters(file, min_m_kib=8, min_t=1)
    good, wrong = [await derivation.derive(text, salt, m_kib, t) for text in ("a passphrase", "a passphrase\n")]
    assert SigningKey.open_wrapped(file, good, 8, 1).kid == key.kid
    with pytest.raises(KeyOpenError):
        SigningKey.open_wrapped(file, wrong, 8, 1)


class Gate:
    """Stands for libsodium: lets nobody through before it is opened, and counts who is inside."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.calls: list[bytes] = []
        self.inside = 0
        self.most_inside = 0

    def kdf(self, _size, secret, _salt, **_cost):
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.calls.append(secret)
        self.entered.set()
        assert self.open.wait(30)
        self.inside -= 1
        return b"k" * 32


@pytest.fixture
def gate(monkeypatch):
    gate = Gate()
    monkeypatch.setattr(module.argon2id, "kdf", gate.kdf)
    yield gate
    gate.open.set()


async def test_one_derivation_runs_at_a_time_while_the_loop_goes_on(derivation, gate):
    tasks = [asyncio.create_task(derivation.derive(text, SALT, **CHEAP)) for text in "abc"]
    await asyncio.to_thread(gate.entered.wait, 30)
    assert gate.calls == [b"a"]  # and this line ran meanwhile
    gate.open.set()
    assert await asyncio.gather(*tasks) == [b"k" * 32] * 3
    assert (gate.calls, gate.most_inside) == ([b"a", b"b", b"c"], 1)


async def test_who_gives_up_does_not_let_a_second_one_in_beside_the_first(derivation, gate):
    first = asyncio.create_task(derivation.derive("a", SALT, **CHEAP))
    await asyncio.to_thread(gate.entered.wait, 30)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.create_task(derivation.derive("b", SALT, **CHEAP))
    await asyncio.sleep(0)
    assert gate.calls == [b"a"]
    gate.open.set()
    await second
    assert gate.most_inside == 1


async def test_a_crowd_is_turned_away_and_the_next_is_welcome_again(derivation, gate):
    crowd = [asyncio.create_task(derivation.derive("x", SALT, **CHEAP)) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await derivation.derive("one too many", SALT, **CHEAP)
    gate.open.set()
    await asyncio.gather(*crowd)
    await derivation.derive("welcome", SALT, **CHEAP)


async def test_text_that_is_no_unicode_is_refused_without_being_repeated(derivation):
    with pytest.raises(InvalidInputError) as caught:
        await derivation.derive("secret\ud800", SALT, **CHEAP)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_missing_memory_is_said_as_such(derivation, monkeypatch):
    def no_memory(*_args, **_kwargs):
        raise module.SodiumError("Unexpected failure in key derivation")

    monkeypatch.setattr(module.argon2id, "kdf", no_memory)
    with pytest.raises(UnavailableError, match="64 KiB"):
        await derivation.derive("x", SALT, **CHEAP)
