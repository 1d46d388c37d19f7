"""Signing, chaining and verifying against libsodium, the RFC's figures and the vectors."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import pickle

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey as SodiumKey
from nacl.signing import VerifyKey

from attendance.core import (
    SigningKey,
    check_canonical,
    record_sha256,
    thumbprint,
    verify_record,
    verify_records,
    verify_signature,
)
from attendance.errors import InvalidRecordError, ProfileError
from tests.unit.record_keys import b64url, key_of, thumbprint_of
from tests.unit.record_vectors import vector_json, vector_path

KEY = key_of(b"k" * 32)
OTHER = key_of(b"o" * 32)
GUILD = 81384788765712384
AT_MS = 1_760_000_000_000

# RFC 8032, section 7.1, tests 1 to 3: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
            "655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
            "b00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
            "c027beceea1ec40a"
        ),
    ),
]


def draft(**members: object) -> tuple[bytes, bytes]:
    return json.dumps({"type": "voice.session"} | members).encode(), b"s" * 16


def signed(*drafts: tuple[bytes, bytes]) -> list[tuple[bytes, bytes, bytes]]:
    return KEY.sign_chain(GUILD, 0, None, AT_MS, list(drafts) or [draft()])


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_rfc_8032_section_7_1_is_signed_and_verified(seed, public, message, signature):
    key = key_of(bytes.fromhex(seed))
    assert key.public_key.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    verify_signature(bytes.fromhex(message), bytes.fromhex(signature), bytes.fromhex(public))


def test_every_line_of_the_ed25519_vectors_is_reproduced():
    lines = vector_path("ed25519-rfc8032/dalek-TESTVECTORS").read_text().split()
    for line in lines:
        seed, public, message, signed_message, _ = line.split(":")
        key = key_of(bytes.fromhex(seed[:64]))
        assert key.public_key.hex() == public
        assert key.sign(bytes.fromhex(message)).hex() == signed_message[:128]
    assert len(lines) == 128


def test_a_key_is_named_by_its_rfc_7638_thumbprint():
    rfc_8037 = bytes.fromhex(RFC_8032[0][1])
    assert thumbprint(rfc_8037) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert KEY.kid == thumbprint(KEY.public_key) == thumbprint_of(KEY.public_key)
    assert KEY.x == b64url(KEY.public_key)
    for vector in vector_json("derived/keys.json")["keys"].values():
        assert thumbprint(bytes.fromhex(vector["public_hex"])) == vector["rfc7638_thumbprint"]


def test_a_key_shows_its_id_and_never_leaves():
    key = SigningKey.generate()
    assert repr(key) == f"SigningKey(kid='{key.kid}')"
    assert SigningKey.generate().kid != key.kid
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="does not leave the core"):
            leave(key)
    with pytest.raises(TypeError):
        SigningKey()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        key.kid = "x"  # type: ignore[misc]
    assert not [name for name in dir(key) if "seed" in name or "secret" in name]


def test_records_are_built_as_the_specification_says():
    first, second = signed(draft(user_id="1"), draft(paused_ms={"solo": 2}))
    expected = {
        "v": 1,
        "type": "voice.session",
        "guild_id": str(GUILD),
        "guild_seq": 0,
        "kid": KEY.kid,
        "signed_at_ms": AT_MS,
        "salt": b64url(b"s" * 16),
        "user_id": "1",
    }
    assert first[0] == rfc8785.dumps(expected)
    del expected["user_id"]
    prev = b64url(hashlib.sha256(first[0]).digest())
    assert second[0] == rfc8785.dumps(expected | {"guild_seq": 1, "prev": prev, "paused_ms": {"solo": 2}})


JSON_OBJECTS = st.dictionaries(
    st.from_regex(r"\A[a-z][a-z0-9_]{0,20}\Z").map(lambda key: f"x_{key}"),
    st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.text(st.characters(exclude_categories=["Cs"])),
)


@given(st.lists(st.tuples(JSON_OBJECTS, st.binary(min_size=16, max_size=16)), max_size=6), st.integers(0, 2**53 - 10))
def test_a_signed_chain_is_gapless_canonical_and_verifies_with_libsodium(rows, first):
    drafts = [(json.dumps({"type": "t"} | members).encode(), salt) for members, salt in rows]
    prev = bytes(32) if first else None
    chain = KEY.sign_chain(GUILD, first, prev, AT_MS, drafts)
    for place, ((record, sha256, signature), (members, salt)) in enumerate(zip(chain, rows, strict=True)):
        check_canonical(record)
        verify_record(record, signature, KEY.public_key)
        VerifyKey(KEY.public_key).verify(record, signature)
        assert sha256 == hashlib.sha256(record).digest() == record_sha256(record)
        value = json.loads(record)
        assert value.items() >= (members | {"guild_seq": first + place, "salt": b64url(salt)}).items()
        assert value.get("prev") == (b64url(prev) if prev else None)
        prev = sha256
    triples = [(record, signature, KEY.public_key) for record, _, signature in chain]
    assert verify_records(triples) == [None] * len(chain)


@pytest.mark.parametrize("member", ["v", "guild_id", "guild_seq", "prev", "kid", "signed_at_ms", "salt"])
def test_a_draft_cannot_set_what_the_chain_sets(member):
    with pytest.raises(ProfileError, match=r"draft 1: .*chain member"):
        signed(draft(), draft(**{member: 1}))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"type":""}', b'{"type":1}', b'{"type":"a","x":null}', b'{"type":"a","x":1.5}', b"\xff"]
)
def test_a_draft_outside_the_rules_stops_the_whole_batch(text):
    with pytest.raises(ProfileError, match="draft 1: "):
        signed(draft(), (text, b"s" * 16), draft())


def test_a_record_is_at_most_16_kib():
    room = 16 * 1024 - len(signed(draft(note=""))[0][0])
    assert len(signed(draft(note="x" * room))[0][0]) == 16 * 1024
    with pytest.raises(ProfileError, match="16384"):
        signed(draft(note="x" * (room + 1)))


def test_arguments_that_contradict_each_other_are_a_bug_and_not_a_record():
    for first, prev in [(0, bytes(32)), (1, None), (1, bytes(31))]:
        with pytest.raises(ValueError, match="prev_sha256"):
            KEY.sign_chain(GUILD, first, prev, AT_MS, [draft()])
    with pytest.raises(ValueError, match="16 bytes"):
        KEY.sign_chain(GUILD, 0, None, AT_MS, [(draft()[0], b"short")])


@given(st.binary(max_size=120), st.binary(max_size=70), st.binary(max_size=40))
@example(b"", b"", b"")
@example(b"{}", bytes(64), bytes(32))
@example(signed()[0][0], signed()[0][2][:63], KEY.public_key)
@example(signed()[0][0], signed()[0][2], OTHER.public_key)
@example(signed()[0][0], OTHER.sign(signed()[0][0]), OTHER.public_key)
def test_any_bytes_that_are_no_record_give_the_error(record, signature, public):
    with pytest.raises(InvalidRecordError, match=r"^expected .+, found .+"):
        verify_record(record, signature, public)
    reason = verify_records([(record, signature, public)])[0]
    assert reason
    assert reason.startswith("expected ")


@given(st.integers(0), st.sampled_from(["record", "signature", "key"]))
def test_any_changed_bit_is_found(place, part):
    record, _, signature = signed()[0]
    parts = {"record": bytearray(record), "signature": bytearray(signature), "key": bytearray(KEY.public_key)}
    bit = place % (len(parts[part]) * 8)
    parts[part][bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidRecordError):
        verify_record(bytes(parts["record"]), bytes(parts["signature"]), bytes(parts["key"]))


def test_a_good_signature_does_not_make_bytes_a_record():
    for text in [b"{}", b"[]", b"x", f'{{"kid": "{KEY.kid}"}}'.encode(), f'{{"kid":"{OTHER.kid}"}}'.encode()]:
        with pytest.raises(InvalidRecordError):
            verify_record(text, KEY.sign(text), KEY.public_key)


def sodium_accepts(message: bytes, signature: bytes, public: bytes) -> bool:
    try:
        VerifyKey(public).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def core_accepts(message: bytes, signature: bytes, public: bytes) -> bool:
    try:
        verify_signature(message, signature, public)
    except InvalidRecordError:
        return False
    return True


ORDER = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19
SMALL_ORDER = [
    *(encoded.to_bytes(32, "little") for y in (0, 1, P - 1, P, P + 1) for encoded in (y, y | 1 << 255)),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
]


def test_core_and_libsodium_agree_on_keys_and_signatures_at_the_edge():
    keys = [
        KEY.public_key,
        *SMALL_ORDER,
        *((y | sign << 255).to_bytes(32, "little") for y in range(P, 2**255) for sign in (0, 1)),
    ]
    good = KEY.sign(b"message")
    scalar = int.from_bytes(good[32:], "little")
    signatures = [good, bytes(64), good[:32] + (scalar + ORDER).to_bytes(32, "little")]
    signatures += [point + tail for point in SMALL_ORDER for tail in (bytes(32), good[32:])]
    accepted = 0
    for public in keys:
        for signature in signatures:
            ours = core_accepts(b"message", signature, public)
            assert ours == sodium_accepts(b"message", signature, public), (public.hex(), signature.hex())
            accepted += ours
    assert accepted == 1


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.binary(min_size=32, max_size=32))
def test_core_and_libsodium_sign_alike_and_agree_on_any_public_key(seed, message, public):
    signature = key_of(seed).sign(message)
    assert signature == SodiumKey(seed).sign(message).signature
    assert not core_accepts(message, signature, public)
    assert not sodium_accepts(message, signature, public)


def test_a_batch_answers_in_order_whatever_the_keys():
    record, _, signature = signed()[0]
    other, _, other_signature = OTHER.sign_chain(GUILD, 0, None, AT_MS, [draft()])[0]
    batch = [
        (record, signature, KEY.public_key),
        (other, other_signature, KEY.public_key),
        (other, other_signature, OTHER.public_key),
        (record, signature, bytes(32)),
        (record, signature, b"short"),
        (record, signature, KEY.public_key),
    ]
    assert [reason is None for reason in verify_records(batch)] == [True, False, True, False, False, True]


def test_the_vector_jws_of_rfc_8037_verifies():
    vector = vector_json("derived/rfc8037.json")
    head, payload, signature = vector["jws"].split(".")
    decode = base64.urlsafe_b64decode
    public = decode(vector["jwk_public"]["x"] + "=")
    verify_signature(f"{head}.{payload}".encode(), decode(signature + "=="), public)
    assert thumbprint(public) == vector["thumbprint"]
