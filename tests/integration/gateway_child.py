"""A process that runs a gateway and prints what it puts, one observation a line. For tests that stop the process.

Arguments: token, REST address. Ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys

import structlog

from attendance.clock import SystemClock
from attendance.discord.gateway import Gateway, GatewaySettings
from attendance.domain.ids import ShardId
from attendance.domain.observations import Observation, ShardLost


class PrintingSink:
    """Writes each observation at once, so that nothing is in a buffer when the process is stopped."""

    def put(self, observation: Observation) -> bool:
        told: dict[str, object] = {"kind": type(observation).__name__, "at_ms": observation.at_ms}
        if isinstance(observation, ShardLost):
            told |= {"cause": observation.cause.value, "alive_at_ms": observation.alive_at_ms}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        return True

    def has_room(self, _shard_id: ShardId) -> bool:
        return True


async def main(token: str, rest_url: str) -> None:
    """Run until standard input ends."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # standard output is for the test
    gateway = Gateway(GatewaySettings(token, rest_url, shard_count=1), PrintingSink(), SystemClock())
    await gateway.start()
    await asyncio.to_thread(sys.stdin.read)
    await gateway.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
