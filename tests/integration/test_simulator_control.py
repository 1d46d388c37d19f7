"""The control API and the whole server: faults and edits over HTTP, bursts, the truth, traces played back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, Settings, Simulator, running_simulator, serve
from simulator.fault_desk import FaultError
from simulator.trace_output import write_trace
from tests.integration.simulator_client import eventually, gateway_client
from tests.twin.replay import run


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with running_simulator(Settings(speed=0)) as simulator:
        yield simulator


async def call(sim: Simulator, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.request(method, sim.control_url + path, json=body) as response:
        text = await response.text()
        return response.status, [json.loads(line) for line in text.splitlines()] if "truth?" in path else json.loads(text)


def rooms(sim: Simulator) -> list[int]:
    return [c.id for c in sim.world.guilds[DEMO_GUILD_ID].channels.values() if c.type == 2]


async def test_edits_over_http_change_the_world_and_reach_the_bot(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify()
        edits = [
            {"edit": "join", "guild_id": str(DEMO_GUILD_ID), "user_id": str(DEMO_ADMIN_ID), "channel_id": str(rooms(sim)[0])},
            {"edit": "set_flags", "guild_id": DEMO_GUILD_ID, "user_id": DEMO_ADMIN_ID, "self_deaf": True},
            {"edit": "leave", "guild_id": str(DEMO_GUILD_ID), "user_id": str(DEMO_ADMIN_ID)},
        ]
        for edit in edits:
            assert (await call(sim, "POST", "/world", edit))[0] == 200
        seen = [await client.event("VOICE_STATE_UPDATE") for _ in edits]
    assert [(state["channel_id"], state["self_deaf"]) for state in seen] == [
        (str(rooms(sim)[0]), False),
        (str(rooms(sim)[0]), True),
        (None, False),
    ]


async def test_new_things_answer_with_their_ids(sim: Simulator) -> None:
    _, made = await call(sim, "POST", "/world", {"edit": "add_guild", "name": "New", "owner_id": str(DEMO_ADMIN_ID)})
    guild_id = int(made["result"])
    _, made = await call(sim, "POST", "/world", {"edit": "create_channel", "guild_id": str(guild_id), "name": "Room"})
    assert int(made["result"]) in sim.world.guilds[guild_id].channels


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/world", {"edit": "no_such_edit"}),
        ("/world", {"edit": "join", "guild_id": "1", "user_id": "1", "channel_id": "1"}),
        ("/world", {"edit": "join", "guild_id": str(DEMO_GUILD_ID)}),
        ("/world", []),
        ("/fault", {"kind": "no_such_fault"}),
        ("/fault", {"kind": "drop", "colour": "red"}),
        ("/fault", {"kind": "guild_unavailable", "guild_id": "1"}),
        ("/fault", {"kind": "rest", "status": 418}),
        ("/burst", {"count": 0}),
        ("/burst", {"count": 1, "guild_id": "1"}),
        ("/advance", {"behaviour_ms": -1}),
    ],
)
async def test_a_mistaken_order_answers_422_and_says_why(sim: Simulator, path: str, body: Any) -> None:
    status, answer = await call(sim, "POST", path, body)
    assert status == 422
    assert answer["error"]


async def test_faults_work_alike_over_http_and_in_python(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify()
        assert await call(sim, "POST", "/fault", {"kind": "drop"}) == (200, {"touched": 1})
        assert await client.close_code() == 1006
    with pytest.raises(FaultError, match="there are: clear_rest, close"):
        sim.fault("no_such_fault")


async def test_a_burst_reaches_the_socket_whole_and_in_order(sim: Simulator) -> None:
    count = 5_000
    async with gateway_client(sim, compress=True) as client:
        await client.identify()
        for _ in sim.world.guilds:
            await client.event("GUILD_CREATE")
        first = len(sim.world.truth)
        burst = asyncio.create_task(call(sim, "POST", "/burst", {"count": count}))
        seen = [await client.event("VOICE_STATE_UPDATE") for _ in range(count)]
        status, report = await burst
    assert (status, report["emitted"], report["written"]) == (200, count, count)
    truth = list(sim.world.truth.lines(first))
    assert [(state["user_id"], state["channel_id"], state["self_mute"]) for state in seen] == [
        (line["user_id"], line["channel_id"], line["self_mute"]) for line in truth
    ]


async def test_the_truth_is_a_trace_that_begins_with_who_is_where(sim: Simulator) -> None:
    sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, rooms(sim)[0])
    sim.world.delete_channel(rooms(sim)[0])
    _, lines = await call(sim, "GET", f"/truth?guild_id={DEMO_GUILD_ID}")
    kinds = [line["type"] for line in lines]
    assert kinds.index("snapshot") == kinds.count("channel")
    assert "channel_deleted" in kinds
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    last = [line for line in lines if line.get("user_id") == str(DEMO_ADMIN_ID)][-1]
    assert last["channel_id"] is None
    assert run(lines).malformed is None
    _, count = await call(sim, "GET", "/truth/count")
    assert count["lines"] == len(sim.world.truth)


async def test_advance_lets_behaviour_happen_at_once(sim: Simulator) -> None:
    before = sim.world.truth.voice_changes
    _, answer = await call(sim, "POST", "/advance", {"behaviour_ms": 3_600_000})
    assert answer["applied"] > 20
    assert sim.world.truth.voice_changes - before >= answer["applied"]


async def test_members_move_by_themselves_until_they_are_paused() -> None:
    async with running_simulator(Settings(speed=20_000)) as sim:
        await eventually(lambda: sim.world.truth.voice_changes > 50)
        sim.fault("pause")
        still = sim.world.truth.voice_changes
        async with gateway_client(sim) as client:
            await client.heartbeat()
        assert sim.world.truth.voice_changes == still
        sim.fault("unpause")
        await eventually(lambda: sim.world.truth.voice_changes > still + 20)


async def test_a_trace_file_is_played_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    with path.open("wb") as file:
        write_trace(file, seed=3, lines=3_000, guilds=4, members=20)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    wanted = [line for line in lines if line["type"] == "voice_state"]
    async with running_simulator(Settings(trace_file=path, as_fast_as_possible=True)) as sim:
        await asyncio.wait_for(sim.player.finished.wait(), 60)
        played = [line for line in sim.world.truth.lines() if line["type"] == "voice_state"]
        assert sim.player.skipped == 0
        assert [line | {"at": 0} for line in played] == [line | {"at": 0} for line in wanted]


async def test_status_says_what_is_connected(sim: Simulator) -> None:
    async with gateway_client(sim) as client:
        await client.identify((0, 2))
        _, status = await call(sim, "GET", "/status")
    assert [(session["shard"], session["connected"]) for session in status["sessions"]] == [([0, 2], True)]
    assert status["guilds"] == [str(guild_id) for guild_id in sim.world.guilds]


async def test_serve_runs_until_it_is_cancelled() -> None:
    ready: asyncio.Future[Simulator] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(Settings(), ready=ready))
    sim = await asyncio.wait_for(ready, 60)
    assert (await call(sim, "GET", "/status"))[0] == 200
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get(sim.rest_url)
