"""Milestones: engine states kept as long as the journal behind them, so that the past can be replayed from the middle."""

from __future__ import annotations

# One in each quarter of a day: what a replay reads in vain before the range that it is asked for.
MILESTONE_MS = 21_600_000


def milestone_number(at_ms: int) -> int:
    """Which quarter of a day, UTC, since the epoch."""
    return at_ms // MILESTONE_MS
