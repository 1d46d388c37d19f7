"""What a run does about each member, and what it leaves alone; on both databases."""

from __future__ import annotations

import asyncio

import pytest

from attendance.domain.ids import ChannelId, RoleId
from attendance.domain.role_rules import Scope
from attendance.errors import ForbiddenError, InvalidInputError, UnavailableError
from attendance.ports.guild_roles import GuildRoles
from attendance.services.role_runs import KEPT_MS, MEMBERS_A_STEP, RETRY_MS
from attendance.store import schema
from attendance.store.role_rules import SqlRoleRuleStore
from attendance.store.role_runs import SqlRoleRunStore, forget_member
from tests.api_world import GUILD, FakeRoles, World
from tests.role_world import ROLE, SYSTEM, ask, changes, end_period, granted, make_rule, runs, stored_rule, worker


async def test_a_period_s_end_gives_the_role_to_who_reached_it(world: World) -> None:
    rule = await make_rule(world, 100)
    await end_period(world, 3, {11: 99, 12: 100, 13: 500})
    [run] = await runs(world)
    assert (run["rule_id"], run["period_index"], run["state"]) == (rule.rule_id, 3, "due")
    assert await worker(world).work() == 1
    assert world.roles.held[ROLE] == {12, 13} == await granted(world)
    [run] = await runs(world)
    assert (run["state"], run["error"], run["claimed_by"]) == ("done", None, None)
    assert await changes(world) == {12: ("grant", "done", None), 13: ("grant", "done", None)}
    assert await worker(world).work() == 0


async def test_a_guild_without_rules_has_no_runs(world: World) -> None:
    await end_period(world, 3, {11: 99})
    assert await runs(world) == []


@pytest.mark.slow
async def test_only_who_has_it_by_the_rule_ever_loses_it(world: World) -> None:
    rule = await make_rule(world, 100, remove_below=True)
    world.roles.held[ROLE] = {12, 20}  # 20 got it from somebody, and 12 before they reached it
    await end_period(world, 3, {11: 200, 12: 200, 20: 5})
    await worker(world).work()
    assert await granted(world) == {11}
    assert (await changes(world))[12] == ("grant", "done", "had the role already")
    await end_period(world, 4, {11: 5, 12: 5})
    await worker(world).work()
    assert world.roles.held[ROLE] == {12, 20}
    assert await granted(world) == set()
    assert (await stored_rule(world, rule)).last_error is None


async def test_nobody_loses_it_unless_the_rule_says_so(world: World) -> None:
    await make_rule(world, 100)
    await end_period(world, 3, {11: 200})
    await worker(world).work()
    await end_period(world, 4, {})
    await worker(world).work()
    assert world.roles.held[ROLE] == {11} == await granted(world)


@pytest.mark.slow
async def test_who_comes_back_without_the_role_gets_it_again(world: World) -> None:
    await make_rule(world, 100)
    await end_period(world, 3, {11: 200, 12: 200})
    await worker(world).work()
    world.roles.held[ROLE] = {12}  # left the guild and came back
    await end_period(world, 4, {11: 200, 12: 200})
    await worker(world).work()
    assert world.roles.held[ROLE] == {11, 12} == await granted(world)
    assert [call for call in world.roles.calls if call[1] == 12] == [("give", 12)]


async def test_who_left_the_guild_is_passed_over(world: World) -> None:
    await make_rule(world, 100, remove_below=True)
    await end_period(world, 3, {11: 200, 12: 200})
    await worker(world).work()
    world.roles.gone = {11, 12, 13}
    world.clock.advance(1_000)
    await end_period(world, 4, {12: 200, 13: 200})
    await worker(world).work()
    assert await granted(world) == set()
    last = (await runs(world))[-1]["run_id"]
    notes = {user: row[2] for user, row in (await changes(world, last)).items()}
    assert notes == dict.fromkeys((11, 12, 13), "is no member any more")


async def test_a_lifetime_adds_up_all_periods(world: World) -> None:
    await make_rule(world, 100, scope=Scope.LIFETIME)
    await end_period(world, 3, {11: 60, 12: 10})
    await worker(world).work()
    assert await granted(world) == set()
    await end_period(world, 4, {11: 39, 12: 10})
    await world.session(11, 1_000, period_index=5)
    await worker(world).work()
    assert await granted(world) == {11}


@pytest.mark.parametrize("named", [50, 52])  # the channel, and the category that it is in
@pytest.mark.parametrize("scope", list(Scope))
async def test_only_time_in_the_rule_s_channels_counts(world: World, scope: Scope, named: int) -> None:
    await make_rule(world, 100, scope=scope, channel_ids=(ChannelId(named),))
    for user_id, lobby, stage in ((11, 60, 500), (12, 100, 0), (13, 0, 500)):
        for channel_id, seconds in ((50, lobby), (51, stage)):
            if seconds:
                await world.session(user_id, seconds * 1000, channel_id=channel_id)
    await end_period(world, 3, {})
    await worker(world).work()
    assert await granted(world) == {12}


