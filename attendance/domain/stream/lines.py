"""Trace lines as they are journalled: exactly the lines of the accounting specification, section 2.

A guild's journal, printed line by line, is a trace that ``rollcall replay`` reads: one format, one parser.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.observations import VoiceState


class Line(NamedTuple):
    """One journalled line. ``seq`` counts from 0 in each guild; ``line`` is the JSON text without newline."""

    guild_id: GuildId
    seq: int
    at_ms: int
    user_id: UserId | None
    type: str
    line: bytes


_JSON = (b"false", b"true")


def voice_state_text(at_ms: int, guild_id: GuildId, state: VoiceState, *, bot: bool) -> bytes:
    """A ``voice_state`` line. Written by hand: it is nearly every line there is."""
    channel = b"null" if state.channel_id is None else b'"%d"' % state.channel_id
    return (
        b'{"at":%d,"type":"voice_state","guild_id":"%d","user_id":"%d","channel_id":%b,'
        b'"self_mute":%b,"mute":%b,"self_deaf":%b,"deaf":%b,"bot":%b}'
        % (
            at_ms,
            guild_id,
            state.user_id,
            channel,
            _JSON[state.self_mute],
            _JSON[state.mute],
            _JSON[state.self_deaf],
            _JSON[state.deaf],
            _JSON[bot],
        )
    )


def snapshot_text(at_ms: int, guild_id: GuildId, states: list[tuple[VoiceState, bool]]) -> bytes:
    """A ``snapshot`` line: everyone in voice, each with whether they are a bot."""
    return msgspec.json.encode(
        {
            "at": at_ms,
            "type": "snapshot",
            "guild_id": str(guild_id),
            "voice_states": [
                {
                    "user_id": str(state.user_id),
                    "channel_id": str(state.channel_id),
                    "self_mute": state.self_mute,
                    "mute": state.mute,
                    "self_deaf": state.self_deaf,
                    "deaf": state.deaf,
                    "bot": bot,
                }
                for state, bot in states
            ],
        }
    )


def channel_text(at_ms: int, guild_id: GuildId, channel_id: ChannelId, parent_id: ChannelId | None) -> bytes:
    """A ``channel`` line: the channel's category from now on."""
    parent = None if parent_id is None else str(parent_id)
    return _text(at_ms, "channel", guild_id, channel_id=str(channel_id), parent_id=parent)


def channel_deleted_text(at_ms: int, guild_id: GuildId, channel_id: ChannelId) -> bytes:
    """A ``channel_deleted`` line."""
    return _text(at_ms, "channel_deleted", guild_id, channel_id=str(channel_id))


def opt_out_text(at_ms: int, guild_id: GuildId, user_id: UserId, *, out: bool) -> bytes:
    """An ``opt_out`` line."""
    return _text(at_ms, "opt_out", guild_id, user_id=str(user_id), out=out)


def rules_text(at_ms: int, guild_id: GuildId, rules: dict[str, object]) -> bytes:
    """A ``rules`` line."""
    return _text(at_ms, "rules", guild_id, rules=rules)


def plain_text(at_ms: int, kind: str, guild_id: GuildId) -> bytes:
    """A line without further members: ``blind``, ``resumed``, ``period_end`` or ``guild_left``."""
    return b'{"at":%d,"type":"%b","guild_id":"%d"}' % (at_ms, kind.encode(), guild_id)


def _text(at_ms: int, kind: str, guild_id: GuildId, **members: object) -> bytes:
    return msgspec.json.encode({"at": at_ms, "type": kind, "guild_id": str(guild_id), **members})
