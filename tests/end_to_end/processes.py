"""Real processes: the command `rollcall`, started, read and ended by its id."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import jwt

ROLLCALL = "from attendance.cli import main; main()"
PATIENCE_S = 90.0
SECRET = "a secret of the tests with more than 32 bytes"


@dataclass
class Running:
    """A running command; everything it says is kept."""

    process: asyncio.subprocess.Process
    said: str = ""
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    def listen(self) -> None:
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            self._readers.append(asyncio.create_task(self._read(stream)))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self.said += line.decode()
            self._more.set()
        self._more.set()

    async def says(self, pattern: str) -> re.Match[str]:
        """Wait until the output matches."""
        async with asyncio.timeout(PATIENCE_S):
            while (match := re.search(pattern, self.said)) is None:
                assert not all(reader.done() for reader in self._readers), f"ended without saying {pattern}:\n{self.said}"
                self._more.clear()
                await self._more.wait()
        return match

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end (or kill it); returns the exit code."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            code = await self.process.wait()
        await asyncio.gather(*self._readers)
        return code


@asynccontextmanager
async def rollcall(*arguments: str, **environment: str) -> AsyncIterator[Running]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ROLLCALL_", "DISCORD_", "DATABASE_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "ignore",
        "-c",
        ROLLCALL,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**kept, "PYTHONUNBUFFERED": "1", **environment},
    )
    running = Running(process)
    running.listen()
    try:
        yield running
    finally:
        if process.returncode is None:
            await running.end(signal.SIGKILL)


@dataclass
class Discord:
    """A simulator in a process of its own."""

    rest_url: str
    token: str

    @property
    def control(self) -> str:
        return self.rest_url.removesuffix("/api/v10") + "/_control"


@asynccontextmanager
async def simulated_discord(*options: str) -> AsyncIterator[Discord]:
    async with rollcall("simulate", "--port", "0", *options) as running:
        url = await running.says(r"ROLLCALL_DISCORD_API_URL=(\S+)")
        token = await running.says(r"DISCORD_BOT_TOKEN=(\S+)")
        yield Discord(url[1], token[1])


def settings(discord: Discord, folder: Path, **more: str) -> dict[str, str]:
    return {
        "DISCORD_BOT_TOKEN": discord.token,
        "ROLLCALL_DISCORD_API_URL": discord.rest_url,
        "ROLLCALL_DATA_DIR": str(folder),
        "ROLLCALL_API_PORT": "0",
        "API_INTERNAL_SECRET": SECRET,
        **more,
    }


@dataclass
class Api:
    """The service's API as a caller."""

    url: str
    guild_id: int
    user_id: int
    http: aiohttp.ClientSession

    def _headers(self) -> dict[str, str]:
        claims = {"user_id": str(self.user_id), "guild_id": str(self.guild_id), "exp": int(time.time()) + 50}
        return {"Authorization": "Bearer " + jwt.encode(claims, SECRET, algorithm="HS256")}

    async def ask(self, path: str, method: str = "GET", **body: object) -> tuple[int, dict]:
        base = "" if path.startswith(("/health", "/verify")) else f"/api/v1/guilds/{self.guild_id}"
        data = body or None
        async with self.http.request(method, self.url + base + path, json=data, headers=self._headers()) as response:
            return response.status, await response.json()

    async def done(self, path: str, **body: object) -> dict:
        """Have the guild's owner do something, asking again while it says 503: on a busy machine five seconds are short."""
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await self.ask(path, "POST", **body))[0] == 503:
                pass
        assert answer[0] == 200, answer
        return answer[1]

    async def until(self, path: str, wanted) -> dict:
        """Ask until the answer is what is wanted; a service that does not answer yet is asked again."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with suppress(aiohttp.ClientError):
                    status, body = await self.ask(path)
                    if status == 200 and wanted(body):
                        return body
                await asyncio.sleep(0)


@asynccontextmanager
async def api_of(service: Running, guild_id: int, user_id: int) -> AsyncIterator[Api]:
    url = (await service.says(r"listens on (http://\S+)"))[1]
    async with aiohttp.ClientSession() as http:
        yield Api(url, guild_id, user_id, http)
