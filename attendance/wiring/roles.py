"""What a process does, apart from the parts that do it: naming a role imports none of them."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a process does. Roles may run apart on PostgreSQL."""

    ALL = "all"
    GATEWAY = "gateway"
    API = "api"
    SCHEDULER = "scheduler"
    DASHBOARD = "dashboard"

    def includes(self, other: Role) -> bool:
        """Whether a process of this role does the other's work."""
        return self in (Role.ALL, other)
