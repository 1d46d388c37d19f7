"""Webhooks of the whole service as processes: from a leave in voice to a signed request, and a report from elsewhere."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from aiohttp import web

from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID
from tests.end_to_end.processes import api_of, rollcall, settings, simulated_discord
from tests.integration.test_webhook_receiver import receiving
from tests.webhook_receiver import accepts

pytestmark = pytest.mark.slow


async def test_a_session_is_posted_with_its_record_and_a_report_is_taken(tmp_path) -> None:
    requests: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def handler(request: web.Request) -> web.StreamResponse:
        requests.put_nowait(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=204)

    async def told(kind: str) -> dict:
        async with asyncio.timeout(60):
            while True:
                headers, body = await requests.get()
                assert accepts(secret, headers, body, int(time.time()))
                if (event := json.loads(body))["type"] == kind:
                    return event["data"]

    more = {"ROLLCALL_WEBHOOK_ALLOW": "127.0.0.0/8", "WEBHOOK_SECRET": "the operator's"}
    async with (
        receiving(handler) as port,
        simulated_discord("--speed", "600") as discord,
        rollcall("serve", **settings(discord, tmp_path, **more)) as service,
        api_of(service, DEMO_GUILD_ID, DEMO_ADMIN_ID) as api,
    ):
        await api.until("/health", lambda body: body["status"] == "ok")
        status, made = await api.ask("/signing/generate-keys", "POST", passphrase="correct horse battery staple")
        assert status == 201
        status, changed = await api.ask("/webhooks/settings", "PATCH", url=f"http://127.0.0.1:{port}/hook")
        assert status == 200, changed
        secret = changed["secret"]
        assert (await api.ask("/webhooks/test", "POST"))[0] == 201
        assert await told("webhook.test") == {"guild_id": str(DEMO_GUILD_ID)}
        session = await told("session.completed")
        assert (session["state"], session["kid"]) == ("signed", made["kid"])
        assert json.loads(session["record"])["session_id"] == session["session_id"]

        now = time.time()
        span = {
            name: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - ago))
            for name, ago in (("joined_at", 61), ("left_at", 1))
        }
        report = {"id": "1", "guild_id": str(DEMO_GUILD_ID), "user_id": "5", "source": "meetings", **span}
        for wanted in (201, 200):
            headers = {"x-webhook-secret": "the operator's"}
            async with api.http.post(f"{api.url}/webhooks/attendance", json=report, headers=headers) as answer:
                assert answer.status == wanted, await answer.text()
    assert "the operator's" not in service.said
    assert secret not in service.said
