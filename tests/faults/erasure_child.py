"""A process that only erases: started, and killed, by the fault tests."""

from __future__ import annotations

import asyncio
import sys

from attendance.store.database import open_database
from tests.privacy_world import PrivacyWorld


async def main(url: str, at_ms: int) -> None:
    world = PrivacyWorld(open_database(url))
    world.clock.at_ms = at_ms
    eraser = world.eraser()
    print("ready", flush=True)  # noqa: T201
    while True:
        if await eraser.look():
            print("done", flush=True)  # noqa: T201
        await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
