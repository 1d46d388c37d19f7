"""``…/members/{user_id}/sessions/{session_id}``: one session, and correcting it: never an edit, always a record."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from attendance.errors import NotFoundError
from dashboard.errors import ApiRefused
from dashboard.instants import instant_iso, parsed_instant
from dashboard.links import with_query
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of
from dashboard.pages.member import day_in
from dashboard.pages.member_address import member_of, section_of
from dashboard.pages.member_wire import Correction, Corrections, Session, Sessions

MOST_MINUTES = 10_080  # a week: the API bounds it by the session's length
MOST_NOTE = 500
_PATH = "/guilds/{guild_id:str}/members/{user_id:str}/sessions/{session_id:str}"
_MINUTES = re.compile(r"[0-9]{1,5}", re.ASCII)
_MOST_CORRECTIONS = 200
_BELOW_MILLISECONDS = 80  # bits of a UUID v7 (RFC 9562, section 5.7)


class Typed(msgspec.Struct, frozen=True):
    """What was typed: add or take, how many minutes, why."""

    direction: str = "add"
    minutes: str = ""
    note: str = ""


@get(_PATH)
async def show_session(page: InGuild, user_id: FromPath[str], session_id: FromPath[str]) -> Html:
    """The session, its corrections, and for who may the form for another one. ``?at=`` is an instant within it, if given."""
    return await _show(page, *await _found(page, user_id, session_id))


@post(_PATH, status_code=303)
async def correct_session(
    page: InGuild, request: Request[Any, Any, Any], user_id: FromPath[str], session_id: FromPath[str]
) -> Html:
    """Take it to the API. The same form sent twice is one correction: its key names what stood there when it was shown."""
    page.expect("correct")
    session, made = await _found(page, user_id, session_id)
    form = await form_of(request)
    typed = Typed(form.get("direction", ""), form.get("minutes", "").strip(), form.get("note", "").strip())
    errors = _errors(page, typed)
    if errors:
        return await _show(page, session, made, typed, errors, status=422)
    delta = int(typed.minutes) * (60 if typed.direction == "add" else -60)
    body = {"session_id": session.session_id, "delta_seconds": delta, "note": typed.note}
    shown = form.get("shown", "")
    key = sha256("|".join((session.session_id, str(delta), typed.note, shown, str(page.user_id))).encode()).hexdigest()
    try:
        await page.api.post("/corrections", body, key=key)
    except ApiRefused as refused:
        if not refused.is_about_input:
            raise
        named = dict(refused.details)
        if named.pop("delta_seconds", None):  # its words are of seconds, the field is of minutes
            most_add, most_take = _room(session)
            named["minutes"] = page.words("member-correct-room", add=most_add, take=most_take)
        return await _show(page, session, made, typed, named or {"minutes": refused.message}, status=refused.status)
    return page.redirect(_address(page, session), Flash("good", "member-correction-made"))


def _room(session: Session) -> tuple[int, int]:
    """How many whole minutes can be added and taken: a session stays within nothing and its whole length."""
    now = session.seconds + session.corrected_seconds
    return max(0, _length(session) - now) // 60, max(0, now) // 60


def _length(session: Session) -> int:
    return round((parsed_instant(session.left_at) - parsed_instant(session.joined_at)).total_seconds())


def _errors(page: GuildPage, typed: Typed) -> dict[str, str]:
    errors = {}
    if typed.direction not in ("add", "take"):
        errors["direction"] = page.words("member-correct-choose")
    if not _MINUTES.fullmatch(typed.minutes) or not 0 < int(typed.minutes) <= MOST_MINUTES:
        errors["minutes"] = page.words("member-correct-bad-minutes", most=MOST_MINUTES)
    if not typed.note:
        errors["note"] = page.words("member-correct-no-note")
    return errors


async def _found(page: GuildPage, user_id: str, session_id: str) -> tuple[Session, list[Correction]]:
    """The session, with its corrections.

    Raises:
        NotFoundError: the member has no such session, or none at the instant that the address names.
        ApiRefused: 403: only who may read here is told of sessions one by one.
    """
    member = member_of(page, user_id)
    page.expect("read")
    try:
        at, after = _within(page.request.query_params.get("at", ""), session_id)
    except (ValueError, OverflowError, OSError):
        raise NotFoundError("there is no such session") from None
    sessions, corrections = await asyncio.gather(
        page.api.get("/sessions", Sessions, {"user_id": member, "from": at, "to": after}),
        page.api.get("/corrections", Corrections, {"user_id": member, "limit": _MOST_CORRECTIONS}),
    )
    found = next((one for one in sessions.items if one.session_id == session_id), None)
    if found is None:
        raise NotFoundError("there is no such session")
    return found, [one for one in corrections.items if one.session_id == session_id]


def _within(at: str, session_id: str) -> tuple[str, str]:
    """A range that the session overlaps. An id is a UUID v7 and holds when the session ended: enough where ``at`` is lost.

    Raises:
        ValueError, OverflowError, OSError: neither says when.
    """
    if at:
        at_ms = round(parsed_instant(at).timestamp() * 1000)
        return instant_iso(at_ms), instant_iso(at_ms + 1)
    ended_ms = UUID(session_id).int >> _BELOW_MILLISECONDS
    return instant_iso(ended_ms - 1), instant_iso(ended_ms + 1)


async def _show(
    page: GuildPage,
    session: Session,
    made: list[Correction],
    typed: Typed | None = None,
    errors: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> Html:
    return page.render(
        "member/session.html",
        status=status,
        current=section_of(page, session.user_id),
        session=session,
        length=_length(session),
        day=day_in(session.joined_at, page.guild.zone),
        made=made,
        action=_address(page, session),
        values=typed or Typed(),
        errors=errors or {},
        most_minutes=MOST_MINUTES,
        most_note=MOST_NOTE,
    )


def _address(page: GuildPage, session: Session) -> str:
    path = f"{page.base}/members/{session.user_id}/sessions/{session.session_id}"
    return with_query(path, at=session.joined_at)


ROUTES: tuple[ControllerRouterHandler, ...] = (show_session, correct_session)
