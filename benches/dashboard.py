"""The dashboard: every page, on the demo's six weeks and on a guild of 100,000 members, and 500 people at one overview.

The service runs as one process with the dashboard in it, on SQLite; the simulator is another process. A page's time is a whole
request over a kept connection: the dashboard, all that it asks the API, and the rendering.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import shutil
import tempfile
import time
from pathlib import Path

import aiohttp
from litestar.handlers import HTTPRouteHandler

from attendance.cli.made_up.making import make_history
from attendance.clock import SystemClock
from attendance.config import load_settings
from attendance.domain.ids import GuildId
from attendance.logs import only_errors, set_up_logs
from attendance.store import schema
from attendance.store.database import Database, bulk_insert, bulk_upsert, open_database
from benches.big_guild import MEMBERS, user
from benches.dashboard_site import Site, environment_of, open_site, processor_seconds
from benches.dashboard_viewers import measure_viewers
from benches.setting import percentile
from dashboard.app import ROUTE_MODULES
from simulator import DEMO_GUILD_ID, DEMO_MEMBER_ID
from simulator.demo_ids import demo_channel_id

WEEKS = 6
ROUNDS = 25
MOST_MS = 100
_CHUNK = 20_000
_STATIC = Path(__file__).parents[1] / "dashboard/static"
# Leads on to another page, or streams.
_NO_PAGES = {"/guilds/{guild_id:str}/privacy/members"}


async def main() -> None:
    scripts = [path for path in _STATIC.glob("*.js") if not path.name.endswith(".map")]
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in scripts)
    print(f"{len(scripts)} scripts, {size / 1000:.1f} kB gzip in all")
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="rollcall-bench-") as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        set_up_logs("auto")
        with only_errors():
            history = await make_history(load_settings(environment_of(small)), WEEKS, lambda *_: None)
        shutil.copytree(small, large)
        await _grow(large)
        for name, data in (("six weeks of the demo", small), (f"{MEMBERS:,} members", large)):
            async with open_site(data, history.began_ms) as site:
                await _measure_pages(name, site)
        async with open_site(small, history.began_ms) as site:
            await measure_viewers(site, small)


def _pages() -> list[str]:
    """The path of every page that takes no more than a guild, a member or a channel."""
    routes = [route for module in ROUTE_MODULES for route in module.ROUTES if isinstance(route, HTTPRouteHandler)]
    shown = [route for route in routes if "GET" in route.http_methods and route.fn.__annotations__["return"] == "Html"]
    named = {"guild_id": DEMO_GUILD_ID, "user_id": DEMO_MEMBER_ID, "channel_id": demo_channel_id(0, 5)}
    paths = []
    for path in sorted({path for route in shown for path in route.paths} - _NO_PAGES):
        plain = path.replace(":str", "")
        if path == "/" or plain.startswith(("/guilds/", "/admin")):
            filled = re.sub(r"\{(\w+)\}", lambda match: str(named.get(match[1], match[0])), plain)
            if "{" not in filled:
                paths.append(filled)
    return paths


async def _measure_pages(name: str, site: Site) -> None:
    asked: dict[str, tuple[aiohttp.ClientSession, str]] = {}
    for person, http in (("", site.http), (", as a member", site.member)):
        for path in _pages():  # the first time compiles templates
            async with http.get(site.url + path, allow_redirects=False) as answer:
                if answer.status == 200:
                    asked[path + person] = http, path
                elif not person:  # who has no rights has few pages
                    print(f"  left out, {answer.status}: {path}")
    took: dict[str, list[float]] = {}
    worked: dict[str, float] = {}
    for page, (http, path) in asked.items():
        times = took[page] = []
        before = processor_seconds(site.pid)
        for _ in range(ROUNDS):
            began = time.perf_counter()
            async with http.get(site.url + path, allow_redirects=False) as answer:
                await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{page}: {answer.status}")
            times.append((time.perf_counter() - began) * 1000)
        worked[page] = (processor_seconds(site.pid) - before) * 1000 / ROUNDS
    every = [one for times in took.values() for one in times]
    print(
        f"{name}, load {os.getloadavg()[0]:.1f}: {len(took)} pages, median {percentile(every, 0.5):.0f} ms, "
        f"p95 {percentile(every, 0.95):.0f} ms; {sum(worked.values()) / len(took):.0f} ms of processor a page"
    )
    slowest = sorted(took.items(), key=lambda one: -percentile(one[1], 0.95))[:8]
    for page, times in slowest:
        plain = page.replace(str(DEMO_GUILD_ID), "…")
        print(
            f"  {plain}: median {percentile(times, 0.5):.0f} ms, p95 {_told(percentile(times, 0.95))}, "
            f"{worked[page]:.0f} ms of processor"
        )


def _told(milliseconds: float) -> str:
    """In bold where it is over what was asked for."""
    return f"**{milliseconds:.0f} ms**" if milliseconds > MOST_MS else f"{milliseconds:.0f} ms"


async def _grow(folder: Path) -> None:
    """Another 100,000 members in the demo's running period, with a quarter-hour each in the last four weeks."""
    database = open_database(f"sqlite:///{folder}/rollcall.db")
    try:
        guild = GuildId(DEMO_GUILD_ID)
        async with database.snapshot() as connection:
            query = schema.period.select().where(schema.period.c.guild_id == guild, schema.period.c.state == "running")
            period = (await connection.execute(query)).one()
        await _write_members(database, guild, period.period_index, SystemClock().now_ms())
    finally:
        await database.close()


async def _write_members(database: Database, guild: GuildId, period: int, now_ms: int) -> None:
    draw, last, channels = random.Random(5), now_ms // 900_000, [demo_channel_id(0, number) for number in range(2, 7)]
    sums = ("guild_id", "period_index", "user_id", "credited_ms", "session_count", "unwitnessed_ms", "deafened_ms", "muted_ms",
            "solo_ms", "rank_key")  # fmt: skip
    channel_sums = ("guild_id", "period_index", "channel_id", "user_id", "credited_ms", "session_count")
    quarters = ("guild_id", "user_id", "quarter", "period_index", "channel_id", "credited_ms")
    for start in range(0, MEMBERS, _CHUNK):
        people = [(user(number), draw.randrange(1, 900_000), draw.choice(channels)) for number in range(start, start + _CHUNK)]
        cells = [
            (guild, one, last - draw.randrange(1, 28 * 96), period, channel, credited) for one, credited, channel in people
        ]
        totals: dict[tuple[int, int, int], int] = {}
        for _, _, quarter, _, channel, credited in cells:
            totals[guild, quarter, channel] = totals.get((guild, quarter, channel), 0) + credited
        async with database.transaction() as connection:
            names = [(guild, one, f"member {one}", False) for one, _, _ in people]
            await bulk_insert(connection, schema.member, ("guild_id", "user_id", "display_name", "bot"), names)
            rows = [(guild, period, one, credited, 1, 0, 0, 0, 0, -credited) for one, credited, _ in people]
            await bulk_insert(connection, schema.period_member, sums, rows)
            parts = [(guild, period, channel, one, credited, 1) for one, credited, channel in people]
            await bulk_insert(connection, schema.period_channel, channel_sums, parts)
            await bulk_insert(connection, schema.member_quarter, quarters, cells)
            sums_of = [(*key, credited) for key, credited in totals.items()]
            columns = ("guild_id", "quarter", "channel_id", "credited_ms")
            await bulk_upsert(connection, schema.channel_quarter, columns, sums_of, add=("credited_ms",))
