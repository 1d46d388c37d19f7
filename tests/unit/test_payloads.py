"""What each dispatch says, and what makes one unreadable."""

from __future__ import annotations

from typing import Any

import pytest

from attendance.discord.payloads import read_dispatch, why_unreadable
from attendance.domain.ids import ShardId
from attendance.domain.observations import (
    ChannelDeleted,
    ChannelFacts,
    ChannelKind,
    ChannelSeen,
    GuildChanged,
    GuildFacts,
    GuildLeft,
    GuildSeen,
    GuildUnavailable,
    PayloadUnreadable,
    PermissionsChanged,
    ShardReady,
    ShardResumed,
    VoiceState,
    VoiceStateSeen,
)

AT, ALIVE, SHARD, SEQUENCE = 1_800_000_000_500, 1_800_000_000_000, ShardId(3), 77
GUILD, USER, CHANNEL = 900000000000000001, 123456789012345678, 777777777777777777


def read(name: str, data: object) -> Any:
    return read_dispatch(name, data, AT, SHARD, ALIVE, SEQUENCE)


def unreadable(guild_id: int | None) -> PayloadUnreadable:
    return PayloadUnreadable(AT, SHARD, guild_id, ALIVE, SEQUENCE)


def voice(**changes: Any) -> dict[str, Any]:
    """A VOICE_STATE_UPDATE as Discord sends it, with some members changed or, by `...`, left out."""
    data = {
        "member": {"user": {"id": str(USER), "username": "ada", "global_name": "Ada"}, "nick": None, "roles": []},
        "user_id": str(USER),
        "guild_id": str(GUILD),
        "channel_id": str(CHANNEL),
        "session_id": "a" * 32,
        "deaf": False,
        "mute": True,
        "self_deaf": False,
        "self_mute": True,
        "self_video": False,
        "suppress": False,
        "request_to_speak_timestamp": None,
    } | changes
    return {key: value for key, value in data.items() if value is not ...}


def guild(**changes: Any) -> dict[str, Any]:
    """A GUILD_CREATE with a text channel, a category, a voice channel in it, a stage and one member in voice."""
    state = {key: value for key, value in voice().items() if key not in {"member", "guild_id"}}
    data = {
        "id": str(GUILD),
        "name": "A guild",
        "owner_id": "42",
        "afk_channel_id": None,
        "unavailable": False,
        "channels": [
            {"id": "10", "type": 0, "name": "general", "position": 0},
            {"id": "11", "type": 4, "name": "Rooms", "position": 1, "parent_id": None},
            {"id": "12", "type": 2, "name": "Lounge", "position": 2, "parent_id": "11"},
            {"id": "13", "type": 13, "name": "Stage", "position": 3},
        ],
        "members": [{"user": {"id": str(USER), "username": "ada", "bot": True}, "nick": "Addie"}],
        "voice_states": [state],
    } | changes
    return {key: value for key, value in data.items() if value is not ...}


def test_a_voice_state_update_says_who_is_where_and_how() -> None:
    state = VoiceState(USER, CHANNEL, self_mute=True, mute=True, bot=False, display_name="Ada")
    assert read("VOICE_STATE_UPDATE", voice()) == (VoiceStateSeen(AT, SHARD, GUILD, state),)


def test_a_null_channel_is_a_leave() -> None:
    (seen,) = read("VOICE_STATE_UPDATE", voice(channel_id=None))
    assert seen.state.channel_id is None


def test_without_a_member_object_it_is_not_known_whether_it_is_a_bot() -> None:
    (seen,) = read("VOICE_STATE_UPDATE", voice(member=...))
    assert seen.state.bot is None
    assert seen.state.display_name is None


@pytest.mark.parametrize(
    ("nick", "global_name", "username", "shown"),
    [
        ("Nick", "Global", "name", "Nick"),
        (None, "Global", "name", "Global"),
        (None, None, "name", "name"),
        ("", "", "name", "name"),
        (None, None, None, None),
        ("a\0b\ud800", None, "name", "ab?"),
        ("x" * 500, None, "name", "x" * 200),
        ("Zoë 🎉", None, "name", "Zoë 🎉"),
    ],
)
def test_the_name_shown_is_the_nick_or_the_global_name_or_the_username(nick, global_name, username, shown) -> None:
    member = {"nick": nick, "user": {"id": str(USER), "global_name": global_name, "username": username}}
    (seen,) = read("VOICE_STATE_UPDATE", voice(member=member))
    assert seen.state.display_name == shown


