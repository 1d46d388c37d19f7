"""What every part of the service stands on."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from attendance.clock import SystemClock
from attendance.config import Settings
from attendance.domain.subscriptions import Billing
from attendance.ids import SystemIds
from attendance.ports.discord_lookup import DiscordLookup
from attendance.store.database import Database
from attendance.wiring.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every part stands on. ``commands`` and ``signing`` wake the guild's owner and the signer of this process."""

    settings: Settings
    token: str
    resources: AsyncExitStack
    service: Service
    database: Database
    lookup: DiscordLookup
    billing: Billing
    holder: str
    clock: SystemClock = field(default_factory=SystemClock)
    ids: SystemIds = field(default_factory=SystemIds)
    commands: asyncio.Event = field(default_factory=asyncio.Event)
    signing: asyncio.Event = field(default_factory=asyncio.Event)
