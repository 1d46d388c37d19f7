"""What operators do to accounts, over both databases: who is refused, what is written down, and what happens at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from attendance.clock import FixedClock
from attendance.config import load_settings
from attendance.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    RollcallError,
    UnavailableError,
)
from attendance.sql.database import Database
from attendance.wiring.dashboard import migrate_dashboard
from dashboard.domain.activity import ACTIVITY_MS, Action
from dashboard.domain.ids import RoleId, UserId
from dashboard.domain.roles import MOST_ROLES, SUPER_ADMIN, Permission
from dashboard.domain.sessions import KEPT_MS, SESSION_MS
from dashboard.services.accounts import Accounts, Actor
from dashboard.services.roles import Roles
from dashboard.services.upkeep import Upkeep, kept_up
from dashboard.store.accounts import SqlAccountStore
from dashboard.store.activity import SqlActivityLog
from dashboard.store.sessions import SqlSessionStore
from dashboard.store.steps import STEPS
from tests.accounts_world import ANNA, BEN, CARL, NOW, ROOT, entry, give, make_role, shut_out, sign_in

CHIEF = make_role("chief", 100, Permission.VIEW_ADMIN, Permission.MANAGE_USERS)
WARDEN = make_role("warden", 50, Permission.VIEW_ADMIN, Permission.MANAGE_USERS)
WRITER = make_role("writer", 30, Permission.MANAGE_USERS)
PLAIN = make_role("plain", 10)
NOBODY = UserId(404)


class World:
    """A deployment: ROOT by the settings; ANNA a chief, BEN a warden, CARL without a role."""

    def __init__(self, database: Database) -> None:
        self.store, self.log, self.sessions = SqlAccountStore(database), SqlActivityLog(database), SqlSessionStore(database)
        self.clock = FixedClock(NOW)
        self.accounts = Accounts(store=self.store, log=self.log, clock=self.clock, configured=frozenset({ROOT}))
        self.roles = Roles(self.accounts)

    async def settle(self) -> None:
        for user_id in (ROOT, ANNA, BEN, CARL):
            await sign_in(self.sessions, user_id, f"cookie of {user_id}")
        await give(self.store, ANNA, CHIEF)
        await give(self.store, BEN, WARDEN)
        for role in (WRITER, PLAIN):
            await self.store.create_role(await self.store.version(), role, entry(ROOT, Action.ROLE_CREATED))

    async def held(self, user_id: UserId) -> set[str]:
        return {role.role_id for role in (await self.store.user(user_id)).roles}

    async def last(self) -> tuple[int, str, str, str | None, int | None]:
        entries, _ = await self.log.page(None, None, 1, 0)
        one = entries[0].activity
        return one.user_id, one.action.value, one.details, one.address, one.subject_id


@pytest.fixture
async def world(accounts_database: Database) -> World:
    made = World(accounts_database)
    await made.settle()
    return made


def by(user_id: UserId) -> Actor:
    return Actor(user_id, "198.51.100.7")


async def test_a_ban_ends_sessions_at_once_and_says_who_why_and_from_where(world: World) -> None:
    cookie = (await world.sessions.of_user(CARL))[0].key
    listed = await world.accounts.ban(by(ANNA), CARL, "  sold\naccounts ")
    assert (listed.ban.reason, listed.ban.banned_by) == ("sold accounts", ANNA)
    assert await world.sessions.find(cookie, NOW) is None
    assert await world.last() == (ANNA, "ban", f"Banned {CARL}: sold accounts", "198.51.100.7", CARL)
    with pytest.raises(ConflictError, match="already"):
        await world.accounts.ban(by(ANNA), CARL, "again")
    assert (await world.accounts.unban(by(ANNA), CARL, "appealed")).ban is None
    assert (await world.last())[1:3] == ("unban", f"Unbanned {CARL}: appealed")
    with pytest.raises(ConflictError, match="not banned"):
        await world.accounts.unban(by(ANNA), CARL, None)


async def test_roles_are_given_and_taken(world: World) -> None:
    assert [role.role_id for role in (await world.accounts.assign(by(ANNA), CARL, PLAIN.role_id)).roles] == ["plain"]
    assert await world.last() == (ANNA, "role_assigned", f"Gave the role plain to {CARL}", "198.51.100.7", CARL)
    with pytest.raises(ConflictError, match="already"):
        await world.accounts.assign(by(ANNA), CARL, PLAIN.role_id)
    assert (await world.accounts.remove(by(ANNA), CARL, PLAIN.role_id)).roles == ()
    assert (await world.last())[1] == "role_removed"
    with pytest.raises(NotFoundError, match="does not have"):
        await world.accounts.remove(by(ANNA), CARL, PLAIN.role_id)


async def test_roles_are_made_changed_and_deleted(world: World) -> None:
    new = make_role("night", 40, Permission.VIEW_ADMIN)
    await world.roles.create(by(ANNA), new)
    assert (await world.last())[1:3] == ("role_created", "night (Night, #2196F3, priority 40: view_admin)")
    with pytest.raises(ConflictError, match="already"):
        await world.roles.create(by(ANNA), new)
    await world.roles.change(by(ANNA), replace(new, priority=41))
    assert await world.store.role(new.role_id) == replace(new, priority=41)
    await world.accounts.assign(by(ANNA), CARL, new.role_id)
    await world.roles.delete(by(ANNA), new.role_id)
    assert await world.held(CARL) == set()
    assert [role.role_id for role in await world.roles.all(by(BEN))] == ["super_admin", "chief", "warden", "writer", "plain"]


async def test_what_is_refused_changes_nothing_and_is_not_written_down(world: World) -> None:
    attempts = {
        "ban oneself": world.accounts.ban(by(ANNA), ANNA, "why not"),
        "ban above": world.accounts.ban(by(BEN), ANNA, "mutiny"),
        "ban the settings'": world.accounts.ban(by(ANNA), ROOT, "mutiny"),
        "raise oneself": world.accounts.assign(by(BEN), BEN, PLAIN.role_id),
        "give what is as high": world.accounts.assign(by(BEN), CARL, WARDEN.role_id),
        "give what is higher": world.accounts.assign(by(BEN), CARL, SUPER_ADMIN.role_id),
        "take from above": world.accounts.remove(by(BEN), ANNA, CHIEF.role_id),
        "make a higher one": world.roles.create(by(BEN), make_role("boss", 60)),
        "make a mightier one": world.roles.create(by(BEN), make_role("dev", 1, Permission.VIEW_DEVOPS)),
        "lift one's own": world.roles.change(by(BEN), replace(WARDEN, priority=49)),
        "add what one lacks": world.roles.change(by(BEN), replace(PLAIN, permissions=frozenset({Permission.VIEW_DEVOPS}))),
        "change the built-in": world.roles.change(by(ROOT), replace(SUPER_ADMIN, name="Root")),
        "delete the built-in": world.roles.delete(by(ROOT), SUPER_ADMIN.role_id),
        "delete a higher one": world.roles.delete(by(BEN), CHIEF.role_id),
        "without the right": world.accounts.ban(by(CARL), NOBODY, "x"),  # not told who is there
        "a stranger": world.roles.delete(by(NOBODY), RoleId("none")),
    }
    before = [await world.store.users(None, 10, 0), await world.store.roles(), (await world.log.page(None, None, 1, 0))[1]]
    refused = []
    for what, attempt in attempts.items():
        with pytest.raises(ForbiddenError):
            await attempt
        refused.append(what)
    assert refused == list(attempts)
    assert before == [
        await world.store.users(None, 10, 0),
        await world.store.roles(),
        (await world.log.page(None, None, 1, 0))[1],
    ]


async def test_what_is_not_there_is_said_to_be_not_there(world: World) -> None:
    for attempt in (
        world.accounts.ban(by(ANNA), NOBODY, "x"),
        world.accounts.unban(by(ANNA), NOBODY, None),
        world.accounts.assign(by(ANNA), NOBODY, PLAIN.role_id),
        world.accounts.assign(by(ANNA), CARL, RoleId("none")),
        world.accounts.remove(by(ANNA), CARL, RoleId("none")),
        world.accounts.user(by(ANNA), NOBODY),
        world.roles.change(by(ANNA), make_role("none", 1)),
        world.roles.delete(by(ANNA), RoleId("none")),
    ):
        with pytest.raises(NotFoundError):
            await attempt


async def test_reading_needs_view_admin_even_of_who_may_write(world: World) -> None:
    await give(world.store, CARL, WRITER)
    for attempt in (
        world.accounts.users(by(CARL), None, 10, 0),
        world.accounts.user(by(CARL), CARL),
        world.accounts.activity(by(CARL), None, None, 10, 0),
        world.roles.all(by(CARL)),
    ):
        with pytest.raises(ForbiddenError, match="view_admin"):
            await attempt
    assert (await world.accounts.users(by(BEN), "user1", 10, 0))[1] == 4
    assert (await world.accounts.activity(by(BEN), CARL, Action.LOGIN, 10, 0))[1] == 1


async def test_a_banned_operator_may_nothing(world: World) -> None:
    await shut_out(world.store, ANNA)
    with pytest.raises(ForbiddenError):
        await world.accounts.ban(by(ANNA), CARL, "revenge")
    with pytest.raises(ForbiddenError):  # nor be let in by who may not act on them
        await world.accounts.unban(by(BEN), ANNA, None)
    await world.accounts.unban(by(ROOT), ANNA, None)
    await world.accounts.ban(by(ANNA), CARL, "spam")


async def test_a_ban_needs_a_reason(world: World) -> None:
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InvalidInputError):
            await world.accounts.ban(by(ANNA), CARL, reason)
    assert (await world.store.user(CARL)).ban is None


async def test_the_number_of_roles_is_bounded(world: World) -> None:
    for number in range(MOST_ROLES - len(await world.store.roles())):
        await world.roles.create(by(ANNA), make_role(f"role{number}", 1))
    with pytest.raises(ConflictError, match="no room"):
        await world.roles.create(by(ANNA), make_role("last", 1))


async def outcomes(*attempts: object) -> list[type[BaseException] | None]:
    done = await asyncio.gather(*attempts, return_exceptions=True)
    unexpected = [one for one in done if isinstance(one, BaseException) and not isinstance(one, RollcallError)]
    assert unexpected == []
    return [type(one) if isinstance(one, BaseException) else None for one in done]


async def test_of_two_super_admins_who_lay_it_down_at_once_one_stays(accounts_database: Database) -> None:
    world = World(accounts_database)
    alone = replace(world.accounts, configured=frozenset())  # the settings name nobody (any more)
    for attempt in range(5):
        pair = UserId(1000 + 2 * attempt), UserId(1001 + 2 * attempt)
        for user_id in pair:
            await sign_in(world.sessions, user_id)
            await give(world.store, user_id, SUPER_ADMIN)
        done = await outcomes(*(alone.remove(by(user_id), user_id, SUPER_ADMIN.role_id) for user_id in pair))
        assert sorted(done, key=str) == sorted([None, ConflictError], key=str)
        left = pair[done.index(ConflictError)]
        await world.accounts.remove(by(ROOT), left, SUPER_ADMIN.role_id)  # for the next round


async def test_two_operators_who_remove_each_other_at_once_cannot_both(world: World) -> None:
    """BEN is lifted above ANNA while both reach for the other: whichever way it goes, it is one of the orders."""
    await world.roles.create(by(ROOT), make_role("boss", 200, Permission.VIEW_ADMIN, Permission.MANAGE_USERS))
    for _ in range(5):
        lifted, ben, anna = await outcomes(
            world.accounts.assign(by(ROOT), BEN, RoleId("boss")),
            world.accounts.ban(by(BEN), ANNA, "me first"),
            world.accounts.ban(by(ANNA), BEN, "no, me"),
        )
        assert lifted is None
        assert ben is None or anna is None or {ben, anna} == {ForbiddenError}
        assert ben is not None or anna is not None, "both were banned by somebody who was banned"
        if ben is None:
            assert (await world.store.user(ANNA)).ban is not None
        for user_id in (ANNA, BEN):
            if (await world.store.user(user_id)).ban is not None:
                await world.accounts.unban(by(ROOT), user_id, None)
        await world.accounts.remove(by(ROOT), BEN, RoleId("boss"))


async def test_many_changes_at_once_are_all_made(world: World) -> None:
    new = [make_role(f"role{number}", number) for number in range(8)]
    assert await outcomes(*(world.roles.create(by(ANNA), one) for one in new)) == [None] * 8
    assert await outcomes(*(world.accounts.assign(by(ANNA), CARL, one.role_id) for one in new)) == [None] * 8
    assert await world.held(CARL) == {one.role_id for one in new}
    created = (await world.log.page(ANNA, Action.ROLE_CREATED, 1, 0))[1]
    assert created == 8


async def test_who_is_busy_for_ever_is_told_to_come_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def moved(*_: object) -> bool:
        return False

    monkeypatch.setattr(SqlAccountStore, "ban", moved)
    with pytest.raises(ConflictError, match="try again"):
        await world.accounts.ban(by(ANNA), CARL, "spam")


async def test_a_role_is_not_given_after_it_was_made_mightier_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between BEN's decision and its writing, ANNA lifts the role: BEN's is decided again, and refused."""
    write = SqlAccountStore.assign

    async def late(store: SqlAccountStore, *arguments: object) -> bool:
        monkeypatch.setattr(SqlAccountStore, "assign", write)
        await world.roles.change(by(ANNA), replace(PLAIN, priority=60))
        return await write(store, *arguments)

    monkeypatch.setattr(SqlAccountStore, "assign", late)
    with pytest.raises(ForbiddenError):
        await world.accounts.assign(by(BEN), CARL, PLAIN.role_id)
    assert await world.held(CARL) == set()


