"""Wrapped keys against libsodium and the vector: what opens, and what must stay closed."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as unseal
from nacl.pwhash import argon2id

from attendance.core import SigningKey, check_canonical, wrap_parameters
from attendance.errors import KeyOpenError
from tests.unit.record_keys import MASTER, b64url, dumps, sealed_file
from tests.unit.record_vectors import vector_json

SEED = b"d" * 32
KEK = b"k" * 32
SALT = b"s" * 16
KDF = {"name": "argon2id", "version": 19, "m_kib": 262144, "t": 3, "p": 1, "salt": b64url(SALT)}
FILE = sealed_file(SEED, KEK, KDF)
KEY = SigningKey.open_wrapped(FILE, KEK)


def test_a_file_sealed_by_libsodium_opens_and_ours_is_the_same_form():
    ours = KEY.wrap("record", KEK, 262144, 3, SALT)
    check_canonical(ours)
    theirs, file = json.loads(FILE), json.loads(ours)
    nonce = base64.urlsafe_b64decode(file["aead"]["nonce"])
    sealed = base64.urlsafe_b64decode(file.pop("ct"))
    assert unseal(sealed, dumps(file), nonce, KEK) == SEED
    theirs.pop("ct")
    theirs["aead"].pop("nonce")
    file["aead"].pop("nonce")
    assert file == theirs


def test_a_file_that_the_core_sealed_opens_and_never_has_the_same_nonce():
    first, second = (KEY.wrap("log", KEK, 65536, 3, SALT) for _ in range(2))
    assert first != second
    assert SigningKey.open_wrapped(first, KEK, purpose="log").kid == KEY.kid
    assert wrap_parameters(first) == (SALT, 65536, 3)


def test_a_key_does_not_open_for_another_purpose():
    with pytest.raises(KeyOpenError, match="purpose"):
        SigningKey.open_wrapped(FILE, KEK, purpose="log")
    with pytest.raises(ValueError, match="purpose"):
        SigningKey.open_wrapped(FILE, KEK, purpose="root")
    with pytest.raises(ValueError, match="purpose"):
        KEY.wrap("root", KEK, 65536, 3, SALT)


def test_the_master_wrap_is_the_same_form_with_its_own_kdf():
    file = KEY.wrap_under_master("export", MASTER)
    check_canonical(file)
    header = json.loads(file)
    assert header["kdf"] == {"name": "master"}
    sealed = base64.urlsafe_b64decode(header.pop("ct"))
    assert unseal(sealed, dumps(header), base64.urlsafe_b64decode(header["aead"]["nonce"]), MASTER) == SEED
    assert SigningKey.open_master(file, MASTER, purpose="export").kid == KEY.kid
    with pytest.raises(KeyOpenError):
        SigningKey.open_master(file, KEK)


def test_one_wrap_does_not_pass_for_the_other():
    master = KEY.wrap_under_master("record", KEK)
    for refused in (
        lambda: SigningKey.open_wrapped(master, KEK),
        lambda: wrap_parameters(master),
        lambda: SigningKey.open_master(FILE, KEK),
    ):
        with pytest.raises(KeyOpenError, match="kdf"):
            refused()


@pytest.mark.parametrize(
    ("m_kib", "t"), [(65535, 3), (2097153, 3), (65536, 2), (65536, 11), (0, 3), (65536, 0), (2**32, 3), (2**53 - 1, 3)]
)
def test_cost_out_of_bounds_is_refused_before_anybody_derives(m_kib, t):
    file = sealed_file(SEED, KEK, KDF | {"m_kib": m_kib, "t": t})
    with pytest.raises(KeyOpenError):
        wrap_parameters(file)
    with pytest.raises(KeyOpenError):
        SigningKey.open_wrapped(file, KEK)


@pytest.mark.parametrize(("m_kib", "t"), [(65536, 3), (2097152, 10)])
def test_cost_at_the_bounds_is_accepted(m_kib, t):
    file = sealed_file(SEED, KEK, KDF | {"m_kib": m_kib, "t": t})
    assert wrap_parameters(file) == (SALT, m_kib, t)
    assert SigningKey.open_wrapped(file, KEK).kid == KEY.kid


def test_tests_may_lower_the_floor_and_nobody_can_raise_the_ceiling():
    file = KEY.wrap("record", KEK, 8, 1, SALT)
    with pytest.raises(KeyOpenError, match="m_kib=8; accepted is 65536 to 2097152"):
        wrap_parameters(file)
    assert wrap_parameters(file, min_m_kib=8, min_t=1) == (SALT, 8, 1)
    assert SigningKey.open_wrapped(file, KEK, min_m_kib=8, min_t=1).kid == KEY.kid
    for m_kib, t in [(2097153, 3), (262144, 11)]:
        with pytest.raises(KeyOpenError):
            KEY.wrap("record", KEK, m_kib, t, SALT)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"kid": "x"},
        {"kid": b64url(b"another key id, also 32 bytes lo")},
        {"x": b64url(b"another key half, also 32 bytes ")},
        {"purpose": "root"},
        {"more": 1},
        {"aead": {"name": "aes256-gcm", "nonce": b64url(b"n" * 24)}},
        {"aead": {"name": "xchacha20-poly1305", "nonce": b64url(b"n" * 23)}},
        {"aead": {"name": "xchacha20-poly1305"}},
        {"kdf": KDF | {"name": "argon2i"}},
        {"kdf": KDF | {"version": 16}},
        {"kdf": KDF | {"p": 2}},
        {"kdf": KDF | {"salt": b64url(b"s" * 15)}},
        {"kdf": KDF | {"m_kib": "262144"}},
        {"kdf": "argon2id"},
    ],
)
def test_a_header_that_says_otherwise_is_refused_even_if_sealed_so(change):
    with pytest.raises(KeyOpenError):
        SigningKey.open_wrapped(sealed_file(SEED, KEK, KDF, **change), KEK)


@given(st.integers(0), st.integers(1, 255))
def test_any_changed_byte_keeps_the_key_closed(place, change):
    file = bytearray(FILE)
    file[place % len(file)] ^= change
    if json_equal(bytes(file)):
        return
    with pytest.raises(KeyOpenError):
        SigningKey.open_wrapped(bytes(file), KEK)


def json_equal(file: bytes) -> bool:
    """White space between members is not part of what is sealed."""
    try:
        return json.loads(file) == json.loads(FILE)
    except ValueError:
        return False


@given(st.binary(max_size=300))
@example(b"{}")
@example(b"[" * 5000)
@example(FILE[:-1])
@example(FILE + b" " * 5000)
def test_any_bytes_give_the_error(file):
    for refused in (
        lambda: SigningKey.open_wrapped(file, KEK),
        lambda: SigningKey.open_master(file, KEK),
        lambda: wrap_parameters(file),
    ):
        with pytest.raises(KeyOpenError):
            refused()


@given(st.binary(max_size=40).filter(lambda key: key != KEK))
def test_any_other_wrapping_key_keeps_the_key_closed(kek):
    with pytest.raises(KeyOpenError if len(kek) == 32 else ValueError):
        SigningKey.open_wrapped(FILE, kek)


def test_the_vector_opens_with_what_libsodium_derives_from_its_passphrase():
    vector = vector_json("derived/wrapped-key.json")
    file = json.dumps(vector["file"]).encode()
    salt, m_kib, t = wrap_parameters(file)
    passphrase = vector["passphrase_utf8"].encode()
    kek = argon2id.kdf(32, passphrase, salt, opslimit=t, memlimit=m_kib * 1024)
    assert kek.hex() == vector["argon2id"]["kek_hex"]
    key = SigningKey.open_wrapped(file, kek, purpose="record")
    assert (key.kid, key.x) == (vector["file"]["kid"], vector["file"]["x"])


def test_a_trailing_newline_is_another_passphrase():
    vector = vector_json("derived/wrapped-key.json")
    file = json.dumps(vector["file"]).encode()
    salt, m_kib, t = wrap_parameters(file)
    kek = argon2id.kdf(32, vector["passphrase_utf8"].encode() + b"\n", salt, opslimit=t, memlimit=m_kib * 1024)
    with pytest.raises(KeyOpenError, match="wrong passphrase"):
        SigningKey.open_wrapped(file, kek)


def test_what_the_vector_says_must_fail_does():
    vector = vector_json("derived/wrapped-key.json")
    assert len(vector["must_fail"]) == 4  # the first is the test above
    file, kek = vector["file"], bytes.fromhex(vector["argon2id"]["kek_hex"])
    seed, kdf = bytes.fromhex(vector["plaintext_seed_hex"]), file["kdf"]
    changed = [file | {"kid": file["x"]}, file | {"x": file["kid"]}]
    changed += [file | {"kdf": kdf | {"m_kib": m_kib}} for m_kib in (65535, 2097153)]
    texts = [json.dumps(one).encode() for one in changed]
    texts.append(sealed_file(SEED, kek, kdf, kid=file["kid"], x=file["x"]))  # opens, but public(seed) != x
    for text in texts:
        with pytest.raises(KeyOpenError):
            SigningKey.open_wrapped(text, kek)
    assert SigningKey.open_wrapped(sealed_file(seed, kek, kdf), kek).kid == file["kid"]


def test_the_error_never_carries_key_material():
    with pytest.raises(KeyOpenError) as caught:
        SigningKey.open_wrapped(FILE, b"w" * 32)
    for secret in (SEED, KEK, b"w" * 32):
        assert secret.decode() not in str(caught.value)
        assert b64url(secret) not in str(caught.value)
