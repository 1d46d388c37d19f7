"""What the API holds of a member, and the four changes that it takes: the same for oneself and for who manages the server.

For the latter also whom it concerns: who has opted out, and whose erasure is pending.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

import msgspec

from dashboard.errors import ApiRefused
from dashboard.lists import Listed
from dashboard.page import GuildPage
from dashboard.queries import PAGE_LENGTH, offset_of

Change = Literal["opt-out", "opt-in", "erase", "withdraw"]


class OptOut(msgspec.Struct, frozen=True):
    """``GET /members/{user_id}/opt-out``."""

    opted_out: bool
    since: str | None


class Erasure(msgspec.Struct, frozen=True):
    """``GET /members/{user_id}/erase``: the last request. ``state``: ``waiting``, ``running``, ``withdrawn`` or ``done``."""

    state: str
    requested_by: str
    requested_at: str
    due_at: str
    ended_at: str | None
    told_at: str | None
    tell_error: str | None

    @property
    def is_pending(self) -> bool:
        """Whether it is still to be carried out, or under way."""
        return self.state in ("waiting", "running")


class Preferences(msgspec.Struct, frozen=True):
    """``GET /settings``, as far as it is about what is kept."""

    retention_days: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """How it stands with one member. ``erasure`` is None where none was asked for of late."""

    opt_out: OptOut
    erasure: Erasure | None


async def held_of(page: GuildPage, member: str) -> Held:
    """Ask the API."""
    opt_out, erasure = await asyncio.gather(page.api.get(f"/members/{member}/opt-out", OptOut), _erasure(page, member))
    return Held(opt_out, erasure)


async def retention_of(page: GuildPage) -> Preferences | None:
    """How long sessions are kept; None for who may not read the settings."""
    return await page.api.get("/settings", Preferences) if page.may("read") else None


class OptedOut(msgspec.Struct, frozen=True):
    """A line of ``GET /opt-outs``. ``own``: they said so themselves."""

    user_id: str
    display_name: str
    since: str
    own: bool


class PendingErasure(msgspec.Struct, frozen=True):
    """A line of ``GET /erasures``. ``state``: ``waiting`` or ``running``."""

    user_id: str
    display_name: str
    state: str
    requested_by: str
    requested_at: str
    due_at: str
    told_at: str | None
    tell_error: str | None


@dataclass(frozen=True, slots=True)
class Concerned:
    """A page of each of the lists, how many come before it, and how long they are."""

    erasures: Listed[PendingErasure]
    erasures_offset: int
    opt_outs: Listed[OptedOut]
    opt_outs_offset: int


async def concerned_in(page: GuildPage) -> Concerned | None:
    """Whom it concerns, those of the page that the query names; None for who does not manage the server."""
    if not page.may("erase"):
        return None
    before, also_before = (offset_of(page.request, name) for name in ("erasures", "opt_outs"))
    erasures, opt_outs = await asyncio.gather(
        page.api.get("/erasures", Listed[PendingErasure], {"limit": PAGE_LENGTH, "offset": before}),
        page.api.get("/opt-outs", Listed[OptedOut], {"limit": PAGE_LENGTH, "offset": also_before}),
    )
    return Concerned(erasures, before, opt_outs, also_before)


async def change(page: GuildPage, member: str, what: Change) -> str | None:
    """Carry a change out. None if it was; else the API's words for why it was not (403, 404, 409)."""
    try:
        if what == "opt-out":
            await page.api.post(f"/members/{member}/opt-out")
        elif what == "opt-in":
            await page.api.delete(f"/members/{member}/opt-out")
        elif what == "erase":
            await page.api.post(f"/members/{member}/erase")
        else:
            await page.api.delete(f"/members/{member}/erase")
    except ApiRefused as refused:
        if refused.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            raise
        return refused.message
    return None


async def _erasure(page: GuildPage, member: str) -> Erasure | None:
    try:
        return await page.api.get(f"/members/{member}/erase", Erasure)
    except ApiRefused as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            raise
        return None
