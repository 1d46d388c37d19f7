"""``/events``: one look at the database for all who listen, everything told once, and an end for every reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from sqlalchemy import delete, insert, update

from api.live_stream import LiveStream, encode, read_position
from attendance.errors import ForbiddenError, UnavailableError
from attendance.services import live_events
from attendance.services.live_events import LiveEvents, Position
from attendance.store import schema
from attendance.store.reports import SqlReportSource
from tests.api_world import BASE, GUILD, MEMBER, World, http_client


class Rounds:
    """The pause between looks, ended by hand."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.go = asyncio.Event()
        self.taken = 0

    async def pause(self, _seconds: float) -> None:
        self.taken += 1
        self.waiting.set()
        await self.go.wait()
        self.go.clear()

    async def look(self) -> None:
        """Let one look happen, and wait until it is over."""
        async with asyncio.timeout(60):
            await self.waiting.wait()
            self.waiting.clear()
            self.go.set()
            await self.waiting.wait()


class Judge:
    def __init__(self) -> None:
        self.asked, self.refusal = 0, None

    async def __call__(self) -> None:
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal


class Hall:
    """A world with live events whose looks are taken by hand."""

    def __init__(self, world: World) -> None:
        self.world, self.rounds, self.judge = world, Rounds(), Judge()
        self.live = LiveEvents(SqlReportSource(world.database), world.clock, encode, self.rounds.pause)

    @asynccontextmanager
    async def stream(self, after: str | None = None) -> AsyncIterator[AsyncIterator[bytes]]:
        chunks = LiveStream(self.live, self.world.clock, self.judge, 900).chunks(GUILD, read_position(after))
        async with aclosing(chunks):
            assert await anext(chunks) == b"retry: 3000\n\n"
            yield chunks


@pytest.fixture
def hall(world: World) -> Hall:
    return Hall(world)


async def events(chunks, times: int = 1) -> list[tuple[str, str, dict]]:
    """The next chunks' events as (name, id, data)."""
    found = []
    for _ in range(times):
        async with asyncio.timeout(60):
            text = (await anext(chunks)).decode()
        for block in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if fields:
                found.append((fields["event"], fields.get("id", ""), json.loads(fields["data"])))
    return found


async def ends(world: World, user: int, credited_ms: int = 5000) -> None:
    """A member's open session closes, as the owner stores it."""
    await world.remove(schema.open_session, schema.open_session.c.user_id == user)
    await world.session(user, credited_ms, ago_ms=0)


async def cut(world: World) -> None:
    async with world.database.transaction() as connection:
        now, table = world.clock.now_ms(), schema.period
        where = (table.c.guild_id == GUILD) & (table.c.period_index == 3)
        await connection.execute(update(table).where(where).values(state="closed", ended_at_ms=now))
        await connection.execute(insert(table).values(guild_id=GUILD, period_index=4, started_at_ms=now, state="running"))


async def test_everybody_is_told_at_first_and_then_only_what_changes(hall, world):
    await world.name(11, "Ada\nid: 9-9\n\nevent: forged")
    await world.opened(11)
    async with hall.stream() as chunks:
        ((name, event_id, data),) = await events(chunks)
        assert (name, event_id, data["members"]) == ("occupancy", "0-3", 1)
        assert data["channels"][0]["members"][0]["display_name"] == "Ada\nid: 9-9\n\nevent: forged", "a name cannot forge one"
        await world.opened(12, channel_id=51, status="muted")
        await hall.rounds.look()
        ((name, event_id, data),) = await events(chunks)
        assert (name, event_id, data["members"], data["gone"]) == ("occupancy-change", "0-3", 2, [])
        (presence,) = data["present"]
        assert (presence["user_id"], presence["channel_name"], presence["status"]) == ("12", "=Stage", "muted")
        await world.change(schema.open_session, schema.open_session.c.user_id == 12, status="counted")
        await hall.rounds.look()
        assert (await events(chunks))[0][2]["present"][0]["status"] == "counted"
        await ends(world, 11)
        await hall.rounds.look()
        session, change = await events(chunks)
        assert (session[0], session[1], session[2]["user_id"], session[2]["seconds"]) == ("session", "1-3", "11", 5)
        assert (change[2]["gone"], change[2]["members"]) == (["11"], 1)


