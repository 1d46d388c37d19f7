"""``/guilds/{guild_id}/signing``: whether records are being signed, by which key, and the periods that are."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Request, get
from litestar.types import ControllerRouterHandler

from dashboard.errors import ApiRefused
from dashboard.lists import Listed, whole_list
from dashboard.page import GuildPage, Html, InGuild
from dashboard.queries import PAGE_LENGTH, offset_of

_NOT_FOUND = 404


class Status(msgspec.Struct, frozen=True):
    """``GET /signing/status``."""

    configured: bool
    unlocked: bool
    auto_unlock: bool
    kid: str | None
    pending: int
    oldest_pending_at: str | None


class PublicKey(msgspec.Struct, frozen=True):
    """``GET /signing/public-key``: base64url, and since when it is the guild's."""

    kid: str
    public_key: str
    created_at: str


class GuildKey(msgspec.Struct, frozen=True):
    """A line of ``GET /signing/keys``: a key, and the positions of the chain that it is good for."""

    kid: str
    state: str
    created_at: str
    first_guild_seq: int | None
    last_guild_seq: int | None

    @property
    def is_good_for_none(self) -> bool:
        """Whether a revocation left nothing of it, or nothing is signed with it yet."""
        first, last = self.first_guild_seq, self.last_guild_seq
        return first is None or (last is not None and last < first)


class ArchivedPeriod(msgspec.Struct, frozen=True):
    """A line of ``GET /signing/history``."""

    period_index: int
    started_at: str
    ended_at: str | None
    state: str
    entry_count: int | None
    kid: str | None


class History(msgspec.Struct, frozen=True):
    """``GET /signing/history``."""

    items: list[ArchivedPeriod]
    total: int


@get("/guilds/{guild_id:str}/signing")
async def show_signing(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """The key as it stands, and the archived periods."""
    page.expect("read")
    offset = offset_of(request)
    status, key, keys, history = await asyncio.gather(
        page.api.get("/signing/status", Status), public_key(page), every_key(page), archived_periods(page, offset)
    )
    public_api = page.services.settings.public_api_url
    return page.render(
        "signing/signing.html",
        status_now=status,
        key=key,
        keys=keys,
        jwks_url=f"{public_api}/.well-known/jwks.json",
        period_url=f"{public_api}/verify/period/{page.guild.guild_id}/",
        periods=history.items,
        total=history.total,
        limit=PAGE_LENGTH,
        offset=offset,
    )


async def public_key(page: GuildPage) -> PublicKey | None:
    """The active key's public half; None before there is one."""
    try:
        return await page.api.get("/signing/public-key", PublicKey)
    except ApiRefused as refused:
        if refused.status != _NOT_FOUND:
            raise
        return None


async def every_key(page: GuildPage) -> list[GuildKey]:
    """All keys that the guild ever had, the newest first."""
    return await whole_list(page.api, "/signing/keys", Listed[GuildKey])


async def archived_periods(page: GuildPage, offset: int) -> History:
    """A page of the archived periods, newest first."""
    return await page.api.get("/signing/history", History, {"limit": PAGE_LENGTH, "offset": offset})


ROUTES: tuple[ControllerRouterHandler, ...] = (show_signing,)
