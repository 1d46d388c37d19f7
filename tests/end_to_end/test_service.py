"""The whole service as processes: simulator, real hikari, HTTP."""

from __future__ import annotations

import asyncio
import re
import signal
from html import unescape

import aiohttp
import pytest

from attendance.store.database import open_database
from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, DEMO_MEMBER_ID
from tests.books import books_balance
from tests.end_to_end.processes import api_of, rollcall, settings, simulated_discord

pytestmark = pytest.mark.slow


async def test_the_main_job_from_a_join_to_a_verified_session_and_period(tmp_path) -> None:
    async with simulated_discord("--speed", "600") as discord, rollcall("serve", **settings(discord, tmp_path)) as service:
        async with api_of(service, DEMO_GUILD_ID, DEMO_ADMIN_ID) as api:
            await api.until("/health", lambda body: body["status"] == "ok")
            status, made = await api.ask("/signing/generate-keys", "POST", passphrase="correct horse battery staple")
            assert status == 201, made
            sessions = await api.until("/sessions?limit=1", lambda body: body["total"] > 0)
            board = await api.until("/leaderboard", lambda body: any(item["seconds"] for item in body["items"]))
            seconds = [item["seconds"] for item in board["items"]]
            assert seconds == sorted(seconds, reverse=True)
            await api.until("/analytics/live-occupancy", lambda body: body["members"] > 0)
            verify = f"/verify/session/{sessions['items'][0]['session_id']}"
            verdict = await api.until(verify, lambda body: body["valid"])
            assert verdict["kid"] == made["kid"]
            assert (await api.done("/reset-now"))["period_index"] == 0
            await api.until(f"/verify/period/{DEMO_GUILD_ID}/0", lambda body: body["valid"])
            status, history = await api.ask("/signing/history")
            assert (status, history["total"]) == (200, 1)
        assert await service.end(signal.SIGINT) == 0, service.said
    database = open_database(f"sqlite:///{tmp_path}/rollcall.db")
    await books_balance(database)
    await database.close()


async def test_a_second_process_on_the_data_folder_is_refused(tmp_path) -> None:
    async with simulated_discord("--speed", "0") as discord, rollcall("serve", **settings(discord, tmp_path)) as service:
        await service.says("listens on")
        for command in ("serve", "migrate"):
            async with rollcall(command, **settings(discord, tmp_path)) as second:
                await second.says("is in use by process")
                assert await asyncio.wait_for(second.process.wait(), 60) == 1


async def test_the_demo_says_what_to_type_and_stops_cleanly(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for start in ("first", "second"):
        async with rollcall("demo", "--port", "0", "--speed", "600", "--weeks", "1") as demo:
            dashboard = (await demo.says(r"The dashboard is on (http://\S+)"))[1]
            await demo.says("curl -s .*/leaderboard")
            await demo.says("/verify/session/[0-9a-f-]{36}")
            for person in (DEMO_ADMIN_ID, DEMO_MEMBER_ID):
                assert "The Reading Room" in await signed_in_at_the_demo(dashboard, person)
            assert await demo.end(signal.SIGINT) == 0, demo.said
        assert "The demo has stopped" in demo.said
        assert ("makes up 1 weeks of history" in demo.said) == (start == "first")
    database = open_database(f"sqlite:///{tmp_path}/data/demo/rollcall.db")
    twin = await books_balance(database)  # the history, and what both starts recorded behind it
    assert len(twin.closed) > 2_000
    await database.close()


async def signed_in_at_the_demo(dashboard: str, user_id: int) -> str:
    """The dashboard's first page for one of the simulator's people, who consented on its page."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.get(f"{dashboard}/auth/login") as consent:
            assert consent.status == 200, await consent.text()
            carried = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', await consent.text()))
            form = {name: unescape(value) for name, value in carried.items()}
            page = consent.url
        form |= {"user_id": str(user_id), "decision": "authorize"}
        async with http.post(page.with_query(None), data=form) as back:
            assert back.status == 200, await back.text()
            assert str(back.url).startswith(dashboard)
            return await back.text()


async def test_wrong_settings_are_all_named_at_once() -> None:
    async with rollcall("serve", DISCORD_BOT_TOKEN="nonsense", ROLLCALL_API_PORT="99999") as service:
        assert await asyncio.wait_for(service.process.wait(), 60) == 2
        await service.says("ROLLCALL_API_PORT")
    assert "DISCORD_BOT_TOKEN" in service.said
    assert "nonsense" not in service.said


@pytest.mark.postgresql
async def test_roles_apart_share_the_work_and_a_standby_takes_over(new_database_url, tmp_path) -> None:
    url = await new_database_url("postgresql")
    key = tmp_path / "master.key"
    async with rollcall("master-key", str(key)) as command:
        assert await command.process.wait() == 0
    more = {"DATABASE_URL": url, "ROLLCALL_MASTER_KEY_FILE": str(key)}
    async with simulated_discord("--speed", "600") as discord:
        environment = settings(discord, tmp_path, **more)
        async with rollcall("migrate", **environment) as migrating:
            assert await migrating.process.wait() == 0, migrating.said
        async with (
            rollcall("serve", "--role", "gateway", **environment) as first,
            rollcall("serve", "--role", "api", **environment) as api_process,
            rollcall("serve", "--role", "scheduler", **environment),
            api_of(api_process, DEMO_GUILD_ID, DEMO_ADMIN_ID) as api,
        ):
            await first.says("recorder_started")
            await api.until("/health", lambda body: body["status"] == "ok")
            status, _ = await api.ask("/signing/generate-keys", "POST", passphrase="correct horse battery staple")
            assert status == 201
            await api.until("/sessions?limit=1", lambda body: body["total"] > 0)
            await api.done("/reset-now")
            async with rollcall("serve", "--role", "gateway", **environment) as second:
                await second.says("waiting_for_shards")
                await first.end(signal.SIGTERM)
                await second.says("recorder_started")
                before = (await api.ask("/sessions?limit=1"))[1]["total"]
                await api.until("/sessions?limit=1", lambda body: body["total"] > before)
                assert await second.end(signal.SIGTERM) == 0, second.said
            await api.until(f"/verify/period/{DEMO_GUILD_ID}/0", lambda body: body["valid"])
    database = open_database(url)
    await books_balance(database)
    await database.close()
