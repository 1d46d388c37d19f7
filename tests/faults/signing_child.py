"""A process that only signs: started, and killed, by the fault tests."""

from __future__ import annotations

import asyncio
import sys

from attendance.services import signing
from attendance.store.database import open_database
from tests.signing_world import SigningProcess


async def main(url: str) -> None:
    signing.RECORDS_A_TRANSACTION = signing.MIN_BATCH = 5
    process = SigningProcess(open_database(url))
    print("ready", flush=True)  # noqa: T201
    await process.signer.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
