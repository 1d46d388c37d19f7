"""The service with its dashboard as a process, the simulator as another, and the demo's admin and a member signed in."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benches.processes import drain, process, read_until
from simulator import DEFAULT_BOT_ID, DEFAULT_CLIENT_SECRET, DEMO_ADMIN_ID, DEMO_MEMBER_ID
from simulator import Settings as SimulatorSettings

SECRET = "benchmark secret of more than 32 bytes"


@dataclass
class Site:
    """The service, and who is signed in to its dashboard: the demo's admin (``http``), and a ``member`` without rights."""

    url: str
    control: str
    pid: int
    http: aiohttp.ClientSession
    member: aiohttp.ClientSession


def environment_of(folder: Path) -> dict[str, str]:
    """The service on this folder."""
    return {
        "DISCORD_BOT_TOKEN": SimulatorSettings().token,
        "DISCORD_CLIENT_ID": str(DEFAULT_BOT_ID),
        "DISCORD_CLIENT_SECRET": DEFAULT_CLIENT_SECRET,
        "ADMIN_USER_IDS": str(DEMO_ADMIN_ID),
        "ROLLCALL_DATA_DIR": str(folder),
        "ROLLCALL_API_PORT": "0",
        "ROLLCALL_DASHBOARD_SECRET": SECRET,
        "ROLLCALL_DASHBOARD_PORT": "0",
        "ROLLCALL_RATE_LIMIT_DASHBOARD": "1000000",
    }


@asynccontextmanager
async def open_site(data: Path, lived_since_ms: int) -> AsyncIterator[Site]:
    """A world in which nobody moves by themselves, the service on it, and who is signed in."""
    lived = ("--lived-since", str(lived_since_ms), "--speed", "0")
    async with process("simulate", "--port", "0", *lived) as simulator:
        rest = (await read_until(simulator.stdout, "ROLLCALL_DISCORD_API_URL=")).split("=", 1)[1]
        control = rest.removesuffix("/api/v10") + "/_control"
        environment = environment_of(data) | {"ROLLCALL_DISCORD_API_URL": rest, "ROLLCALL_LOG_FORMAT": "json"}
        async with process("serve", **environment) as service:
            line = await read_until(service.stderr, "the dashboard listens")
            api = (await read_until(service.stderr, "Rollcall listens on")).split("listens on ")[1].split()[0]
            draining = [asyncio.create_task(drain(stream)) for stream in (service.stderr, service.stdout, simulator.stdout)]
            url = re.search(r'"address": ?"([^"]+)"', line)
            assert url is not None, line
            async with AsyncExitStack() as browsers:
                http, member = [await browsers.enter_async_context(_browser()) for _ in range(2)]
                site = Site(url[1], control, service.pid, http, member)
                await _until_ready(api, http)
                await _sign_in(site, http, DEMO_ADMIN_ID)
                await _sign_in(site, member, DEMO_MEMBER_ID)
                yield site
    await asyncio.gather(*draining)


def _browser() -> aiohttp.ClientSession:
    jar = aiohttp.CookieJar(unsafe=True)  # the address is no name
    return aiohttp.ClientSession(cookie_jar=jar, connector=aiohttp.TCPConnector(limit=0))


async def _until_ready(api: str, http: aiohttp.ClientSession) -> None:
    while True:
        with suppress(aiohttp.ClientConnectorError):
            async with http.get(f"{api}/health") as answer:
                if answer.status == 200:
                    return
        await asyncio.sleep(0.1)


async def _sign_in(site: Site, http: aiohttp.ClientSession, user_id: int) -> None:
    """Through Discord's page of consent."""
    async with http.post(f"{site.control}/redirect-uris", json={"uri": f"{site.url}/auth/callback"}) as answer:
        answer.raise_for_status()
    async with http.get(f"{site.url}/auth/login") as asked:
        page, where = await asked.text(), asked.url
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    fields |= {"other": str(user_id), "decision": "authorize"}
    async with http.post(where, data=fields) as answer:
        answer.raise_for_status()
        assert str(answer.url).startswith(site.url), answer.url


def processor_seconds(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
