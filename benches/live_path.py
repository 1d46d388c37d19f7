"""The live path: simulator (a process of its own), real hikari, recorder, committed rows; and HTTP meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import jwt

from benches.processes import CLI, drain, process, read_until
from benches.setting import DIALECTS, database_url, percentile

EVENTS = 50_000
RUNS = 3
_SECRET = "benchmark secret of more than 32 bytes"


class Count:
    """Committed rows, counted from outside."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def lines(self) -> int:
        """Journal lines, without looking at each."""
        last = "(SELECT max(seq) + 1 FROM journal WHERE journal.guild_id = stream.guild_id)"
        return await self._ask(f"SELECT coalesce(sum({last}), 0) FROM stream")

    async def sessions(self) -> int:
        return await self._ask("SELECT coalesce(sum(closed_count), 0) FROM stream")

    async def _ask(self, query: str) -> int:
        if self.url.startswith("sqlite"):
            with sqlite3.connect(f"file:{self.url.removeprefix('sqlite:///')}?mode=ro", uri=True) as connection:
                return int(connection.execute(query).fetchone()[0])
        connection = await asyncpg.connect(self.url)
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    async def reaches(self, lines: int) -> None:
        while await self.lines() < lines:
            await asyncio.sleep(0.05)


async def main() -> None:
    for dialect in DIALECTS:
        with database_url(dialect) as url, tempfile.TemporaryDirectory() as folder:
            master = Path(folder) / "master.key"
            subprocess.run([sys.executable, "-c", CLI, "master-key", str(master)], check=True, stdout=subprocess.DEVNULL)
            environment = {
                "DATABASE_URL": url,
                "ROLLCALL_DATA_DIR": folder,
                "ROLLCALL_MASTER_KEY_FILE": str(master),
                "ROLLCALL_API_PORT": "0",
                "API_INTERNAL_SECRET": _SECRET,
                "ROLLCALL_RATE_LIMIT_USER": "1000000",
            }
            if dialect == "postgresql":
                subprocess.run([sys.executable, "-c", CLI, "migrate"], check=True, env={**os.environ, **environment})
            async with process("simulate", "--port", "0", "--speed", "0", "--guilds", "50") as simulator:
                rest = (await read_until(simulator.stdout, "ROLLCALL_DISCORD_API_URL=")).split("=", 1)[1]
                token = (await read_until(simulator.stdout, "DISCORD_BOT_TOKEN=")).split("=", 1)[1]
                environment |= {"ROLLCALL_DISCORD_API_URL": rest, "DISCORD_BOT_TOKEN": token}
                async with process("serve", **environment) as service:
                    api = (await read_until(service.stderr, "listens on")).split("listens on ")[1].split()[0]
                    draining = asyncio.create_task(drain(service.stderr))  # until the process ends and closes it
                    await _bursts(dialect, Count(url), rest, api)
            await draining


async def _bursts(dialect: str, count: Count, rest: str, api: str) -> None:
    control = rest.removesuffix("/api/v10") + "/_control"
    await count.reaches(100)
    async with aiohttp.ClientSession() as session:
        guild_id, admin_id = await _who(session, control)
        while (await session.get(f"{api}/health")).status != 200:
            await asyncio.sleep(0.1)
        for run in range(RUNS):
            before, sessions = await count.lines(), await count.sessions()
            latencies: dict[str, list[float]] = {"/health": [], "/leaderboard": []}
            # Discord's answer about the caller is kept for 30 s: it is asked for before the simulator is busy with the burst.
            await _ask(session, api, guild_id, admin_id, {name: [] for name in latencies}, rounds=1)
            asking = asyncio.create_task(_ask(session, api, guild_id, admin_id, latencies, rounds=1_000_000))
            began = time.perf_counter()
            async with session.post(f"{control}/burst", json={"count": EVENTS}) as response:
                sent = await response.json()
            await count.reaches(before + EVENTS)
            seconds = time.perf_counter() - began
            if asking.done():
                asking.result()
            asking.cancel()
            closed = (await count.sessions() - sessions) / EVENTS
            print(
                f"{dialect}, run {run + 1}: {EVENTS:,} events committed in {seconds:.2f} s: {EVENTS / seconds:,.0f} events/s "
                f"(sent at {sent['per_second']:,.0f}/s, {closed:.2f} sessions an event); HTTP meanwhile: "
                + "; ".join(
                    f"{name} median {percentile(took, 0.5):.0f} ms, p99 {percentile(took, 0.99):.0f} ms of {len(took)}"
                    for name, took in latencies.items()
                )
            )


async def _who(session: aiohttp.ClientSession, control: str) -> tuple[int, int]:
    from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID  # noqa: PLC0415

    async with session.get(f"{control}/status") as response:
        response.raise_for_status()
    return DEMO_GUILD_ID, DEMO_ADMIN_ID


async def _ask(
    session: aiohttp.ClientSession, api: str, guild_id: int, admin_id: int, latencies: dict[str, list[float]], *, rounds: int
) -> None:
    """Ask /health and /leaderboard in turn."""
    base = f"{api}/api/v1/guilds/{guild_id}"
    for _ in range(rounds):
        claims: dict[str, Any] = {"user_id": str(admin_id), "guild_id": str(guild_id), "exp": int(time.time()) + 50}
        headers = {"Authorization": "Bearer " + jwt.encode(claims, _SECRET, algorithm="HS256")}
        for name, url in (("/health", f"{api}/health"), ("/leaderboard", f"{base}/leaderboard")):
            began = time.perf_counter()
            async with session.get(url, headers=headers) as response:
                body = await response.read()
                if response.status != 200:
                    raise RuntimeError(f"{url}: {response.status} {json.loads(body)}")
            latencies[name].append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.005)
