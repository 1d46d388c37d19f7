"""Any JSON value gives observations or our error; no mutation of a real payload gives anything else."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from attendance.discord.payloads import read_dispatch, why_unreadable
from attendance.domain.ids import MAX_SNOWFLAKE, ShardId
from attendance.domain.observations import (
    GuildSeen,
    PayloadUnreadable,
    VoiceState,
    VoiceStateSeen,
)

NAMES = [
    "READY",
    "RESUMED",
    "GUILD_CREATE",
    "GUILD_UPDATE",
    "GUILD_DELETE",
    "GUILD_ROLE_CREATE",
    "GUILD_ROLE_UPDATE",
    "GUILD_ROLE_DELETE",
    "GUILD_MEMBER_UPDATE",
    "CHANNEL_CREATE",
    "CHANNEL_UPDATE",
    "CHANNEL_DELETE",
    "VOICE_STATE_UPDATE",
    "MESSAGE_CREATE",
]
STATE = {
    "user_id": "7",
    "channel_id": "12",
    "deaf": False,
    "mute": False,
    "self_deaf": False,
    "self_mute": True,
    "session_id": "s",
}
MEMBER = {"user": {"id": "7", "username": "ada", "global_name": "Ada", "bot": False}, "nick": "A", "roles": []}
CHANNEL = {"id": "12", "type": 2, "name": "Lounge", "position": 0, "parent_id": "11", "guild_id": "1"}
SAMPLES: dict[str, dict[str, Any]] = {
    "VOICE_STATE_UPDATE": STATE | {"guild_id": "1", "member": MEMBER},
    "GUILD_CREATE": {
        "id": "1",
        "name": "G",
        "owner_id": "2",
        "afk_channel_id": None,
        "unavailable": False,
        "channels": [CHANNEL],
        "members": [MEMBER],
        "voice_states": [STATE],
    },
    "GUILD_UPDATE": {"id": "1", "name": "G", "owner_id": "2", "afk_channel_id": "12"},
    "GUILD_DELETE": {"id": "1", "unavailable": True},
    "GUILD_ROLE_UPDATE": {"guild_id": "1", "role": {}},
    "CHANNEL_UPDATE": CHANNEL,
    "CHANNEL_DELETE": CHANNEL,
    "READY": {"session_id": "s", "resume_gateway_url": "wss://x", "guilds": [{"id": "1", "unavailable": True}]},
    "RESUMED": {},
}
ids_nearly = st.sampled_from(["1", "0", "01", "-1", "9223372036854775807", "9223372036854775808", "1_0", "\uff11", 5, None])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | ids_nearly,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*STATE, *CHANNEL, "guild_id", "user", "member", "guilds"]), inner, max_size=5)
    ),
    max_leaves=12,
)


def check(name: str, data: object) -> None:
    read = read_dispatch(name, data, 2000, ShardId(0), 1000, 5)
    if isinstance(read, PayloadUnreadable):
        assert read.guild_id is None or 0 <= read.guild_id <= MAX_SNOWFLAKE
        assert (read.at_ms, read.shard_id, read.alive_at_ms, read.sequence) == (2000, 0, 1000, 5)
        assert why_unreadable(name, data) != "nothing"
        return
    assert type(read) is tuple
    for observation in read:
        assert observation.at_ms == 2000
        states: tuple[VoiceState, ...] = ()
        if isinstance(observation, VoiceStateSeen):
            states = (observation.state,)
        elif isinstance(observation, GuildSeen):
            states = observation.voice_states
            assert all(state.channel_id is not None for state in states)
        for state in states:
            assert 0 <= state.user_id <= MAX_SNOWFLAKE
            assert state.channel_id is None or 0 <= state.channel_id <= MAX_SNOWFLAKE
            assert all(type(value) is bool for value in (state.self_mute, state.mute, state.self_deaf, state.deaf))
            if state.display_name is not None:
                assert "\0" not in state.display_name
                state.display_name.encode()


@given(st.sampled_from(NAMES), json_values)
def test_any_json_value_gives_observations_or_our_error(name: str, data: object) -> None:
    check(name, data)


@given(st.data())
def test_a_real_payload_bent_anywhere_gives_observations_or_our_error(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SAMPLES)))
    payload = copy.deepcopy(SAMPLES[name])
    holder: Any = payload
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        child = holder[key]
        if isinstance(child, dict | list) and child and data.draw(st.booleans()):
            holder = child
            continue
        if data.draw(st.booleans()):
            holder[key] = data.draw(json_values)
        else:
            del holder[key]
        break
    check(name, payload)


@given(st.sampled_from(NAMES), st.binary(max_size=200))
def test_bytes_that_happen_to_be_json_give_observations_or_our_error(name: str, raw: bytes) -> None:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return
    check(name, data)


def test_the_samples_themselves_are_readable() -> None:
    for name, payload in SAMPLES.items():
        assert type(read_dispatch(name, payload, 2000, ShardId(0), 1000, 5)) is tuple