@pytest.mark.slow
async def test_an_archive_stands_whatever_is_corrected_later(world: World) -> None:
    rule = await make_rule(world, 100)
    await end_period(world, 3, {11: 50, 12: 200})
    this = schema.period_member.c.guild_id == GUILD
    await world.change(schema.period_member, this, credited_ms=1_000_000)
    await worker(world).work()
    assert await granted(world) == {12}
    await ask(world, rule)
    await worker(world).work()
    assert await granted(world) == {12}


@pytest.mark.slow
@pytest.mark.parametrize("channel_id", [50, 51])
async def test_over_all_time_what_was_corrected_later_counts_where_it_was(world: World, channel_id: int) -> None:
    everywhere = await make_rule(world, 100, scope=Scope.LIFETIME)
    lobby = await make_rule(world, 100, scope=Scope.LIFETIME, role_id=ROLE + 1, channel_ids=(ChannelId(50),))
    await end_period(world, 3, {11: 60, 12: 100})
    for user_id, seconds in ((11, 40), (12, -1)):
        await world.put(
            schema.correction, correction_id=world.ids.session_id(0), guild_id=GUILD, session_id=world.ids.session_id(0),
            user_id=user_id, channel_id=channel_id, period_index=3, at_ms=0, delta_ms=seconds * 1000, actor_id=7, note="",
            created_at_ms=0, after_archive=True,
        )  # fmt: skip
    for rule in (everywhere, lobby):
        await ask(world, rule)
    await worker(world).work()
    assert world.roles.held[ROLE] == {11}
    assert world.roles.held[ROLE + 1] == ({11} if channel_id == 50 else {12})


@pytest.mark.slow
async def test_on_demand_looks_at_the_last_archived_period_and_at_nothing_before_there_is_one(world: World) -> None:
    rule = await make_rule(world, 100, remove_below=True)
    await world.put(schema.role_grant, guild_id=GUILD, rule_id=rule.rule_id, user_id=40, granted_at_ms=0)
    await world.session(11, 500_000)
    await ask(world, rule)
    await worker(world).work()
    assert await granted(world) == {40}
    await end_period(world, 3, {})
    await worker(world).work()
    await end_period(world, 4, {11: 1, 12: 500})
    await ask(world, rule)
    await worker(world).work()
    assert await granted(world) == {12}


@pytest.mark.slow
async def test_two_rules_for_one_role_do_not_take_it_from_each_other(world: World) -> None:
    await make_rule(world, 100, remove_below=True)
    await make_rule(world, 50, scope=Scope.LIFETIME, remove_below=True)
    await end_period(world, 3, {11: 200})
    await worker(world).work()
    assert {call for call in world.roles.calls if call[0] == "give"} == {("give", 11)}  # both may ask at once
    await end_period(world, 4, {11: 10})
    await worker(world).work()
    assert world.roles.held[ROLE] == {11}
    assert [call for call in world.roles.calls if call[0] == "take"] == []


async def test_a_run_on_demand_is_not_doubled(world: World) -> None:
    rule = await make_rule(world)
    first, second = await asyncio.gather(ask(world, rule), ask(world, rule))
    assert first == second
    await worker(world).work()
    assert await ask(world, rule) != first


@pytest.mark.slow
async def test_a_rule_that_changes_is_judged_anew_and_what_waits_is_forgotten(world: World) -> None:
    rule = await make_rule(world, 100)
    store = SqlRoleRunStore(world.database)
    many = dict.fromkeys(range(100, 100 + 2 * MEMBERS_A_STEP), 150)
    await end_period(world, 3, {**many, 11: 300})
    [run_id] = await store.due(world.clock.now_ms(), 5)
    assert await worker(world).step(run_id)
    assert len(await granted(world)) == MEMBERS_A_STEP
    await SqlRoleRuleStore(world.database).change(GUILD, rule.rule_id, {"threshold_seconds": 200}, SYSTEM, 1)
    assert [row["state"] for row in await runs(world)] == ["due"]
    await worker(world).work()
    assert 11 in await granted(world)
    assert len(await granted(world)) == MEMBERS_A_STEP  # 11 was the first of the first step
    [run] = (await store.page(GUILD, rule.rule_id, 10, 0))[0]
    assert (run.waiting, run.state) == (0, "done")


async def test_with_another_role_nobody_has_it_by_the_rule_yet(world: World) -> None:
    rule = await make_rule(world, 100, remove_below=True)
    await end_period(world, 3, {11: 300})
    await worker(world).work()
    await SqlRoleRuleStore(world.database).change(GUILD, rule.rule_id, {"role_id": RoleId(ROLE + 1)}, SYSTEM, 1)
    assert await granted(world) == set()
    await ask(world, rule)
    await worker(world).work()
    assert world.roles.held == {ROLE: {11}, ROLE + 1: {11}}


async def test_a_rule_that_is_removed_takes_its_runs_along_and_leaves_the_role(world: World) -> None:
    rule = await make_rule(world, 100)
    await end_period(world, 3, {11: 300})
    await worker(world).work()
    await ask(world, rule)
    assert await SqlRoleRuleStore(world.database).remove(GUILD, rule.rule_id, SYSTEM, 1)
    assert await worker(world).work() == 0
    assert (await runs(world), await changes(world), await granted(world)) == ([], {}, set())
    assert world.roles.held[ROLE] == {11}


