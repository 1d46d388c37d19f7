"""Who may manage a guild, asked of a simulated Discord through real hikari."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from attendance.clock import FixedClock
from attendance.discord.failures import bot_id_of
from attendance.discord.rest import DiscordRestLookup, open_lookup
from attendance.discord.rest_client import open_rest
from attendance.errors import ConfigError, UnavailableError
from attendance.ports.discord_lookup import NEEDED_PERMISSIONS, BotPresence, DiscordLookup
from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings, Simulator, running_simulator
from simulator.entities import ChannelType, Overwrite
from tests.loopback_server import speaking

NOBODY = 4_242
MEMBER_ROUTE = "GET /guilds/{guild_id}/members/{user_id}"


@contextlib.asynccontextmanager
async def asking() -> AsyncIterator[tuple[Simulator, DiscordRestLookup, FixedClock]]:
    clock = FixedClock()
    settings = Settings(speed=0, enforce_rest_limits=False)
    async with running_simulator(settings) as sim, open_lookup(sim.token, sim.rest_url, clock) as lookup:
        yield sim, lookup, clock


def ordinary_member(sim: Simulator) -> int:
    guild = sim.world.guilds[DEMO_GUILD_ID]
    return next(
        user_id
        for user_id, member in guild.members.items()
        if not member.user.bot and not member.role_ids and user_id != guild.owner_id
    )


async def test_owner_and_admins_may_and_others_may_not() -> None:
    async with asking() as (sim, lookup, _):
        port: DiscordLookup = lookup
        guild = sim.world.guilds[DEMO_GUILD_ID]
        assert await port.may_manage(DEMO_GUILD_ID, guild.owner_id)
        assert await port.may_manage(DEMO_GUILD_ID, DEMO_ADMIN_ID)
        assert not await port.may_manage(DEMO_GUILD_ID, ordinary_member(sim))
        assert not await port.may_manage(DEMO_GUILD_ID, NOBODY)
        assert not await port.may_manage(NOBODY, guild.owner_id)


@pytest.mark.parametrize(
    ("bits", "may"), [(1 << 3, True), (1 << 5, True), (1 << 4, False), (1 << 28, False), (0, False), (1 << 5 | 1 << 10, True)]
)
async def test_a_role_makes_a_manager_by_administrator_or_manage_server_only(bits: int, may: bool) -> None:  # noqa: FBT001
    async with asking() as (sim, lookup, _):
        user_id = ordinary_member(sim)
        sim.world.give_role(DEMO_GUILD_ID, user_id, sim.world.create_role(DEMO_GUILD_ID, "Some", bits))
        assert await lookup.may_manage(DEMO_GUILD_ID, user_id) is may


async def test_what_everyone_may_counts() -> None:
    async with asking() as (sim, lookup, _):
        sim.world.update_role(DEMO_GUILD_ID, DEMO_GUILD_ID, permissions=1 << 5)
        user_id = ordinary_member(sim)
        assert await lookup.may_manage(DEMO_GUILD_ID, user_id)
        assert not await lookup.may_manage(DEMO_GUILD_ID, NOBODY)
        assert await lookup.member_roles(DEMO_GUILD_ID, user_id) == frozenset({DEMO_GUILD_ID})
        assert await lookup.member_roles(DEMO_GUILD_ID, NOBODY) is None


async def test_an_answer_holds_for_half_a_minute_or_until_it_is_forgotten() -> None:
    async with asking() as (sim, lookup, clock):
        user_id = ordinary_member(sim)
        assert not await lookup.may_manage(DEMO_GUILD_ID, user_id)
        sim.world.make_admin(DEMO_GUILD_ID, user_id)
        assert not await lookup.may_manage(DEMO_GUILD_ID, user_id)
        clock.advance(30_000)
        assert await lookup.may_manage(DEMO_GUILD_ID, user_id)
        sim.world.update_role(DEMO_GUILD_ID, sim.world.guilds[DEMO_GUILD_ID].members[user_id].role_ids[0], permissions=0)
        assert await lookup.may_manage(DEMO_GUILD_ID, user_id)
        lookup.forget(DEMO_GUILD_ID)
        assert not await lookup.may_manage(DEMO_GUILD_ID, user_id)


async def test_many_questions_at_once_are_one_request() -> None:
    async with asking() as (sim, lookup, _):
        user_id = ordinary_member(sim)
        await asyncio.gather(*(lookup.may_manage(DEMO_GUILD_ID, user_id) for _ in range(200)))
        assert sim.rest.requests[MEMBER_ROUTE] == 1
        assert sim.rest.requests["GET /guilds/{guild_id}"] == 1


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_discord_that_fails_is_unavailable_and_never_an_answer(status: int) -> None:
    async with asking() as (sim, lookup, _):
        sim.fault("rest", route="*", status=status, count=100, retry_after_s=60.0)
        async with asyncio.timeout(60):
            with pytest.raises(UnavailableError):
                await lookup.may_manage(DEMO_GUILD_ID, DEMO_ADMIN_ID)
            with pytest.raises(UnavailableError):
                await lookup.bot_presence(DEMO_GUILD_ID)


async def test_a_failure_is_not_remembered() -> None:
    async with asking() as (sim, lookup, _):
        sim.fault("rest", route=MEMBER_ROUTE, status=503, count=2)
        with pytest.raises(UnavailableError):
            await lookup.may_manage(DEMO_GUILD_ID, DEMO_ADMIN_ID)
        assert await lookup.may_manage(DEMO_GUILD_ID, DEMO_ADMIN_ID)


async def test_an_outage_of_the_guild_is_unavailable() -> None:
    async with asking() as (sim, lookup, _):
        sim.world.set_unavailable(DEMO_GUILD_ID)
        with pytest.raises(UnavailableError):
            await lookup.may_manage(DEMO_GUILD_ID, DEMO_ADMIN_ID)


async def test_a_discord_that_is_away_is_unavailable() -> None:
    async with asking() as (sim, lookup, _):
        await sim.stop()
        async with asyncio.timeout(60):
            with pytest.raises(UnavailableError):
                await lookup.may_manage(DEMO_GUILD_ID, DEMO_ADMIN_ID)


async def test_a_discord_that_keeps_silent_is_unavailable_within_the_bound() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    token = "MTE4MDAwMDAwMDAwMDAwMDUxMg.x.y"
    async with speaking(say_nothing) as port, open_rest(token, f"http://127.0.0.1:{port}/api/v10") as rest:
        lookup = DiscordRestLookup(rest, bot_id_of(token), FixedClock(), patience_seconds=0.2)
        async with asyncio.timeout(60):
            with pytest.raises(UnavailableError):
                await lookup.may_manage(DEMO_GUILD_ID, DEMO_ADMIN_ID)


async def test_a_refused_token_is_no_callers_fault() -> None:
    async with running_simulator(Settings(speed=0)) as sim:
        wrong = sim.token[:-4] + "AAAA"
        async with open_lookup(wrong, sim.rest_url, FixedClock()) as lookup:
            with pytest.raises(UnavailableError, match="token"):
                await lookup.may_manage(DEMO_GUILD_ID, DEMO_ADMIN_ID)
    with pytest.raises(ConfigError):
        async with open_lookup("nonsense", None, FixedClock()):
            pass


async def test_the_bots_presence_names_the_permissions_that_it_lacks() -> None:
    async with asking() as (sim, lookup, _):
        bot_roles = sim.world.guilds[DEMO_GUILD_ID].members[sim.settings.bot_id].role_ids
        for role_id in [DEMO_GUILD_ID, *bot_roles]:
            sim.world.update_role(DEMO_GUILD_ID, role_id, permissions=0)
        assert await lookup.bot_presence(DEMO_GUILD_ID) == BotPresence(
            present=True, missing_permissions=("View Channels", "Send Messages", "Embed Links")
        )
        sim.world.update_role(DEMO_GUILD_ID, DEMO_GUILD_ID, permissions=NEEDED_PERMISSIONS["Send Messages"])
        lookup.forget(DEMO_GUILD_ID)
        assert (await lookup.bot_presence(DEMO_GUILD_ID)).missing_permissions == ("View Channels", "Embed Links")
        sim.world.update_role(DEMO_GUILD_ID, DEMO_GUILD_ID, permissions=1 << 3)
        lookup.forget(DEMO_GUILD_ID)
        assert await lookup.bot_presence(DEMO_GUILD_ID) == BotPresence(present=True, missing_permissions=())
        sim.world.remove_bot(DEMO_GUILD_ID)
        lookup.forget(DEMO_GUILD_ID)
        assert await lookup.bot_presence(DEMO_GUILD_ID) == BotPresence(present=False, missing_permissions=())
        assert (await lookup.bot_presence(NOBODY)).present is False


async def test_roles_are_named_the_highest_first_and_everyone_last() -> None:
    async with asking() as (sim, lookup, _):
        role_id = sim.world.create_role(DEMO_GUILD_ID, "Some <b>", 0)
        roles = await lookup.named_roles(DEMO_GUILD_ID)
        assert roles[-1].role_id == DEMO_GUILD_ID
        assert [role.position for role in roles] == sorted((role.position for role in roles), reverse=True)
        assert {role.role_id for role in roles} == await lookup.guild_roles(DEMO_GUILD_ID)
        assert next(role.name for role in roles if role.role_id == role_id) == "Some <b>"
        assert not await lookup.named_roles(NOBODY)


async def test_channels_with_messages_are_listed_as_discord_shows_them_with_what_the_bot_lacks() -> None:
    async with asking() as (sim, lookup, clock):
        category = sim.world.create_channel(DEMO_GUILD_ID, "Staff", ChannelType.CATEGORY)
        voice = sim.world.create_channel(DEMO_GUILD_ID, "Room", ChannelType.VOICE, parent_id=category)
        text = sim.world.create_channel(DEMO_GUILD_ID, "log <b>", ChannelType.TEXT, parent_id=category)
        closed = sim.world.create_channel(DEMO_GUILD_ID, "closed", ChannelType.TEXT, parent_id=category)
        hidden = sim.world.create_channel(DEMO_GUILD_ID, "hidden", ChannelType.TEXT, parent_id=category)
        bot_id = sim.settings.bot_id
        for channel_id, name in ((closed, "Send Messages"), (hidden, "View Channels")):
            sim.world.channel(channel_id).overwrites.append(Overwrite(bot_id, deny=NEEDED_PERMISSIONS[name], is_member=True))
        listed = await lookup.text_channels(DEMO_GUILD_ID)
        staff = [one for one in listed if one.category == "Staff"]
        assert [(one.channel_id, one.name, one.kind, one.missing_permissions) for one in staff] == [
            (text, "log <b>", "text", ()),
            (closed, "closed", "text", ("Send Messages",)),
            (voice, "Room", "voice", ()),
        ]
        without = [one.category is None for one in listed]
        assert without == sorted(without, reverse=True)
        assert await lookup.text_channels(DEMO_GUILD_ID) == listed
        assert sim.rest.requests["GET /guilds/{guild_id}/channels"] == 1
        sim.world.delete_channel(text)
        clock.advance(10_000)
        assert text not in {one.channel_id for one in await lookup.text_channels(DEMO_GUILD_ID)}
        assert not await lookup.text_channels(NOBODY)
