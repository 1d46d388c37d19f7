"""What anyone asks of a guild's owner: rows of the command inbox, applied in stream order.

A command's ``body`` and ``result`` are JSON objects. ``result`` has an ``error`` member where the owner refused it.

======== ================================================================== ==========================================
kind     body                                                               result
======== ================================================================== ==========================================
settings any of ``tracking_mode`` and the six members of `Fairness`          all seven members, after the change
track    ``channel_id``                                                     ``created``: false if it was tracked already
untrack  ``channel_id``                                                     ``removed``: false if it was not tracked
schedule any of the members of `Schedule`                                   all of them, and ``next_reset_at_ms`` (or null)
reset    nothing                                                            ``period_index``, ``ended_at_ms`` of the period cut
opt_out  ``user_id``, ``out``, and ``by_operator`` where it is one          ``changed``; ``refused``: ``own``, not undone
forget   nothing                                                            nothing: the guild, its command too, is gone
======== ================================================================== ==========================================

`forget` is asked of Rollcall by itself, when the bot has left a guild for good. Ids are decimal strings. Bodies are validated
before they are inserted (`attendance.services.settings`), so the owner applies them without a question; what it cannot read it
refuses, with the reason as ``error``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from attendance.domain.audit import Actor
from attendance.domain.ids import GuildId

ANSWERED_WITHIN_MS = 5_000
"""How long whoever asked waits for the answer. What is applied later was told to nobody."""


class CommandKind(StrEnum):
    """The commands there are."""

    SETTINGS = "settings"
    TRACK = "track"
    UNTRACK = "untrack"
    SCHEDULE = "schedule"
    RESET = "reset"
    OPT_OUT = "opt_out"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Command:
    """One waiting command."""

    id: int
    guild_id: GuildId
    kind: str
    body: str
    actor: Actor
    created_at_ms: int