def test_missing_flags_are_false() -> None:
    (seen,) = read("VOICE_STATE_UPDATE", voice(mute=..., self_mute=..., deaf=..., self_deaf=...))
    state = seen.state
    assert (state.mute, state.self_mute, state.deaf, state.self_deaf) == (False, False, False, False)


@pytest.mark.parametrize("bad", [1, 0, None, "false", [], 0.0])
@pytest.mark.parametrize("name", ["mute", "self_mute", "deaf", "self_deaf"])
def test_a_flag_that_is_no_boolean_is_unreadable(name: str, bad: object) -> None:
    assert read("VOICE_STATE_UPDATE", voice(**{name: bad})) == unreadable(GUILD)


BAD_IDS = [
    1,
    "",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1_0",
    "01",
    "00",
    "1.0",
    "0x1",
    "\uff11",
    "²",
    "9223372036854775808",
    "1" * 20,
    "1" * 5000,
    True,
    [],
    {},
    1.5,
]


@pytest.mark.parametrize("bad", [*BAD_IDS, None])
def test_only_decimal_strings_below_two_to_the_63_are_ids(bad: object) -> None:
    assert read("VOICE_STATE_UPDATE", voice(user_id=bad, member=...)) == unreadable(GUILD)
    assert read("VOICE_STATE_UPDATE", voice(guild_id=bad)) == unreadable(None)
    if bad is not None:
        assert read("VOICE_STATE_UPDATE", voice(channel_id=bad)) == unreadable(GUILD)


def test_the_greatest_id_and_zero_are_ids() -> None:
    (seen,) = read("VOICE_STATE_UPDATE", voice(channel_id=str(2**63 - 1), guild_id="0"))
    assert (seen.state.channel_id, seen.guild_id) == (2**63 - 1, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"channel_id": ...},
        {"user_id": ...},
        {"member": []},
        {"member": {}},
        {"member": {"user": None}},
        {"member": {"user": {"id": "5", "username": "another"}}},
        {"member": {"user": {"id": str(USER), "username": "ada", "bot": "yes"}}},
        {"member": {"user": {"id": str(USER), "username": 7}}},
    ],
)
def test_a_voice_state_that_lacks_or_bends_something_is_unreadable_for_its_guild(changes: dict[str, Any]) -> None:
    assert read("VOICE_STATE_UPDATE", voice(**changes)) == unreadable(GUILD)


@pytest.mark.parametrize("data", [None, [], "text", 7, True, {}])
def test_a_dispatch_that_is_no_object_of_ours_is_unreadable_for_the_whole_shard(data: object) -> None:
    assert read("VOICE_STATE_UPDATE", data) == unreadable(None)


def test_an_available_guild_says_everything_about_its_channels_and_who_is_in_voice() -> None:
    assert read("GUILD_CREATE", guild()) == (
        GuildSeen(
            AT,
            SHARD,
            GuildFacts(GUILD, "A guild", 42, None),
            (
                ChannelFacts(11, "Rooms", ChannelKind.CATEGORY, None, 1),
                ChannelFacts(12, "Lounge", ChannelKind.VOICE, 11, 2),
                ChannelFacts(13, "Stage", ChannelKind.STAGE, None, 3),
            ),
            (VoiceState(USER, CHANNEL, self_mute=True, mute=True, bot=True, display_name="Addie"),),
        ),
    )


def test_a_voice_state_of_somebody_who_is_not_among_the_members_is_kept() -> None:
    (seen,) = read("GUILD_CREATE", guild(members=[]))
    assert seen.voice_states == (VoiceState(USER, CHANNEL, self_mute=True, mute=True),)
    assert read("GUILD_CREATE", guild(members=...)) == (seen,)


def test_an_empty_list_of_voice_states_says_that_nobody_is_in_voice() -> None:
    (seen,) = read("GUILD_CREATE", guild(voice_states=[]))
    assert seen.voice_states == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"voice_states": ...},
        {"voice_states": None},
        {"voice_states": [None]},
        {"voice_states": [{"user_id": "1", "channel_id": None}]},
        {"voice_states": [{"user_id": "1", "channel_id": "2"}, {"user_id": "1", "channel_id": 2}]},
        {"channels": ...},
        {"channels": [{"id": "12", "type": 2, "name": None}]},
        {"channels": [{"id": "12", "type": "2", "name": "x"}]},
        {"channels": [{"id": "12", "type": 2, "name": "x", "position": 1.5}]},
        {"channels": [{"id": "12", "type": 2, "name": "x", "position": 2**31}]},
        {"members": None},
        {"members": [{}]},
        {"members": [{"user": {"id": {}}}]},
        {"owner_id": ...},
        {"afk_channel_id": ...},
        {"name": ...},
        {"unavailable": "no"},
    ],
)
def test_a_guild_with_anything_bad_in_it_is_unreadable_as_a_whole(changes: dict[str, Any]) -> None:
    assert read("GUILD_CREATE", guild(**changes)) == unreadable(GUILD)