async def test_a_reset_is_told_and_so_is_what_closes_after_it(hall, world):
    async with hall.stream() as chunks:
        await events(chunks)
        await cut(world)
        await hall.rounds.look()
        assert [(name, event_id, data["period_index"]) for name, event_id, data in await events(chunks)] == [
            ("reset", "0-4", 3)
        ]
        await world.session(11, 5000, period_index=4, ago_ms=0)
        await hall.rounds.look()
        assert [(name, event_id) for name, event_id, _ in await events(chunks)] == [("session", "1-4")]


async def test_who_comes_back_is_told_what_ended_meanwhile_and_nothing_twice(hall, world):
    for user in (11, 12, 13):
        await world.session(user, 5000)
    await cut(world)
    async with hall.stream("1-3") as chunks:
        told = await events(chunks)
    assert [(name, event_id) for name, event_id, _ in told] == [
        ("reset", "1-4"),
        ("session", "2-4"),
        ("session", "3-4"),
        ("occupancy", "3-4"),
    ]
    for known in ("3-4", "999999999999999999-4", "0-999999999"):
        async with hall.stream(known) as chunks:
            assert [name for name, _, _ in await events(chunks)] == ["occupancy"]


async def test_of_too_many_ends_only_the_number_is_told(hall, world, monkeypatch):
    monkeypatch.setattr(live_events, "MAX_ENDS", 3)
    monkeypatch.setattr(live_events, "MAX_BEHIND", 5)
    async with hall.stream("0-3") as chunks:
        await events(chunks)
        for user in range(11, 16):
            await world.session(user, 1000)
        await hall.rounds.look()
        assert [event_id for _, event_id, _ in await events(chunks)] == ["1-3", "2-3", "3-3"]
        await hall.rounds.look()
        assert [event_id for _, event_id, _ in await events(chunks)] == ["4-3", "5-3"]
        for user in range(21, 27):
            await world.session(user, 1000)
        await hall.rounds.look()
        assert await events(chunks) == [("skipped", "11-3", {"sessions": 6})]
    async with hall.stream("7-3") as chunks:
        assert [name for name, _, _ in await events(chunks)] == ["skipped", "occupancy"]


async def test_many_listeners_share_one_look_and_the_same_bytes(sqlite_world):
    hall, source = Hall(sqlite_world), SqlReportSource(sqlite_world.database)
    views = 0

    class Counted:
        def view(self):
            nonlocal views
            views += 1
            return source.view()

    hall.live.reports = Counted()
    contexts = [hall.live.listen(GUILD, None) for _ in range(500)]
    listeners = [await context.__aenter__() for context in contexts]
    first = {id(await listener.next(1)) for listener in listeners}
    assert (len(first), views) == (1, 1)
    await hall.rounds.look()
    before = views
    await sqlite_world.opened(11)
    await hall.rounds.look()
    assert views == before + 1
    assert len({id(await listener.next(1)) for listener in listeners}) == 1
    for context in contexts:
        await context.__aexit__(None, None, None)
    assert hall.live._feeds == {}


async def test_nothing_runs_once_nobody_listens(hall):
    async with hall.stream() as chunks:
        await events(chunks)
        task = hall.live._task
        await hall.rounds.waiting.wait()
    hall.rounds.go.set()
    async with asyncio.timeout(60):
        await task
    assert hall.live._task is None
    async with hall.stream() as chunks:
        assert (await events(chunks))[0][0] == "occupancy", "and it begins anew"


@pytest.mark.parametrize(
    ("refusal", "reason"), [(ForbiddenError("no"), "forbidden"), (UnavailableError("away"), "unavailable")]
)
async def test_who_loses_the_right_hears_nothing_more(hall, world, refusal, reason):
    async with hall.stream() as chunks:
        await events(chunks)
        world.clock.advance(29_000)
        await world.opened(11)
        await hall.rounds.look()
        assert (await events(chunks))[0][0] == "occupancy-change"
        assert hall.judge.asked == 0
        world.clock.advance(1_000)
        await world.opened(12)
        await hall.rounds.look()
        assert (await events(chunks))[0][2]["present"][0]["user_id"] == "12"
        assert hall.judge.asked == 1
        hall.judge.refusal = refusal
        world.clock.advance(30_000)
        await world.opened(13)
        await hall.rounds.look()
        assert await events(chunks) == [("end", "", {"reason": reason})]
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)


