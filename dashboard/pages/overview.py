"""``/guilds/{guild_id}``: at a glance whether everything is well, live."""

from __future__ import annotations

from litestar import get
from litestar.types import ControllerRouterHandler

from dashboard.guild_state import banners_of
from dashboard.page import Html, InGuild, invite_url
from dashboard.pages.overview_live import glance_values
from dashboard.pages.overview_wire import ask_glance


@get("/guilds/{guild_id:str}")
async def show_overview(page: InGuild) -> Html:
    """All slots as they are now. A member without a right sees their own page instead."""
    if not page.may("read"):
        if not page.guild.present:
            return page.render("overview/absent.html", status=404, invite_href=invite_url(page.services, page.guild.guild_id))
        return page.redirect(f"{page.base}/members/{page.user_id}")
    glance = await ask_glance(page.api)
    if page.guild.present:  # this is newer than what the frame has
        page.banners[:] = banners_of(page.guild.guild_id, glance.signing, glance.blind, glance.presence)
    return page.render("overview/overview.html", **glance_values(glance))


ROUTES: tuple[ControllerRouterHandler, ...] = (show_overview,)
