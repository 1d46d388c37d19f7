"""The simulated world: edits, what they dispatch, and the truth that they leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings
from simulator.demo_ids import demo_guild_id
from simulator.demo_world import build_demo_world
from simulator.entities import ALL_PERMISSIONS, ChannelType, Overwrite, Permission
from simulator.snowflakes import bot_token, shard_of
from simulator.truth import TruthLog
from simulator.world import Dispatch, World, WorldError


class Stage:
    """A demo world with everything that it dispatches."""

    def __init__(self) -> None:
        self.world: World = build_demo_world(Settings())
        self.guild = self.world.guilds[DEMO_GUILD_ID]
        self.heard: list[tuple[str, Any]] = []
        self.world.listeners.append(self._hear)

    def _hear(self, dispatch: Dispatch) -> None:
        self.heard.append((dispatch.name, None if dispatch.data is None else json.loads(dispatch.data)))

    def channel(self, name: str) -> int:
        return next(channel.id for channel in self.guild.channels.values() if channel.name == name)

    def names(self) -> list[str]:
        return [name for name, _ in self.heard]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_the_demo_world_is_the_same_on_every_run() -> None:
    first, second = build_demo_world(Settings()), build_demo_world(Settings())
    assert [guild.payload() for guild in first.guilds.values()] == [g.payload() for g in second.guilds.values()]
    assert (DEMO_GUILD_ID, DEMO_ADMIN_ID) == (1132166800998400007, 754679441002594305)


def test_the_demo_admin_manages_every_guild_and_owns_none() -> None:
    for guild in build_demo_world(Settings(guilds=5)).guilds.values():
        assert guild.permissions_of(DEMO_ADMIN_ID) & Permission.MANAGE_GUILD
        assert guild.owner_id != DEMO_ADMIN_ID


def test_names_in_a_guild_are_told_apart() -> None:
    guild = build_demo_world(Settings(members=400)).guilds[DEMO_GUILD_ID]
    assert len({member.user.name for member in guild.members.values()}) == len(guild.members)


def test_neighbouring_guilds_fall_into_different_shards() -> None:
    assert [shard_of(demo_guild_id(n), 2) for n in range(4)] in ([0, 1, 0, 1], [1, 0, 1, 0])


def test_a_token_begins_with_the_bots_id_in_base64() -> None:
    assert bot_token(123).split(".")[0] == "MTIz"
    assert len(bot_token(123).split(".")) == 3


def test_a_move_keeps_flags_and_gives_a_new_voice_session(stage: Stage) -> None:
    world = stage.world
    world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, stage.channel("Lounge"), self_mute=True)
    world.set_flags(DEMO_GUILD_ID, DEMO_ADMIN_ID, deaf=True)
    world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, stage.channel("Study Hall"))
    sessions = [state["session_id"] for _, state in stage.heard]
    assert sessions[0] == sessions[1] != sessions[2]
    last = stage.heard[-1][1]
    assert (last["self_mute"], last["deaf"], last["member"]["deaf"]) == (True, True, True)


def test_who_joins_a_stage_is_suppressed(stage: Stage) -> None:
    stage.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, stage.channel("Open Stage"))
    assert stage.heard[-1][1]["suppress"] is True


def test_a_human_in_two_guilds_has_one_voice_connection(stage: Stage) -> None:
    other = next(guild for guild in stage.world.guilds.values() if guild.id != DEMO_GUILD_ID)
    room = next(channel.id for channel in other.channels.values() if channel.type is ChannelType.VOICE)
    stage.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, stage.channel("Lounge"))
    stage.world.join(other.id, DEMO_ADMIN_ID, room)
    assert [(state["guild_id"], state["channel_id"]) for _, state in stage.heard[1:]] == [
        (str(DEMO_GUILD_ID), None),
        (str(other.id), str(room)),
    ]


def test_deleting_a_channel_throws_out_who_is_in_it(stage: Stage) -> None:
    stage.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, stage.channel("Lounge"))
    stage.world.delete_channel(stage.channel("Lounge"))
    assert stage.names() == ["VOICE_STATE_UPDATE", "CHANNEL_DELETE", "VOICE_STATE_UPDATE"]
    assert stage.heard[-1][1]["channel_id"] is None


def test_deleting_a_category_leaves_its_channels_without_a_parent(stage: Stage) -> None:
    category = stage.channel("Study")
    children = [channel for channel in stage.guild.channels.values() if channel.parent_id == category]
    stage.world.delete_channel(category)
    assert stage.names() == ["CHANNEL_UPDATE"] * len(children) + ["CHANNEL_DELETE"]
    assert {child.parent_id for child in children} == {None}


def test_deleting_the_afk_channel_updates_the_guild(stage: Stage) -> None:
    stage.world.delete_channel(stage.channel("Away"))
    assert stage.names() == ["CHANNEL_DELETE", "GUILD_UPDATE"]
    assert stage.heard[-1][1]["afk_channel_id"] is None


def test_an_outage_silences_a_guild_and_its_truth_goes_on(stage: Stage) -> None:
    stage.world.set_unavailable(DEMO_GUILD_ID)
    before = stage.world.truth.voice_changes
    stage.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, stage.channel("Lounge"))
    stage.world.set_available(DEMO_GUILD_ID)
    assert stage.names() == ["GUILD_DELETE", "GUILD_CREATE"]
    assert stage.world.truth.voice_changes == before + 1


def test_a_guild_without_the_bot_is_silent_in_both(stage: Stage) -> None:
    stage.world.remove_bot(DEMO_GUILD_ID)
    lines = len(stage.world.truth)
    stage.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, stage.channel("Lounge"))
    assert stage.names() == ["GUILD_DELETE"]
    assert len(stage.world.truth) == lines
    stage.world.return_bot(DEMO_GUILD_ID)
    last = list(stage.world.truth.lines())[-1]
    assert last["type"] == "snapshot"
    assert [state["user_id"] for state in last["voice_states"]] == [str(DEMO_ADMIN_ID)]


def test_removing_a_member_takes_them_out_of_voice_first(stage: Stage) -> None:
    stage.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, stage.channel("Lounge"))
    stage.world.remove_member(DEMO_GUILD_ID, DEMO_ADMIN_ID)
    assert stage.names() == ["VOICE_STATE_UPDATE", "VOICE_STATE_UPDATE", "GUILD_MEMBER_REMOVE"]


def test_a_members_payload_follows_their_roles(stage: Stage) -> None:
    stage.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, stage.channel("Lounge"))
    role_id = stage.world.make_admin(DEMO_GUILD_ID, DEMO_ADMIN_ID)
    stage.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, stage.channel("Study Hall"))
    assert str(role_id) not in stage.heard[0][1]["member"]["roles"]
    assert str(role_id) in stage.heard[-1][1]["member"]["roles"]
    stage.world.delete_role(DEMO_GUILD_ID, role_id)
    assert role_id not in stage.guild.members[DEMO_ADMIN_ID].role_ids


def test_permissions_follow_discords_algorithm(stage: Stage) -> None:
    guild, world = stage.guild, stage.world
    user_id = world.add_member(DEMO_GUILD_ID, "New")
    channel = world.channel(stage.channel("general"))
    role_id = world.create_role(DEMO_GUILD_ID, "Quiet")
    world.give_role(DEMO_GUILD_ID, user_id, role_id)
    assert guild.permissions_of(user_id, channel) & Permission.SEND_MESSAGES
    channel.overwrites = [Overwrite(guild.id, deny=Permission.SEND_MESSAGES)]
    assert not guild.permissions_of(user_id, channel) & Permission.SEND_MESSAGES
    channel.overwrites.append(Overwrite(role_id, allow=Permission.SEND_MESSAGES))
    assert guild.permissions_of(user_id, channel) & Permission.SEND_MESSAGES
    channel.overwrites.append(Overwrite(user_id, deny=Permission.SEND_MESSAGES, is_member=True))
    assert not guild.permissions_of(user_id, channel) & Permission.SEND_MESSAGES
    assert guild.permissions_of(guild.owner_id, channel) == ALL_PERMISSIONS
    world.make_admin(DEMO_GUILD_ID, user_id)
    assert guild.permissions_of(user_id, channel) == ALL_PERMISSIONS
    assert guild.permissions_of(1) == 0


@pytest.mark.parametrize(
    "edit",
    [
        lambda w: w.join(1, DEMO_ADMIN_ID, 1),
        lambda w: w.join(DEMO_GUILD_ID, 1, 1),
        lambda w: w.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, 1),
        lambda w: w.set_flags(DEMO_GUILD_ID, DEMO_ADMIN_ID, mute=True),
        lambda w: w.create_channel(DEMO_GUILD_ID, "x", parent_id=1),
        lambda w: w.delete_channel(1),
        lambda w: w.give_role(DEMO_GUILD_ID, DEMO_ADMIN_ID, 1),
        lambda w: w.remove_bot(1),
    ],
)
def test_an_edit_of_what_is_not_there_is_refused(stage: Stage, edit: Callable[[World], None]) -> None:
    with pytest.raises(WorldError):
        edit(stage.world)
    assert stage.heard == []


def test_the_truth_never_goes_back_in_time() -> None:
    instants = iter([5_000, 4_000, 6_000])
    truth = TruthLog(lambda: next(instants))
    for _ in range(3):
        truth.add("guild_left", DEMO_GUILD_ID)
    assert [line["at"] for line in truth.lines()] == [5_000, 5_000, 6_000]


def test_a_long_truth_forgets_its_oldest_lines_and_keeps_their_numbers() -> None:
    truth = TruthLog(iter(range(100)).__next__, limit=20)
    for _ in range(30):
        truth.add("guild_left", DEMO_GUILD_ID)
    assert len(truth) == 30
    assert [line["at"] for line in truth.lines(27)] == [27, 28, 29]
    assert [line["at"] for line in truth.lines()] == list(range(10, 30))


@pytest.mark.parametrize("wrong", [{"port": 70_000}, {"speed": -1.0}, {"zlib_level": 10}, {"start_hour": 24}])
def test_impossible_settings_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)
