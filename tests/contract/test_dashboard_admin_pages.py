"""The operators' pages: forms without a script, refusals beside them, and who is shown what."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from httpx import AsyncClient, Response

from attendance.sql.database import Database
from dashboard.domain.activity import Action, Activity
from dashboard.domain.ids import RoleId, UserId
from dashboard.domain.roles import Permission
from dashboard.domain.told import Banned, ChangedRole, Held, Note, OneRole, Unbanned, told_role
from dashboard.domain.users import User
from dashboard.store.accounts import SqlAccountStore
from dashboard.store.activity import SqlActivityLog
from dashboard.store.sessions import SqlSessionStore
from tests.accounts_world import NOW, entry, give, make_role, make_session, sign_in
from tests.dashboard_world import OPERATOR, DashboardWorld, form_token
from tests.dashboard_world import sign_in as through_discord

CHIEF = make_role("chief", 100, Permission.VIEW_ADMIN, Permission.MANAGE_USERS)
READER = make_role("reader", 20, Permission.VIEW_ADMIN)
BOSS, LOOKER, PLAIN = 101, 102, 104
EVIL = "<script>alert(1)</script>"
PAGES = ["/admin/users", f"/admin/users/{PLAIN}", "/admin/roles", "/admin/roles/reader", "/admin/activity"]


@pytest.fixture
async def store(sqlite_accounts_database: Database) -> SqlAccountStore:
    return SqlAccountStore(sqlite_accounts_database)


@pytest.fixture
async def sessions(sqlite_accounts_database: Database) -> SqlSessionStore:
    return SqlSessionStore(sqlite_accounts_database)


@pytest.fixture
async def people(dashboard: DashboardWorld, store: SqlAccountStore) -> AsyncIterator[dict[str, AsyncClient]]:
    ids = {"plain": PLAIN, "looker": LOOKER, "boss": BOSS, "operator": OPERATOR}
    made = {name: await dashboard.signed_in(user_id) for name, user_id in ids.items()}
    await give(store, UserId(BOSS), CHIEF)
    await give(store, UserId(LOOKER), READER)
    made["nobody"] = dashboard.browser()
    yield made
    for one in made.values():
        await one.aclose()


async def send(browser: AsyncClient, page: str, path: str | None = None, **fields: str | list[str]) -> Response:
    """Fill in a form of a page and send it to its path."""
    token = form_token(await browser.get(page))
    return await browser.post(path or page, data={"_csrf_token": token, **fields})


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_for_who_has_view_admin(people: dict[str, AsyncClient], path: str) -> None:
    answers = {name: (await browser.get(path)).status_code for name, browser in people.items()}
    assert answers == {"operator": 200, "boss": 200, "looker": 200, "plain": 403, "nobody": 401}


async def test_the_bar_links_the_pages_only_for_operators(people: dict[str, AsyncClient]) -> None:
    shown = {name: 'href="/admin/users"' in (await browser.get("/")).text for name, browser in people.items()}
    assert shown == {"operator": True, "boss": True, "looker": True, "plain": False, "nobody": False}
    assert (await people["boss"].get("/admin")).headers["location"] == "/admin/users"


async def test_who_may_only_look_is_offered_no_form(people: dict[str, AsyncClient]) -> None:
    for path in PAGES:
        own = re.findall(r'<form[^>]*action="(/admin/[^"]*)"', (await people["looker"].get(path)).text)
        assert [action for action in own if f'method="post" action="{action}"' in (await people["looker"].get(path)).text] == []
    assert 'action="/admin/roles"' in (await people["boss"].get("/admin/roles")).text


async def test_a_user_is_banned_and_let_in_by_form(people: dict[str, AsyncClient], store: SqlAccountStore) -> None:
    path = f"/admin/users/{PLAIN}"
    banned = await send(people["boss"], path, action="ban", reason="Spam in voice")
    assert (banned.status_code, banned.headers["location"]) == (303, path)
    page = (await people["boss"].get(path)).text
    assert "is banned, and their sessions have ended" in page
    assert "Reason: Spam in voice" in page
    assert (await people["plain"].get("/auth/me")).json() == {"authenticated": False}
    lifted = await send(people["boss"], path, action="unban", reason="")
    assert lifted.status_code == 303
    assert (await store.user(UserId(PLAIN))).ban is None


async def test_a_ban_without_a_reason_is_asked_for_beside_the_field(
    people: dict[str, AsyncClient], store: SqlAccountStore
) -> None:
    answer = await send(people["boss"], f"/admin/users/{PLAIN}", action="ban", reason=" ")
    assert answer.status_code == 422
    assert 'id="f-reason-error"' in answer.text
    assert (await store.user(UserId(PLAIN))).ban is None


async def test_a_role_is_given_and_taken_by_form(people: dict[str, AsyncClient], store: SqlAccountStore) -> None:
    path = f"/admin/users/{PLAIN}"
    page = (await people["boss"].get(path)).text
    assert re.findall(r'<option value="([^"]+)"', page) == ["reader"]  # neither their own nor a higher one
    assert (await send(people["boss"], path, action="assign", role_id="reader")).status_code == 303
    assert {role.role_id for role in (await store.user(UserId(PLAIN))).roles} == {"reader"}
    assert (await send(people["boss"], path, action="assign", role_id="reader")).status_code == 409
    assert (await send(people["boss"], path, action="remove", role_id="reader")).status_code == 303
    assert (await store.user(UserId(PLAIN))).roles == ()


@pytest.mark.parametrize(
    ("target", "fields", "status"),
    [
        (OPERATOR, {"action": "ban", "reason": "up"}, 403),
        (BOSS, {"action": "ban", "reason": "me"}, 403),
        (PLAIN, {"action": "assign", "role_id": "chief"}, 403),
        (PLAIN, {"action": "assign", "role_id": "none"}, 404),
        (PLAIN, {"action": "assign"}, 404),
        (PLAIN, {"action": "unban"}, 409),
        (PLAIN, {"action": "erase"}, 422),
        (PLAIN, {}, 422),
        (404, {"action": "ban", "reason": "x"}, 404),
    ],
)
async def test_what_is_refused_is_said_on_the_page_and_changes_nothing(
    people: dict[str, AsyncClient], store: SqlAccountStore, target: int, fields: dict[str, str], status: int
) -> None:
    before = await store.version()
    answer = await send(people["boss"], f"/admin/users/{PLAIN}", f"/admin/users/{target}", **fields)
    assert answer.status_code == status
    assert await store.version() == before


@pytest.mark.parametrize(
    "path", ["/admin/users/0", "/admin/users/me", "/admin/users/404", "/admin/roles/none", "/admin/roles/%00"]
)
async def test_nobody_and_no_role_are_not_found(people: dict[str, AsyncClient], path: str) -> None:
    assert (await people["boss"].get(path)).status_code == 404


async def test_roles_are_made_changed_and_deleted_by_form(people: dict[str, AsyncClient], store: SqlAccountStore) -> None:
    fields = {
        "id": "night",
        "name": "Night watch",
        "color": "#112233",
        "priority": "7",
        "permissions": ["view_admin", "manage_users"],
    }
    assert (await send(people["boss"], "/admin/roles", **fields)).status_code == 303
    role = await store.role(RoleId("night"))
    assert (role.name, role.priority, role.permissions) == ("Night watch", 7, CHIEF.permissions)
    path = "/admin/roles/night"
    changed = await send(people["boss"], path, action="change", name="Night", color="#112233", priority="8")
    assert (changed.status_code, changed.headers["location"]) == (303, path)
    assert "was changed" in (await people["boss"].get(path)).text
    assert (await store.role(RoleId("night"))).permissions == frozenset()
    assert (await send(people["boss"], path, action="delete")).headers["location"] == "/admin/roles"
    assert await store.role(RoleId("night")) is None


async def test_a_refused_role_keeps_what_was_typed(people: dict[str, AsyncClient], store: SqlAccountStore) -> None:
    before = await store.roles()
    answer = await send(
        people["boss"], "/admin/roles", id="Night", name=EVIL, color="red", priority="seven", permissions=["view_admin", "fly"]
    )
    assert answer.status_code == 422
    for name in ("id", "color", "priority", "permissions"):
        assert f'id="f-{name}-error"' in answer.text
    assert 'value="Night"' in answer.text
    assert 'value="seven"' in answer.text
    assert re.search(r'value="view_admin"[^>]* checked', answer.text)
    assert "pages</label>" in answer.text  # words, not `view_admin`
    assert EVIL not in answer.text
    for path, fields, status in (
        ("/admin/roles", {"id": "high", "name": "High", "color": "#000000", "priority": "100"}, 403),
        ("/admin/roles", {"id": "reader", "name": "Again", "color": "#000000", "priority": "1"}, 409),
        ("/admin/roles/chief", {"action": "change", "name": "C", "color": "#000000", "priority": "99"}, 403),
        ("/admin/roles/super_admin", {"action": "delete"}, 403),
        ("/admin/roles/reader", {"action": "burn"}, 422),
    ):
        assert (await send(people["boss"], "/admin/roles", path, **fields)).status_code == status
    assert await store.roles() == before


async def test_a_write_needs_a_fresh_confirmation_and_the_page_asks_before_anything_is_typed(
    people: dict[str, AsyncClient], dashboard: DashboardWorld, store: SqlAccountStore
) -> None:
    boss, path = people["boss"], f"/admin/users/{PLAIN}"
    dashboard.clock.advance(600_000)
    page = (await boss.get(path)).text
    assert "/auth/confirm?return_url=" in page
    assert 'name="reason"' not in page
    refused = await send(boss, path, action="ban", reason="Spam")
    assert refused.headers["location"].startswith("/auth/confirm?return_url=")
    assert (await store.user(UserId(PLAIN))).ban is None

    dashboard.discord.user_id = BOSS
    back = await through_discord(boss, "/auth/confirm", return_url=path)
    assert (back.status_code, back.headers["location"]) == (303, path)
    assert 'name="reason"' in (await boss.get(path)).text
    assert (await send(boss, path, action="ban", reason="Spam")).status_code == 303


@pytest.mark.parametrize("path", [f"/admin/users/{PLAIN}", "/admin/roles", "/admin/roles/reader"])
async def test_a_form_from_elsewhere_changes_nothing(people: dict[str, AsyncClient], store: SqlAccountStore, path: str) -> None:
    before = await store.version()
    fields = {"action": "ban", "reason": "x", "id": "night", "name": "N", "color": "#000000", "priority": "1"}
    for token in (None, "", "made up", form_token(await people["plain"].get("/"))):
        data = fields if token is None else {**fields, "_csrf_token": token}
        assert (await people["boss"].post(path, data=data)).status_code == 403
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    token = form_token(await people["boss"].get("/"))
    answer = await people["boss"].post(path, data={**fields, "_csrf_token": token}, headers=elsewhere)
    assert answer.status_code == 403
    assert await store.version() == before


async def test_the_users_are_searched_and_paged(people: dict[str, AsyncClient], sessions: SqlSessionStore) -> None:
    for number in range(60):
        await sign_in(sessions, UserId(5000 + number), username=f"crowd{number:02}", at_ms=NOW - number - 1)
    first = (await people["looker"].get("/admin/users?search=CROWD")).text
    assert ("crowd00" in first, "crowd49" in first, "crowd50" in first) == (True, True, False)
    following = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    second = (await people["looker"].get(following)).text
    assert ("crowd49" in second, "crowd50" in second) == (False, True)
    assert "Nobody found." in (await people["looker"].get("/admin/users?search=nobody")).text
    assert (await people["looker"].get("/admin/users?search=%00")).status_code == 422
    assert (await people["looker"].get("/admin/users?offset=-1")).status_code == 200


async def test_the_log_is_filtered_and_says_how_long_it_is_kept(people: dict[str, AsyncClient]) -> None:
    await send(people["boss"], f"/admin/users/{PLAIN}", action="ban", reason="Spam")
    everything = (await people["looker"].get("/admin/activity")).text
    assert "deleted after 180 days" in everything
    assert f"{PLAIN}: Spam" in everything
    assert f"Banned {PLAIN}" not in (await people["looker"].get("/admin/activity?action=login")).text
    assert f"{PLAIN}: " in (await people["looker"].get(f"/admin/activity?user_id={BOSS}&action=ban")).text
    wrong = await people["looker"].get("/admin/activity?user_id=me")
    assert wrong.status_code == 422
    assert 'id="f-user_id-error"' in wrong.text


async def test_an_entry_is_worded_when_it_is_shown_and_a_sentence_from_before_still_stands(
    people: dict[str, AsyncClient], sqlite_accounts_database: Database
) -> None:
    log = SqlActivityLog(sqlite_accounts_database)
    role = make_role("night", 7, Permission.VIEW_ADMIN)
    changed = ChangedRole(told_role(role), told_role(replace(role, priority=8, permissions=frozenset())))
    for told in (
        Banned("Spam <b>"),
        Unbanned(),
        Held("assigned", "night"),
        OneRole(told_role(role)),
        changed,
        Note("mismatch"),
    ):
        await log.add(Activity.of(BOSS, Action.BAN, told, None, NOW, subject_id=PLAIN))
    await log.add(entry(BOSS, Action.LOGIN, details="Did something <i> in 2026"))
    page = " ".join((await people["looker"].get("/admin/activity")).text.split())
    for words in (
        f"{PLAIN}: Spam &lt;b&gt;",
        f"night, to {PLAIN}",
        "Night (night), priority 7. Allows: See the operators",
        "Priority: 7 → 8",
        "pages → none",
        "Discord named somebody else",
        "Did something &lt;i&gt; in 2026",
    ):
        assert words in page, words


async def test_what_others_called_themselves_is_text(people: dict[str, AsyncClient], sessions: SqlSessionStore) -> None:
    user = User(UserId(66), EVIL, '"><img src=x onerror=1>', None, NOW, NOW)
    login = entry(user.user_id, Action.LOGIN, details=EVIL)
    await sessions.begin(user, make_session(user.user_id, "evil"), b"", login, replaces=None, ban_holds=True)
    await send(people["boss"], "/admin/users/66", action="ban", reason=EVIL)
    for path in ("/admin/users", "/admin/users/66", "/admin/activity", f"/admin/users?search={quote(EVIL)}"):
        page = (await people["boss"].get(path)).text
        assert EVIL not in page
        assert "<img src=x" not in page
        assert " style=" not in page


async def test_words_of_every_action_and_every_result_are_there(dashboard: DashboardWorld) -> None:
    words = dashboard.services.templates.words
    for action in Action:
        assert f"admin-action-{action.value.replace('_', '-')}" in words
    for done in ("ban", "unban", "assign", "remove", "role-created", "role-changed", "role-deleted"):
        assert f"admin-done-{done}" in words


async def test_who_lays_down_their_own_role_is_led_where_they_may_be(people: dict[str, AsyncClient]) -> None:
    done = await send(people["boss"], f"/admin/users/{BOSS}", action="remove", role_id="chief")
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert "does not have the role" in (await people["boss"].get("/")).text
    assert (await people["boss"].get("/admin/users")).status_code == 403
