"""Giving and taking roles in a simulated Discord through real hikari, and whole runs of verified roles there."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from attendance.discord.entitlements import open_entitlements
from attendance.discord.roles import DiscordGuildRoles, open_guild_roles
from attendance.domain.subscriptions import Entitlement
from attendance.errors import ForbiddenError, InvalidInputError, UnavailableError
from attendance.ports.guild_roles import GuildRoles
from attendance.services.role_runs import RETRY_MS
from simulator import DEMO_GUILD_ID, Settings, Simulator, running_simulator
from tests.api_world import GUILD, World
from tests.role_world import end_period, granted, make_rule, runs, stored_rule, worker

NOBODY = 4_242
PUT = "PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}"
MANAGE_ROLES = 1 << 28


@contextlib.asynccontextmanager
async def discord(guild_id: int = DEMO_GUILD_ID, **settings) -> AsyncIterator[tuple[Simulator, DiscordGuildRoles, int]]:
    """A simulator, the adapter, and a role of the guild that the bot can give."""
    config = Settings(speed=0, guilds=1, members=30, **{"enforce_rest_limits": False, **settings})
    async with running_simulator(config) as sim, open_guild_roles(sim.token, sim.rest_url, patience_seconds=5) as roles:
        if guild_id != DEMO_GUILD_ID:
            sim.world.new_guild("Ours", 5_000, guild_id=guild_id)
            bot_role = sim.world.create_role(guild_id, "Rollcall", MANAGE_ROLES, position=9)
            sim.world.give_role(guild_id, sim.world.bot.id, bot_role)
        yield sim, roles, sim.world.create_role(guild_id, "Attendee", position=1)


def members(sim: Simulator, guild_id: int = DEMO_GUILD_ID) -> list[int]:
    return [user for user, member in sim.world.guilds[guild_id].members.items() if not member.user.bot]


def holders(sim: Simulator, role_id: int, guild_id: int = DEMO_GUILD_ID) -> set[int]:
    return {user for user, member in sim.world.guilds[guild_id].members.items() if role_id in member.role_ids}


async def test_a_role_is_given_and_taken_with_a_reason_and_twice_is_once() -> None:
    async with discord() as (sim, roles, role_id):
        port: GuildRoles = roles
        user = members(sim)[0]
        assert await port.problem(DEMO_GUILD_ID, role_id) is None
        assert await port.has(DEMO_GUILD_ID, user, role_id) is False
        for _ in range(2):
            assert await port.give(DEMO_GUILD_ID, user, role_id, "Rollcall: 10 h, métier")
        assert await port.has(DEMO_GUILD_ID, user, role_id) is True
        for _ in range(2):
            assert await port.take(DEMO_GUILD_ID, user, role_id, "below")
        assert [(change.given, change.reason) for change in sim.rest.guilds.role_changes] == [
            *[(True, "Rollcall: 10 h, métier")] * 2,
            *[(False, "below")] * 2,
        ]  # fmt: skip


async def test_who_is_no_member_is_told_apart_from_what_is_refused() -> None:
    async with discord() as (sim, roles, role_id):
        user = members(sim)[0]
        sim.world.remove_member(DEMO_GUILD_ID, user)
        for nobody in (user, NOBODY):
            assert await roles.has(DEMO_GUILD_ID, nobody, role_id) is None
            assert await roles.give(DEMO_GUILD_ID, nobody, role_id, "x") is False
            assert await roles.take(DEMO_GUILD_ID, nobody, role_id, "x") is False
        member = members(sim)[0]
        above = sim.world.create_role(DEMO_GUILD_ID, "Above")
        for guild_id, role in ((DEMO_GUILD_ID, above), (DEMO_GUILD_ID, NOBODY), (NOBODY, role_id)):
            with pytest.raises(ForbiddenError, match="Discord refuses"):
                await roles.give(guild_id, member, role, "x")
        with pytest.raises(InvalidInputError):
            await roles.give(DEMO_GUILD_ID, 1 << 64, role_id, "x")


async def test_why_a_role_cannot_be_given_is_said_and_discord_agrees() -> None:
    async with discord() as (sim, roles, fine):
        world, member = sim.world, members(sim)[0]
        guild = world.guilds[DEMO_GUILD_ID]
        bot_role = guild.members[world.bot.id].role_ids[0]
        place = guild.roles[bot_role].position
        cases = {
            world.create_role(DEMO_GUILD_ID, "Above", position=place + 1): "not below the bot's highest role",
            world.create_role(DEMO_GUILD_ID, "Booster", position=1, managed=True): "managed by an integration",
            DEMO_GUILD_ID: "@everyone",
            NOBODY: "no such role",
            bot_role: "managed",
        }
        for role_id, reason in cases.items():
            assert reason in str(await roles.problem(DEMO_GUILD_ID, role_id))
            with pytest.raises(ForbiddenError):
                await roles.give(DEMO_GUILD_ID, member, role_id, "x")
        # Of two at one place the older is the higher: a newer one can be given, an older one not.
        newer = world.create_role(DEMO_GUILD_ID, "Newer", position=place)
        assert await roles.problem(DEMO_GUILD_ID, newer) is None
        assert await roles.give(DEMO_GUILD_ID, member, newer, "x")
        moderator = world.create_role(DEMO_GUILD_ID, "Moderator", 1 << 3, position=1)
        assert "moderator's permissions (Administrator)" in str(await roles.problem(DEMO_GUILD_ID, moderator))
        world.update_role(DEMO_GUILD_ID, bot_role, permissions=0)
        assert "Manage Roles" in str(await roles.problem(DEMO_GUILD_ID, fine))
        with pytest.raises(ForbiddenError):
            await roles.give(DEMO_GUILD_ID, member, fine, "x")
        assert await roles.problem(NOBODY, fine) == "the bot is not in this guild"


async def test_discord_away_or_limiting_for_long_is_unavailable_and_a_short_limit_is_waited_for() -> None:
    async with discord() as (sim, roles, role_id):
        user = members(sim)[0]
        sim.fault("rest", route=PUT, status=429, count=1, retry_after_s=0.05)
        assert await roles.give(DEMO_GUILD_ID, user, role_id, "x")
        sim.fault("rest", route=PUT, status=503, count=5)
        with pytest.raises(UnavailableError):
            await roles.give(DEMO_GUILD_ID, user, role_id, "x")
        sim.fault("clear_rest")
        sim.fault("rest", route=PUT, status=429, count=1, retry_after_s=60.0, scope="shared")
        with pytest.raises(UnavailableError):
            await roles.give(DEMO_GUILD_ID, user, role_id, "x")


async def test_a_run_gives_and_takes_in_discord_what_it_should_and_nothing_else(sqlite_world: World) -> None:
    async with discord(GUILD) as (sim, roles, role_id):
        for user_id in (11, 12, 13, 14, 15, 20):
            sim.world.add_member(GUILD, f"Member {user_id}", user_id=user_id)
        sim.world.give_role(GUILD, 20, role_id)
        await make_rule(sqlite_world, 100, role_id=role_id, remove_below=True)
        await end_period(sqlite_world, 3, {11: 100, 12: 300, 13: 99, 14: 300, 99: 300})
        await worker(sqlite_world, discord=roles).work()
        assert holders(sim, role_id, GUILD) == {11, 12, 14, 20}
        sim.world.remove_member(GUILD, 14)
        await end_period(sqlite_world, 4, {11: 100, 15: 100})
        await worker(sqlite_world, discord=roles).work()
        assert holders(sim, role_id, GUILD) == {11, 15, 20}
        assert await granted(sqlite_world) == {11, 15}
        reasons = {change.reason for change in sim.rest.guilds.role_changes}
        assert all(reason.startswith("Rollcall: ") for reason in reasons)


async def test_a_role_moved_above_the_bot_while_a_run_goes_on_is_never_given(sqlite_world: World) -> None:
    async with discord(GUILD) as (sim, roles, role_id):
        for user_id in range(100, 125):
            sim.world.add_member(GUILD, f"Member {user_id}", user_id=user_id)
        rule = await make_rule(sqlite_world, 100, role_id=role_id)
        await end_period(sqlite_world, 3, dict.fromkeys(range(100, 125), 200))
        [run] = await runs(sqlite_world)
        at_work = worker(sqlite_world, discord=roles)
        await at_work.step(run["run_id"])
        sim.world.update_role(GUILD, role_id, position=50)
        await at_work.work()
        assert len(sim.rest.guilds.role_changes) == 10
        assert "highest role" in str((await stored_rule(sqlite_world, rule)).last_error)
        assert [row["state"] for row in await runs(sqlite_world)] == ["failed"]


@pytest.mark.parametrize("done", [False, True])
async def test_an_answer_that_is_lost_is_asked_for_again(sqlite_world: World, done: bool) -> None:  # noqa: FBT001
    async with discord(GUILD) as (sim, roles, role_id):
        for user_id in range(100, 105):
            sim.world.add_member(GUILD, f"Member {user_id}", user_id=user_id)
        await make_rule(sqlite_world, 100, role_id=role_id, remove_below=True)
        await end_period(sqlite_world, 3, dict.fromkeys(range(100, 105), 200))
        sim.fault("rest", route=PUT, status=500, count=2, done=done)
        await worker(sqlite_world, discord=roles).work()
        sim.fault("clear_rest")
        sqlite_world.clock.advance(RETRY_MS)
        await worker(sqlite_world, discord=roles).work()
        assert holders(sim, role_id, GUILD) == set(range(100, 105)) == await granted(sqlite_world)


async def test_the_list_of_entitlements_is_read_whole() -> None:
    settings = Settings(speed=0, guilds=1, members=5, enforce_rest_limits=False)
    async with running_simulator(settings) as sim, open_entitlements(sim.token, sim.rest_url) as source:
        assert await source.entitlements() == []
        desk = sim.rest.entitlements
        ids = [desk.create(DEMO_GUILD_ID, 900, starts_at_ms=1_000) for _ in range(205)]
        desk.delete(ids[0])
        desk.create(DEMO_GUILD_ID, 900, ends_at_ms=1_000)
        found = await source.entitlements()
        assert [one.entitlement_id for one in found] == ids[1:]
        assert found[0] == Entitlement(ids[1], DEMO_GUILD_ID, 900, 1_000, None, deleted=False)
        sim.fault("rest", status=500, count=50)
        with pytest.raises(UnavailableError):
            await source.entitlements()
