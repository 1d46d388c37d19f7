"""``/account``: the viewer's own account on this dashboard, and deleting it. What servers hold has its page in each of them."""

from __future__ import annotations

from http import HTTPStatus

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.types import ControllerRouterHandler

from attendance.errors import ConflictError
from dashboard.page import AnyPage, Flash, Html, Page
from dashboard.security.cookies import AUTH
from dashboard.viewers import confirmed


@get("/account")
async def show_account(page: AnyPage) -> Html:
    """Who they are here, and what can be done about it."""
    return _show(page)


@get("/account/delete", guards=[confirmed])
async def ask_to_delete(page: AnyPage) -> Html:
    """What goes and what stays, before it goes."""
    return page.render("account/delete.html")


@post("/account/delete", status_code=303, guards=[confirmed])
async def delete_account(page: AnyPage) -> Html:
    """At once. No server's record changes."""
    try:
        cookies = await leave(page)
    except ConflictError:
        return _show(page, refused=page.words("account-last-super-admin"), status=HTTPStatus.CONFLICT)
    return page.redirect("/", Flash("good", "account-deleted"), cookies)


async def leave(page: Page) -> list[Cookie]:
    """Delete the viewer's account on this dashboard; the cookies that their browser is to forget.

    Raises:
        ConflictError: they are the last super admin.
    """
    for sealed in await page.services.erasures.erase(page.session.user.user_id):
        await page.services.sign_in.give_back(sealed)
    cookies = page.services.cookies
    return [cookies.drop(AUTH), cookies.drop(cookies.csrf)]


def _show(page: Page, *, refused: str | None = None, status: int = 200) -> Html:
    here = page.session
    roles = sorted(here.standing.roles, key=lambda role: (-role.priority, role.role_id))
    return page.render("account/account.html", status=status, user=here.user, roles=roles, refused=refused)


ROUTES: tuple[ControllerRouterHandler, ...] = (show_account, ask_to_delete, delete_account)
