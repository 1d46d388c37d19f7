"""From a sale in Discord to roles in Discord, with a restart in the middle."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import aiohttp
import pytest

from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID
from tests.end_to_end.processes import Discord, api_of, rollcall, settings, simulated_discord

pytestmark = pytest.mark.slow


async def control(discord: Discord, path: str, **body: Any) -> Any:
    async with aiohttp.ClientSession() as http:
        method = "POST" if body else "GET"
        async with http.request(method, discord.control + path, json=body or None) as response:
            assert response.status == 200, await response.text()
            return await response.json()


async def given(discord: Discord, at_least: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while True:
            changes = await control(discord, "/role-changes")
            if len(changes) >= at_least:
                return changes


async def test_who_was_there_gets_the_role_also_when_the_service_restarts_meanwhile(tmp_path) -> None:
    async with simulated_discord("--speed", "600") as discord:
        environment = settings(
            discord, tmp_path, ROLLCALL_BILLING="on", ROLLCALL_PRO_SKU_IDS="900", ROLLCALL_RATE_LIMIT_USER="100000"
        )
        guild = {"guild_id": str(DEMO_GUILD_ID)}
        role_id = (await control(discord, "/world", edit="create_role", name="Attendee", position=1, **guild))["result"]
        above = (await control(discord, "/world", edit="create_role", name="Above", **guild))["result"]
        async with rollcall("serve", **environment) as service:
            async with api_of(service, DEMO_GUILD_ID, DEMO_ADMIN_ID) as api:
                await api.until("/health", lambda body: body["status"] == "ok")
                status, body = await api.ask("/verified-roles")
                assert (status, body) == (403, {"error": "using verified roles needs Pro"})
                await control(discord, "/entitlements", do="create", sku_id=900, **guild)
                await api.until("/subscription", lambda body: body["tier"] == "pro")
                status, body = await api.ask("/verified-roles", "POST", role_id=above, threshold_seconds=1)
                assert (status, list(body["details"])) == (422, ["role_id"])
                status, rule = await api.ask("/verified-roles", "POST", role_id=role_id, threshold_seconds=1)
                assert status == 201, rule
                enough = await api.until("/leaderboard", lambda body: sum(i["seconds"] > 1 for i in body["items"]) >= 12)
                await api.done("/reset-now")
                await given(discord, 3)
            assert await service.end(signal.SIGTERM) == 0, service.said
        async with rollcall("serve", **environment) as service, api_of(service, DEMO_GUILD_ID, DEMO_ADMIN_ID) as api:
            address = f"/verified-roles/{rule['id']}/runs"
            runs = await api.until(address, lambda body: body["items"][0]["state"] == "done")
        changes = await control(discord, "/role-changes")
    [run] = runs["items"]
    users = {change["user_id"] for change in changes}
    assert {(change["role_id"], change["given"]) for change in changes} == {(role_id, True)}
    assert run["granted"] == len(users) >= 12
    assert {item["user_id"] for item in enough["items"] if item["seconds"] > 1} <= users
