"""What the operators' pages and their JSON read from a request."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from attendance.errors import ConflictError, ForbiddenError, InvalidInputError, RollcallError
from dashboard.domain import rules
from dashboard.domain.roles import Permission
from dashboard.page import Page
from dashboard.requests import client_address
from dashboard.services import services_of
from dashboard.services.accounts import Actor
from dashboard.viewers import expect_signed_in

# What a page says beside its form instead of giving way to a page of errors.
REFUSALS = (ConflictError, ForbiddenError, InvalidInputError)

MOST_ITEMS = 100
MOST_PAGES = 1_000_000  # OFFSET walks: a page beyond this is nobody's page
_SEARCH_CHARACTERS = 100


async def actor_of(request: Request[Any, Any, Any]) -> Actor:
    """Who asks.

    Raises:
        NotSignedInError: nobody.
    """
    signed_in = await expect_signed_in(request)
    return Actor(signed_in.user.user_id, client_address(request))


async def views_admin(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard: only for who may look.

    Raises:
        NotSignedInError: nobody is signed in.
        ForbiddenError: without ``view_admin``.
    """
    rules.may_view((await expect_signed_in(connection)).standing)


async def manages_users(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard: only for who may change something at all; what exactly, the services decide. Put it before `confirmed`.

    Raises:
        NotSignedInError: nobody is signed in.
        ForbiddenError: without ``manage_users``.
    """
    rules.may_write((await expect_signed_in(connection)).standing)


def asked_number(request: Request[Any, Any, Any], name: str, default: int, most: int) -> int:
    """A number of the query, from 1 to ``most``.

    Raises:
        InvalidInputError: it is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[1-9][0-9]{0,6}", text, re.ASCII) or int(text) > most:
        raise InvalidInputError("the request is not valid", details={name: f"must be 1 to {most}"})
    return int(text)


def asked_text(request: Request[Any, Any, Any], name: str) -> str | None:
    """A text of the query; None where it is not there or blank.

    Raises:
        InvalidInputError: it is too long, or has characters that nobody can see.
    """
    text = request.query_params.get(name, "").strip()
    if len(text) > _SEARCH_CHARACTERS or not text.isprintable():
        raise InvalidInputError(
            "the request is not valid", details={name: f"must be at most {_SEARCH_CHARACTERS} printable characters"}
        )
    return text or None


def asked_offset(request: Request[Any, Any, Any]) -> int:
    """How many items to skip, from a link of ours; the first page for anything else."""
    text = request.query_params.get("offset", "")
    return int(text) if re.fullmatch(r"[0-9]{1,7}", text, re.ASCII) else 0


def operator_frame(page: Page, area: str, error: RollcallError | None = None) -> dict[str, Any]:
    """What every template of the operators' pages names, ``error`` being why the last write was not done."""
    return {
        "area": area,
        "manages": Permission.MANAGE_USERS in page.session.standing.permissions,
        "confirmed": page.is_confirmed,
        "refusal": None if error is None or error.details else error.message,
        "errors": {} if error is None else error.details,
    }


def status_of(error: RollcallError | None) -> int:
    """The status of a page that says so."""
    if error is None:
        return HTTPStatus.OK
    if isinstance(error, InvalidInputError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.FORBIDDEN if isinstance(error, ForbiddenError) else HTTPStatus.CONFLICT


async def confirmed_for_json(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard of a write by JSON, as `dashboard.viewers.confirmed` is a form's: a program cannot be led through Discord.

    Raises:
        NotSignedInError: nobody is signed in.
        ForbiddenError: Discord has not said within ten minutes who this is.
    """
    signed_in = await expect_signed_in(connection)
    if not services_of(connection.app).sign_in.is_confirmed(signed_in):
        raise ForbiddenError("confirm first that it is you: open /auth/confirm in the browser")
