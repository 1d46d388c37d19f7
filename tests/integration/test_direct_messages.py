"""Direct messages, sent to a simulated Discord through real hikari."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from attendance.discord.direct_messages import DiscordDirectMessages, open_direct_messages
from attendance.errors import UnavailableError
from attendance.ports.privacy import DirectMessages
from simulator import DEMO_ADMIN_ID, Settings, Simulator, running_simulator
from simulator.faults import RestFault


@contextlib.asynccontextmanager
async def writing() -> AsyncIterator[tuple[Simulator, DiscordDirectMessages]]:
    settings = Settings(speed=0, enforce_rest_limits=False)
    async with running_simulator(settings) as sim, open_direct_messages(sim.token, sim.rest_url) as messages:
        yield sim, messages


def read_by(sim: Simulator, user_id: int) -> list[str]:
    board = sim.rest.messages
    return [message["content"] for message in board.board.newest(board.direct.open(user_id, 0), 50)]


async def test_a_message_reaches_its_member_once_however_often_it_is_sent() -> None:
    async with writing() as (sim, messages):
        port: DirectMessages = messages
        for _ in range(2):
            assert await port.send(DEMO_ADMIN_ID, "soon", "er1") is None
        assert await port.send(DEMO_ADMIN_ID, "another", "er2") is None
        assert read_by(sim, DEMO_ADMIN_ID) == ["another", "soon"]


async def test_who_cannot_be_written_to_is_said_and_not_tried_for_ever() -> None:
    async with writing() as (sim, messages):
        sim.rest.messages.direct.closed.add(DEMO_ADMIN_ID)
        assert await messages.send(DEMO_ADMIN_ID, "soon", "er1") == "their direct messages are closed to the bot"
        assert await messages.send(4_242, "soon", "er1") == "there is no such user any more"
        for guild_id in [guild.id for guild in sim.world.guilds.values() if DEMO_ADMIN_ID in guild.members]:
            sim.world.remove_member(guild_id, DEMO_ADMIN_ID)
        assert await messages.send(DEMO_ADMIN_ID, "soon", "er1") == "the bot shares no server with them any more"
        assert read_by(sim, DEMO_ADMIN_ID) == []


async def test_a_discord_that_fails_is_unavailable() -> None:
    async with writing() as (sim, messages):
        sim.faults.rest.append(RestFault("POST /users/@me/channels", 500, 5))
        with pytest.raises(UnavailableError):
            await messages.send(DEMO_ADMIN_ID, "soon", "er1")
