"""``/admin/users``: who signed in, and one page for each of them with what an operator may do about them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from attendance.errors import InvalidInputError, NotFoundError, RollcallError
from dashboard.domain import rules
from dashboard.domain.ids import UserId, parse_user_id
from dashboard.domain.roles import parse_role_id
from dashboard.domain.users import ListedUser
from dashboard.page import AnyPage, Flash, Html, form_of
from dashboard.pages.admin_requests import (
    REFUSALS,
    actor_of,
    asked_offset,
    asked_text,
    manages_users,
    operator_frame,
    status_of,
    views_admin,
)
from dashboard.requests import local_address
from dashboard.services.accounts import Accounts, Actor
from dashboard.viewers import confirmed

_USERS_A_PAGE = 50
_ENTRIES_SHOWN = 10

AnyRequest = Request[Any, Any, Any]
Act = Callable[[Accounts, Actor, UserId, Mapping[str, str]], Awaitable[ListedUser]]


@get("/admin", guards=[views_admin])
async def to_users(page: AnyPage) -> Html:
    """The first of the operators' pages."""
    return page.redirect("/admin/users")


@get("/admin/users", guards=[views_admin])
async def show_users(page: AnyPage, request: AnyRequest) -> Html:
    """A page of users; ``search`` is a part of a name, or an id."""
    search, offset = asked_text(request, "search"), asked_offset(request)
    users, total = await page.services.accounts.users(await actor_of(request), search, _USERS_A_PAGE, offset)
    return page.render(
        "admin/users.html",
        **operator_frame(page, "users"),
        users=users,
        total=total,
        limit=_USERS_A_PAGE,
        offset=offset,
        search=search or "",
        url=local_address(request),
        configured=page.services.accounts.configured,
    )


@get("/admin/users/{user_id:str}", guards=[views_admin])
async def show_user(page: AnyPage, request: AnyRequest, user_id: FromPath[str]) -> Html:
    """A user: roles, ban, what they did last."""
    return await _user_page(page, await actor_of(request), _known_id(user_id))


@post("/admin/users/{user_id:str}", status_code=303, guards=[manages_users, confirmed])
async def change_user(page: AnyPage, request: AnyRequest, user_id: FromPath[str]) -> Html:
    """Ban, let in again, give or take a role: the form's ``action``."""
    form, actor, target = await form_of(request), await actor_of(request), _known_id(user_id)
    action = form.get("action", "")
    if action not in _ACTS:
        raise InvalidInputError("the request is not valid", details={"action": f"must be among {', '.join(_ACTS)}"})
    try:
        changed = await _ACTS[action](page.services.accounts, actor, target, form)
    except REFUSALS as error:
        return await _user_page(page, actor, target, error=error, form=form)
    role = await page.services.accounts.store.role(parse_role_id(form["role_id"])) if "role_id" in form else None
    values: dict[str, str | int] = {"name": changed.user.shown_name, "role": "" if role is None else role.name}
    still = rules.refusal(rules.may_view, await page.services.accounts.standing(actor.user_id)) is None
    # Who laid down what let them in here would be led to a refusal.
    return page.redirect(f"/admin/users/{target}" if still else "/", Flash("good", f"admin-done-{action}", values))


async def _ban(accounts: Accounts, actor: Actor, user_id: UserId, form: Mapping[str, str]) -> ListedUser:
    return await accounts.ban(actor, user_id, form.get("reason", ""))


async def _unban(accounts: Accounts, actor: Actor, user_id: UserId, form: Mapping[str, str]) -> ListedUser:
    return await accounts.unban(actor, user_id, form.get("reason"))


async def _assign(accounts: Accounts, actor: Actor, user_id: UserId, form: Mapping[str, str]) -> ListedUser:
    return await accounts.assign(actor, user_id, parse_role_id(form.get("role_id", "")))


async def _remove(accounts: Accounts, actor: Actor, user_id: UserId, form: Mapping[str, str]) -> ListedUser:
    return await accounts.remove(actor, user_id, parse_role_id(form.get("role_id", "")))


_ACTS: Mapping[str, Act] = {"ban": _ban, "unban": _unban, "assign": _assign, "remove": _remove}


async def _user_page(
    page: AnyPage,
    actor: Actor,
    user_id: UserId,
    *,
    error: RollcallError | None = None,
    form: Mapping[str, str] | None = None,
) -> Html:
    services = page.services
    user = await services.accounts.user(actor, user_id)
    offer = await services.offers.about_user(actor, user_id)
    logs, _ = await services.accounts.activity(actor, user_id, None, _ENTRIES_SHOWN, 0)
    return page.render(
        "admin/user.html",
        status=status_of(error),
        **operator_frame(page, "users", error),
        user=user,
        offer=offer,
        give_options=[(role.role_id, role.name) for role in offer.to_give],
        is_configured=user_id in services.accounts.configured,
        logs=logs,
        reason=(form or {}).get("reason", ""),
    )


def _known_id(text: str) -> UserId:
    try:
        return parse_user_id(text)
    except InvalidInputError:
        raise NotFoundError("nobody with this id ever signed in") from None


ROUTES: tuple[ControllerRouterHandler, ...] = (to_users, show_users, show_user, change_user)
