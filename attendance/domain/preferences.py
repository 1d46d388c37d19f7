"""Preferences of a guild that are no accounting rules: names shown or not, how long sessions are kept, panel roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attendance.domain.ids import RoleId

# Not below the days that the journal is usually kept: what is still in there would outlive its own deletion.
MIN_RETENTION_DAYS = 14
MAX_RETENTION_DAYS = 3_650
MAX_PANEL_ROLES = 25


@dataclass(frozen=True, slots=True)
class Preferences:
    """Preferences, as they are until somebody chooses others.

    Attributes:
        names_shown: in pictures, logs and webhooks. Who may read the guild's reports sees names in any case.
        retention_days: how long sessions are kept; None is for ever.
        read_roles: Discord roles that may look at the panel without Manage Server.
        write_roles: those that may also change what the panel lets them.
    """

    names_shown: bool = True
    retention_days: int | None = None
    read_roles: frozenset[RoleId] = frozenset()
    write_roles: frozenset[RoleId] = frozenset()


def as_audited(preferences: Preferences) -> dict[str, Any]:
    """The members as the audit keeps them: JSON, roles ascending."""
    return {
        "names_shown": preferences.names_shown,
        "retention_days": preferences.retention_days,
        "read_roles": [str(role_id) for role_id in sorted(preferences.read_roles)],
        "write_roles": [str(role_id) for role_id in sorted(preferences.write_roles)],
    }
