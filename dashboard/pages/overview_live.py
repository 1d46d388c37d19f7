"""``/guilds/{guild_id}/events``: the overview's parts as they change, for everybody who looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from litestar import Request, get
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from dashboard.api_client import ApiClient, Asking
from dashboard.guild_state import banners_of
from dashboard.instants import parsed_instant
from dashboard.page import InGuild
from dashboard.pages.overview_wire import Glance, Occupancy, ask_glance, ask_occupancy
from dashboard.rendering import Templates
from dashboard.server_events import server_events
from dashboard.services.guild_access import Access
from dashboard.viewers import auth_token_of

# A slot of everybody in a very large guild would be megabytes for each viewer and second.
MOST_SHOWN = 100
SLOTS = ("start", "figures", "leaders", "missed", "signing", "sessions")


def voice_values(occupancy: Occupancy) -> dict[str, Any]:
    """What the slot of who is in voice shows: channels with at most `MOST_SHOWN` members in all, the longest there first."""
    as_of, left = parsed_instant(occupancy.as_of), MOST_SHOWN
    channels = []
    for channel in occupancy.channels:
        shown = [
            {"one": one, "seconds": max(int((as_of - parsed_instant(one.joined_at)).total_seconds()), 0)}
            for one in channel.members[:left]
        ]
        left -= len(shown)
        channels.append({"channel": channel, "shown": shown, "hidden": len(channel.members) - len(shown)})
    return {"occupancy": occupancy, "voice": channels}


def glance_values(glance: Glance) -> dict[str, Any]:
    """What all slots show."""
    return {"glance": glance, "overview": glance.overview, "signing": glance.signing, **voice_values(glance.occupancy)}


@dataclass(frozen=True, slots=True)
class OverviewSource:
    """A guild's overview as `dashboard.services.live` asks for it. What it makes is the same for everybody who may read."""

    api: ApiClient
    templates: Templates
    invite_url: Callable[[int], str]

    @asynccontextmanager
    async def events(self, asking: Asking, guild_id: int, after: str | None) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        """The API's events."""
        headers = {} if after is None else {"Last-Event-ID": after}
        async with self.api.guild(asking, guild_id).stream("/events", headers=headers) as streamed:
            yield server_events(streamed.chunks)

    async def occupancy(self, asking: Asking, guild_id: int) -> Mapping[str, str]:
        """Who is in voice."""
        found = await ask_occupancy(self.api.guild(asking, guild_id))
        return {"voice": self._slot("voice", guild_id, "UTC", voice_values(found))}

    async def everything(self, asking: Asking, guild_id: int) -> Mapping[str, str]:
        """All slots."""
        api = self.api.guild(asking, guild_id)
        access = await api.get("/access", Access)
        glance = await ask_glance(api)
        values, zone = glance_values(glance), access.timezone
        banners = banners_of(guild_id, glance.signing, glance.blind, glance.presence, self.invite_url(guild_id))
        return {
            "banners": self._slot("banners", guild_id, zone, {"banners": banners}),
            "voice": self._slot("voice", guild_id, zone, values),
            **{name: self._slot(name, guild_id, zone, values) for name in SLOTS},
        }

    def stale(self, guild_id: int) -> Mapping[str, str]:
        """That the service does not answer; everything else stays."""
        return {"banners": self._slot("banners", guild_id, "UTC", {"banners": [{"kind": "stale"}]})}

    def _slot(self, name: str, guild_id: int, zone: str, values: dict[str, Any]) -> str:
        frame = {"base": f"/guilds/{guild_id}", "zone": zone}
        return self.templates.render(f"overview/slots/{name}.html", {**frame, **values}).strip()


@get("/guilds/{guild_id:str}/events")
async def stream_events(page: InGuild, request: Request[Any, Any, Any]) -> Stream:
    """Fragments for ``assets/src/live.js``: asked without ``Last-Event-ID``, all slots as they are come first."""
    page.expect("read")
    last_event_id = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
    judge = partial(page.services.guilds.may_still_read, auth_token_of(request) or "", page.api.asking, page.guild.guild_id)
    parts = page.services.live.stream(page.api.asking, page.guild.guild_id, last_event_id, judge)
    # Proxies must not collect it.
    return Stream(parts, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


ROUTES: tuple[ControllerRouterHandler, ...] = (stream_events,)
