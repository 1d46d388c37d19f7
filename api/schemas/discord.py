"""Bodies that show what the gateway knows of Discord."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from api.schemas.settings import ChannelKindName
from api.schemas.wire import Snowflake, Wire

RightName: TypeAlias = Literal[
    "own_stats", "own_data", "read", "write", "correct", "export", "keys", "tokens", "panel_roles", "erase", "subscription"
]


class BotPresentBody(Wire, frozen=True, kw_only=True):
    """Whether the bot is in the guild, and which permissions it would need there and lacks."""

    present: bool
    missing_permissions: list[str]


class AccessBody(Wire, frozen=True, kw_only=True):
    """What the caller may do in the guild, about anybody, and what a page about it is headed with.

    A member without any right still may ask for their own numbers and data.
    """

    present: bool
    name: str | None
    timezone: str
    rights: list[RightName]


class ChannelBody(Wire, frozen=True, kw_only=True):
    """A voice channel, stage or category of the guild."""

    channel_id: Snowflake
    name: str
    kind: ChannelKindName
    parent_id: Snowflake | None
    position: int


class TextChannelBody(Wire, frozen=True, kw_only=True):
    """A channel with messages that the bot can see."""

    channel_id: Snowflake
    name: Annotated[str, msgspec.Meta(description="Other people's text: escape it", examples=["announcements"])]
    kind: Literal["text", "announcement", "voice", "stage"]
    category: Annotated[str | None, msgspec.Meta(description="The name of its category", examples=["Information"])]
    missing_permissions: Annotated[list[str], msgspec.Meta(description="What the bot would need to post there and lacks")]


class RoleBody(Wire, frozen=True, kw_only=True):
    """A role of the guild. That whose id is the guild's is @everyone; `managed` ones belong to an integration."""

    role_id: Snowflake
    name: Annotated[str, msgspec.Meta(description="Other people's text: escape it", examples=["Moderators"])]
    position: Annotated[int, msgspec.Meta(description="A higher one stands further up in Discord's list")]
    managed: bool