def test_what_is_wrong_can_be_told_without_quoting_the_payload() -> None:
    assert why_unreadable("VOICE_STATE_UPDATE", voice(deaf="secret")) == "deaf is not a boolean"
    assert why_unreadable("GUILD_CREATE", guild(voice_states=...)) == "voice_states is not a list"
    assert why_unreadable("READY", 5) == "d is not an object"


def test_an_unavailable_guild_is_blind_since_the_last_sign_of_life() -> None:
    lost = (GuildUnavailable(AT, SHARD, GUILD, ALIVE),)
    assert read("GUILD_CREATE", {"id": str(GUILD), "unavailable": True}) == lost
    assert read("GUILD_DELETE", {"id": str(GUILD), "unavailable": True}) == lost


def test_a_guild_deleted_without_an_outage_was_left() -> None:
    assert read("GUILD_DELETE", {"id": str(GUILD)}) == (GuildLeft(AT, SHARD, GUILD),)
    assert read("GUILD_DELETE", {"id": str(GUILD), "unavailable": None}) == unreadable(GUILD)


def test_a_guild_update_may_have_changed_the_owner() -> None:
    facts = GuildFacts(GUILD, "A guild", 42, CHANNEL)
    expected = (GuildChanged(AT, SHARD, facts), PermissionsChanged(AT, SHARD, GUILD))
    assert read("GUILD_UPDATE", guild(afk_channel_id=str(CHANNEL))) == expected


@pytest.mark.parametrize("name", ["GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE", "GUILD_MEMBER_UPDATE"])
def test_roles_and_the_own_member_change_permissions(name: str) -> None:
    assert read(name, {"guild_id": str(GUILD), "role": {}}) == (PermissionsChanged(AT, SHARD, GUILD),)
    assert read(name, {"role": {}}) == unreadable(None)


def test_channels_of_voice_are_seen_and_others_are_read_over() -> None:
    channel = {"id": "12", "guild_id": str(GUILD), "type": 2, "name": "Lounge", "position": 0, "parent_id": None}
    facts = ChannelFacts(12, "Lounge", ChannelKind.VOICE, None, 0)
    assert read("CHANNEL_CREATE", channel) == (ChannelSeen(AT, SHARD, GUILD, facts),)
    assert read("CHANNEL_UPDATE", channel) == (ChannelSeen(AT, SHARD, GUILD, facts),)
    assert read("CHANNEL_DELETE", channel) == (ChannelDeleted(AT, SHARD, GUILD, 12),)
    for name in ("CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE"):
        assert read(name, channel | {"type": 0}) == ()
        assert read(name, channel | {"type": None}) == unreadable(GUILD)
        assert read(name, channel | {"id": None}) == unreadable(GUILD)
        assert read(name, channel | {"guild_id": None}) == unreadable(None)


def test_ready_names_the_guilds_of_the_shard() -> None:
    ready = {"session_id": "s", "resume_gateway_url": "ws://x", "guilds": [{"id": "1"}, {"id": "2", "unavailable": True}]}
    assert read("READY", ready) == (ShardReady(AT, SHARD, frozenset({1, 2})),)
    assert read("READY", ready | {"guilds": []}) == (ShardReady(AT, SHARD, frozenset()),)
    for changes in ({"guilds": None}, {"guilds": [{}]}, {"session_id": None}, {"resume_gateway_url": ""}):
        assert read("READY", ready | changes) == unreadable(None)


def test_resumed_says_only_that() -> None:
    assert read("RESUMED", {"_trace": []}) == (ShardResumed(AT, SHARD),)


def test_events_of_other_kinds_are_signs_of_life_whatever_they_carry() -> None:
    for data in (None, [], {}, "x"):
        assert read("TYPING_START", data) == ()
        assert read("", data) == ()
