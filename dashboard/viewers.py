"""Who is signed in at a request: looked up once, from the cookie or from ``Authorization: Bearer``."""

from __future__ import annotations

from litestar.handlers import BaseRouteHandler

from dashboard.domain.sessions import SignedIn
from dashboard.errors import ConfirmationNeededError, NotSignedInError
from dashboard.requests import Connection
from dashboard.security.cookies import AUTH
from dashboard.services import services_of

_KEY = "rollcall_signed_in"


def auth_token_of(connection: Connection) -> str | None:
    """The token that the request carries."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if scheme:
        return given.strip() if scheme.lower() == "bearer" else None
    return connection.cookies.get(AUTH)


async def signed_in_of(connection: Connection) -> SignedIn | None:
    """Who is signed in; None if nobody.

    Raises:
        UnavailableError: the database is away.
    """
    state = connection.scope["state"]
    if _KEY not in state:
        token = auth_token_of(connection)
        state[_KEY] = None if token is None else await services_of(connection.app).sign_in.find(token)
    found = state[_KEY]
    assert found is None or isinstance(found, SignedIn)  # noqa: S101  # put there above
    return found


def was_looked_up(connection: Connection) -> bool:
    """Whether it was asked by now who is signed in."""
    return _KEY in connection.scope["state"]


def already_known(connection: Connection) -> SignedIn | None:
    """Who is signed in, where that was looked up by now; None if not, or if nobody is."""
    found = connection.scope["state"].get(_KEY)
    return found if isinstance(found, SignedIn) else None


async def expect_signed_in(connection: Connection) -> SignedIn:
    """Who is signed in.

    Raises:
        NotSignedInError: nobody.
    """
    found = await signed_in_of(connection)
    if found is None:
        raise NotSignedInError(had_session=bool(auth_token_of(connection)))
    return found


async def confirmed(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Guard of what matters most (keys, erasure, roles): Discord must have said within ten minutes who this is.

    Put it on the form's page and on the write: ``guards=[confirmed]``. Who has not confirmed is led through Discord and back to
    the page; what they typed is not kept, so the page asks before they type.

    Raises:
        NotSignedInError: nobody is signed in.
        ConfirmationNeededError: to be led through Discord.
    """
    signed_in = await expect_signed_in(connection)
    if not services_of(connection.app).sign_in.is_confirmed(signed_in):
        raise ConfirmationNeededError("confirm that it is you")
