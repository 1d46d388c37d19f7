"""A process that only delivers log messages: started, and killed, by the fault tests."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from attendance.clock import SystemClock
from attendance.discord.messages import open_log_channels
from attendance.errors import UnavailableError
from attendance.ids import SystemIds
from attendance.services import log_delivery
from attendance.services.checkpoint_posts import CheckpointPosts
from attendance.services.log_reading import PublicLog
from attendance.store.checkpoint_posts import SqlCheckpointPosts
from attendance.store.database import open_database
from attendance.store.log_deliveries import SqlLogDeliveryStore
from attendance.store.log_folder import LogFolder


async def main(url: str, token: str, rest_url: str, log_folder: str) -> None:
    log_delivery.CLAIM_MS, log_delivery._LEFT_MS, log_delivery._FIRST_RETRY_MS = 1_500, 500, 50
    clock, ids = SystemClock(), SystemIds()
    async with open_log_channels(token, rest_url, clock) as channels:
        database = open_database(url)
        deliverer = log_delivery.LogDeliverer(SqlLogDeliveryStore(database), channels, clock, ids, "child")
        posts = CheckpointPosts(SqlCheckpointPosts(database), PublicLog(LogFolder(Path(log_folder))), clock, ids)
        print("ready", flush=True)  # noqa: T201
        while True:
            try:
                await posts.look()
                await deliverer.deliver_due()
            except UnavailableError as error:
                print(error, file=sys.stderr)  # noqa: T201
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
