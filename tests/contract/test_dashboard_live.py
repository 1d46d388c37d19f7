"""The live overview: one stream of the API for all who look, each judged anew, right again after whatever happened."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from attendance.errors import UnavailableError
from dashboard.api_client import Asking
from dashboard.errors import ApiAwayError, ApiRefused
from dashboard.server_events import server_events
from dashboard.services.live import Live, Pace, some_time_within
from tests.dashboard_world import GUILD, MEMBER
from tests.glance import GLANCE, occupancy

QUICK = Pace(rendering=0.0, figures=0.0, idle=60.0, retry=(0.0,), heartbeat=60.0, judging=60.0, judging_again=0.0)
ADA, GRACE = Asking(1, None, "a"), Asking(2, None, "g")


class Api:
    """A source that is told what to say."""

    def __init__(self) -> None:
        self.voice, self.connections, self.asked = "nobody", [], []
        self.refused: set[int] = set()
        self.away = False
        self.happened: asyncio.Queue[tuple[str, str] | Exception] = asyncio.Queue()

    @asynccontextmanager
    async def events(self, asking, _guild_id, after) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        self._refuse(asking)
        self.connections.append((asking.user_id, after))
        yield self._told()

    async def _told(self) -> AsyncIterator[tuple[str, str]]:
        while True:
            told = await self.happened.get()
            if isinstance(told, Exception):
                raise told
            yield told

    async def occupancy(self, _asking, _guild_id):
        return {"voice": self.voice}

    async def everything(self, asking, _guild_id):
        self._refuse(asking)
        self.asked.append(asking.user_id)
        return {"voice": self.voice, "signing": "open"}

    def stale(self, _guild_id):
        return {"banners": "stale"}

    def _refuse(self, asking) -> None:
        if self.away:
            raise ApiAwayError("away")
        if asking.user_id in self.refused:
            raise ApiRefused(403, "no")


async def yes() -> bool:
    return True


async def until_says(stream: AsyncIterator[bytes], words: bytes) -> bytes:
    """Read on until something is said; all that was read."""
    seen = b""
    async with asyncio.timeout(60):
        while words not in seen:
            seen += await anext(stream)
    return seen


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
async def live(api) -> AsyncIterator[Live]:
    made = Live(api, QUICK)
    yield made
    await made.close()


async def test_who_comes_gets_every_slot_as_it_is_and_then_only_what_changes(api, live):
    stream = live.stream(ADA, GUILD, None, yes)
    first = await until_says(stream, b"event: signing\ndata: open\n\n")
    assert b"event: voice\ndata: nobody\n\n" in first
    api.voice = "Ada\nand Grace"
    api.happened.put_nowait(("occupancy-change", "7-1"))
    assert b"signing" not in await until_says(stream, b"event: voice\ndata: Ada\ndata: and Grace\n\n")
    await stream.aclose()


async def test_however_many_look_the_api_has_one_stream_and_one_rendering(api, live):
    streams = [live.stream(ADA, GUILD, None, yes) for _ in range(50)]
    for stream in streams:
        await until_says(stream, b"event: voice")
    assert len(api.connections) == 1
    renderings = live.feed(GUILD).renderings
    api.voice = "Grace"
    api.happened.put_nowait(("occupancy-change", "7-1"))
    for stream in streams:
        await until_says(stream, b"Grace")
    assert live.feed(GUILD).renderings == renderings + 1
    for stream in streams:
        await stream.aclose()
    assert (live.viewers, live.feed(GUILD)) == (0, None)


async def test_who_comes_back_gets_what_changed_meanwhile_and_nothing_twice(api, live):
    stays, goes = live.stream(ADA, GUILD, None, yes), live.stream(ADA, GUILD, None, yes)
    await until_says(stays, b"event: voice")
    event_id = re.findall(rb"id: (\S+)", await until_says(goes, b"event: voice"))[-1].decode()
    await goes.aclose()
    api.voice = "Grace"
    api.happened.put_nowait(("occupancy-change", "7-1"))
    await until_says(stays, b"Grace")
    back = live.stream(ADA, GUILD, event_id, yes)
    assert b"event: signing" not in await until_says(back, b"Grace")
    for foreign in ("0-0", "x", f"{event_id}9" * 9, ""):  # of another process, or nobody's: everything
        stream = live.stream(ADA, GUILD, foreign, yes)
        assert b"event: signing" in await until_says(stream, b"event: signing")
        await stream.aclose()
    await stays.aclose()
    await back.aclose()


async def test_who_reads_slowly_misses_what_was_replaced_and_is_right_again(api, live):
    slow, quick = live.stream(ADA, GUILD, None, yes), live.stream(ADA, GUILD, None, yes)
    await until_says(slow, b"event: signing")
    await until_says(quick, b"event: signing")
    for number in range(20):
        api.voice = f"number {number}."
        api.happened.put_nowait(("occupancy-change", f"{number}-1"))
        await until_says(quick, api.voice.encode())
    read = await until_says(slow, b"number 19.")
    assert read.count(b"event: voice") == 1
    await slow.aclose()
    await quick.aclose()


async def test_who_loses_the_right_hears_the_end_and_the_others_go_on(api, live):
    allowed = True

    async def judge() -> bool:
        return allowed

    loses, keeps = live.stream(ADA, GUILD, None, judge), live.stream(GRACE, GUILD, None, yes)
    await until_says(loses, b"event: voice")
    await until_says(keeps, b"event: voice")
    allowed, api.voice = False, "secret"
    api.refused.add(ADA.user_id)
    api.happened.put_nowait(("end", ""))  # the API's own judgement, in whose name the stream was
    last = b"".join([chunk async for chunk in loses])
    assert last.endswith(b"event: end\ndata: forbidden\n\n")
    assert b"secret" not in last
    await until_says(keeps, b"secret")
    assert api.connections[-1][0] == GRACE.user_id
    await keeps.aclose()


async def test_everybody_is_judged_again_after_the_time_and_nothing_is_told_while_nobody_can_say(api):
    verdicts = [UnavailableError("away"), UnavailableError("away"), True]

    async def judge() -> bool:
        verdict = verdicts.pop(0)
        if isinstance(verdict, Exception):
            raise verdict
        return len(verdicts) > 0 or verdict

    live = Live(api, Pace(rendering=0.0, figures=0.0, idle=60.0, retry=(0.0,), judging=0.0, judging_again=0.0))
    stream = live.stream(ADA, GUILD, None, judge)
    assert await anext(stream) == b"retry: 2000\n\n"
    await until_says(stream, b"event: voice")
    assert verdicts == []
    await live.close()
    await stream.aclose()


async def test_an_api_that_restarts_is_said_and_everything_is_right_again_without_anybody_coming_back(api, live):
    stream = live.stream(ADA, GUILD, None, yes)
    await until_says(stream, b"event: voice")
    api.happened.put_nowait(("session", "41-3"))
    api.away, api.voice = True, "Grace"
    api.happened.put_nowait(ApiAwayError("gone"))
    await until_says(stream, b"event: banners\ndata: stale")
    api.away = False
    await until_says(stream, b"Grace")
    assert api.connections == [(1, None), (1, "41-3")]
    await stream.aclose()


async def test_a_process_that_stops_ends_its_streams_at_once(live):
    streams = [live.stream(ADA, GUILD, None, yes) for _ in range(3)]
    for stream in streams:
        await until_says(stream, b"event: voice")
    live.stop()
    for stream in streams:
        assert b"".join([chunk async for chunk in stream]).endswith(b"event: end\ndata: stopping\n\n")
    assert live.viewers == 0


async def test_events_are_read_however_they_are_cut():
    async def cut() -> AsyncIterator[bytes]:
        for byte in b"retry: 1\n\n:\n\nid: 7-1\nevent: session\ndata: {}\n\nevent: end\ndata: x\n\n":
            yield bytes([byte])

    assert [event async for event in server_events(cut())] == [("session", "7-1"), ("end", "7-1")]


async def test_a_line_without_an_end_is_no_stream():
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1024 * 1024

    with pytest.raises(ApiAwayError):
        await anext(server_events(endless()))


async def test_a_stranger_gets_no_stream_nor_does_a_member_without_the_right(dashboard):
    path = f"/guilds/{GUILD}/events"
    assert (await dashboard.browser().get(path)).status_code == 401
    browser = await dashboard.signed_in()
    status, access = dashboard.api.answers["GET /access"]
    dashboard.api.answers["GET /access"] = (status, access | {"rights": []})
    assert (await browser.get(path)).status_code == 403


async def test_fragments_are_the_same_as_the_page_has_and_names_in_them_are_text(dashboard):
    dashboard.api.answers |= GLANCE
    browser = await dashboard.signed_in()
    page = (await browser.get(f"/guilds/{GUILD}")).text
    source = dashboard.services.live.source
    slots = await source.everything(Asking(1, None, "r"), GUILD)
    for name, html in slots.items():
        assert f'data-live-slot="{name}"' in page
        assert html in page or name == "banners"
    assert "Ada &lt;b&gt;" in slots["voice"]
    assert "Ada <b>" not in page
    dashboard.api.answers["GET /analytics/live-occupancy"] = (200, occupancy())
    assert "Nobody is in voice" in (await source.occupancy(Asking(1, None, "r"), GUILD))["voice"]


async def test_a_session_that_ended_or_a_right_that_is_gone_ends_a_stream(dashboard):
    browser = await dashboard.signed_in()
    token, asking = _auth(browser), Asking(MEMBER, None, "r")
    guilds = dashboard.services.guilds
    assert await guilds.may_still_read(token, asking, GUILD)
    status, access = dashboard.api.answers["GET /access"]
    dashboard.api.answers["GET /access"] = (status, access | {"rights": []})
    assert not await guilds.may_still_read(token, asking, GUILD)
    dashboard.api.answers["GET /access"] = (503, {"error": "away"})
    with pytest.raises(UnavailableError):
        await guilds.may_still_read(token, asking, GUILD)
    dashboard.api.answers["GET /access"] = (status, access)
    dashboard.clock.advance(8 * 24 * 3_600_000)
    assert not await guilds.may_still_read(token, asking, GUILD)


async def test_viewers_of_one_user_who_are_judged_at_once_ask_the_api_once(dashboard):
    """A crowd that was judged one by one kept everybody's events waiting for seconds."""
    browser = await dashboard.signed_in()
    token, asking = _auth(browser), Asking(MEMBER, None, "r")
    asked = len(dashboard.api.requests)
    verdicts = await asyncio.gather(*(dashboard.services.guilds.may_still_read(token, asking, GUILD) for _ in range(9)))
    assert verdicts == [True] * 9
    assert len(dashboard.api.requests) == asked + 1


def test_a_crowd_that_came_at_once_is_judged_at_different_times_and_never_later():
    times = {some_time_within(30.0) for _ in range(500)}
    assert len(times) > 400
    assert all(15.0 <= one <= 30.0 for one in times)


def _auth(browser) -> str:
    return next(cookie.value for cookie in browser.cookies.jar if "auth_token" in cookie.name)


async def test_banners_stand_on_every_page_of_a_server(dashboard):
    dashboard.api.answers |= GLANCE
    browser = await dashboard.signed_in()
    dashboard.api.answers["GET /blind"] = (200, {"items": [], "total": 0})
    dashboard.api.answers["GET /settings"] = (
        200,
        {"timezone": "UTC", "names_shown": True, "retention_days": None, "read_roles": [], "write_roles": []},
    )
    assert "Signing is locked" in (await browser.get(f"/guilds/{GUILD}/settings/general")).text
