"""Strange lines, one at a time: the engine and the twin call the same ones malformed."""

from __future__ import annotations

import pytest

from attendance._core import Engine
from attendance.errors import TraceError
from tests.twin.replay import Replay

BLIND = b'"at":1,"guild_id":"7","type":"blind"'
VOICE = b'"at":1,"guild_id":"7","type":"voice_state"'


def extra(value: bytes) -> bytes:
    """A good line with an unknown member, whose value must be JSON and is otherwise ignored."""
    return b"{" + BLIND + b',"x":' + value + b"}"


def rules(value: bytes) -> bytes:
    return b'{"at":1,"guild_id":"7","type":"rules","rules":' + value + b"}"


def at(value: bytes) -> bytes:
    return b'{"at":' + value + b',"guild_id":"7","type":"blind"}'


LINES = [
    # Integers: the sign of zero, spellings that are not integers, bounds.
    *(at(value) for value in (b"0", b"-0", b"-1", b"1.0", b"1e3", b"01", b"+1", b"0x1", b"-", b"1_0", b"true", b'"1"')),
    *(at(value) for value in (b"9007199254740991", b"9007199254740992", b"-9007199254740991", b"-9007199254740992")),
    *(at(value) for value in (b"9223372036854775808", b"18446744073709551617", b"1" + b"0" * 30, b"9" * 5000)),
    *(rules(b'{"min_session_seconds":%s}' % value) for value in (b"-0", b"-1", b"1e2", b"1.0", b"9007199254740991")),
    *(rules(b'{"bridge_gap_seconds":%s}' % value) for value in (b"9007199254740992", b"1" + b"0" * 30, b"null")),
    # Names twice: JSON allows it, the last one holds.
    b'{"at":5,' + BLIND + b"}", b'{"at":"x",' + BLIND + b"}", b"{" + BLIND + b',"at":"x"}',
    b"{" + BLIND + b',"type":"resumed"}', b"{" + BLIND + b',"type":"x"}', rules(b'{"mode":"x","mode":"off"}'),
    b"{" + VOICE + b',"user_id":0,"channel_id":null,"user_id":"1"}', extra(b'{"a":1,"a":2}'),
    # Strings: escapes, halves of surrogate pairs, control characters, encodings.
    *(extra(b'"%s"' % text) for text in (rb"\ud800", rb"\udc00", rb"\ud83d\ude00", rb"\u0000", rb"\/", rb"\x41", rb"\u12")),
    *(extra(b'"%s"' % text) for text in (b"\x00", b"\t", b"\x7f", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbf\xbf", b"\xf5")),
    b'{"at":1,"guild_id":"\\u0037","type":"\\u0062lind"}', b'{"\\u0061t":1,"guild_id":"7","type":"blind"}',
    b'{"at":1,"guild_id":"7","type":"\\ud800"}', b"{" + BLIND + b',"\\ud800":1}', b"{" + BLIND + b',"":3}',
    b'{"at":1,"guild_id":"7\\u0000","type":"blind"}', b"{%s}" % BLIND.replace(b"7", "\uff17".encode()),
    # Values that are ignored have to be JSON all the same.
    *(extra(value) for value in (b"1e999", b"-1e-999", b"9" * 5000, b"0." + b"1" * 5000, b"0e1", b"-01", b".5", b"1.")),
    *(extra(value) for value in (b"[1,]", b"{,}", b"True", b"NaN", b"nul", b"[" * 100 + b"]" * 100, b"[" * 10**5, b"{1:2}")),
    # White space and what is around the object.
    b"", b" ", b"\r", b" \t{ " + BLIND + b"}\r", b"{\r" + BLIND + b"}", b"\x0b{" + BLIND + b"}", b"{" + BLIND + b"}\x0c",
    b"\xc2\xa0{" + BLIND + b"}", b"\xef\xbb\xbf{" + BLIND + b"}", b"{" + BLIND + b"}\x00", b"{" + BLIND + b"}{}", b"{}",
    # Shapes.
    b'[1,"blind","7"]', rules(b"[]"), rules(b"null"), rules(b"{}"), rules(b'["all",[],null,false,false,false,0,120]'),
    rules(b'{"mode":{"all":null}}'), rules(b'{"mode":["all"]}'), rules(b'{"x":null}'), rules(b'{"afk_channel_id":null}'),
    rules(b'{"channels":["1","1"]}'), rules(b'{"channels":"1"}'), rules(b'{"channels":{}}'), rules(b'{"channels":[null]}'),
    b'{"at":1,"guild_id":"7","type":{"blind":null}}', b"{" + BLIND + b',"bot":3,"user_id":null,"rules":0}',
    b"{" + VOICE + b',"user_id":"1"}', b"{" + VOICE + b',"user_id":"1","channel_id":null,"suppress":0}',
    b'{"at":1,"guild_id":"7","type":"snapshot","voice_states":[["1","2"]]}',
    b'{"at":1,"guild_id":"7","type":"snapshot","voice_states":[{"user_id":"1","channel_id":"2"},{}]}',
    b'{"at":1,"guild_id":"7","type":"opt_out","user_id":"1"}', b'{"at":1,"guild_id":"7","type":"channel","channel_id":"1"}',
]  # fmt: skip


@pytest.mark.parametrize("raw", LINES, ids=range(len(LINES)))
def test_a_strange_line_is_judged_alike(raw: bytes) -> None:
    twin, engine_says = Replay(), None
    twin.feed(raw + b"\n")
    try:
        Engine().apply(raw + b"\n")
    except TraceError as error:
        engine_says = error.line_number
    assert engine_says == twin.malformed, twin.what
