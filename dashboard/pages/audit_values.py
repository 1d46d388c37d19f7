"""What a change changed, in words: the API's members and values by what the pages call them, ids by their names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from dashboard.errors import ApiRefused
from dashboard.lists import Listed, whole_list
from dashboard.page import GuildPage
from dashboard.words import Words

# Values that a form offers have its words.
_VALUES = {
    "events": "webhooks-event",
    "frequency": "logs-frequency",
    "interval": "periods-interval",
    "mode": "tracking-mode",
    "scope": "roles-scope",
    "scopes": "tokens-scope",
    "tier": "subscription-tier",
    "tracking_mode": "tracking-mode",
    "types": "logs-type",
}
_CHANNELS = frozenset({"afk_channel_id", "channel_id", "channel_ids", "channels"})
_ROLES = frozenset({"read_roles", "role_id", "write_roles"})


_AWAY = 503


class _Channel(msgspec.Struct, frozen=True):
    channel_id: str
    name: str


class _Role(msgspec.Struct, frozen=True):
    role_id: str
    name: str


Names = Mapping[str, str]


async def names_in(page: GuildPage, changed: Iterable[Mapping[str, Any]]) -> Names:
    """What the guild now calls the channels and roles of these changes, by id; only what they need is asked for."""
    members = {name for change in changed for name in change}
    asked: list[Awaitable[list[tuple[str, str]]]] = []
    if members & _CHANNELS:
        asked.append(_names_at(page, "/channels"))
        if page.may("write"):
            asked.append(_names_at(page, "/text-channels"))
    if members & _ROLES:
        asked.append(_names_at(page, "/roles"))
    return dict(pair for pairs in await asyncio.gather(*asked) for pair in pairs)


async def _names_at(page: GuildPage, path: str) -> list[tuple[str, str]]:
    """None while Discord cannot be asked: ids say the same."""
    try:
        if path == "/roles":
            return [(role.role_id, role.name) for role in await whole_list(page.api, path, Listed[_Role])]
        return [(channel.channel_id, channel.name) for channel in await whole_list(page.api, path, Listed[_Channel])]
    except ApiRefused as refused:
        if refused.status != _AWAY:
            raise
        return []


@dataclass(frozen=True, slots=True)
class Difference:
    """One member of what changed, before and after, as text; None where there was none.

    ``name`` is the API's; ``label`` its words, or the name again where a newer API has one that is unknown here.
    """

    name: str
    label: str
    before: str | None
    after: str | None


def differences(
    words: Words, names: Names, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[Difference]:
    """What is different, by name; a member that one side lacks was not there."""
    members = {**(before or {}), **(after or {})}

    def side(of: Mapping[str, Any] | None, member: str) -> str | None:
        return _text(words, names, member, of[member]) if of is not None and member in of else None

    return [Difference(member, _label(words, member), side(before, member), side(after, member)) for member in members]


def _label(words: Words, member: str) -> str:
    key = f"audit-field-{member}"  # called the same wherever it stands, but for a few that mean the same
    return words(key) if key in words else member


def _text(words: Words, names: Names, member: str, value: object) -> str:
    if isinstance(value, bool):
        return words("audit-yes" if value else "audit-no")
    if value is None or value == []:
        return words("audit-unset")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(_word(words, names, member, one) for one in value)
    return _word(words, names, member, value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _word(words: Words, names: Names, member: str, value: str) -> str:
    if member in _CHANNELS | _ROLES:
        return names.get(value, value)
    key = f"{_VALUES[member]}-{value.lower().replace('.', '-')}" if member in _VALUES else ""
    return words(key) if key in words else value
