"""Bodies of the settings history."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from api.schemas.wire import Instant, Snowflake, Wire

_KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
_RULES = (
    '{"bridge_gap_seconds":120,"channels":[],"min_session_seconds":0,"mode":"all","pause_on_deafen":false,'
    '"pause_on_mute":false,"pause_when_solo":false}'
)
ViaName = Annotated[
    Literal["api", "token", "slash", "system"],
    msgspec.Meta(description="`api`: the panel; `token`: an API token; `slash`: a slash command; `system`: Rollcall itself"),
]
Action = Annotated[str, msgspec.Meta(examples=["fairness.update"])]
Target = Annotated[str | None, msgspec.Meta(description="Which one, where there are several", examples=["81384788765712385"])]
Address = Annotated[str | None, msgspec.Meta(description="From where, as far as trusted proxies say", examples=["203.0.113.9"])]
RulesDigest = Annotated[str, msgspec.Meta(description="SHA-256 of `rules`, base64url, as records name it", examples=[_KID])]
RulesText = Annotated[
    str, msgspec.Meta(description="The rules' canonical JSON, byte for byte, as text: hash it as it is", examples=[_RULES])
]
Version = Annotated[int, msgspec.Meta(description="Counts from 1 in the guild", examples=[3])]
TokenId = Annotated[str | None, msgspec.Meta(description="The API token that was used", examples=[None])]


class AuditEntryBody(Wire, frozen=True, kw_only=True):
    """One change. `actor_id` is null where Rollcall itself did it; `before` and `after` hold what is different, no secrets."""

    at: Instant
    action: Action
    target: Target
    target_name: Annotated[
        str | None, msgspec.Meta(description="As the guild calls that member or voice channel now; else null", examples=[None])
    ]
    actor_id: Snowflake | None
    actor_name: Annotated[
        str | None,
        msgspec.Meta(description="As the guild calls them now; the id where it does not know them", examples=["Ada"]),
    ]
    via: ViaName
    token_id: TokenId
    address: Address
    before: Annotated[dict[str, Any] | None, msgspec.Meta(examples=[{"pause_on_mute": False}])]
    after: Annotated[dict[str, Any] | None, msgspec.Meta(examples=[{"pause_on_mute": True}])]


class AuditRowBody(Wire, frozen=True, kw_only=True):
    """The same as a line of a table, `before` and `after` as JSON."""

    at: Instant
    action: Action
    target: str | None
    actor_id: Snowflake | None
    via: ViaName
    token_id: str | None
    address: str | None
    before: str | None
    after: str | None


class RulesVersionBody(Wire, frozen=True, kw_only=True):
    """A version of the rules, in force from `from` until the next.

    `actor_id` is null for the rules of a guild that was just joined, and where its AFK channel moved.
    """

    version: Version
    from_: Instant = msgspec.field(name="from")
    actor_id: Snowflake | None
    rules_sha256: RulesDigest
    rules: RulesText


class RulesUseBody(Wire, frozen=True, kw_only=True):
    """Since when, and by whom."""

    version: Version
    from_: Instant = msgspec.field(name="from")
    actor_id: Snowflake | None


class RulesBody(Wire, frozen=True, kw_only=True):
    """Rules that a record names, and the versions that have them, oldest first."""

    rules_sha256: RulesDigest
    rules: RulesText
    versions: list[RulesUseBody]
