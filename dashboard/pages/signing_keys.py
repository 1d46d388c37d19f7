"""``/guilds/{guild_id}/signing/keys``: make, open, close and replace the guild's key.

Passphrases go from the form to the API and nowhere else: what was typed is shown again, but they are not.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.types import ControllerRouterHandler

from dashboard.errors import ApiRefused
from dashboard.page import Flash, GuildPage, Html, InGuild, form_of
from dashboard.pages.signing import Status, every_key
from dashboard.viewers import confirmed

_TOO_MANY = 429
_NO_VALID_BODY = "the body is not valid"  # how the API heads what its schema refuses
_POSITION = re.compile(r"-1|0|[1-9][0-9]{0,15}", re.ASCII)
_AUTO_UNLOCK = {"yes": True, "no": False}


class Typed(msgspec.Struct, frozen=True):
    """What a refused form shows again. It has no passphrase."""

    auto_unlock: str = ""
    reason: str = ""
    last_good_guild_seq: str = ""
    kid: str = ""


class Refused(msgspec.Struct, frozen=True):
    """Which of the page's forms was refused, what with, and the words beside each field; "" is the form's own.

    ``message`` is the API's sentence, where it says more than they do.
    """

    form: str
    typed: Typed
    errors: Mapping[str, str]
    message: str = ""


@get("/guilds/{guild_id:str}/signing/keys", guards=[confirmed])
async def show_keys(page: InGuild) -> Html:
    """What can be done with the key as it stands."""
    page.expect("keys")
    return await _show(page)


@post("/guilds/{guild_id:str}/signing/keys/generate", status_code=303, guards=[confirmed])
async def generate_key(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Make the first key."""
    form = await form_of(request)
    body = {"passphrase": form.get("passphrase", ""), "auto_unlock": form.get("auto_unlock") == "yes"}
    return await _send(page, "generate", form, body, new="passphrase", path="generate-keys")


@post("/guilds/{guild_id:str}/signing/keys/unlock", status_code=303, guards=[confirmed])
async def unlock_key(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Open the key: what waits is signed."""
    form = await form_of(request)
    return await _send(page, "unlock", form, {"passphrase": form.get("passphrase", "")})


@post("/guilds/{guild_id:str}/signing/keys/lock", status_code=303, guards=[confirmed])
async def lock_key(page: InGuild) -> Html:
    """Close the key, in every process."""
    return await _send(page, "lock", {}, None)


@post("/guilds/{guild_id:str}/signing/keys/change-passphrase", status_code=303, guards=[confirmed])
async def change_passphrase(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Seal the same key under another passphrase."""
    form = await form_of(request)
    body = {"passphrase": form.get("passphrase", ""), "new_passphrase": form.get("new_passphrase", "")}
    return await _send(page, "change-passphrase", form, body, new="new_passphrase")


@post("/guilds/{guild_id:str}/signing/keys/rotate", status_code=303, guards=[confirmed])
async def rotate_key(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Put a new key in the place of the old one, which signs its own end."""
    form = await form_of(request)
    body: dict[str, object] = {"passphrase": form.get("passphrase", ""), "auto_unlock": _auto_unlock(form)}
    if current := form.get("current_passphrase"):
        body["current_passphrase"] = current
    return await _send(page, "rotate", form, body, new="passphrase")


@post("/guilds/{guild_id:str}/signing/keys/lost", status_code=303, guards=[confirmed])
async def replace_lost_key(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Put a new key in the place of one that nobody can open any more."""
    form = await form_of(request)
    body = {"passphrase": form.get("passphrase", ""), "auto_unlock": _auto_unlock(form), "lost": True}
    return await _send(page, "lost", form, body, new="passphrase", path="rotate")


@post("/guilds/{guild_id:str}/signing/keys/revoke", status_code=303, guards=[confirmed])
async def revoke_key(page: InGuild, request: Request[Any, Any, Any]) -> Html:
    """Declare from which position on a key's records are not to be believed."""
    form = await form_of(request)
    position, kid = form.get("last_good_guild_seq", "").strip(), form.get("kid", "").strip()
    if not _POSITION.fullmatch(position):
        return await _refuse(page, "revoke", form, {"last_good_guild_seq": page.words("signing-bad-position")})
    body: dict[str, object] = {"reason": form.get("reason", "").strip(), "last_good_guild_seq": int(position)}
    if kid:
        body["kid"] = kid
    if passphrase := form.get("passphrase"):
        body |= {"passphrase": passphrase, "auto_unlock": _auto_unlock(form)}
    return await _send(page, "revoke", form, body, new="passphrase")


def _auto_unlock(form: Mapping[str, str]) -> bool | None:
    """None: as the key before it."""
    return _AUTO_UNLOCK.get(form.get("auto_unlock", ""))


async def _send(
    page: GuildPage,
    name: str,
    form: Mapping[str, str],
    body: object,
    *,
    new: str | None = None,
    path: str | None = None,
) -> Html:
    """Do it, or show the form again with why not. ``new``: the field of a new passphrase, which was typed twice."""
    if new is not None and form.get(new, "") != form.get("again", ""):
        return await _refuse(page, name, form, {"again": page.words("signing-not-the-same")})
    try:
        await page.api.post(f"/signing/{path or name}", body)
    except ApiRefused as refused:
        if refused.status == _TOO_MANY:
            return await _refuse_for_now(page, name, form, refused)
        if not refused.is_about_input:
            raise
        errors = refused.details or {"": refused.message}
        says_more = refused.details and name == "revoke" and refused.message != _NO_VALID_BODY
        message = refused.message if says_more else ""
        return await _refuse(page, name, form, errors, message=message, status=refused.status)
    return page.redirect(f"{page.base}/signing", Flash("good", f"signing-done-{name}"))


async def _refuse_for_now(page: GuildPage, name: str, form: Mapping[str, str], refused: ApiRefused) -> Html:
    """Too many wrong passphrases: said beside the one that was asked for, with the time to wait."""
    wait = refused.retry_after or 1
    field = "current_passphrase" if name == "rotate" else "passphrase"
    words = page.words("signing-too-many", wait=page.duration(wait))
    answer = await _refuse(page, name, form, {field: words}, status=_TOO_MANY)
    answer.headers["Retry-After"] = str(wait)
    return answer


async def _refuse(
    page: GuildPage,
    name: str,
    form: Mapping[str, str],
    errors: Mapping[str, str],
    *,
    message: str = "",
    status: int = 422,
) -> Html:
    typed = Typed(**{field: form.get(field, "") for field in Typed.__struct_fields__})
    return await _show(page, Refused(name, typed, errors, message), status=status)


async def _show(page: GuildPage, refused: Refused | None = None, *, status: int = 200) -> Html:
    now, keys = await asyncio.gather(page.api.get("/signing/status", Status), every_key(page))
    kids = [key.kid for key in keys]
    return page.render(
        "signing/keys.html", status=status, status_now=now, kids=kids, refused=refused or Refused("", Typed(), {})
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (
    show_keys,
    generate_key,
    unlock_key,
    lock_key,
    change_passphrase,
    rotate_key,
    replace_lost_key,
    revoke_key,
)
