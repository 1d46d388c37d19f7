"""Bodies of the health routes."""

from __future__ import annotations

from typing import Literal

from api.schemas.wire import Wire


class HealthBody(Wire, frozen=True, kw_only=True):
    """What works and what does not."""

    status: Literal["ok", "degraded"]
    database: Literal["ok", "unavailable"]
    gateway: Literal["connected", "disconnected", "unknown"]
    version: str


class LiveBody(Wire, frozen=True, kw_only=True):
    """The process runs; nothing else was looked at."""

    status: Literal["ok"] = "ok"
