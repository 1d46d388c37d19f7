"""What the twin's reader takes and refuses, after the accounting text, section 2."""

from __future__ import annotations

import pytest

from tests.twin.replay import Replay
from tests.twin.trace import Line, MalformedError, VoiceState, read_line

GOOD = b'{"at":1,"guild_id":"7","type":"blind"}'


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"\r", b"\xff", b"[]", b"{}", b'{"at":1}', b"\xef\xbb\xbf" + GOOD, GOOD + GOOD, GOOD[:-1],
        b'{"at":1.0,"guild_id":"7","type":"blind"}', b'{"at":true,"guild_id":"7","type":"blind"}',
        b'{"at":"1","guild_id":"7","type":"blind"}', b'{"at":NaN,"guild_id":"7","type":"blind"}',
        b'{"at":1,"guild_id":7,"type":"blind"}', b'{"at":1,"guild_id":"07","type":"blind"}',
        b'{"at":1,"guild_id":"","type":"blind"}', b'{"at":1,"guild_id":"9223372036854775808","type":"blind"}',
        '{"at":1,"guild_id":"٣","type":"blind"}'.encode(), b'{"at":1,"guild_id":"7\\n","type":"blind"}',
        b'{"at":1,"guild_id":"7","type":"Blind"}', b'{"at":1,"guild_id":"7","type":null}',
        b'{"at":1,"guild_id":"7","type":"voice_state","user_id":"1"}',
        b'{"at":1,"guild_id":"7","type":"voice_state","channel_id":null}',
        b'{"at":1,"guild_id":"7","type":"voice_state","user_id":"1","channel_id":null,"deaf":null}',
        b'{"at":1,"guild_id":"7","type":"voice_state","user_id":"1","channel_id":null,"bot":0}',
        b'{"at":1,"guild_id":"7","type":"snapshot"}', b'{"at":1,"guild_id":"7","type":"snapshot","voice_states":{}}',
        b'{"at":1,"guild_id":"7","type":"snapshot","voice_states":[{"user_id":"1"}]}',
        b'{"at":1,"guild_id":"7","type":"snapshot","voice_states":[{"user_id":"1","channel_id":null}]}',
        b'{"at":1,"guild_id":"7","type":"rules"}', b'{"at":1,"guild_id":"7","type":"rules","rules":null}',
        b'{"at":1,"guild_id":"7","type":"rules","rules":{"mode":"some"}}',
        b'{"at":1,"guild_id":"7","type":"rules","rules":{"mode":null}}',
        b'{"at":1,"guild_id":"7","type":"rules","rules":{"channels":null}}',
        b'{"at":1,"guild_id":"7","type":"rules","rules":{"channels":[1]}}',
        b'{"at":1,"guild_id":"7","type":"rules","rules":{"pause_on_mute":1}}',
        b'{"at":1,"guild_id":"7","type":"rules","rules":{"min_session_seconds":-1}}',
        b'{"at":1,"guild_id":"7","type":"rules","rules":{"bridge_gap_seconds":1.0}}',
        b'{"at":1,"guild_id":"7","type":"rules","rules":{"bridge_gap_seconds":null}}',
        b'{"at":1,"guild_id":"7","type":"channel","channel_id":"1"}',
        b'{"at":1,"guild_id":"7","type":"channel_deleted","channel_id":null}',
        b'{"at":1,"guild_id":"7","type":"opt_out","out":true}',
        b'{"at":1,"guild_id":"7","type":"opt_out","user_id":"1","out":"true"}',
    ],
)  # fmt: skip
def test_a_malformed_line_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        read_line(raw)


def test_missing_booleans_are_false_and_unknown_members_are_ignored() -> None:
    raw = b' {"at":-1,"guild_id":"0","type":"voice_state","user_id":"9223372036854775807","channel_id":"1","x":[{}]}\r'
    assert read_line(raw) == Line(-1, "voice_state", 0, (VoiceState(2**63 - 1, 1),))


def test_members_that_another_type_needs_are_unknown_here() -> None:
    raw = b'{"at":1,"guild_id":"7","type":"resumed","user_id":null,"rules":1,"out":"x"}'
    assert read_line(raw) == Line(1, "resumed", 7)


def test_time_may_go_back_between_guilds_but_not_within_one() -> None:
    replay = Replay()
    replay.feed(
        b'{"at":5,"guild_id":"7","type":"blind"}\n{"at":4,"guild_id":"8","type":"blind"}\n'
        b'{"at":5,"guild_id":"7","type":"blind"}\n{"at":4,"guild_id":"7","type":"blind"}\n'
    )
    assert replay.malformed == 4


def test_the_last_newline_may_lack_and_an_empty_trace_has_no_lines() -> None:
    for data, lines in ((b"", 0), (GOOD, 1), (GOOD + b"\n", 1)):
        replay = Replay()
        replay.feed(data)
        assert (replay.lines_read, replay.malformed) == (lines, None)


def test_a_malformed_line_stops_the_trace_and_nothing_more_is_printed() -> None:
    replay = Replay()
    state = b'{"at":%d,"guild_id":"7","type":"voice_state","user_id":"1","channel_id":%s}\n'
    replay.feed(state % (0, b'"2"') + state % (5, b"null") + state % (6, b'"2"') + b"\n" + state % (9, b"null"))
    assert replay.malformed == 4
    assert replay.printed(include_open=True).count(b"\n") == 1
