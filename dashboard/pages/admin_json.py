"""``/auth/admin/*``: users, roles and the activity log as JSON, for programs (the reference contract).

Reading needs ``view_admin``, writing ``manage_users`` and, as on the pages, a confirmation by Discord that is not older than
ten minutes.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, delete, get, post, put
from litestar.params import FromPath

from dashboard.domain.activity import parse_action
from dashboard.domain.ids import parse_user_id
from dashboard.domain.roles import checked_role, parse_role_id
from dashboard.pages.admin_requests import (
    MOST_ITEMS,
    MOST_PAGES,
    actor_of,
    asked_number,
    asked_text,
    confirmed_for_json,
    manages_users,
    views_admin,
)
from dashboard.pages.admin_wire import (
    Assignment,
    ChangedRole,
    LogList,
    NewRole,
    RoleAnswer,
    RoleList,
    UserAction,
    UserAnswer,
    UserList,
    decoded,
    log_item,
    role_item,
    user_item,
)
from dashboard.services import services_of

_WRITES = [manages_users, confirmed_for_json]
_USERS_A_PAGE = 20
_ENTRIES_A_PAGE = 50

AnyRequest = Request[Any, Any, Any]


@get("/auth/admin/users", operation_id="listUsers", guards=[views_admin])
async def list_users(request: AnyRequest) -> UserList:
    """Users, the latest sign-in first: ``page``, ``limit``, ``search``."""
    page, limit = asked_number(request, "page", 1, MOST_PAGES), asked_number(request, "limit", _USERS_A_PAGE, MOST_ITEMS)
    search, actor = asked_text(request, "search"), await actor_of(request)
    users, total = await services_of(request.app).accounts.users(actor, search, limit, (page - 1) * limit)
    return UserList(users=[user_item(one) for one in users], total=total, page=page, limit=limit)


@post("/auth/admin/users", operation_id="banOrUnbanUser", status_code=200, guards=_WRITES)
async def ban_or_unban(request: AnyRequest) -> UserAnswer:
    """Ban somebody, or lift their ban."""
    asked = decoded(await request.body(), UserAction)
    accounts, actor, user_id = services_of(request.app).accounts, await actor_of(request), parse_user_id(asked.user_id)
    if asked.action == "ban":
        return UserAnswer(user=user_item(await accounts.ban(actor, user_id, asked.reason or "")))
    return UserAnswer(user=user_item(await accounts.unban(actor, user_id, asked.reason)))


@get("/auth/admin/roles", operation_id="listRoles", guards=[views_admin])
async def list_roles(request: AnyRequest) -> RoleList:
    """Every role, the highest first."""
    roles = await services_of(request.app).roles.all(await actor_of(request))
    return RoleList(roles=[role_item(one) for one in roles])


@post("/auth/admin/roles", operation_id="createRole", status_code=201, guards=_WRITES)
async def create_role(request: AnyRequest) -> RoleAnswer:
    """Make a role."""
    asked = decoded(await request.body(), NewRole)
    role = checked_role(asked.id, asked.name, asked.color, asked.priority, asked.permissions)
    await services_of(request.app).roles.create(await actor_of(request), role)
    return RoleAnswer(role=role_item(role))


@put("/auth/admin/roles/{role_id:str}", operation_id="changeRole", guards=_WRITES)
async def change_role(request: AnyRequest, role_id: FromPath[str]) -> RoleAnswer:
    """Change everything of a role but its id."""
    asked = decoded(await request.body(), ChangedRole)
    role = checked_role(parse_role_id(role_id), asked.name, asked.color, asked.priority, asked.permissions)
    await services_of(request.app).roles.change(await actor_of(request), role)
    return RoleAnswer(role=role_item(role))


@delete("/auth/admin/roles/{role_id:str}", operation_id="deleteRole", status_code=204, guards=_WRITES)
async def delete_role(request: AnyRequest, role_id: FromPath[str]) -> None:
    """Delete a role, which takes it from everybody."""
    await services_of(request.app).roles.delete(await actor_of(request), parse_role_id(role_id))


@post("/auth/admin/user-roles", operation_id="assignRole", status_code=200, guards=_WRITES)
async def assign_role(request: AnyRequest) -> UserAnswer:
    """Give somebody a role."""
    asked = decoded(await request.body(), Assignment)
    user_id, role_id = parse_user_id(asked.user_id), parse_role_id(asked.role_id)
    changed = await services_of(request.app).accounts.assign(await actor_of(request), user_id, role_id)
    return UserAnswer(user=user_item(changed))


@delete("/auth/admin/user-roles", operation_id="removeRole", status_code=200, guards=_WRITES)
async def remove_role(request: AnyRequest) -> UserAnswer:
    """Take a role from somebody."""
    asked = decoded(await request.body(), Assignment)
    user_id, role_id = parse_user_id(asked.user_id), parse_role_id(asked.role_id)
    changed = await services_of(request.app).accounts.remove(await actor_of(request), user_id, role_id)
    return UserAnswer(user=user_item(changed))


@get("/auth/admin/activity", operation_id="listActivity", guards=[views_admin])
async def list_activity(request: AnyRequest) -> LogList:
    """The activity log, newest first: ``page``, ``limit``, ``user_id``, ``action``."""
    page, limit = asked_number(request, "page", 1, MOST_PAGES), asked_number(request, "limit", _ENTRIES_A_PAGE, MOST_ITEMS)
    user, action = asked_text(request, "user_id"), asked_text(request, "action")
    logs, total = await services_of(request.app).accounts.activity(
        await actor_of(request),
        None if user is None else parse_user_id(user),
        None if action is None else parse_action(action),
        limit,
        (page - 1) * limit,
    )
    return LogList(logs=[log_item(one) for one in logs], total=total, page=page)


ROUTES = (
    list_users,
    ban_or_unban,
    list_roles,
    create_role,
    change_role,
    delete_role,
    assign_role,
    remove_role,
    list_activity,
)
