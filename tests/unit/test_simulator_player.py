"""Playing a stream of changes: pace, pauses, and what the world has no place for; and reading traces."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings
from simulator.changes import Change, ChannelMoved, ChannelRemoved, GuildLeft, VoiceChange
from simulator.demo_world import build_demo_world
from simulator.player import Player
from simulator.trace_input import TraceFileError, build_trace_world, trace_changes

GUILD, USER, ROOM, CATEGORY = "11", "21", "31", "41"


async def nothing_to_drain() -> None:
    return


def voice(offset_ms: int, channel_id: int | None) -> VoiceChange:
    return VoiceChange(offset_ms, DEMO_GUILD_ID, DEMO_ADMIN_ID, channel_id, *[False] * 5)


def player_of(changes: list[Change], speed: float = 1.0) -> tuple[Player, Any]:
    world = build_demo_world(Settings())
    return Player(world, iter(changes), speed=speed, drained=nothing_to_drain), world


def lounge() -> int:
    return next(c.id for c in build_demo_world(Settings()).guilds[DEMO_GUILD_ID].channels.values() if c.name == "Lounge")


def test_advancing_applies_what_is_due_and_no_more() -> None:
    player, world = player_of([voice(10, lounge()), voice(20, None)])
    assert player.advance_to(9) == 0
    assert player.advance_to(10) == 1
    assert DEMO_ADMIN_ID in world.in_voice(DEMO_GUILD_ID)
    assert player.advance_to(1_000) == 1
    assert player.finished.is_set()


def test_a_change_that_the_edited_world_has_no_place_for_is_skipped_and_counted() -> None:
    player, world = player_of([voice(10, 5), voice(20, lounge())])
    player.advance_to(100)
    assert (player.applied, player.skipped) == (1, 1)
    assert world.in_voice(DEMO_GUILD_ID)[DEMO_ADMIN_ID] == lounge()


async def test_a_stream_is_played_at_its_pace_times_the_speed() -> None:
    player, _ = player_of([voice(0, lounge()), voice(60_000, None)], speed=2_000)
    started = asyncio.get_running_loop().time()
    await player.play()
    assert asyncio.get_running_loop().time() - started >= 0.029
    assert player.applied == 2


async def test_a_paused_player_does_nothing() -> None:
    player, _ = player_of([voice(0, lounge())])
    player.pause()
    playing = asyncio.create_task(player.play())
    await asyncio.sleep(0)
    assert player.applied == 0
    player.unpause()
    await playing
    assert player.applied == 1


def test_all_kinds_of_change_reach_the_world() -> None:
    player, world = player_of([ChannelMoved(1, lounge(), None), ChannelRemoved(2, lounge()), GuildLeft(3, DEMO_GUILD_ID)])
    player.advance_to(1)
    assert world.channel(lounge()).parent_id is None
    player.advance_to(3)
    assert lounge() not in world.channel_guild
    assert not world.guilds[DEMO_GUILD_ID].has_bot


def trace_file(tmp_path: Path, *lines: dict[str, Any]) -> Path:
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(json.dumps({"guild_id": GUILD} | line) + "\n" for line in lines))
    return path


def test_a_trace_becomes_a_world_and_changes(tmp_path: Path) -> None:
    path = trace_file(
        tmp_path,
        {"at": 1_000, "type": "channel", "channel_id": ROOM, "parent_id": CATEGORY},
        {"at": 1_500, "type": "snapshot", "voice_states": [{"user_id": "22", "channel_id": ROOM, "bot": True}]},
        {"at": 2_000, "type": "voice_state", "user_id": USER, "channel_id": ROOM, "self_mute": True},
        {"at": 2_500, "type": "resumed"},
        {"at": 3_000, "type": "channel_deleted", "channel_id": ROOM},
        {"at": 4_000, "type": "guild_left"},
    )
    world = build_trace_world(Settings(), path)
    guild = world.guilds[11]
    assert guild.channels[31].parent_id == 41
    assert world.users[22].bot
    assert not world.users[21].bot
    assert list(trace_changes(path)) == [
        ChannelMoved(0, 31, 41),
        VoiceChange(1_000, 11, 21, 31, True, False, False, False, False),  # noqa: FBT003 - a tuple of flags
        ChannelRemoved(2_000, 31),
        GuildLeft(3_000, 11),
    ]


@pytest.mark.parametrize("line", ["{not json", "[]", '{"at": 1, "type": "voice_state", "guild_id": "x", "user_id": "1"}'])
def test_a_line_that_cannot_be_played_is_named(tmp_path: Path, line: str) -> None:
    path = trace_file(tmp_path, {"at": 1, "type": "resumed"})
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(TraceFileError, match="line 2"):
        build_trace_world(Settings(), path)


def test_a_trace_may_have_one_account_in_two_guilds_at_once(tmp_path: Path) -> None:
    here = {"type": "voice_state", "user_id": USER, "channel_id": ROOM}
    path = trace_file(tmp_path, {"at": 1} | here, {"at": 2} | here | {"guild_id": "12", "channel_id": "32"})
    world = build_trace_world(Settings(), path)
    Player(world, trace_changes(path), speed=1.0, drained=nothing_to_drain).advance_to(10)
    assert [world.in_voice(guild_id) for guild_id in (11, 12)] == [{21: 31}, {21: 32}]
