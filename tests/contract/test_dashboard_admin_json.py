"""``/auth/admin/*`` by the reference contract, against every kind of caller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import update

from attendance.sql.database import Database
from dashboard.domain.ids import UserId
from dashboard.domain.roles import Permission, Role
from dashboard.store import schema
from dashboard.store.accounts import SqlAccountStore
from tests.accounts_world import give, make_role, shut_out
from tests.dashboard_world import OPERATOR, DashboardWorld, form_token

CHIEF = make_role("chief", 100, Permission.VIEW_ADMIN, Permission.MANAGE_USERS)
READER = make_role("reader", 20, Permission.VIEW_ADMIN)
WRITER = make_role("writer", 30, Permission.MANAGE_USERS)
BOSS, LOOKER, EDITOR, PLAIN = 101, 102, 103, 104
ROLE = {"id": "night", "name": "Night", "color": "#2196f3", "priority": 5, "permissions": ["view_admin"]}

READS = ["/auth/admin/users", "/auth/admin/roles", "/auth/admin/activity"]
WRITES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/auth/admin/users", {"user_id": str(PLAIN), "action": "ban", "reason": "Spam"}),
    ("POST", "/auth/admin/roles", ROLE),
    ("PUT", "/auth/admin/roles/reader", {name: ROLE[name] for name in ROLE if name != "id"}),
    ("DELETE", "/auth/admin/roles/reader", None),
    ("POST", "/auth/admin/user-roles", {"user_id": str(PLAIN), "role_id": "reader"}),
    ("DELETE", "/auth/admin/user-roles", {"user_id": str(LOOKER), "role_id": "reader"}),
]


class Caller:
    """A browser of somebody, whose writes carry the token of a form."""

    def __init__(self, browser: AsyncClient, token: str) -> None:
        self.browser, self.token = browser, token

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        sent = {"X-CSRF-Token": self.token} if method != "GET" else {}
        return await self.browser.request(method, path, json=body, headers={**sent, **headers})


@pytest.fixture
async def store(sqlite_accounts_database: Database) -> SqlAccountStore:
    return SqlAccountStore(sqlite_accounts_database)


async def caller(dashboard: DashboardWorld, user_id: int) -> Caller:
    browser = await dashboard.signed_in(user_id)
    return Caller(browser, form_token(await browser.get("/")))


@pytest.fixture
async def people(dashboard: DashboardWorld, store: SqlAccountStore) -> AsyncIterator[dict[str, Caller]]:
    made = {
        name: await caller(dashboard, user_id)
        for name, user_id in {
            "operator": OPERATOR,
            "boss": BOSS,
            "looker": LOOKER,
            "editor": EDITOR,
            "plain": PLAIN,
        }.items()
    }
    given: dict[int, Role] = {BOSS: CHIEF, LOOKER: READER, EDITOR: WRITER}
    for user_id, role in given.items():
        await give(store, UserId(user_id), role)
    made["nobody"] = Caller(dashboard.browser(), "none")
    yield made
    for one in made.values():
        await one.browser.aclose()


@pytest.mark.parametrize("path", READS)
async def test_reading_needs_view_admin(people: dict[str, Caller], path: str) -> None:
    answers = {name: (await call("GET", path)).status_code for name, call in people.items()}
    assert answers == {"operator": 200, "boss": 200, "looker": 200, "editor": 403, "plain": 403, "nobody": 401}


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_writing_needs_manage_users(people: dict[str, Caller], method: str, path: str, body: Any) -> None:
    for name, status in (("nobody", 403), ("plain", 403), ("looker", 403)):
        answer = await people[name](method, path, body)
        assert answer.status_code == status, name
        assert set(answer.json()) == {"error"}
    assert (await people["operator"](method, path, body)).is_success


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_write_of_nobody_with_a_token_of_their_own_is_401(
    dashboard: DashboardWorld, method: str, path: str, body: Any
) -> None:
    browser = dashboard.browser()
    stranger = Caller(browser, form_token(await browser.get("/")))
    answer = await stranger(method, path, body)
    assert (answer.status_code, answer.json()) == (401, {"error": "sign in first"})
    answer = await Caller(dashboard.browser(), "")(method, path, body, Authorization="Bearer nonsense")
    assert answer.status_code == 401


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_write_by_cookie_needs_the_forms_token_and_by_bearer_none(
    people: dict[str, Caller], dashboard: DashboardWorld, method: str, path: str, body: Any
) -> None:
    boss = people["boss"].browser
    assert (await boss.request(method, path, json=body)).status_code == 403
    assert (await boss.request(method, path, json=body, headers={"X-CSRF-Token": people["plain"].token})).status_code == 403
    token = next(cookie.value for cookie in boss.cookies.jar if cookie.name.endswith("auth_token"))
    async with dashboard.browser() as program:
        answer = await program.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.is_success


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_write_needs_a_fresh_confirmation_by_discord(
    people: dict[str, Caller], dashboard: DashboardWorld, method: str, path: str, body: Any
) -> None:
    dashboard.clock.advance(600_000)
    answer = await people["boss"](method, path, body)
    assert answer.status_code == 403
    assert "confirm" in answer.json()["error"]
    assert (await people["plain"](method, path, body)).json()["error"] == "this needs the permission manage_users"
    assert (await people["boss"]("GET", READS[0])).status_code == 200


async def test_users_are_listed_as_the_contract_says(people: dict[str, Caller]) -> None:
    answer = await people["looker"]("GET", "/auth/admin/users?search=USER10&limit=2&page=2")
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert {name: body[name] for name in ("total", "page", "limit")} == {"total": 4, "page": 2, "limit": 2}
    assert body["users"][0] == {
        "id": str(EDITOR),
        "username": f"user{EDITOR}",
        "global_name": "y u m e",
        "roles": [{"id": "writer", "name": "Writer"}],
        "is_banned": False,
        "created_at": "2027-01-15T08:00:00.000Z",
    }
    everybody = (await people["looker"]("GET", "/auth/admin/users")).json()
    assert (everybody["total"], everybody["page"], everybody["limit"], len(everybody["users"])) == (5, 1, 20, 5)
    assert (await people["looker"]("GET", "/auth/admin/users?page=9")).json()["users"] == []


async def test_a_ban_ends_sessions_at_once_and_keeps_out(people: dict[str, Caller]) -> None:
    assert (await people["plain"]("GET", "/auth/me")).json()["authenticated"] is True
    banned = await people["boss"]("POST", "/auth/admin/users", {"user_id": str(PLAIN), "action": "ban", "reason": "Spam"})
    assert banned.status_code == 200
    assert banned.json()["user"]["is_banned"] is True
    assert (await people["plain"]("GET", "/auth/me")).json() == {"authenticated": False}
    again = await people["boss"]("POST", "/auth/admin/users", {"user_id": str(PLAIN), "action": "ban", "reason": "Spam"})
    assert again.status_code == 409
    lifted = await people["boss"]("POST", "/auth/admin/users", {"user_id": str(PLAIN), "action": "unban"})
    assert lifted.json()["user"]["is_banned"] is False
    assert (await people["plain"]("GET", "/auth/me")).json() == {"authenticated": False}


async def test_a_banned_operator_is_nobody(people: dict[str, Caller], store: SqlAccountStore) -> None:
    await shut_out(store, UserId(BOSS))
    for path in READS:
        assert (await people["boss"]("GET", path)).status_code == 401
    for method, path, body in WRITES:
        assert (await people["boss"](method, path, body)).status_code in (401, 403)


async def test_roles_are_listed_made_changed_and_deleted(people: dict[str, Caller]) -> None:
    operator = people["operator"]
    made = await operator("POST", "/auth/admin/roles", ROLE)
    assert (made.status_code, made.json()) == (201, {"role": {**ROLE, "color": "#2196F3"}})
    assert (await operator("POST", "/auth/admin/roles", ROLE)).status_code == 409
    change = {"name": "Late", "color": "#000000", "priority": 6, "permissions": ["view_events", "view_admin"]}
    changed = await operator("PUT", "/auth/admin/roles/night", change)
    assert (changed.status_code, changed.json()["role"]["permissions"]) == (200, ["view_admin", "view_events"])
    listed = (await people["looker"]("GET", "/auth/admin/roles")).json()["roles"]
    assert [role["id"] for role in listed] == ["super_admin", "chief", "writer", "reader", "night"]
    deleted = await operator("DELETE", "/auth/admin/roles/night")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for method, body in (("DELETE", None), ("PUT", change)):
        assert (await operator(method, "/auth/admin/roles/night", body)).status_code == 404


async def test_roles_are_given_and_taken(people: dict[str, Caller]) -> None:
    body = {"user_id": str(PLAIN), "role_id": "reader"}
    given = await people["boss"]("POST", "/auth/admin/user-roles", body)
    assert (given.status_code, given.json()["user"]["roles"]) == (200, [{"id": "reader", "name": "Reader"}])
    assert (await people["plain"]("GET", "/auth/admin/users")).status_code == 200
    assert (await people["boss"]("POST", "/auth/admin/user-roles", body)).status_code == 409
    taken = await people["boss"]("DELETE", "/auth/admin/user-roles", body)
    assert (taken.status_code, taken.json()["user"]["roles"]) == (200, [])
    assert (await people["plain"]("GET", "/auth/admin/users")).status_code == 403
    assert (await people["boss"]("DELETE", "/auth/admin/user-roles", body)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/auth/admin/users", {"user_id": str(BOSS), "action": "ban", "reason": "me"}),
        ("POST", "/auth/admin/users", {"user_id": str(OPERATOR), "action": "ban", "reason": "up"}),
        ("POST", "/auth/admin/user-roles", {"user_id": str(BOSS), "role_id": "reader"}),
        ("POST", "/auth/admin/user-roles", {"user_id": str(PLAIN), "role_id": "chief"}),
        ("POST", "/auth/admin/user-roles", {"user_id": str(PLAIN), "role_id": "super_admin"}),
        ("POST", "/auth/admin/roles", {**ROLE, "priority": 100}),
        ("POST", "/auth/admin/roles", {**ROLE, "permissions": ["view_devops"]}),
        ("PUT", "/auth/admin/roles/chief", {"name": "C", "color": "#000000", "priority": 99, "permissions": []}),
        ("PUT", "/auth/admin/roles/super_admin", {"name": "C", "color": "#000000", "priority": 9, "permissions": []}),
        ("DELETE", "/auth/admin/roles/chief", None),
        ("DELETE", "/auth/admin/roles/super_admin", None),
    ],
)
async def test_nobody_raises_themselves_or_reaches_up(people: dict[str, Caller], method: str, path: str, body: Any) -> None:
    before = (await people["operator"]("GET", "/auth/admin/users")).json(), (await people["boss"]("GET", READS[1])).json()
    answer = await people["boss"](method, path, body)
    assert answer.status_code == 403
    assert set(answer.json()) == {"error"}
    assert before == (
        (await people["operator"]("GET", "/auth/admin/users")).json(),
        (await people["boss"]("GET", READS[1])).json(),
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/auth/admin/users", {"user_id": "404", "action": "ban", "reason": "x"}, 404),
        ("POST", "/auth/admin/users", {"user_id": "404", "action": "unban"}, 404),
        ("POST", "/auth/admin/users", {"user_id": str(PLAIN), "action": "unban"}, 409),
        ("POST", "/auth/admin/users", {"user_id": str(PLAIN), "action": "ban"}, 422),
        ("POST", "/auth/admin/users", {"user_id": str(PLAIN), "action": "ban", "reason": "\u0000"}, 422),
        ("POST", "/auth/admin/users", {"user_id": str(PLAIN), "action": "delete"}, 422),
        ("POST", "/auth/admin/users", {"user_id": PLAIN, "action": "ban", "reason": "x"}, 422),
        ("POST", "/auth/admin/users", {"user_id": "٣", "action": "ban", "reason": "x"}, 422),
        ("POST", "/auth/admin/users", {"user_id": str(PLAIN), "action": "ban", "reason": "x", "until": 1}, 422),
        ("POST", "/auth/admin/users", [], 422),
        ("POST", "/auth/admin/users", None, 422),
        ("POST", "/auth/admin/roles", {**ROLE, "id": "Night"}, 422),
        ("POST", "/auth/admin/roles", {**ROLE, "priority": "5"}, 422),
        ("POST", "/auth/admin/roles", {**ROLE, "priority": 10**30}, 422),
        ("POST", "/auth/admin/roles", {**ROLE, "permissions": ["fly"]}, 422),
        ("PUT", "/auth/admin/roles/none", {"name": "N", "color": "#000000", "priority": 1, "permissions": []}, 404),
        ("PUT", "/auth/admin/roles/NONE%00", {"name": "N", "color": "#000000", "priority": 1, "permissions": []}, 404),
        ("DELETE", "/auth/admin/roles/none", None, 404),
        ("POST", "/auth/admin/user-roles", {"user_id": "404", "role_id": "reader"}, 404),
        ("POST", "/auth/admin/user-roles", {"user_id": str(PLAIN), "role_id": "none"}, 404),
        ("POST", "/auth/admin/user-roles", {"user_id": str(PLAIN), "role_id": "\u0000"}, 404),
        ("DELETE", "/auth/admin/user-roles", {"user_id": str(PLAIN), "role_id": "reader"}, 404),
        ("DELETE", "/auth/admin/user-roles", None, 422),
        ("GET", "/auth/admin/users?page=0", None, 422),
        ("GET", "/auth/admin/users?limit=101", None, 422),
        ("GET", "/auth/admin/users?limit=1_0", None, 422),
        ("GET", "/auth/admin/users?search=%00", None, 422),
        ("GET", "/auth/admin/users?search=" + "x" * 101, None, 422),
        ("GET", "/auth/admin/activity?user_id=me", None, 422),
        ("GET", "/auth/admin/activity?action=fly", None, 422),
        ("GET", "/auth/admin/none", None, 404),
        ("PATCH", "/auth/admin/users", {}, 405),
    ],
)
async def test_what_is_not_there_or_not_valid_is_named(
    people: dict[str, Caller], method: str, path: str, body: Any, status: int
) -> None:
    answer = await people["operator"](method, path, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json()["error"], str)


async def test_the_log_is_read_as_the_contract_says(people: dict[str, Caller]) -> None:
    await people["boss"]("POST", "/auth/admin/users", {"user_id": str(PLAIN), "action": "ban", "reason": "Spam"})
    body = (await people["looker"]("GET", f"/auth/admin/activity?user_id={BOSS}&action=ban")).json()
    assert (body["total"], body["page"]) == (1, 1)
    entry = body["logs"][0]
    assert entry == {
        "id": entry["id"],
        "user_id": str(BOSS),
        "action": "ban",
        "details": f"Banned {PLAIN}: Spam",
        "ip_address": "127.0.0.1",
        "created_at": "2027-01-15T08:00:00.000Z",
    }
    logins = (await people["looker"]("GET", "/auth/admin/activity?action=login&limit=2&page=2")).json()
    assert (logins["total"], [one["user_id"] for one in logins["logs"]]) == (5, [str(LOOKER), str(BOSS)])


async def test_no_role_opens_a_guild(people: dict[str, Caller], dashboard: DashboardWorld) -> None:
    """Every permission of the deployment, and still the API is asked as nobody but themselves."""
    await people["boss"].browser.get("/guilds/81384788765712384")
    claims = dashboard.api.requests[-1][2]
    assert claims["user_id"] == str(BOSS)
    assert not {"roles", "permissions", "admin"} & set(claims)


async def test_who_can_write_to_the_table_of_sessions_cannot_give_theirs_to_an_operator(
    people: dict[str, Caller], sqlite_accounts_database: Database
) -> None:
    async with sqlite_accounts_database.transaction() as connection:
        theirs = update(schema.session).where(schema.session.c.user_id == PLAIN)
        assert (await connection.execute(theirs.values(user_id=OPERATOR))).rowcount == 1
    assert (await people["plain"]("GET", "/auth/me")).json() == {"authenticated": False}
    assert (await people["plain"]("GET", "/auth/admin/users")).status_code == 401
    assert (await people["operator"]("GET", "/auth/admin/users")).status_code == 200
