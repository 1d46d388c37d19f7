"""The browser's verifier and `rollcall verify` say the same of every receipt and proof, whoever made it with whatever care."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attendance.cli.verification import Pins, verify_bytes, verify_file
from attendance.core import FileReport
from attendance.errors import ConfigError
from tests.browser_judge import Judge, running_judge, summary
from tests.strategies.receipts import EXAMPLE, HELD, Forged, activate, forged_receipts, kid, other_receipts, revoke, vkey, x

RECORD = HELD["record"].encode()
GZIP = b"\x1f\x8b"


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with running_judge() as one:
        yield one


def judged(data: bytes, pins: Pins) -> FileReport:
    """What `rollcall verify` says of a file of these bytes, an archive's included."""
    if not data.startswith(GZIP):
        return verify_bytes(data, pins)
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return verify_file(Path(file.name), pins)


def agreed(judge: Judge, data: bytes, pins: Pins = Pins([], [])) -> str:  # noqa: B008 -- a tuple
    try:
        ours = judged(data, pins)
    except ConfigError:
        assert judge.of(data, keys=pins.keys, log_keys=pins.log_keys, record=pins.record)["verdict"] == "no-key"
        return "no-key"
    theirs = judge.of(data, keys=pins.keys, log_keys=pins.log_keys, record=pins.record)
    assert summary(theirs) == summary(ours), (data, theirs, ours)
    assert (theirs["kind"], theirs["claims"], theirs["trust"]) == (
        ours.kind,
        ours.claims,
        [one._asdict() for one in ours.trust],
    )
    return ours.verdict


def test_the_documentations_receipt_is_judged_to_the_word(judge):
    assert agreed(judge, EXAMPLE) == "valid"
    ours = verify_bytes(EXAMPLE, Pins([], []))
    assert judge.of(EXAMPLE)["checks"] == [check._asdict() for check in ours.checks]


@pytest.mark.slow
def test_every_change_of_one_byte_is_judged_alike_and_never_valid(judge):
    changed = bytearray(EXAMPLE)
    for place in range(len(changed)):
        flip = 1 << place % 8
        changed[place] ^= flip
        assert agreed(judge, bytes(changed)) != "valid", (place, flip)
        changed[place] ^= flip


@given(forged_receipts())
def test_receipts_that_are_forged_with_care_are_judged_alike(judge, told):
    agreed(judge, json.dumps(told).encode())


def test_a_receipt_of_the_forgers_own_keys_is_valid_until_keys_are_pinned(judge):
    data = json.dumps(Forged().json()).encode()
    assert agreed(judge, data) == "valid"
    assert agreed(judge, data, Pins([x(1).encode()], [vkey().encode()])) == "valid"
    assert agreed(judge, data, Pins([x(2).encode()], [vkey(8).encode()])) == "invalid"


@given(other_receipts())
def test_receipts_with_other_members_are_judged_alike(judge, held):
    agreed(judge, json.dumps(held).encode())


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode) | st.binary(max_size=300).map(lambda rest: GZIP + rest))
@example(GZIP)
@example(GZIP + b"\x08")
def test_any_bytes_are_unusable(judge, data):
    assert agreed(judge, data) == "unusable"


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 4_000_000, b'{"a":' * 700_000, b"[" + b"0," * 2_000_000 + b"0]", b" " * (4 * 2**20 + 1),
        b'{"v":' + b"9" * 4_000_000, b'"' + b"\\u0041" * 600_000 + b'"', b'{"v":1e999}', b'{"v":1,"v":1}', b"\xef\xbb\xbf{}",
        b"c2sp.org/tlog-proof@v1\n" * 200_000,
    ],
    ids=lambda data: f"{data[:12]!r} {len(data)}",
)  # fmt: skip
def test_huge_deep_and_long_texts_are_unusable_at_once(judge, data):
    assert agreed(judge, data) == "unusable"


