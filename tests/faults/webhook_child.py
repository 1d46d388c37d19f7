"""A process that only delivers webhooks to a receiver on loopback: started, and killed, by the fault tests."""

from __future__ import annotations

import asyncio
import sys
from ipaddress import ip_network

from attendance.clock import FixedClock
from attendance.outbound.guarded_http import open_sender
from attendance.store.database import open_database
from tests.webhook_world import WebhookWorld

LOOPBACK = (ip_network("127.0.0.0/8"),)


async def main(url: str, at_ms: int, holder: str) -> None:
    world = WebhookWorld(open_database(url), clock=FixedClock(at_ms))
    async with open_sender(LOOPBACK, "test") as sender:
        process = world.process(holder=holder, sender=sender)
        process.allowed = LOOPBACK
        while True:
            await process.deliver_due()
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
