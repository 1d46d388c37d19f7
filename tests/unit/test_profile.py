"""The signing profile against the RFC's figures, the vectors, and two unrelated encoders."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attendance.core import canonicalise, check_canonical, decode_b64url
from attendance.errors import ProfileError
from tests.unit.record_vectors import vector_json, vector_path

KEYS = st.from_regex(r"\A[a-z][a-z0-9_]{0,39}\Z")
SCALARS = st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def nest(depth: int) -> st.SearchStrategy[Any]:
    """Values of at most ``depth`` containers inside each other."""
    if depth == 0:
        return SCALARS
    inner = st.deferred(lambda: nest(depth - 1))
    return SCALARS | st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)


VALUES = nest(8)


def dumps(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(VALUES, st.booleans(), st.sampled_from([None, 0, 3, "\t"]), st.randoms(use_true_random=False))
def test_any_spelling_of_a_value_becomes_the_bytes_of_rfc8785_and_of_json_dumps(value, ascii_only, indent, random):
    def shuffled(part: Any) -> Any:
        if isinstance(part, dict):
            items = list(part.items())
            random.shuffle(items)
            return {key: shuffled(item) for key, item in items}
        return [shuffled(item) for item in part] if isinstance(part, list) else part

    spelled = json.dumps(shuffled(value), ensure_ascii=ascii_only, indent=indent).encode()
    canonical = canonicalise(spelled)
    assert canonical == rfc8785.dumps(value) == dumps(value)
    check_canonical(canonical)
    if spelled != canonical:
        with pytest.raises(ProfileError):
            check_canonical(spelled)


@settings(max_examples=1000)
@given(st.binary(max_size=200))
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b'{"a":"\\u')
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
def test_any_bytes_give_a_value_or_the_error(text):
    try:
        canonical = canonicalise(text)
    except ProfileError:
        with pytest.raises(ProfileError, match=r"^byte \d+: "):
            check_canonical(text)
        return
    check_canonical(canonical)
    assert json.loads(canonical) == json.loads(text)


JSON_PIECES = st.sampled_from(
    [
        *["{", "}", "[", "]", ",", ":", '"', '"a"', '"b"', '"A"', "1", "-0", "0", "1.5", "1e3", "01"],
        *[
            "9007199254740992",
            "true",
            "false",
            "null",
            "NaN",
            " ",
            "\n",
            "\\",
            "\\u00e9",
            '"\\ud800"',
            '"\\ud83d\\ude00"',
            "\x00",
            "\x7f",
            "é",
        ],
    ]
)


@settings(max_examples=1000)
@given(st.lists(JSON_PIECES, max_size=25).map("".join))
def test_what_is_accepted_is_what_python_reads_under_the_same_rules(text):
    expected = read_under_the_profile(text)
    if expected is None:
        with pytest.raises(ProfileError):
            canonicalise(text.encode())
    else:
        assert canonicalise(text.encode()) == expected


def read_under_the_profile(text: str) -> bytes | None:
    """The profile in terms of Python's own reader."""
    try:
        value = json.loads(text, parse_float=refuse, parse_constant=refuse, parse_int=integer, object_pairs_hook=members)
        check(value, depth=0)
    except ValueError:
        return None
    return dumps(value)


def refuse(_: str) -> Any:
    raise ValueError


def integer(digits: str) -> int:
    if digits == "-0" or abs(int(digits)) > 2**53 - 1:
        raise ValueError
    return int(digits)


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys) or not all(re.fullmatch(r"[a-z][a-z0-9_]{0,39}", key) for key in keys):
        raise ValueError
    return dict(pairs)


def check(value: Any, depth: int) -> None:
    if value is None or (isinstance(value, list | dict) and depth == 8):
        raise ValueError
    if isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            check(item, depth + 1)
    elif isinstance(value, str):
        value.encode()  # UnicodeEncodeError, a ValueError, for half a surrogate pair


def test_rfc_8785_section_3_2_2_string_comes_out_as_printed():
    text = rb"""{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"}"""
    printed = r"""{"string":"€$\u000f\nA'B\"\\\\\"/"}"""
    assert canonicalise(text) == printed.encode()


def test_no_double_of_rfc_8785_appendix_b_but_zero_is_in_the_profile():
    for number in ["5e-324", "1.7976931348623157e+308", "9007199254740992", "295147905179352830000", "1e+23"]:
        with pytest.raises(ProfileError):
            canonicalise(number.encode())
    vectors = vector_json("derived/jcs-appendix-b.json")
    for case in vectors["vectors"]:
        (double,) = struct.unpack(">d", bytes.fromhex(case["ieee754_hex"]))
        text = case["expected"].encode()
        assert rfc8785.dumps(double) == text
        if text == b"0":
            assert canonicalise(text) == text
        else:
            with pytest.raises(ProfileError):
                canonicalise(text)


def test_the_profile_vectors_are_refused_and_accepted_as_listed():
    vectors = vector_json("derived/jcs-profile.json")
    for case in vectors["reject"]:
        with pytest.raises(ProfileError):
            canonicalise(case["text"].encode())
    for case in vectors["accept_noncanonical"]:
        assert canonicalise(case["text"].encode()) == case["canonical"].encode()
    with pytest.raises(ProfileError):
        canonicalise(bytes.fromhex(vectors["utf16_order_check"]["canonical_utf8_hex"]))


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_what_a_jcs_vector_keeps_inside_the_profile_is_encoded_as_it_prints_it(name):
    source = vector_path(f"jcs/input/{name}.json").read_bytes()
    printed = vector_path(f"jcs/output/{name}.json").read_bytes()
    with pytest.raises(ProfileError):  # every one of them has a key, null or fraction that the profile refuses
        canonicalise(source)

    def reduce(value: Any) -> Any:
        if isinstance(value, dict):
            return {f"k{place}": reduce(item) for place, item in enumerate(value.values()) if item is not None}
        if isinstance(value, list):
            return [reduce(item) for item in value if item is not None and not isinstance(item, float)]
        return int(value) if isinstance(value, float) else value

    inside = reduce(json.loads(source))
    assert canonicalise(json.dumps(inside).encode()) == rfc8785.dumps(inside)
    for text in strings(json.loads(source)):
        assert canonicalise(json.dumps(text).encode()) in printed


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def test_depth_counts_the_outermost_container_as_one():
    assert canonicalise(b"[" * 8 + b"]" * 8) == b"[" * 8 + b"]" * 8
    with pytest.raises(ProfileError, match="byte 8: nested deeper than 8"):
        canonicalise(b"[" * 9 + b"]" * 9)


def test_a_text_of_a_megabyte_is_read_without_the_gil_and_right():
    value = {"rows": [{"user_id": str(number), "ms": number} for number in range(30_000)]}
    assert canonicalise(json.dumps(value).encode()) == dumps(value)


@given(st.binary(max_size=64))
def test_base64url_is_read_in_one_spelling_only(data):
    text = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    assert decode_b64url(text, len(data)) == data
    for other in [text + "=", text + "A", text + "\n", " " + text]:
        with pytest.raises(ProfileError):
            decode_b64url(other, len(data))


@given(st.text(max_size=50), st.integers(0, 2**63))
@example("AB", 1)
@example("Aé", 1)
def test_any_text_gives_bytes_of_that_length_or_the_error(text, length):
    with contextlib.suppress(ProfileError):
        assert len(decode_b64url(text, length)) == length
