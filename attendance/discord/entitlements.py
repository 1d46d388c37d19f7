"""Entitlements as Discord tells them: the list by REST, changes as raw dispatches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import hikari
from hikari.api import RESTClient

from attendance.discord.failures import as_rollcall_error
from attendance.discord.rest_client import open_rest
from attendance.domain.ids import GuildId, parse_snowflake
from attendance.domain.instants import parse_rfc3339
from attendance.domain.subscriptions import Entitlement
from attendance.errors import InvalidInputError, UnavailableError

_A_PAGE = 100
_PATIENT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class DiscordEntitlements:
    """`EntitlementSource` by hikari's REST client."""

    rest: RESTClient

    async def entitlements(self) -> list[Entitlement]:
        """Every entitlement of a guild to something of this application, not those that are deleted or over."""
        try:
            async with asyncio.timeout(_PATIENT_SECONDS):
                application = await self.rest.fetch_application()
                return await self._all(application.id)
        except (TimeoutError, LookupError, TypeError, ValueError, AttributeError, hikari.HikariError) as error:
            raise UnavailableError(as_rollcall_error(error).message) from error

    async def _all(self, application_id: hikari.Snowflake) -> list[Entitlement]:
        found: list[Entitlement] = []
        last = hikari.Snowflake(0)
        while True:
            page = await self.rest.fetch_entitlements(
                application_id, after=last, limit=_A_PAGE, exclude_ended=True, exclude_deleted=True
            )
            found += [_from_hikari(one, one.guild_id) for one in page if one.guild_id is not None]
            if len(page) < _A_PAGE:
                return found
            last = max(one.id for one in page)


def _from_hikari(one: hikari.Entitlement, guild_id: hikari.Snowflake) -> Entitlement:
    return Entitlement(
        int(one.id), GuildId(int(guild_id)), int(one.sku_id), _ms(one.starts_at), _ms(one.ends_at), one.is_deleted
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)


def read_entitlement(payload: Any) -> Entitlement | None:
    """An entitlement from a dispatch; None for one of a user.

    Raises:
        InvalidInputError: it cannot be read.
    """
    if not isinstance(payload, dict):
        raise InvalidInputError("an entitlement is an object")
    if payload.get("guild_id") is None:
        return None
    deleted = payload.get("deleted", False)
    if not isinstance(deleted, bool):
        raise InvalidInputError("an entitlement's deleted is a flag")
    return Entitlement(
        _snowflake(payload, "id"),
        GuildId(_snowflake(payload, "guild_id")),
        _snowflake(payload, "sku_id"),
        _instant(payload, "starts_at"),
        _instant(payload, "ends_at"),
        deleted,
    )


def entitlement_handler(note: Callable[[Entitlement], Awaitable[None]]) -> Callable[[str, Any], Awaitable[None]]:
    """What a queue of `ENTITLEMENT_NAMES` does: tell ``note`` of each that is a guild's."""

    async def handle(name: str, payload: Any) -> None:
        entitlement = read_entitlement(payload)
        if entitlement is not None:
            await note(replace(entitlement, deleted=entitlement.deleted or name == "ENTITLEMENT_DELETE"))

    return handle


def _snowflake(payload: dict[str, Any], name: str) -> int:
    value = payload.get(name)
    if not isinstance(value, str):
        raise InvalidInputError(f"an entitlement's {name} is an id")
    return parse_snowflake(value, name=name)


def _instant(payload: dict[str, Any], name: str) -> int | None:
    value = payload.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInputError(f"an entitlement's {name} is an instant")
    return parse_rfc3339(value, name=name)


@contextlib.asynccontextmanager
async def open_entitlements(token: str, rest_url: str | None) -> AsyncIterator[DiscordEntitlements]:
    """Open the list, for as long as the block lasts.

    Args:
        token: the bot's token.
        rest_url: Discord's REST address with `/api/v10`; None is Discord's own.
    """
    async with open_rest(token, rest_url, patience_seconds=_PATIENT_SECONDS) as rest:
        yield DiscordEntitlements(rest)
