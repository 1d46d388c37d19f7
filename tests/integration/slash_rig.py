"""The whole service against a simulated Discord whose members use its commands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt

from attendance.clock import SystemClock
from attendance.config import load_settings
from attendance.keys.api_secret import api_secret
from attendance.wiring.opening import open_service
from attendance.wiring.roles import Role
from attendance.wiring.service import Service
from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Simulator
from simulator import Settings as SimulatorSettings
from simulator.interactions import Interaction

PATIENCE_S = 60.0
PUBLIC_URL = "https://rollcall.example"


@dataclass
class Discord:
    """What a test does in the guild, and what it sees there."""

    sim: Simulator
    service: Service
    secret: str

    async def use(
        self, command: str, user_id: int = DEMO_ADMIN_ID, *, focused: str | None = None, force: bool = False, **options: Any
    ) -> Interaction:
        """Use a command and wait for its answer."""
        made = self.sim.rest.interactions.use(DEMO_GUILD_ID, user_id, command, options, focused=focused, allowed_by_admin=force)
        return await self.answered(made)

    async def press(self, on: Interaction, custom_id: str, user_id: int) -> Interaction:
        """Press a button and wait until its message has changed."""
        return await self.answered(self.sim.rest.interactions.press(on.id, custom_id, user_id))

    async def answered(self, made: Interaction) -> Interaction:
        async with asyncio.timeout(PATIENCE_S):
            await made.changed.wait()
        return made

    async def api(self, method: str, path: str, **body: Any) -> Any:
        """Ask the API as the guild's admin."""
        expires = SystemClock().now_ms() // 1000 + 60
        claims = {"user_id": str(DEMO_ADMIN_ID), "guild_id": str(DEMO_GUILD_ID), "exp": expires}
        headers = {"Authorization": f"Bearer {jwt.encode(claims, self.secret, algorithm='HS256')}"}
        url = f"{self.service.api_url}/api/v1/guilds/{DEMO_GUILD_ID}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, json=body or None, headers=headers) as response,
        ):
            assert response.status < 400, await response.text()
            return await response.json() if response.content_type == "application/json" else None

    async def until(self, holds: Any) -> Any:
        """Ask until the answer is true."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := await holds()):  # noqa: ASYNC110 - another process's state has no event
                await asyncio.sleep(0.05)
        return found


def shown(interaction: Interaction) -> str:
    """Everything that a member reads of an answer."""
    messages = [it for it in (interaction.original, *interaction.followups) if it is not None]
    texts: list[str] = []
    for message in messages:
        texts.append(message["content"])
        for embed in message["embeds"]:
            texts += [embed["title"], embed.get("description", ""), (embed.get("footer") or {}).get("text", "")]
            texts += [part for field in embed.get("fields", []) for part in (field["name"], field["value"])]
    return "\n".join(text for text in texts if text)


@contextlib.asynccontextmanager
async def running_discord(folder: Path) -> AsyncIterator[Discord]:
    """A simulator and a service that watches it, until the block ends."""
    sim = Simulator(SimulatorSettings(guilds=1, members=12, speed=0, enforce_rest_limits=False, start_hour=0))
    await sim.start()
    environment = {
        "DISCORD_BOT_TOKEN": sim.token,
        "ROLLCALL_DISCORD_API_URL": sim.rest_url,
        "ROLLCALL_DATA_DIR": str(folder),
        "ROLLCALL_API_PORT": "0",
        "ROLLCALL_PUBLIC_URL": PUBLIC_URL,
        "ROLLCALL_RATE_LIMIT_USER": "100000",
    }
    settings = load_settings(environment)
    try:
        async with open_service(settings, Role.ALL) as service:
            tasks = [asyncio.create_task(run(), name=name) for name, run in service.parts]
            try:
                discord = Discord(sim, service, api_secret(None, settings.data_dir))
                await discord.until(lambda: _is_ready(discord))
                yield discord
            finally:
                for stop in service.stops:
                    stop()
                stoppable = [task for task in tasks if task.get_name() in {"api", "gateway"}]
                await asyncio.wait(stoppable, timeout=PATIENCE_S)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await sim.stop()


async def _is_ready(discord: Discord) -> bool:
    if not discord.sim.rest.commands.of() or not discord.sim.gateway.sessions:
        return False
    async with aiohttp.ClientSession() as session, session.get(f"{discord.service.api_url}/health") as response:
        return response.status == 200