async def test_a_stream_ends_after_fifteen_minutes(hall, world):
    async with hall.stream() as chunks:
        await events(chunks)
        world.clock.advance(15 * 60_000)
        await world.opened(11)
        await hall.rounds.look()
        assert [name for name, _, _ in await events(chunks, 2)] == ["occupancy-change", "end"]


@pytest.mark.slow
async def test_a_listener_who_does_not_read_is_let_go_and_the_others_are_not(hall, world):
    async with hall.stream() as quick, hall.live.listen(GUILD, None) as slow:
        await events(quick)
        for user in range(live_events.MAX_WAITING):
            await world.opened(100 + user)
            await hall.rounds.look()
            await events(quick)
        assert (slow.ended, slow.waiting.qsize()) == ("slow", 1)
        assert await slow.next(1) is None


async def test_a_database_that_is_away_for_a_while_loses_nothing(hall, world, monkeypatch):
    async with hall.stream() as chunks:
        await events(chunks)
        await world.session(11, 5000)
        look = LiveEvents._look

        async def away(_self, _feed):
            raise UnavailableError("away")

        monkeypatch.setattr(LiveEvents, "_look", away)
        await hall.rounds.look()
        await hall.rounds.look()
        monkeypatch.setattr(LiveEvents, "_look", look)
        await hall.rounds.look()
        assert [name for name, _, _ in await events(chunks)] == ["session"]


async def test_stopping_ends_every_stream_and_takes_no_more(hall):
    async with hall.stream() as chunks:
        await events(chunks)
        hall.live.stop()
        assert await events(chunks) == [("end", "", {"reason": "stopping"})]
        with pytest.raises(UnavailableError):
            async with hall.live.listen(GUILD, None):
                pass


async def test_too_many_listeners_are_refused(hall, monkeypatch):
    monkeypatch.setattr(live_events, "MAX_LISTENERS", 1)
    async with hall.stream():
        with pytest.raises(UnavailableError):
            async with hall.live.listen(GUILD, Position(0, 0)):
                pass


@pytest.mark.parametrize("text", [None, "", "x", "null", "1", "-1-3", "1-3 ", "1" * 19 + "-3", "\uff11-3", "1-3\n"])
def test_what_is_no_event_id_of_ours_begins_anew(text):
    assert read_position(text) is None


async def test_over_http_the_stream_needs_the_right(sqlite_world):
    world = sqlite_world
    app = world.app()
    async with http_client(app) as client:
        assert (await client.get(f"{BASE}/events")).status_code == 401
        assert (await client.get(f"{BASE}/events", headers=world.auth(MEMBER))).status_code == 403
        answer = await client.get(f"{BASE}/events", headers={**world.auth(), "Last-Event-ID": "1" * 65})
        assert (answer.status_code, list(answer.json()["details"])) == (422, ["Last-Event-ID"])
        head = await client.head(f"{BASE}/events", headers=world.auth())
        assert (head.status_code, head.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
        assert (head.headers["cache-control"], head.headers["x-accel-buffering"]) == ("no-store", "no")
        assert app.state.services.live_events._feeds == {}


async def test_over_http_a_service_that_stops_answers_503(sqlite_world):
    world = sqlite_world
    app = world.app()
    app.state.services.live_events.stop()
    async with http_client(app) as client:
        answer = await client.get(f"{BASE}/events", headers=world.auth())
        assert (answer.status_code, answer.json()) == (503, {"error": "the service is stopping"})


async def test_sessions_that_were_erased_leave_no_hole_to_wait_in(hall, world):
    for user in (11, 12):
        await world.session(user, 5000)
    async with world.database.transaction() as connection:
        await connection.execute(delete(schema.session).where(schema.session.c.user_id == 12))
    async with hall.stream("0-3") as chunks:
        assert [(name, event_id) for name, event_id, _ in await events(chunks)] == [("session", "1-3"), ("occupancy", "2-3")]
