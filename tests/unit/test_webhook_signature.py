"""Signatures against the specification's vectors, and against a receiver that shares no code with us."""

from __future__ import annotations

import pytest

from attendance.domain.webhook_signature import key_of, secret_of, signature, signed_headers
from attendance.errors import InvalidInputError
from tests.unit.record_vectors import vector_json
from tests.webhook_receiver import accepts

# The specification's own test (standard-webhooks, MIT).
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_specification_s_example_is_signed_as_it_says():
    headers = signed_headers([key_of(SECRET)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert headers["webhook-signature"] == SIGNATURE
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-timestamp"] == "1614265330"


@pytest.mark.parametrize("name", ["official", "demo"])
def test_the_vectors_are_signed_as_they_say(name):
    vector = vector_json("derived/webhooks.json")[name]
    headers, body = vector["headers"], vector["body"].encode()
    ours = signature(key_of(vector["secret"]), headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert ours in headers["webhook-signature"].split(" ")


def test_the_receiver_of_these_tests_refuses_what_the_vectors_refuse():
    vectors = vector_json("derived/webhooks.json")
    demo = vectors["demo"]
    assert accepts(demo["secret"], demo["headers"], demo["body"].encode(), demo["now"])
    for case in vectors["reject"]:
        assert not accepts(demo["secret"], case["headers"], case["body"].encode(), case["now"]), case["why"]


def test_two_keys_sign_side_by_side_the_newest_first():
    new, old = bytes(32), bytes(range(32))
    headers = signed_headers([new, old], "a-b_1", 1_800_000_000, b"{}")
    first, second = headers["webhook-signature"].split(" ")
    assert (first, second) == (signature(new, "a-b_1", 1_800_000_000, b"{}"), signature(old, "a-b_1", 1_800_000_000, b"{}"))
    for key in (new, old):
        assert accepts(secret_of(key), headers, b"{}", 1_800_000_000)


def test_a_secret_reads_back_to_its_key():
    assert key_of(secret_of(bytes(range(32)))) == bytes(range(32))


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ", "whsec_ä", "whsec_" + "A" * 92]
)
def test_what_is_no_secret_is_refused(secret):
    with pytest.raises(InvalidInputError):
        key_of(secret)


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "ä", "a\n", "x" * 65])
def test_an_id_that_could_run_into_the_timestamp_is_never_signed(message_id):
    with pytest.raises(ValueError, match="id"):
        signature(bytes(32), message_id, 1, b"")
