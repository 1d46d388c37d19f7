"""``/settings``: the guild's time zone, names, retention and panel roles."""

from __future__ import annotations

from litestar import get, patch
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, IdempotencyKey, Services, Who
from api.routes import GUILD
from api.schemas.preferences import ChangeGeneralSettingsBody, GeneralSettingsBody
from api.schemas.wire import Strict
from api.shapes_preferences import chosen_settings, general_settings
from attendance.services.access import Right
from attendance.services.commands import Request

_TAGS = ["settings"]
# What more it takes to change these: nobody raises themselves, and a retention erases.
_FURTHER_RIGHTS = {"read_roles": Right.PANEL_ROLES, "write_roles": Right.PANEL_ROLES, "retention_days": Right.ERASE}


@get(
    f"{GUILD}/settings",
    operation_id="getSettings",
    summary="Time zone, names, retention and panel roles",
    tags=_TAGS,
    guards=[requires(Right.READ)],
    responses=guild_errors(),
)
async def get_settings(services: Services, guild: Guild) -> GeneralSettingsBody:
    """The settings."""
    return general_settings(await services.preferences.of(guild))


@patch(
    f"{GUILD}/settings",
    operation_id="changeSettings",
    summary="Change time zone, names, retention or panel roles",
    description="Only the members given change. `timezone` is the guild's one time zone. Panel roles and retention take Manage "
    "Server itself: neither a panel role nor an API token is enough.",
    tags=_TAGS,
    guards=[requires(Right.WRITE)],
    dto=Strict[ChangeGeneralSettingsBody],
    return_dto=None,
    responses=guild_errors(409, 413),
)
async def change_settings(
    services: Services,
    guild: Guild,
    caller: Who,
    data: JSONBody[ChangeGeneralSettingsBody],
    idempotency_key: IdempotencyKey = None,
) -> GeneralSettingsBody:
    """Change the settings."""
    changes = chosen_settings(data)
    for right in sorted({_FURTHER_RIGHTS[name] for name in changes if name in _FURTHER_RIGHTS}):
        await services.access.authorise(caller, guild, right)
    return general_settings(await services.preferences.change(Request(guild, caller.actor, idempotency_key), changes))


ROUTES: list[ControllerRouterHandler] = [get_settings, change_settings]
