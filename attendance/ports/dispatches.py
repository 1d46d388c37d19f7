"""Gateway events that the recorder does not read: interactions and entitlements."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, Protocol

INTERACTION_CREATE = "INTERACTION_CREATE"
ENTITLEMENT_NAMES = frozenset({"ENTITLEMENT_CREATE", "ENTITLEMENT_UPDATE", "ENTITLEMENT_DELETE"})


class DispatchListener(Protocol):
    """Told of raw dispatches (op 0) of some names, as Discord sent them.

    Each is told once for each time that Discord sends it, in the order of its shard's socket. What is read while this process
    is away is not told at all: nothing may depend on having been told.
    """

    @property
    def names(self) -> AbstractSet[str]:
        """The names that are wanted; none of those that the recorder reads. Fixed."""
        ...

    def dispatched(self, name: str, payload: Any) -> None:
        """Take one. Called in the gateway's thread, between two frames of a socket: returns at once and never raises.

        Args:
            name: the event's name (``t``), one of `names`.
            payload: its decoded ``d``: any JSON value. It is the listener's own, nobody else changes it.
        """
        ...
