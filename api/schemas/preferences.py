"""Bodies of ``/settings``."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from api.schemas.wire import Body, Snowflake, Wire

Days = Annotated[int, msgspec.Meta(ge=14, le=3_650, description="Days; what ended earlier is deleted", examples=[365])]
TimezoneName = Annotated[str, msgspec.Meta(max_length=64, description="An IANA time zone", examples=["Europe/Berlin"])]
Roles = Annotated[list[Snowflake], msgspec.Meta(max_length=25)]


class GeneralSettingsBody(Wire, frozen=True, kw_only=True):
    """The guild's time zone and preferences; `retention_days` null keeps everything."""

    timezone: TimezoneName
    names_shown: bool
    retention_days: Days | None
    read_roles: Roles
    write_roles: Roles


class ChangeGeneralSettingsBody(Body, frozen=True, kw_only=True):
    """Only the members given change."""

    timezone: TimezoneName | UnsetType = UNSET
    names_shown: bool | UnsetType = UNSET
    retention_days: Days | UnsetType | None = UNSET
    read_roles: Roles | UnsetType = UNSET
    write_roles: Roles | UnsetType = UNSET
