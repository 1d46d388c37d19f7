"""Trying a transaction again until the database is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ParamSpec

import structlog

from attendance import metrics
from attendance.errors import UnavailableError

P = ParamSpec("P")

log = structlog.get_logger(__name__)

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0


async def until_stored(what: str, transaction: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run a transaction, again and again while the database is away; each transaction can tell that it was stored already.

    Ownership that was lost meanwhile ends it: `OwnershipLostError` passes through.
    """
    pause = _FIRST_PAUSE_S
    while True:
        try:
            await transaction(*args, **kwargs)
        except UnavailableError as error:
            metrics.RETRIES.labels(what).inc()
            log.warning("store_unavailable", what=what, error=str(error), retry_in_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        else:
            return