_PIECES = st.sampled_from(
    [
        "c2sp.org/tlog-proof@v1",
        "\n",
        "\n\n",
        "index ",
        "0",
        "1",
        "18446744073709551615",
        "18446744073709551616",
        "extra AAAA\n",
        "extra A\n",
        "\u2014 ",
        " ",
        "A" * 43 + "=",
        "A" * 42 + "B=",
        "example.org/log",
        "+",
        "\x00",
        "\ufeff",
        "\u00a0",
        "\u0085",
    ]
)


@given(st.integers(0, len(HELD["proof"]) - 1), st.integers(0, 60), st.lists(_PIECES, max_size=3).map("".join))
def test_proofs_with_other_parts_are_judged_alike(judge, at, length, put):
    proof = (HELD["proof"][:at] + put + HELD["proof"][at + length :]).encode()
    for pins in (Pins([], [HELD["log_key"].encode()], RECORD), Pins([], [HELD["public_key"].encode()], RECORD)):
        agreed(judge, proof, pins)


@pytest.mark.slow
def test_every_change_of_one_byte_of_a_proof_or_its_record_is_judged_alike_and_never_valid(judge):
    pins = Pins([], [HELD["log_key"].encode()], RECORD)
    assert agreed(judge, HELD["proof"].encode(), pins) == "valid"
    changed = bytearray(HELD["proof"].encode())
    for place in range(len(changed)):
        flip = 1 << place % 8
        changed[place] ^= flip
        assert agreed(judge, bytes(changed), pins) != "valid", (place, flip)
        changed[place] ^= flip
    record = bytearray(RECORD)
    for place in range(len(record)):
        record[place] ^= 0x01
        assert agreed(judge, HELD["proof"].encode(), pins._replace(record=bytes(record))) == "invalid"
        record[place] ^= 0x01


def test_a_proof_without_its_record_or_the_logs_key_cannot_be_judged(judge):
    proof = HELD["proof"].encode()
    assert agreed(judge, proof, Pins([], [], RECORD)) == "unusable"
    assert agreed(judge, proof, Pins([], [HELD["log_key"].encode()])) == "unusable"


_DER = "MCowBQYDK2VwAyEA"
_KEY_TEXTS = st.sampled_from(
    [
        HELD["public_key"],
        x(1),
        vkey(),
        HELD["log_key"],
        "-----BEGIN PUBLIC KEY-----",
        "-----END PUBLIC KEY-----",
        _DER,
        "s8fvFvllZgevONQLBV2dDoKi5nnCxT4rKWBiwnTDyBc=",
        "\n",
        " ",
        "\u00a0",
        "\ufeff",
        "\u0085",
        "\x0b",
        "+",
        "{",
        "}",
        f'{{"kty":"OKP","crv":"Ed25519","x":"{x(1)}"}}',
        f'{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid(1)}","x":"{x(1)}"}}]}}',
        f'{{"kty":"OKP","crv":"Ed25519","kid":"{kid(2)}","x":"{x(1)}"}}',
        '{"keys":[]}',
        "A" * 43,
        "AQ" + "A" * 41,
        "_" * 43,
        "7P" + "_" * 40 + "38",
    ]
)


@given(st.lists(_KEY_TEXTS, min_size=1, max_size=5).map("".join), st.booleans())
def test_keys_in_any_form_are_read_alike(judge, text, is_log_key):
    pins = Pins([], [text.encode()]) if is_log_key else Pins([text.encode()], [])
    agreed(judge, EXAMPLE, pins)


def test_a_key_window_is_said_as_the_command_says_it(judge):
    data = json.dumps(Forged(key_records=(activate(1),)).json()).encode()
    assert agreed(judge, data) == "valid"


def test_of_the_last_good_leaf_the_two_think_alike(judge):
    verdicts = set()
    for leaf in (None, "1", -1, 0, 1, 2, 3, 4, 5, 9):
        revoked = revoke(2, 9, 5, **({} if leaf is None else {"last_good_leaf_index": leaf}))
        verdicts.add(agreed(judge, json.dumps(Forged(key_records=(activate(1), revoked)).json()).encode()))
    assert verdicts == {"valid", "invalid"}
