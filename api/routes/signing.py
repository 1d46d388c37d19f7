"""``/signing/…``: the guild's key and what it signs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from litestar import Response, get, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import TooManyRequestsError, guild_errors
from api.parameters import Guild, Offset, Services, TableLimit, Who, table_limit
from api.routes import GUILD
from api.schemas.signing import (
    ChangePassphraseBody,
    GenerateKeysBody,
    GuildKeyBody,
    HistoryItemBody,
    RevokeBody,
    RotateBody,
    SigningKeyBody,
    SigningStatusBody,
    UnlockBody,
    guild_key_body,
    history_item,
    key_body,
    status_body,
)
from api.schemas.wire import Page, Strict
from api.tables import Format, listing
from attendance.services.access import Right
from attendance.services.passphrases import ThrottledError

SIGNING = f"{GUILD}/signing"
_TAGS = ["signing"]


@post(
    f"{SIGNING}/generate-keys",
    operation_id="generateKeys",
    summary="Make the guild's first key",
    description="What was recorded before is signed at once. The passphrase is kept nowhere: without it, and without the "
    "master key of the deployment, the key is lost (`/signing/rotate` with `lost`).",
    tags=_TAGS,
    guards=[requires(Right.KEYS)],
    dto=Strict[GenerateKeysBody],
    return_dto=None,
    responses=guild_errors(409, 413),
)
async def generate_keys(services: Services, guild: Guild, caller: Who, data: JSONBody[GenerateKeysBody]) -> SigningKeyBody:
    """The first key."""
    made = await services.succession.generate(guild, data.passphrase, auto_unlock=data.auto_unlock, actor=caller.actor)
    return key_body(made)


@post(
    f"{SIGNING}/unlock",
    operation_id="unlockKey",
    summary="Open the key with its passphrase",
    description="The backlog is signed. A wrong passphrase is 422; after five, each makes the next wait twice as long (429).",
    tags=_TAGS,
    status_code=200,
    guards=[requires(Right.KEYS)],
    dto=Strict[UnlockBody],
    return_dto=None,
    responses=guild_errors(409, 413),
)
async def unlock_key(services: Services, guild: Guild, caller: Who, data: JSONBody[UnlockBody]) -> SigningStatusBody:
    """Unlock."""
    with _throttled():
        return status_body(await services.keyring.unlock(guild, data.passphrase, actor=caller.actor))


@post(
    f"{SIGNING}/lock",
    operation_id="lockKey",
    summary="Close the key until it is unlocked",
    description="In every process, restarts included. Recording goes on; what is to be signed waits.",
    tags=_TAGS,
    status_code=200,
    guards=[requires(Right.KEYS)],
    responses=guild_errors(),
)
async def lock_key(services: Services, guild: Guild, caller: Who) -> SigningStatusBody:
    """Lock."""
    return status_body(await services.keyring.lock(guild, actor=caller.actor))


@post(
    f"{SIGNING}/change-passphrase",
    operation_id="changePassphrase",
    summary="Seal the key under another passphrase",
    description="The key stays the same, and locked if it is locked.",
    tags=_TAGS,
    status_code=200,
    guards=[requires(Right.KEYS)],
    dto=Strict[ChangePassphraseBody],
    return_dto=None,
    responses=guild_errors(409, 413),
)
async def change_passphrase(
    services: Services, guild: Guild, caller: Who, data: JSONBody[ChangePassphraseBody]
) -> SigningKeyBody:
    """Another passphrase."""
    old, new = data.passphrase, data.new_passphrase
    with _throttled():
        return key_body(await services.keyring.change_passphrase(guild, old, new, actor=caller.actor))


@post(
    f"{SIGNING}/rotate",
    operation_id="rotateKeys",
    summary="Put a new key in the place of the old one",
    description="The old key signs its own retirement and must be open for it (or its passphrase given), unless it is "
    "`lost`. Old records stay valid.",
    tags=_TAGS,
    guards=[requires(Right.KEYS)],
    dto=Strict[RotateBody],
    return_dto=None,
    responses=guild_errors(409, 413),
)
async def rotate_keys(services: Services, guild: Guild, caller: Who, data: JSONBody[RotateBody]) -> SigningKeyBody:
    """The next key."""
    with _throttled():
        key = await services.succession.rotate(
            guild,
            data.passphrase,
            current_passphrase=data.current_passphrase,
            lost=data.lost,
            auto_unlock=data.auto_unlock,
            actor=caller.actor,
        )
    return key_body(key)


@post(
    f"{SIGNING}/revoke",
    operation_id="revokeKey",
    summary="Declare that a key's later records are not to be believed",
    description="Positions in the chain decide, not times. Revoking the active key makes a new one, which signs the "
    "revocation. Answers with the key that is active now.",
    tags=_TAGS,
    status_code=200,
    guards=[requires(Right.KEYS)],
    dto=Strict[RevokeBody],
    return_dto=None,
    responses=guild_errors(409, 413),
)
async def revoke_key(services: Services, guild: Guild, caller: Who, data: JSONBody[RevokeBody]) -> SigningKeyBody:
    """Revoke."""
    key = await services.succession.revoke(
        guild,
        reason=data.reason,
        last_good_guild_seq=data.last_good_guild_seq,
        kid=data.kid,
        passphrase=data.passphrase,
        auto_unlock=data.auto_unlock,
        actor=caller.actor,
    )
    return key_body(key)


@get(
    f"{SIGNING}/status",
    operation_id="getSigningStatus",
    summary="Whether records are being signed",
    description="`unlocked` is true if any process of the deployment can sign.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_signing_status(services: Services, guild: Guild) -> SigningStatusBody:
    """Status."""
    return status_body(await services.keyring.status(guild))


@get(
    f"{SIGNING}/public-key",
    operation_id="getPublicKey",
    summary="The public half of the guild's key",
    description="404 before there is one.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_public_key(services: Services, guild: Guild) -> SigningKeyBody:
    """The public key."""
    return key_body(await services.keyring.active(guild))


@get(
    f"{SIGNING}/keys",
    operation_id="listKeys",
    summary="Every key the guild ever had, the newest first",
    description="Public halves, states, and the positions of the guild's chain that each is good for.",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def list_keys(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[GuildKeyBody]]:
    """A page of keys."""
    keys, total = await services.keyring.keys(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    return listing("keys", [guild_key_body(key) for key in keys], GuildKeyBody, total, format_)


@get(
    f"{SIGNING}/history",
    operation_id="getSigningHistory",
    summary="Archived periods, newest first",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_signing_history(
    *, services: Services, guild: Guild, format_: Format = "json", limit: TableLimit = None, offset: Offset = 0
) -> Response[Page[HistoryItemBody]]:
    """The history."""
    periods, total = await services.keyring.history(guild, table_limit(limit, is_table=format_ == "csv"), offset)
    return listing("periods", [history_item(period) for period in periods], HistoryItemBody, total, format_)


@contextmanager
def _throttled() -> Iterator[None]:
    try:
        yield
    except ThrottledError as error:
        raise TooManyRequestsError(error.retry_after_s) from error


ROUTES: list[ControllerRouterHandler] = [
    generate_keys,
    unlock_key,
    lock_key,
    change_passphrase,
    rotate_keys,
    revoke_key,
    get_signing_status,
    get_public_key,
    list_keys,
    get_signing_history,
]
