"""``/auth/me``, ``/auth/permissions``, ``/auth/validate``: who is signed in, as JSON by the reference contract."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.types import ControllerRouterHandler

from attendance.errors import InvalidInputError
from dashboard.domain.roles import Role
from dashboard.domain.sessions import SignedIn
from dashboard.domain.users import User
from dashboard.errors import NotOfferedError, NotSignedInError
from dashboard.services import services_of
from dashboard.viewers import expect_signed_in, signed_in_of

Json = dict[str, Any]


class ValidateBody(msgspec.Struct, forbid_unknown_fields=True):
    """What another service asks about."""

    token: str


@get("/auth/me")
async def show_me(request: Request[Any, Any, Any]) -> Response[Json]:
    """The user, or that nobody is signed in."""
    found = await signed_in_of(request)
    if found is None:
        return Response({"authenticated": False})
    user, standing = found.user, found.standing
    return Response(
        {
            "authenticated": True,
            "user": {
                **_named(user),
                "global_name": user.global_name,
                "avatar": user.avatar,
                "created_at": rfc3339(user.created_at_ms),
            },
            "roles": [{**_brief(role), "color": role.colour, "priority": role.priority} for role in _ordered(found)],
            "permissions": sorted(standing.permissions),
            "is_super_admin": standing.is_super_admin,
        }
    )


@get("/auth/permissions")
async def show_permissions(request: Request[Any, Any, Any]) -> Response[Json]:
    """Roles and permissions alone."""
    found = await expect_signed_in(request)
    return Response({**_allowed(found), "is_super_admin": found.standing.is_super_admin})


@post("/auth/validate", status_code=200, opt={"csrf": False})
async def validate(request: Request[Any, Any, Any]) -> Response[Json]:
    """Whether a token signs somebody in now, for other services of the deployment."""
    services = services_of(request.app)
    if services.settings.service_key is None:
        raise NotOfferedError("this deployment has no ROLLCALL_DASHBOARD_SERVICE_KEY")
    given = request.headers.get("x-service-key", "")
    if not hmac.compare_digest(given.encode(), services.settings.service_key.encode()):
        raise NotSignedInError
    try:
        body = msgspec.json.decode(await request.body(), type=ValidateBody)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInputError("the request is not valid", details={"token": "required"}) from None
    found = await services.sign_in.find(body.token)
    if found is None:
        return Response({"valid": False})
    return Response({"valid": True, "user": _named(found.user), **_allowed(found)})


def rfc3339(at_ms: int) -> str:
    """An instant as the contract writes it: UTC, milliseconds, ``Z``."""
    text = (
        datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000).isoformat(timespec="milliseconds")
    )
    return text.replace("+00:00", "Z")


def _named(user: User) -> Json:
    return {"id": str(user.user_id), "username": user.username}


def _brief(role: Role) -> Json:
    return {"id": role.role_id, "name": role.name}


def _allowed(found: SignedIn) -> Json:
    return {"permissions": sorted(found.standing.permissions), "roles": [_brief(role) for role in _ordered(found)]}


def _ordered(found: SignedIn) -> list[Role]:
    return sorted(found.standing.roles, key=lambda role: (-role.priority, role.role_id))


ROUTES: tuple[ControllerRouterHandler, ...] = (show_me, show_permissions, validate)
