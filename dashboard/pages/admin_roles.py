"""``/admin/roles``: the deployment's roles, and a page for each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from attendance.errors import InvalidInputError, NotFoundError, RollcallError
from dashboard.domain.roles import Permission, Role, checked_role, parse_role_id
from dashboard.page import AnyPage, Flash, Html
from dashboard.pages.admin_requests import REFUSALS, actor_of, manages_users, operator_frame, status_of, views_admin
from dashboard.services.accounts import Actor
from dashboard.viewers import confirmed

AnyRequest = Request[Any, Any, Any]
Typed = Mapping[str, Any]

_NEW: Typed = {"id": "", "name": "", "color": "#2196F3", "priority": "", "permissions": []}
_OWN = frozenset({Permission.VIEW_ADMIN, Permission.MANAGE_USERS})


@get("/admin/roles", guards=[views_admin])
async def show_roles(page: AnyPage, request: AnyRequest) -> Html:
    """Every role, and the form of a new one."""
    return await _roles_page(page, await actor_of(request), _NEW)


@post("/admin/roles", status_code=303, guards=[manages_users, confirmed])
async def create_role(page: AnyPage, request: AnyRequest) -> Html:
    """Make a role."""
    typed, actor = await _typed(request), await actor_of(request)
    try:
        role = _role(typed, typed["id"])
        await page.services.roles.create(actor, role)
    except REFUSALS as error:
        return await _roles_page(page, actor, typed, error)
    return page.redirect("/admin/roles", Flash("good", "admin-done-role-created", {"role": role.name}))


@get("/admin/roles/{role_id:str}", guards=[views_admin])
async def show_role(page: AnyPage, request: AnyRequest, role_id: FromPath[str]) -> Html:
    """A role."""
    actor = await actor_of(request)
    role = await _found(page, actor, role_id)
    return await _role_page(page, actor, role, _shown(role))


@post("/admin/roles/{role_id:str}", status_code=303, guards=[manages_users, confirmed])
async def change_role(page: AnyPage, request: AnyRequest, role_id: FromPath[str]) -> Html:
    """Change or delete a role: the form's ``action``."""
    typed, actor = await _typed(request), await actor_of(request)
    before = await _found(page, actor, role_id)
    try:
        if typed["action"] == "delete":
            await page.services.roles.delete(actor, before.role_id)
            return page.redirect("/admin/roles", Flash("good", "admin-done-role-deleted", {"role": before.name}))
        if typed["action"] != "change":
            raise InvalidInputError("the request is not valid", details={"action": "must be among change, delete"})
        role = _role(typed, before.role_id)
        await page.services.roles.change(actor, role)
    except REFUSALS as error:
        return await _role_page(page, actor, before, typed if typed["action"] == "change" else _shown(before), error)
    return page.redirect(f"/admin/roles/{before.role_id}", Flash("good", "admin-done-role-changed", {"role": role.name}))


async def _typed(request: AnyRequest) -> Typed:
    form = await request.form()
    texts = {name: form.get(name) for name in ("action", "id", "name", "color", "priority")}
    permissions = [one for one in form.getall("permissions", []) if isinstance(one, str)]
    return {name: text if isinstance(text, str) else "" for name, text in texts.items()} | {"permissions": permissions}


def _role(typed: Typed, role_id: str) -> Role:
    """What was typed, as a role.

    Raises:
        InvalidInputError: it is none.
    """
    text = typed["priority"].strip()
    priority = int(text) if re.fullmatch(r"[0-9]{1,4}", text, re.ASCII) else -1  # refused with the others
    return checked_role(role_id, typed["name"], typed["color"], priority, typed["permissions"])


def _shown(role: Role) -> Typed:
    return {
        "id": role.role_id,
        "name": role.name,
        "color": role.colour,
        "priority": role.priority,
        "permissions": sorted(role.permissions),
    }


async def _found(page: AnyPage, actor: Actor, role_id: str) -> Role:
    wanted = parse_role_id(role_id)
    found = next((role for role in await page.services.roles.all(actor) if role.role_id == wanted), None)
    if found is None:
        raise NotFoundError("there is no such role")
    return found


async def _roles_page(page: AnyPage, actor: Actor, typed: Typed, error: RollcallError | None = None) -> Html:
    return page.render(
        "admin/roles.html",
        status=status_of(error),
        **operator_frame(page, "roles", error),
        **_form_of(page, typed),
        roles=await page.services.roles.all(actor),
    )


async def _role_page(page: AnyPage, actor: Actor, role: Role, typed: Typed, error: RollcallError | None = None) -> Html:
    return page.render(
        "admin/role.html",
        status=status_of(error),
        **operator_frame(page, "roles", error),
        **_form_of(page, typed),
        role=role,
        offer=await page.services.offers.about_role(actor, role),
    )


def _form_of(page: AnyPage, typed: Typed) -> dict[str, Any]:
    """What the fields of a role need: values, what can be ticked, and names for the summary of errors."""
    labels = {
        "id": "role-id",
        "name": "role-name",
        "color": "role-colour",
        "priority": "priority",
        "permissions": "permissions",
    }
    return {
        "values": typed,
        "permissions": [_offered(page, one) for one in Permission],
        "labels": {name: page.words(f"admin-{key}") for name, key in labels.items()},
    }


def _offered(page: AnyPage, permission: Permission) -> tuple[str, str, str]:
    """A box to tick: its value, its words, and what it opens."""
    opens = permission.value if permission in _OWN else "other"
    hint = page.words(f"admin-permission-hint-{opens}", name=permission.value)
    return permission.value, page.words(f"admin-permission-{permission.value}"), hint


ROUTES: tuple[ControllerRouterHandler, ...] = (show_roles, create_role, show_role, change_role)
