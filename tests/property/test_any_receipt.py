"""Any bytes and any JSON give valid, invalid or unusable: never anything else, and never valid for something else."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from attendance.cli.verification import Pins, verify_bytes
from attendance.cli.verification_words import written
from tests.strategies.receipts import HELD, other_receipts

NO_PINS = Pins([], [])
KINDS = {"valid", "invalid", "unusable"}


def judged(data: bytes) -> str:
    report = verify_bytes(data, NO_PINS)
    assert report.verdict in KINDS
    assert (report.reason is None) == (report.verdict == "valid")
    assert written("file", report).isprintable() or "\n" in written("file", report)
    return report.verdict


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_unusable(data):
    assert judged(data) == "unusable"


@given(
    st.sampled_from([b"", b"c2sp.org/tlog-proof@v1\nindex 0\n", b'{"v":1,"type":"rollcall.receipt",']), st.binary(max_size=200)
)
def test_what_only_begins_well_is_never_valid(start, rest):
    assert judged(start + rest) != "valid"


@given(other_receipts())
def test_a_receipt_with_other_members_is_never_valid(held):
    data = json.dumps(held).encode()
    assert (judged(data) == "valid") == (json.dumps(held, sort_keys=True) == json.dumps(HELD, sort_keys=True))
