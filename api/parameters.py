"""Path and query parameters, and the dependencies that handlers name."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, PathParameter, QueryParameter, SkipValidation

from api.requests import services_of
from api.schemas.wire import DECIMAL_ID, UUID_TEXT
from api.services import ApiServices
from attendance.domain.ids import ChannelId, GuildId, UserId, parse_snowflake
from attendance.domain.instants import parse_rfc3339
from attendance.errors import InvalidInputError
from attendance.services.access import Caller

# In handlers: `services: Services`, `guild: Guild`, `caller: Who` (those three come from `create_app`'s dependencies).
Services: TypeAlias = NamedDependency[SkipValidation[ApiServices]]
Guild: TypeAlias = NamedDependency[SkipValidation[GuildId]]
Who: TypeAlias = NamedDependency[SkipValidation[Caller]]

# Paths take integers, but Litestar's int accepts signs, underscores and foreign digits: text with a pattern, then parsed.
GuildPath: TypeAlias = Annotated[str, PathParameter(pattern=DECIMAL_ID, description="The guild's Discord id")]
ChannelPath: TypeAlias = Annotated[str, PathParameter(pattern=DECIMAL_ID, description="The channel's Discord id")]
DestinationPath: TypeAlias = Annotated[str, PathParameter(pattern=UUID_TEXT, description="The log destination's id")]
TokenPath: TypeAlias = Annotated[str, PathParameter(pattern=UUID_TEXT, description="The token's id")]
MemberPath: TypeAlias = Annotated[str, PathParameter(pattern=DECIMAL_ID, description="The member's Discord id")]
UserQuery: TypeAlias = Annotated[str, QueryParameter(name="user_id", pattern=DECIMAL_ID, description="A member's Discord id")]
UserFilter: TypeAlias = Annotated[
    str | None, QueryParameter(name="user_id", pattern=DECIMAL_ID, description="Only of this member")
]
ChannelFilter: TypeAlias = Annotated[
    str | None, QueryParameter(name="channel_id", pattern=DECIMAL_ID, description="Only in this channel")
]
Search: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f\x7f]+$",  # PostgreSQL has no NUL in its texts
        description="Members whose display name contains this, or whose id it is",
    ),
]

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
# One answer's worth of work and memory; a longer table is read with `offset`.
MAX_TABLE_ROWS = 10_000
# OFFSET walks: a page beyond this is nobody's page.
MAX_OFFSET = 10_000_000

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="How many items at most")]
TableLimit: TypeAlias = Annotated[
    int | None,
    QueryParameter(
        ge=1,
        le=MAX_TABLE_ROWS,
        description=f"How many items: {MAX_LIMIT} at most and {DEFAULT_LIMIT} by default; with `format=csv` {MAX_TABLE_ROWS}",
    ),
]
Offset: TypeAlias = Annotated[int, QueryParameter(ge=0, le=MAX_OFFSET, description="How many items to skip")]
PeriodQuery: TypeAlias = Annotated[
    int | None, QueryParameter(ge=0, le=2**31 - 1, description="A period's index; the running one by default")
]
From: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        name="from",
        max_length=40,
        description="What ended after this: RFC 3339 with an offset, like 2027-01-15T08:00:00Z",
        schema_extra={"format": "date-time"},
    ),
]
To: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        name="to",
        max_length=40,
        description="What began before this: RFC 3339 with an offset",
        schema_extra={"format": "date-time"},
    ),
]
IdempotencyKey: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        pattern=r"^[!-~]{1,80}$",
        description="Any printable text without spaces; a retry with the same key does nothing twice",
    ),
]


# A reader of numbers takes `1e2` for 100, which is no way to write a whole number.
_WHOLE = re.compile(r"-?[0-9]+", re.ASCII)


async def expect_whole_numbers(request: Request[Any, Any, Any]) -> None:
    """Before a handler, after its guards: the integers that it takes from the query are written in digits.

    Raises:
        InvalidInputError: one is not.
    """
    taken = request.route_handler.parsed_fn_signature.parameters
    wrong = {
        name: "a whole number in digits"
        for name, texts in request.query_params.dict().items()
        if name in taken and taken[name].has_inner_subclass_of(int) | taken[name].is_subclass_of(int)
        if not all(map(_WHOLE.fullmatch, texts))
    }
    if wrong:
        raise InvalidInputError("the request is not valid", details=wrong)


async def provide_services(request: Request[Any, Any, Any]) -> ApiServices:
    """The services that the app was created with."""
    return services_of(request.app)


async def provide_guild(guild_id: GuildPath) -> GuildId:
    """The path's guild, which the guard has authorised already."""
    return GuildId(parse_snowflake(guild_id, name="guild_id"))


def parse_channel(text: str) -> ChannelId:
    """A channel's id from a path or a query.

    Raises:
        InvalidInputError: it is none.
    """
    return ChannelId(parse_snowflake(text, name="channel_id"))


def parse_user(text: str) -> UserId:
    """A user's id from a query.

    Raises:
        InvalidInputError: it is none.
    """
    return UserId(parse_snowflake(text, name="user_id"))


def instant(text: str | None, name: str) -> int | None:
    """An instant from a query, in Unix milliseconds.

    Raises:
        InvalidInputError: it is none.
    """
    return None if text is None else parse_rfc3339(text, name=name)


def table_limit(limit: int | None, *, is_table: bool) -> int:
    """How many items a list has: what the caller said, or by default all of a table and a page of JSON.

    Raises:
        InvalidInputError: it is more than a page of JSON may have.
    """
    if limit is None:
        return MAX_TABLE_ROWS if is_table else DEFAULT_LIMIT
    if limit > MAX_LIMIT and not is_table:
        raise InvalidInputError("the request is not valid", details={"limit": f"at most {MAX_LIMIT}, but for format=csv"})
    return limit
