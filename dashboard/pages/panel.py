"""``/guilds/{guild_id}/settings/panel``: which roles may use the panel without Manage Server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.types import ControllerRouterHandler

from dashboard.errors import ApiRefused
from dashboard.lists import Listed, whole_list
from dashboard.page import Flash, GuildPage, Html, InGuild
from dashboard.viewers import confirmed


class PanelRoles(msgspec.Struct, frozen=True):
    """``GET /settings``, as far as this page needs it: ids of roles."""

    read_roles: list[str]
    write_roles: list[str]


class Role(msgspec.Struct, frozen=True):
    """A role, as ``GET /roles`` lists them, the highest first."""

    role_id: str
    name: str


@get("/guilds/{guild_id:str}/settings/panel")
async def show_panel(page: InGuild) -> Html:
    """The roles; a form for who may change them and has confirmed who they are."""
    page.expect("read")
    return await _form(page)


@post("/guilds/{guild_id:str}/settings/panel", status_code=303, guards=[confirmed])
async def change_panel(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Take both lists to the API."""
    form = await request.form()
    read, write = ([*map(str, form.getall(name, []))] for name in ("read_roles", "write_roles"))
    typed = PanelRoles(read, write)
    try:
        await page.api.patch("/settings", typed)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return await _form(page, typed, refused.details or {"read_roles": refused.message}, status=refused.status)
    page.forget()  # what the viewer may do may be another thing now
    return page.redirect(f"{page.base}/settings/panel", Flash("good", "panel-saved"))


async def _form(
    page: GuildPage, typed: PanelRoles | None = None, errors: Mapping[str, str] | None = None, *, status: int = 200
) -> Html:
    now, roles = await asyncio.gather(page.api.get("/settings", PanelRoles), whole_list(page.api, "/roles", Listed[Role]))
    return page.render(
        "settings/panel.html",
        status=status,
        tab="panel",
        values=typed or now,
        roles=roles,
        everyone=str(page.guild.guild_id),
        names={role.role_id: role.name for role in roles},
        is_confirmed=page.is_confirmed,
        errors=errors or {},
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_panel, change_panel)
