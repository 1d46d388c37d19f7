"""``/tokens``: secrets for programs."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, delete, get, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, Offset, Services, TableLimit, TokenPath, Who, instant, table_limit
from api.routes import GUILD
from api.schemas.tokens import CreateTokenBody, NewTokenBody, TokenBody
from api.schemas.wire import Page, Strict
from api.shapes_tokens import new_token_body, token_body
from api.tables import Format, listing
from attendance.domain.tokens import Scope
from attendance.services.access import Right
from attendance.services.tokens import NewToken

_TAGS = ["tokens"]


@post(
    f"{GUILD}/tokens",
    operation_id="createToken",
    summary="Make an API token",
    description="`token` is shown this once: send it as a bearer token. It is good for this guild only, until it expires or is "
    "revoked, and for as long as who made it may manage the guild.",
    tags=_TAGS,
    guards=[requires(Right.TOKENS)],
    dto=Strict[CreateTokenBody],
    return_dto=None,
    responses=guild_errors(409, 413),
)
async def create_token(services: Services, guild: Guild, caller: Who, data: JSONBody[CreateTokenBody]) -> NewTokenBody:
    """A new token."""
    scopes = frozenset(Scope(name) for name in data.scopes)
    wanted = NewToken(guild, data.name, scopes, instant(data.expires_at, "expires_at"))
    return new_token_body(*await services.tokens.create(wanted, caller.actor))


@get(
    f"{GUILD}/tokens",
    operation_id="listTokens",
    summary="API tokens, newest first",
    description="Without their secrets. Expired ones are listed until they are revoked.",
    tags=_TAGS,
    guards=[requires(Right.TOKENS)],
    responses=guild_errors(),
)
async def list_tokens(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[TokenBody]]:
    """A page of tokens."""
    tokens, total = await services.tokens.page(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    return listing("tokens", [token_body(token) for token in tokens], TokenBody, total, format_)


@delete(
    f"{GUILD}/tokens/{{token_id:str}}",
    operation_id="revokeToken",
    summary="End an API token at once",
    tags=_TAGS,
    guards=[requires(Right.TOKENS)],
    responses=guild_errors(),
)
async def revoke_token(services: Services, guild: Guild, caller: Who, token_id: TokenPath) -> None:
    """No longer good."""
    await services.tokens.revoke(guild, UUID(token_id), caller.actor)


ROUTES: list[ControllerRouterHandler] = [create_token, list_tokens, revoke_token]
