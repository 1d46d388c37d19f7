"""Who changed what: the actor of a change, and the entry that the audit keeps of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from attendance.domain.ids import GuildId, UserId


class Via(StrEnum):
    """How somebody asked for a change."""

    API = "api"  # a JWT of the dashboard
    TOKEN = "token"  # noqa: S105  # an API token
    SLASH = "slash"  # a slash command
    SYSTEM = "system"  # Rollcall itself


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for a change, how, and from where.

    Attributes:
        user_id: who; of a token its creator; None is Rollcall itself.
        via: how.
        address: the caller's IP address, as far as trusted proxies say.
        token_id: the API token that was used.
    """

    user_id: UserId | None
    via: Via = Via.API
    address: str | None = None
    token_id: UUID | None = None


SYSTEM = Actor(None, Via.SYSTEM)


def origin_text(actor: Actor) -> str:
    """How and from where an actor asked, as JSON: what a command keeps beside the actor's id."""
    token_id = None if actor.token_id is None else str(actor.token_id)
    members = {"via": actor.via.value, "address": actor.address, "token_id": token_id}
    return json.dumps({name: value for name, value in members.items() if value is not None}, sort_keys=True)


def actor_from(user_id: UserId, origin: str | None) -> Actor:
    """The actor of a command. One without an origin is told as a request to the API from nowhere in particular."""
    if origin is None:
        return Actor(user_id)
    members = json.loads(origin)
    token_id = members.get("token_id")
    return Actor(user_id, Via(members["via"]), members.get("address"), None if token_id is None else UUID(token_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change. ``before`` and ``after`` are JSON objects of what changed, without secrets; None where there was nothing.

    ``action`` is ``noun.verb`` of at most 40 characters, such as ``fairness.update``; ``target`` says which one where there are
    several (an id).
    """

    guild_id: GuildId
    at_ms: int
    actor: Actor
    action: str
    target: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
