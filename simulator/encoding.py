"""JSON bytes of what is sent most: a voice state takes one formatting, so that a burst costs the sender little."""

from __future__ import annotations

from typing import Any

import msgspec

from simulator.entities import Member, VoiceState

encode: msgspec.json.Encoder = msgspec.json.Encoder()
_BOOL = {True: b"true", False: b"false"}


def encode_json(value: Any) -> bytes:
    """Return ``value`` as compact JSON."""
    return encode.encode(value)


def encode_voice_state(guild_id: int, state: VoiceState, member: Member) -> bytes:
    """Return the `d` of VOICE_STATE_UPDATE, with `guild_id` and `member` as Discord sends it in guilds."""
    if member.encoded is None:
        payload = member.payload()
        del payload["deaf"], payload["mute"]
        member.encoded = encode_json(payload)[:-1]
    deaf, mute = _BOOL[state.deaf], _BOOL[state.mute]
    channel = b"null" if state.channel_id is None else b'"%d"' % state.channel_id
    return (
        b'{"member":%b,"deaf":%b,"mute":%b},"user_id":"%d","guild_id":"%d","channel_id":%b,"session_id":"%b",'
        b'"deaf":%b,"mute":%b,"self_deaf":%b,"self_mute":%b,"self_video":false,"suppress":%b,'
        b'"request_to_speak_timestamp":null}'
    ) % (
        member.encoded,
        deaf,
        mute,
        state.user_id,
        guild_id,
        channel,
        state.session_id.encode(),
        deaf,
        mute,
        _BOOL[state.self_deaf],
        _BOOL[state.self_mute],
        _BOOL[state.suppress],
    )


def encode_dispatch(name: str, sequence: int, data: bytes) -> bytes:
    """Return a whole op 0 payload around an encoded `d`."""
    return b'{"t":"%b","s":%d,"op":0,"d":%b}' % (name.encode(), sequence, data)
