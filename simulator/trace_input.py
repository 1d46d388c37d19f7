"""A trace file as a world and a stream of changes: what accounting, section 2 calls lines happens here again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from simulator.changes import Change, ChannelMoved, ChannelRemoved, GuildLeft, VoiceChange
from simulator.entities import EVERYONE_PERMISSIONS, Channel, ChannelType, Member, Role, User
from simulator.guild import Guild
from simulator.settings import Settings
from simulator.world import World


class TraceFileError(Exception):
    """A trace file cannot be played: the line's number and what is wrong."""


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                yield number, decode(raw)
            except msgspec.DecodeError as error:
                raise TraceFileError(f"{path}, line {number}: {error}") from error


def build_trace_world(settings: Settings, path: Path) -> World:
    """Read a trace once and return the world in which it can happen: its guilds, channels, categories and people.

    Everyone is out of voice, and channels are where their first `channel` line puts them.
    """
    world = World(User(settings.bot_id, "Rollcall", bot=True), one_connection_each=False)
    world.users[settings.bot_id] = world.bot
    guilds: dict[int, Guild] = {}
    for number, line in _lines(path):
        try:
            guild_id = int(line["guild_id"])
            guild = guilds.get(guild_id) or guilds.setdefault(guild_id, _trace_guild(guild_id, settings))
            for state in [line] if line["type"] == "voice_state" else line.get("voice_states", []):
                _meet(world, guild, state)
            if line["type"] == "channel":
                _add_channel(guild, line["channel_id"], line["parent_id"])
        except (KeyError, TypeError, ValueError) as error:
            raise TraceFileError(f"{path}, line {number}: {error!r}") from error
    for guild in guilds.values():
        world.add_guild(guild)
    return world


def _trace_guild(guild_id: int, settings: Settings) -> Guild:
    guild = Guild(guild_id, f"Guild {guild_id}", settings.bot_id)
    guild.roles[guild_id] = Role(guild_id, "@everyone", int(EVERYONE_PERMISSIONS))
    return guild


def _meet(world: World, guild: Guild, state: dict[str, Any]) -> None:
    user_id = int(state["user_id"])
    user = world.users.setdefault(user_id, User(user_id, f"Member {user_id}"))
    user.bot = user.bot or state.get("bot", False)
    guild.members.setdefault(user_id, Member(user))
    _add_channel(guild, state["channel_id"], None)


def _add_channel(guild: Guild, channel_id: str | None, parent_id: str | None) -> None:
    if channel_id is None:
        return
    parent = None if parent_id is None else int(parent_id)
    if parent is not None and parent not in guild.channels:
        guild.channels[parent] = Channel(parent, guild.id, f"Category {parent}", ChannelType.CATEGORY)
    own = int(channel_id)
    channel = guild.channels.setdefault(own, Channel(own, guild.id, f"Voice {own}", ChannelType.VOICE))
    channel.parent_id = channel.parent_id or parent


def trace_changes(path: Path) -> Iterator[Change]:
    """Yield what a trace's `voice_state`, `channel`, `channel_deleted` and `guild_left` lines do to the world.

    Its other lines are about watching, not about the world. Offsets count from the first line.
    """
    first_at: int | None = None
    for number, line in _lines(path):
        try:
            first_at = line["at"] if first_at is None else first_at
            change = _change(line["at"] - first_at, line)
        except (KeyError, TypeError, ValueError) as error:
            raise TraceFileError(f"{path}, line {number}: {error!r}") from error
        if change is not None:
            yield change


def _change(offset_ms: int, line: dict[str, Any]) -> Change | None:
    match line["type"]:
        case "voice_state":
            channel_id = None if line["channel_id"] is None else int(line["channel_id"])
            flags = [line.get(name, False) for name in ("self_mute", "mute", "self_deaf", "deaf", "bot")]
            return VoiceChange(offset_ms, int(line["guild_id"]), int(line["user_id"]), channel_id, *flags)
        case "channel":
            parent_id = None if line["parent_id"] is None else int(line["parent_id"])
            return ChannelMoved(offset_ms, int(line["channel_id"]), parent_id)
        case "channel_deleted":
            return ChannelRemoved(offset_ms, int(line["channel_id"]))
        case "guild_left":
            return GuildLeft(offset_ms, int(line["guild_id"]))
        case _:
            return None