async def test_what_is_old_enough_is_deleted(world: World) -> None:
    upkeep = Upkeep(world.log, world.sessions, world.clock)
    assert await upkeep.run() == 0
    world.clock.advance(SESSION_MS + KEPT_MS + 1)
    await world.log.add(entry(ANNA, Action.LOGOUT, world.clock.now_ms()))
    assert await upkeep.run() == 4  # the sessions
    world.clock.advance(ACTIVITY_MS - 1)
    assert await upkeep.run() > 0
    entries, _ = await world.log.page(None, None, 100, 0)
    assert [one.activity.action for one in entries] == [Action.LOGOUT]


class AwayThenFull:
    """Rows that cannot be reached at first, and then are old, once."""

    def __init__(self) -> None:
        self.asked, self.emptied = 0, asyncio.Event()

    async def delete_before(self, _at_ms: int, most: int) -> int:
        self.asked += 1
        if self.asked == 1:
            raise UnavailableError("the database is not available")
        if self.asked == 2:
            return most
        self.emptied.set()
        return 0


async def test_upkeep_looks_again_after_a_failure_and_ends_with_its_block() -> None:
    rows = AwayThenFull()
    async with kept_up(Upkeep(rows, rows, FixedClock(NOW)), seconds_between=0):
        await asyncio.wait_for(rows.emptied.wait(), 60)
    asked = rows.asked
    await asyncio.sleep(0)
    assert rows.asked == asked


async def test_rollcall_migrate_prepares_the_database_that_the_settings_name(empty_database: Database) -> None:
    url = empty_database.url.render_as_string(hide_password=False)
    assert await migrate_dashboard(load_settings({})) is None
    assert await migrate_dashboard(load_settings({"ROLLCALL_DASHBOARD_DATABASE_URL": url})) == STEPS.head_revision()
    await STEPS.prepare(empty_database)
    assert await SqlAccountStore(empty_database).roles() == [SUPER_ADMIN]
