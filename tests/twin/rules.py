"""A guild's rules, and which channels they track. Quotes are from the accounting text, section 3."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """One complete rule set. Equality is the text's: "all eight members equal after defaults, `channels` as a set"."""

    mode: str = "all"
    channels: frozenset[int] = frozenset()
    afk_channel_id: int | None = None
    pause_on_mute: bool = False
    pause_on_deafen: bool = False
    pause_when_solo: bool = False
    min_session_seconds: int = 0
    bridge_gap_seconds: int = 120


def is_listed(rules: Rules, parents: Mapping[int, int | None], channel: int) -> bool:
    """ "A channel is *listed* if it or its category is in `channels`"."""
    return channel in rules.channels or parents.get(channel) in rules.channels


def is_tracked(rules: Rules, parents: Mapping[int, int | None], channel: int) -> bool:
    """ "**tracked** when it is not `afk_channel_id`, and: mode `all`; or `allowlist` and it is listed; …"."""
    if channel == rules.afk_channel_id:
        return False
    if rules.mode == "all":
        return True
    if rules.mode == "allowlist":
        return is_listed(rules, parents, channel)
    if rules.mode == "denylist":
        return not is_listed(rules, parents, channel)
    assert rules.mode == "off"
    return False


def canonical_json(rules: Rules) -> bytes:
    """What is hashed: "`channels` ascending as numbers, `afk_channel_id` left out where there is none"."""
    members = {
        "mode": rules.mode,
        "channels": [str(channel) for channel in sorted(rules.channels)],
        "pause_on_mute": rules.pause_on_mute,
        "pause_on_deafen": rules.pause_on_deafen,
        "pause_when_solo": rules.pause_when_solo,
        "min_session_seconds": rules.min_session_seconds,
        "bridge_gap_seconds": rules.bridge_gap_seconds,
    }
    if rules.afk_channel_id is not None:
        members["afk_channel_id"] = str(rules.afk_channel_id)
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def digest(rules: Rules) -> bytes:
    return hashlib.sha256(canonical_json(rules)).digest()
