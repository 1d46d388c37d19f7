"""API tokens on the wire."""

from __future__ import annotations

from typing import Any

from api.schemas import tokens as body
from attendance.domain.instants import to_rfc3339
from attendance.domain.tokens import ApiToken


def token_body(token: ApiToken) -> body.TokenBody:
    """A token without its secret."""
    return body.TokenBody(**_members(token))


def new_token_body(token: ApiToken, secret: str) -> body.NewTokenBody:
    """A token with its secret."""
    return body.NewTokenBody(**_members(token), token=secret)


def _members(token: ApiToken) -> dict[str, Any]:
    return {
        "token_id": str(token.token_id),
        "name": token.name,
        "scopes": [scope.value for scope in sorted(token.scopes)],
        "created_by": str(token.created_by),
        "created_at": to_rfc3339(token.created_at_ms),
        "expires_at": None if token.expires_at_ms is None else to_rfc3339(token.expires_at_ms),
        "last_used_at": None if token.last_used_at_ms is None else to_rfc3339(token.last_used_at_ms),
    }
