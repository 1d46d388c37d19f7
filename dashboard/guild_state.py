"""States of a whole guild that every page of it should say: the banners above them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from dashboard.api_client import GuildApi
from dashboard.errors import ApiAwayError, ApiRefused

Banner = dict[str, Any]


class SigningState(msgspec.Struct, frozen=True):
    """``GET /signing/status``."""

    configured: bool
    unlocked: bool
    pending: int
    oldest_pending_at: str | None


class BlindTime(msgspec.Struct, frozen=True):
    """A time in which nothing was seen; ``ended_at`` is None while it goes on."""

    started_at: str
    ended_at: str | None
    seconds: int
    cause: str


class BlindTimes(msgspec.Struct, frozen=True):
    """``GET /blind``, newest first."""

    items: list[BlindTime]


class BotPresence(msgspec.Struct, frozen=True):
    """``GET /bot-present``."""

    present: bool
    missing_permissions: list[str]


def banners_of(
    guild_id: int, signing: SigningState, blind: list[BlindTime], presence: BotPresence, invite_href: str | None = None
) -> list[Banner]:
    """What there is to say, the worst first; nothing where all is well. See ``components/states.html``."""
    keys = f"/guilds/{guild_id}/signing"
    banners: list[Banner] = []
    now = next((one for one in blind if one.ended_at is None), None)
    if not presence.present:
        banners.append({"kind": "absent", "href": invite_href})
    elif now is not None:
        banners.append({"kind": "blind", "since": now.started_at})
    if presence.present and presence.missing_permissions:
        banners.append({"kind": "permissions", "permissions": ", ".join(presence.missing_permissions)})
    if not signing.configured:
        banners.append({"kind": "no-key", "href": keys})
    elif not signing.unlocked:
        banners.append({"kind": "locked", "href": keys})
    return banners


async def ask_banners(api: GuildApi) -> list[Banner]:
    """The banners, asked for at once. That they cannot be had never costs a page: who may not know them sees none."""
    try:
        signing, blind, presence = await asyncio.gather(
            api.get("/signing/status", SigningState),
            api.get("/blind", BlindTimes, {"limit": 1}),
            api.get("/bot-present", BotPresence),
        )
    except ApiRefused:
        return []
    except ApiAwayError:
        return [{"kind": "stale"}]
    return banners_of(api.guild_id, signing, blind.items, presence)
