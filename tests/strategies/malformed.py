"""Trace bytes with one place damaged. Whether that makes it malformed is for the readers to say."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.strategies.traces import Line, traces
from tests.twin.trace import MalformedError, read_line, split_lines

Path = tuple[str | int, ...]

WRONG_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, 1.0, "", "0", "00", "01", "-1", "+1", " 1", "1 ", "1e3", "٣", "abc", [], {}, [[]],
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "off", "All", "voice_state", "nonsense",
    [None], ["1"], [1], [{}], [{"user_id": "1"}], [{"user_id": "1", "channel_id": None}], {"mode": "all"}, {"mode": 1},
    {"channels": None}, {"pause_on_mute": None}, {"min_session_seconds": -1}, {"bridge_gap_seconds": 1.0}, {"x": None},
)  # fmt: skip

WHOLE_LINES: tuple[bytes, ...] = (
    b"", b" ", b"\t", b"\r", b"{}", b"[]", b"null", b"1", b'"x"', b"{", b"}", b"{}{}", b"{} x", b"\xff",
    b"\xef\xbb\xbf{}",
    b'{"at":1,"guild_id":"7","type":"blind"', b"{'at':1}", b'{"at":NaN,"guild_id":"7","type":"blind"}', b"\xed\xa0\x80",
    b'{"at":01,"guild_id":"7","type":"blind"}', b'{"at":1,"guild_id":"7","type":"blind",}', b"{}//",
    b'{"at":1e3,"guild_id":"7","type":"blind"}', b'{"at":1,"guild_id":"7","type":"blind","x":Infinity}',
    b'{"at":9999999999999,"guild_id":"\\u0037","type":"bl\\u0069nd","x":[{"y":null}]} \t\r',
)  # fmt: skip

BYTES = tuple(b'{}[]",:0129tfn\\ \t\r\n\x00\x1f\x7f\x80\xc3\xffeE.-+')


def paths_of(value: Any, path: Path = ()) -> list[Path]:
    """Where something can be changed: every member and every element, at any depth."""
    found = [path] if path else []
    keys: list[str | int] = list(value) if isinstance(value, dict) else []
    if isinstance(value, list):
        keys = list(range(len(value)))
    for key in keys:
        found += paths_of(value[key], (*path, key))
    return found


def changed(line: Line, path: Path, put: tuple[Any, ...]) -> Line:
    """A copy with the value at ``path`` replaced by ``put[0]``, or taken out if ``put`` is empty."""
    copy: Line = json.loads(json.dumps(line))
    place: Any = copy
    for key in path[:-1]:
        place = place[key]
    if put:
        place[path[-1]] = put[0]
    else:
        del place[path[-1]]
    return copy


@st.composite
def damaged_lines(draw: st.DrawFn, line: Line) -> bytes:
    """A member removed, changed or added; or the whole line replaced; or one byte changed."""
    how = draw(st.sampled_from(("value", "value", "remove", "add", "line", "byte", "ascii", "earlier")))
    raw = json.dumps(line).encode()
    if how == "line":
        return draw(st.sampled_from(WHOLE_LINES))
    if how == "byte":
        place = draw(st.integers(0, len(raw)))
        drop, insert = draw(st.sampled_from(((1, 0), (0, 1), (1, 1))))
        byte = bytes([draw(st.sampled_from(BYTES))]) * insert
        return raw[:place] + byte + raw[place + drop :]
    if how == "ascii":
        return json.dumps(line, ensure_ascii=False, indent=None, separators=(" ,\t", "\r: ")).encode()
    if how == "earlier":
        return json.dumps({**line, "at": line["at"] - draw(st.sampled_from((1, 1000, 10**9)))}).encode()
    if how == "add":
        name = draw(st.sampled_from(("user_id", "out", "rules", "suppress", "mute", "channel_id", "é", "")))
        return json.dumps({**line, name: draw(st.sampled_from(WRONG_VALUES))}).encode()
    path = draw(st.sampled_from(paths_of(line)))
    put = () if how == "remove" else (draw(st.sampled_from(WRONG_VALUES)),)
    return json.dumps(changed(line, path, put)).encode()


def no_user_changes_into_a_bot(data: bytes) -> bool:
    """The promise of section 2, "a user's `bot` does not change": what happens without it is written nowhere."""
    seen: dict[tuple[int, int], bool] = {}
    for raw in split_lines(data):
        try:
            line = read_line(raw)
        except MalformedError:
            break
        states = {"voice_state": line.body, "snapshot": line.body[0] if line.body else ()}.get(line.type, ())
        if any(seen.setdefault((line.guild, state.user), state.bot) != state.bot for state in states):
            return False
    return True


def damaged_traces() -> st.SearchStrategy[bytes]:
    """A trace whose lines are well formed but for one or two; the last newline may lack."""
    return _damaged_traces().filter(no_user_changes_into_a_bot)


@st.composite
def _damaged_traces(draw: st.DrawFn) -> bytes:
    lines = draw(traces(max_steps=12).filter(bool))
    raw = [json.dumps(line).encode() for line in lines]
    for _ in range(draw(st.sampled_from((1, 1, 1, 2)))):
        place = draw(st.integers(0, len(lines) - 1))
        raw[place] = draw(damaged_lines(lines[place]))
    return b"\n".join(raw) + draw(st.sampled_from((b"\n", b"")))
