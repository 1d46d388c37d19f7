"""``/verify/…`` and the public keys: for everyone, without a token."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.params import PathParameter
from litestar.types import ControllerRouterHandler

from api.errors import BadAddressError, declared
from api.limits import limit_by_ip
from api.parameters import Services
from api.schemas.signing import JwkBody, JwksBody, VerdictBody, verdict_body
from attendance.domain.ids import MAX_SNOWFLAKE, GuildId
from attendance.domain.records import b64url
from attendance.errors import NotFoundError

MEANING = (
    "`valid` means: this deployment recorded this, and it has not changed since. It does not mean that a member was "
    "attentive, nor that the deployment is honest."
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_MAX_PERIOD_INDEX = 2**31 - 1
_LONGEST_ID = 19


@get(
    "/verify/session/{session_id:str}",
    operation_id="verifySession",
    summary="Verify a session's signed record",
    description=f"{MEANING} Checked are the stored bytes, the signature, the record's place in the guild's chain, the key's "
    "window, the timeline against its digest, and the recorded sums against the timeline.",
    tags=["verify"],
    security=[{}],
    guards=[limit_by_ip],
    responses=declared(400, 404, 429, 500, 503),
)
async def verify_session(
    services: Services,
    session_id: Annotated[str, PathParameter(description="The session's UUID")],
) -> VerdictBody:
    """A session's verdict."""
    if not _UUID.fullmatch(session_id):
        raise BadAddressError("the session's id is not a UUID")
    return verdict_body(await services.verification.session(UUID(session_id)))


@get(
    "/verify/period/{guild_id:str}/{period_index:str}",
    operation_id="verifyPeriod",
    summary="Verify an archived period's signed record",
    description=f"{MEANING} Checked are the stored bytes, the signature, the record's place in the guild's chain, the key's "
    "window, and the roots over the period's sessions and entries, recomputed from their stored hashes.",
    tags=["verify"],
    security=[{}],
    guards=[limit_by_ip],
    responses=declared(400, 404, 429, 500, 503),
)
async def verify_period(
    services: Services,
    guild_id: Annotated[str, PathParameter(description="The guild's Discord id")],
    period_index: Annotated[str, PathParameter(description="The period's index")],
) -> VerdictBody:
    """A period's verdict."""
    guild = _number(guild_id, "guild's id", MAX_SNOWFLAKE)
    index = _number(period_index, "period's index", _MAX_PERIOD_INDEX)
    return verdict_body(await services.verification.period(GuildId(guild), index))


@get(
    "/.well-known/jwks.json",
    operation_id="getKeys",
    summary="Every public key of this deployment",
    description="Active, retired, revoked and lost ones: old records verify for ever. A key is good for a window of "
    "positions in its guild's chain, which the chain's key records say. The first ones are the deployment's own: the export "
    "key and the transparency log's.",
    tags=["verify"],
    security=[{}],
    responses=declared(500, 503),
)
async def get_keys(services: Services) -> Response[JwksBody]:
    """The key set."""
    found = [*await services.exports.deployment_keys(), *await services.keyring.public_keys()]
    keys = [JwkBody(kid=kid, x=b64url(public_key)) for kid, public_key in found]
    headers = {"Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*"}
    return Response(JwksBody(keys=keys), headers=headers)


def _number(text: str, name: str, largest: int) -> int:
    """An integer of the path.

    Raises:
        BadAddressError: it is none.
        NotFoundError: it is one that nothing here can have.
    """
    if not _INTEGER.fullmatch(text):
        raise BadAddressError(f"the {name} is not an integer")
    if len(text) > _LONGEST_ID or not 0 <= int(text) <= largest:
        raise NotFoundError("there is no such period, or it is not over")
    return int(text)


ROUTES: list[ControllerRouterHandler] = [verify_session, verify_period, get_keys]
