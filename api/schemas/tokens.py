"""Bodies of the API tokens."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from api.schemas.wire import Body, Instant, Snowflake, Wire
from attendance.domain.tokens import MAX_NAME_CHARACTERS

ScopeName = Literal["read", "export", "settings", "attendance"]
TokenName = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=MAX_NAME_CHARACTERS,
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*(?!\n)$",
        description="What it is for",
        examples=["nightly report"],
    ),
]
TokenId = Annotated[str, msgspec.Meta(examples=["01972f3c-7c00-7000-8000-0123456789ab"])]


class CreateTokenBody(Body, frozen=True, kw_only=True):
    """What the token is for and what it may do; without `expires_at` it lives until it is revoked."""

    name: TokenName
    scopes: Annotated[
        list[ScopeName],
        msgspec.Meta(
            min_length=1,
            max_length=8,
            description="`read`: what everyone with the panel sees; `export`: signed exports; `settings`: changing settings; "
            "`attendance`: corrections",
            examples=[["read"]],
        ),
    ]
    expires_at: (
        Annotated[
            str,
            msgspec.Meta(
                max_length=40,
                description="RFC 3339 with an offset",
                examples=["2028-01-15T08:00:00Z"],
            ),
        ]
        | None
    ) = None


class TokenBody(Wire, frozen=True, kw_only=True):
    """A token without its secret. `last_used_at` is to the minute."""

    token_id: TokenId
    name: TokenName
    scopes: list[ScopeName]
    created_by: Snowflake
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None


class NewTokenBody(TokenBody, frozen=True, kw_only=True):
    """A token with its secret, which is shown this once."""

    token: Annotated[
        str,
        msgspec.Meta(description="Keep it: it is stored nowhere", examples=["rc_4rU6CB-aRTHqyYRTgKqh9IMnVRqFWzgOqTSVU4Dc5kE"]),
    ]
