"""Very many voice changes in no time, for load: real changes of the world, each noted in the truth."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass

from simulator.entities import VOICE_TYPES
from simulator.gateway import Gateway
from simulator.world import World, WorldError

_CHANGES_A_TURN = 512
_CYCLE = 4


@dataclass(frozen=True, slots=True)
class BurstReport:
    """How a burst went. ``written`` are the frames that the sockets took meanwhile, other traffic included."""

    emitted: int
    written: int
    seconds: float
    per_second: float

    def payload(self) -> dict[str, float]:
        """Return the report as JSON members."""
        return asdict(self)


async def emit_burst(world: World, gateway: Gateway, count: int, *, guild_id: int | None = None) -> BurstReport:
    """Make ``count`` voice changes as fast as the sockets take them, then wait until all were taken.

    The humans of the guild (of all guilds, if none is given) take turns: join, mute, move, leave, and again.

    Raises:
        WorldError: if nobody is there to move or no channel to move to.
    """
    actors = _actors(world, guild_id)
    if not actors:
        raise WorldError("a burst needs a guild with the bot, a human member and a voice channel")
    before = sum(connection.written for connection in gateway.connections)
    started = time.perf_counter()
    for first in range(0, count, _CHANGES_A_TURN):
        for index in range(first, min(first + _CHANGES_A_TURN, count)):
            turn, actor = divmod(index, len(actors))
            _act(world, turn, *actors[actor])
        await gateway.drained()
        await asyncio.sleep(0)
    seconds = time.perf_counter() - started
    written = sum(connection.written for connection in gateway.connections) - before
    return BurstReport(count, written, round(seconds, 6), round(count / max(seconds, 1e-9), 1))


def _actors(world: World, guild_id: int | None) -> list[tuple[int, int, list[int]]]:
    guilds = world.guilds.values() if guild_id is None else [world.guild(guild_id)]
    # Who is a member of two guilds acts in the first: joining one leaves the other, which would be a change too many.
    actors: dict[int, tuple[int, int, list[int]]] = {}
    for guild in guilds:
        channels = [c.id for c in guild.channels.values() if c.type in VOICE_TYPES and c.id != guild.afk_channel_id]
        if channels and guild.has_bot:
            for user_id, member in guild.members.items():
                if not member.user.bot:
                    actors.setdefault(user_id, (guild.id, user_id, channels))
    return list(actors.values())


def _act(world: World, turn: int, guild_id: int, user_id: int, channels: list[int]) -> None:
    round_number, step = divmod(turn, _CYCLE)
    here = channels[(user_id + round_number) % len(channels)]
    if step == 0:
        world.set_voice(guild_id, user_id, here)
    elif step == 1:
        world.set_voice(guild_id, user_id, here, self_mute=True)
    elif step == 2:  # noqa: PLR2004 - the third of four steps
        world.set_voice(guild_id, user_id, channels[(user_id + round_number + 1) % len(channels)], self_mute=True)
    else:
        world.set_voice(guild_id, user_id, None)
