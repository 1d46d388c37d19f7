"""Discord-shaped REST errors."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from simulator.encoding import encode_json


def json_response(payload: Any, status: int = 200) -> web.Response:
    """Return ``payload`` as a JSON response."""
    return web.Response(body=encode_json(payload), status=status, content_type="application/json")


class RestError(Exception):
    """An answer other than success: the HTTP status, Discord's numeric code and its message."""

    def __init__(self, status: int, code: int, message: str, *, errors: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def response(self) -> web.Response:
        """Return the error as a response."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return json_response(body, self.status)


def unauthorized() -> RestError:
    """Return the answer to a wrong or missing token."""
    return RestError(401, 0, "401: Unauthorized")


def not_found() -> RestError:
    """Return the answer to a path that is no route."""
    return RestError(404, 0, "404: Not Found")


def unknown_channel() -> RestError:
    """Return the answer for a channel that does not exist."""
    return RestError(404, 10_003, "Unknown Channel")


def unknown_guild() -> RestError:
    """Return the answer for a guild that does not exist or has not got the bot."""
    return RestError(404, 10_004, "Unknown Guild")


def unknown_member() -> RestError:
    """Return the answer for a user who is not in the guild."""
    return RestError(404, 10_007, "Unknown Member")


def unknown_role() -> RestError:
    """Return the answer for a role that the guild has not got."""
    return RestError(404, 10_011, "Unknown Role")


def unknown_user() -> RestError:
    """Return the answer for a user who does not exist."""
    return RestError(404, 10_013, "Unknown User")


def missing_access() -> RestError:
    """Return the answer for something that exists and that the bot may not see."""
    return RestError(403, 50_001, "Missing Access")


def missing_permissions() -> RestError:
    """Return the answer for something that the bot sees and may not do."""
    return RestError(403, 50_013, "Missing Permissions")


def invalid_form(field: str, code: str, message: str) -> RestError:
    """Return the answer to a body with one bad field."""
    return RestError(400, 50_035, "Invalid Form Body", errors={field: {"_errors": [{"code": code, "message": message}]}})
