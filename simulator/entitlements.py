"""What guilds have bought of the application: the entitlements, and REST's list of them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from simulator import rest_errors
from simulator.rest_errors import json_response
from simulator.world import World

_A_PAGE = 100
_APPLICATION_SUBSCRIPTION = 8


@dataclass(slots=True)
class Entitlement:
    """A guild's subscription to a SKU. Times are Unix milliseconds; None: no bound."""

    id: int
    guild_id: int
    sku_id: int
    starts_at_ms: int | None = None
    ends_at_ms: int | None = None
    deleted: bool = False

    def payload(self, application_id: int) -> dict[str, Any]:
        """Return the entitlement object."""
        return {
            "id": str(self.id),
            "sku_id": str(self.sku_id),
            "application_id": str(application_id),
            "type": _APPLICATION_SUBSCRIPTION,
            "deleted": self.deleted,
            "consumed": False,
            "starts_at": _iso(self.starts_at_ms),
            "ends_at": _iso(self.ends_at_ms),
            "guild_id": str(self.guild_id),
            "subscription_id": str(self.id),
        }


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


class EntitlementDesk:
    """Sells and takes back: each change is dispatched to the guild's shard, as long as the bot is in the guild."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.entitlements: dict[int, Entitlement] = {}

    def create(self, guild_id: int, sku_id: int, *, starts_at_ms: int | None = None, ends_at_ms: int | None = None) -> int:
        """Sell a SKU to a guild (ENTITLEMENT_CREATE); return the entitlement's id."""
        self._world.guild(guild_id)
        sold = Entitlement(self._world.ids.next_id(), guild_id, sku_id, starts_at_ms, ends_at_ms)
        self.entitlements[sold.id] = sold
        self._tell("ENTITLEMENT_CREATE", sold)
        return sold.id

    def update(self, entitlement_id: int, *, ends_at_ms: int | None) -> None:
        """Give an entitlement another end (ENTITLEMENT_UPDATE), as a renewal or a cancelled subscription does."""
        sold = self.entitlements[entitlement_id]
        sold.ends_at_ms = ends_at_ms
        self._tell("ENTITLEMENT_UPDATE", sold)

    def delete(self, entitlement_id: int) -> None:
        """Take an entitlement back (ENTITLEMENT_DELETE), as a refund does."""
        sold = self.entitlements[entitlement_id]
        sold.deleted = True
        self._tell("ENTITLEMENT_DELETE", sold)

    def _tell(self, name: str, sold: Entitlement) -> None:
        self._world.emit_json(sold.guild_id, name, sold.payload(self._world.bot.id))

    # REST

    def routes(self) -> dict[str, Callable[[web.Request], Awaitable[web.Response]]]:
        """Return the handlers by `METHOD /template`."""
        return {"GET /applications/{application_id}/entitlements": self.listed}

    async def listed(self, request: web.Request) -> web.Response:
        """Return a page of entitlements by id, after or before one, of some SKUs or one guild, over or deleted ones or not."""
        application_id, query = self._world.bot.id, request.query
        if request.match_info["application_id"] != str(application_id):
            raise rest_errors.missing_access()
        after, before = _number(request, "after", 0), _number(request, "before", 1 << 63)
        limit, guild_id = _number(request, "limit", _A_PAGE), _number(request, "guild_id", 0)
        if not 1 <= limit <= _A_PAGE:
            raise rest_errors.invalid_form("limit", "NUMBER_TYPE_MAX", "int value should be 1 to 100.")
        skus = {sku for sku in query.get("sku_ids", "").split(",") if sku}
        now_ms = time.time() * 1000
        found = [
            one
            for one in sorted(self.entitlements.values(), key=lambda one: one.id)
            if after < one.id < before
            and guild_id in (0, one.guild_id)
            and (not skus or str(one.sku_id) in skus)
            and not (one.deleted and _flag(request, "exclude_deleted", default=True))
            and not (one.ends_at_ms is not None and one.ends_at_ms <= now_ms and _flag(request, "exclude_ended", default=False))
        ]
        page = found[:limit] if "after" in query else found[-limit:]
        return json_response([one.payload(application_id) for one in page])


def _flag(request: web.Request, name: str, *, default: bool) -> bool:
    return request.query.get(name, str(default)).lower() == "true"


def _number(request: web.Request, name: str, default: int) -> int:
    raw = request.query.get(name, str(default))
    if not (raw.isascii() and raw.isdigit()):
        raise rest_errors.invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{raw}" is not int.')
    return int(raw)
