"""``/guilds/{guild_id}/tokens``: API tokens for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from attendance.errors import NotFoundError
from dashboard.api_client import segment
from dashboard.errors import ApiRefused
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of
from dashboard.queries import PAGE_LENGTH, day_ends, day_of_text, offset_of
from dashboard.viewers import confirmed

NOT_FOUND = 404
SCOPES = ("read", "export", "settings", "attendance")


class Token(msgspec.Struct, frozen=True):
    """A token without its secret, as ``GET /tokens`` lists it."""

    token_id: str
    name: str
    scopes: list[str]
    created_by: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class Tokens(msgspec.Struct, frozen=True):
    """``GET /tokens``."""

    items: list[Token]
    total: int


class NewToken(msgspec.Struct, frozen=True):
    """``POST /tokens``: the only answer that ever has the secret."""

    name: str
    token: str


class Typed(msgspec.Struct, frozen=True):
    """What was typed into the form: a name, scopes, and the last day on which the token is good."""

    name: str = ""
    scopes: tuple[str, ...] = ("read",)
    last_day: str = ""


@get("/guilds/{guild_id:str}/tokens", guards=[confirmed])
async def show_tokens(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """The tokens, and the form for another."""
    return await _show(page, offset=offset_of(request))


@post("/guilds/{guild_id:str}/tokens", status_code=200, guards=[confirmed])
async def create_token(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Make a token. Its secret is on this answer and on no other: it is not redirected away from."""
    form = await form_of(request)
    chosen = tuple(name for name in (await request.form()).getall("scopes", []) if isinstance(name, str))
    typed = Typed(form.get("name", "").strip(), chosen, form.get("expires_at", "").strip())
    body: dict[str, object] = {"name": typed.name, "scopes": list(typed.scopes)}
    if typed.last_day:
        day = day_of_text(typed.last_day)
        if day is None:
            return await _show(page, typed, {"expires_at": page.words("tokens-bad-day")}, status=422)
        body["expires_at"] = day_ends(day, page.guild.zone)
    try:
        made = await page.api.post("/tokens", body, NewToken)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        return await _show(page, typed, refused.details or {"name": refused.message}, status=refused.status)
    return await _show(page, made=made)


@post("/guilds/{guild_id:str}/tokens/{token_id:str}/revoke", status_code=303, guards=[confirmed])
async def revoke_token(page: InGuild, token_id: FromPath[str]) -> Html:
    """End a token at once. One that is gone already is what was wanted."""
    try:
        await page.api.delete(f"/tokens/{segment(token_id)}")
    except ApiRefused as refused:
        if refused.status != NOT_FOUND:
            raise
        raise NotFoundError("there is no such token") from refused
    return page.redirect(f"{page.base}/tokens", Flash("good", "tokens-revoked"))


async def _show(
    page: GuildPage,
    typed: Typed | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    made: NewToken | None = None,
    offset: int = 0,
    status: int = 200,
) -> Html:
    found = await page.api.get("/tokens", Tokens, {"limit": PAGE_LENGTH, "offset": offset})
    return page.render(
        "tokens/tokens.html",
        status=status,
        tokens=found.items,
        total=found.total,
        limit=PAGE_LENGTH,
        offset=offset,
        values=typed or Typed(),
        errors=errors or {},
        made=made,
        scopes=SCOPES,
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_tokens, create_token, revoke_token)