async def test_a_role_that_cannot_be_given_fails_the_run_and_the_rule_says_why_until_it_can(world: World) -> None:
    rule = await make_rule(world, 100)
    world.roles.problems[ROLE] = "it is above the bot"
    await end_period(world, 3, {11: 300})
    await worker(world).work()
    [run] = await runs(world)
    assert (run["state"], run["error"]) == ("failed", "it is above the bot")
    assert (await stored_rule(world, rule)).last_error == "it is above the bot"
    assert world.roles.calls == []
    world.roles.problems.clear()
    await ask(world, rule)
    await worker(world).work()
    assert (await stored_rule(world, rule)).last_error is None
    assert await granted(world) == {11}


class Refusing(FakeRoles):
    """Discord that refuses, or is away, at the n-th giving; or refuses one member only."""

    def __init__(self, error: type[Exception], at: int) -> None:
        super().__init__()
        self.error, self.at = error, at

    async def give(self, guild_id: int, user_id: int, role_id: int, reason: str) -> bool:
        if len(self.calls) == self.at:
            self.at = -1
            raise self.error("no")
        return await super().give(guild_id, user_id, role_id, reason)


async def test_a_refusal_for_everybody_ends_the_run_and_nobody_is_noted_to_have_what_they_have_not(world: World) -> None:
    rule = await make_rule(world, 100)
    await end_period(world, 3, dict.fromkeys(range(11, 16), 300))
    world.roles = Refusing(ForbiddenError, 2)
    await worker(world).work()
    [run] = await runs(world)
    assert (run["state"], run["error"]) == ("failed", "no")
    assert await granted(world) == {11, 12} == world.roles.held[ROLE]
    [shown] = (await SqlRoleRunStore(world.database).page(GUILD, rule.rule_id, 10, 0))[0]
    assert (shown.granted, shown.failed) == (2, 3)
    await ask(world, rule)
    await worker(world).work()
    assert await granted(world) == set(range(11, 16))


async def test_a_refusal_for_one_member_is_theirs_alone(world: World) -> None:
    await make_rule(world, 100)
    await end_period(world, 3, dict.fromkeys(range(11, 16), 300))
    world.roles = Refusing(InvalidInputError, 2)
    await worker(world).work()
    assert [row["state"] for row in await runs(world)] == ["done"]
    assert (await changes(world))[13] == ("grant", "failed", "no")
    assert await granted(world) == {11, 12, 14, 15}


async def test_discord_away_only_delays(world: World) -> None:
    await make_rule(world, 100)
    await end_period(world, 3, dict.fromkeys(range(11, 16), 300))
    world.roles = Refusing(UnavailableError, 2)
    port: GuildRoles = world.roles
    assert await worker(world, discord=port).work() == 1
    assert [row["state"] for row in await runs(world)] == ["judged"]
    assert await worker(world).work() == 0
    world.clock.advance(RETRY_MS)
    await worker(world).work()
    assert [row["state"] for row in await runs(world)] == ["done"]
    assert await granted(world) == set(range(11, 16)) == world.roles.held[ROLE]
    assert len(world.roles.calls) == 5


async def test_of_several_periods_that_waited_only_the_last_is_judged(world: World) -> None:
    await make_rule(world, 100, remove_below=True)
    await end_period(world, 3, {11: 300})
    world.clock.advance(1_000)
    await end_period(world, 4, {12: 300})
    await worker(world).work()
    assert world.roles.calls == [("give", 12)]
    assert [row["state"] for row in await runs(world)] == ["done", "done"]


@pytest.mark.slow
async def test_an_erased_member_drops_out_of_a_run_that_is_under_way(world: World) -> None:
    await make_rule(world, 100)
    store = SqlRoleRunStore(world.database)
    await end_period(world, 3, dict.fromkeys(range(100, 125), 300))
    [run_id] = await store.due(world.clock.now_ms(), 5)
    await worker(world).step(run_id)
    async with world.database.transaction() as connection:
        await forget_member(connection, GUILD, 100)
        await forget_member(connection, GUILD, 120)
    # 121 is erased by somebody who does not know of the run
    await world.put(
        schema.erasure, erasure_id=world.ids.session_id(0), guild_id=GUILD, user_id=121, requested_by=121, requested_at_ms=0,
        due_at_ms=0, state="done", ended_at_ms=world.clock.now_ms(),
    )  # fmt: skip
    await worker(world).work()
    assert await granted(world) == set(range(101, 125)) - {120, 121}
    assert not {120, 121} & world.roles.held[ROLE]


async def test_old_runs_go(world: World) -> None:
    await make_rule(world, 100)
    await end_period(world, 3, {11: 300})
    await worker(world).work()
    assert await worker(world).trim() == 0
    world.clock.advance(KEPT_MS + 1)
    assert await worker(world).trim() == 1
    assert (await runs(world), await changes(world), await granted(world)) == ([], {}, {11})
