"""500 people at one overview: the service on one core, they and the simulator on the other."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
from yarl import URL

from attendance.clock import SystemClock
from attendance.sql.database import open_database
from benches.dashboard_site import SECRET, Site, processor_seconds
from benches.setting import percentile
from dashboard.domain.activity import Action, Activity
from dashboard.security.auth_token import AuthTokens, key_of
from dashboard.security.keys import derive_keys
from dashboard.store.sessions import SqlSessionStore
from simulator import DEMO_GUILD_ID
from simulator.demo_ids import demo_channel_id, demo_user_id

VIEWERS = 500
MOVES = 20
_MOVER = b'/members/%d"' % demo_user_id(0, 40)


@dataclass
class _Viewer:
    """Somebody at the overview: whether they see the one who comes and goes there, and since when."""

    came: float = 0.0
    sees: bool = False
    status: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)


async def _sessions(site: Site, folder: Path) -> list[str]:
    """The cookie of a browser for each viewer, all of the one who is signed in."""
    tokens = AuthTokens(derive_keys(SECRET).cookie, SystemClock())
    cookie = next(cookie.value for cookie in site.http.cookie_jar if cookie.key == "auth_token")
    named = tokens.read(cookie)
    assert named is not None
    database = open_database(f"sqlite:///{folder}/dashboard.db")
    try:
        store, now_ms = SqlSessionStore(database), SystemClock().now_ms()
        found, sealed = await store.find(named.session_key, now_ms), await store.token(named.session_key)
        assert found is not None
        assert sealed is not None
        entry = Activity(found.user.user_id, Action.LOGIN, "A benchmark's viewer", None, now_ms)
        cookies = []
        for _ in range(VIEWERS):
            secret = secrets.token_bytes(32)
            session = replace(found.session, key=key_of(secret))
            await store.begin(found.user, session, sealed, entry, replaces=None, ban_holds=False)
            cookies.append(tokens.make(secret, found.user.user_id, session.expires_at_ms))
        return cookies
    finally:
        await database.close()


async def measure_viewers(site: Site, folder: Path) -> None:
    """The service on one core, everything else on the other."""
    cookies = await _sessions(site, folder)
    cores = sorted(os.sched_getaffinity(0))
    _pin(site.pid, {cores[0]})
    os.sched_setaffinity(0, {cores[-1]})
    try:
        viewers = [_Viewer() for _ in range(VIEWERS)]
        began = time.perf_counter()
        worked = processor_seconds(site.pid)
        looking = [asyncio.create_task(_look(site, viewer, cookie)) for viewer, cookie in zip(viewers, cookies, strict=True)]
        await asyncio.gather(*(viewer.ready.wait() for viewer in viewers))
        refused = sum(viewer.status != 200 for viewer in viewers)
        print(
            f"{VIEWERS} viewers at once, each with a session of their own: {refused} refused, all answered after "
            f"{time.perf_counter() - began:.2f} s ({processor_seconds(site.pid) - worked:.2f} s of processor)"
        )
        await _move(site, viewers)
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
    finally:
        os.sched_setaffinity(0, set(cores))


def _pin(pid: int, cores: set[int]) -> None:
    """Every thread of a process."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


async def _look(site: Site, viewer: _Viewer, cookie: str) -> None:
    address = URL(f"{site.url}/guilds/{DEMO_GUILD_ID}/events")
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    headers = {"Cookie": f"auth_token={cookie}"}
    async with aiohttp.request("GET", address, headers=headers, timeout=timeout) as answer:
        viewer.status = answer.status
        if answer.status != 200:
            viewer.ready.set()
            return
        name, sees = b"", False
        async for line in answer.content:
            if line.startswith(b"event:"):
                name, sees = line[6:].strip(), False
            elif name == b"voice" and _MOVER in line:
                sees = True
            elif name == b"voice" and line == b"\n":
                if sees != viewer.sees:
                    viewer.sees, viewer.came = sees, time.perf_counter()
                viewer.ready.set()
                name = b""


async def _move(site: Site, viewers: list[_Viewer]) -> None:
    """Somebody comes and goes; how long until each viewer has it."""
    seen = [viewer for viewer in viewers if viewer.status == 200]
    delays: list[float] = []
    missed = 0
    worked, began = processor_seconds(site.pid), time.perf_counter()
    for number in range(MOVES):
        await asyncio.sleep(2 + random.random())  # not in step with the feed's pace
        edit = {"edit": "join", "channel_id": str(demo_channel_id(0, 5))} if number % 2 == 0 else {"edit": "leave"}
        happened = time.perf_counter()
        body = {**edit, "guild_id": str(DEMO_GUILD_ID), "user_id": str(demo_user_id(0, 40))}
        async with site.http.post(f"{site.control}/world", json=body) as answer:
            if answer.status != 200:
                raise RuntimeError(await answer.text())
        there = edit["edit"] == "join"
        for _ in range(200):
            if all(viewer.sees is there for viewer in seen):
                break
            await asyncio.sleep(0.05)
        delays += [viewer.came - happened for viewer in seen if viewer.came > happened]
        missed += sum(viewer.came <= happened for viewer in seen)
    share = (processor_seconds(site.pid) - worked) / (time.perf_counter() - began)
    print(
        f"load {os.getloadavg()[0]:.1f}: {MOVES} moves to {len(seen)} viewers: median {percentile(delays, 0.5) * 1000:.0f} ms, "
        f"p99 {percentile(delays, 0.99) * 1000:.0f} ms, longest {max(delays) * 1000:.0f} ms, {missed} came later than 10 s; "
        f"{share * 100:.0f} % of the core"
    )
