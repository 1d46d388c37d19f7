"""From preferences to what goes over the wire, and back."""

from __future__ import annotations

from typing import Any

from api.schemas.preferences import ChangeGeneralSettingsBody, GeneralSettingsBody
from api.shapes import given
from attendance.domain.ids import RoleId, parse_snowflake
from attendance.services.preferences import GeneralSettings


def general_settings(settings: GeneralSettings) -> GeneralSettingsBody:
    """The guild's time zone and preferences; roles ascending."""
    chosen = settings.preferences
    return GeneralSettingsBody(
        timezone=settings.timezone,
        names_shown=chosen.names_shown,
        retention_days=chosen.retention_days,
        read_roles=[str(role_id) for role_id in sorted(chosen.read_roles)],
        write_roles=[str(role_id) for role_id in sorted(chosen.write_roles)],
    )


def chosen_settings(change: ChangeGeneralSettingsBody) -> dict[str, Any]:
    """The members that a PATCH names, roles as ids.

    Raises:
        InvalidInputError: a role's id is none.
    """
    members = given(change)
    for name in ("read_roles", "write_roles"):
        if name in members:
            members[name] = [RoleId(parse_snowflake(role_id, name=name)) for role_id in members[name]]
    return members
