"""Spacing out the identifies that we cause ourselves."""

from __future__ import annotations

FREE_IDENTIFIES = 5
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 900.0
FORGIVEN_AFTER_S = 3600.0


class IdentifyPacing:
    """How long to wait before the next identify that is no fault of the network's.

    Discord allows 1,000 identifies a day and resets the token of a bot that exceeds them. A guild whose payload we can never
    read would spend them in an hour, so after the first few each waits twice as long as the last, up to a quarter of an hour.
    All is forgiven after an hour without one.
    """

    def __init__(self) -> None:
        self._count = 0
        self._last_s: float | None = None

    def next_wait(self, now_s: float) -> float:
        """Count one more identify at ``now_s`` (monotonic seconds); return the seconds to wait before it."""
        if self._last_s is not None and now_s - self._last_s > FORGIVEN_AFTER_S:
            self._count = 0
        self._last_s = now_s
        self._count += 1
        if self._count <= FREE_IDENTIFIES:
            return 0.0
        doublings = min(self._count - FREE_IDENTIFIES - 1, 16)
        return min(FIRST_WAIT_S * (1 << doublings), LONGEST_WAIT_S)
