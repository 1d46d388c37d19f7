"""Schemathesis against the API as it runs: over a socket, with every check, from the description that it serves itself."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.app import create_app
from attendance.store.database import open_database
from tests.api_world import GUILD, World
from tests.fixtures_database import postgresql_template
from tests.fixtures_empty_database import create_database, drop_databases

pytestmark = pytest.mark.slow

WEBHOOK_SECRET = b"what attendance from elsewhere carries"

# What their values mean decides here, and no schema can say it: a channel of this guild, a known time zone, a range in order,
# a passphrase that opens the key, a key that exists.
MEANING_DECIDES = {
    "changeFairness",  # 60.0 is an integer to JSON Schema, and to us it is none
    "verifySession",  # the contract has 400 for what is no id
    "verifyPeriod",
    "verifyGuildPeriod",  # 3.0 again
    "getLogTile",  # a path of its own grammar; the contract of 400 here too
    "getLogProof",
    "getLogConsistency",
    "changeSettings",
    "correctSession",
    "createToken",
    "addTrackedChannel",
    "addLogDestination",
    "changeLogTypes",
    "changeResetInterval",
    "listSessions",
    "listBlindIntervals",
    "getLeaderboard",
    "explainStats",
    "previewFairness",
    "unlockKey",
    "rotateKeys",
    "revokeKey",
    "changePassphrase",
    "saveVerifiedRole",
    "changeSubscription",
    "changeWebhook",
    "reportAttendance",
}


@dataclass
class RunningApi:
    url: str
    world: World


@contextmanager
def serving(make_url: Callable[[], Awaitable[str]]) -> Iterator[RunningApi]:
    """The API over a settled guild, on a socket, in a thread of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)  # so that connecting waits for the server instead of failing
    started = threading.Event()
    worlds: list[World] = []
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        url = await make_url()
        world = World(open_database(url))
        worlds.append(world)
        await world.settle()
        await world.name(11, "Ada")
        await world.session(11, 5000)
        await world.session(12, 7000)
        await world.opened(12)
        # A stream would go on for a quarter of an hour. The app must not be taken up by the next test.
        unlimited = {"requests_per_minute_user": 0, "requests_per_minute_ip": 0, "stream_seconds": 0}
        app = create_app(world.services(webhook_secret=WEBHOOK_SECRET, **unlimited))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        servers.append(server)
        started.set()
        await server.serve(sockets=[listener])
        await world.database.close()
        if not url.startswith("sqlite"):
            await drop_databases([url])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(30)
    yield RunningApi("http://{}:{}".format(*listener.getsockname()), worlds[0])
    servers[0].should_exit = True
    thread.join(30)
    listener.close()


@pytest.fixture(scope="session")
def running_api(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    path = tmp_path_factory.mktemp("schemathesis") / "rollcall.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())

    async def url() -> str:
        return f"sqlite:///{path}"

    with serving(url) as api:
        yield api


@pytest.fixture(scope="session")
def running_api_on_postgresql(postgresql_server_url: str) -> Iterator[RunningApi]:
    async def url() -> str:
        return await create_database(postgresql_server_url, template=await postgresql_template(postgresql_server_url))

    with serving(url) as api:
        yield api


# The description is made without a server: only what is asked of it needs one. (Schemathesis can take a schema from a fixture,
# but not with pytest 9.2.)
_undisturbed = World(open_database("sqlite:///never-opened.sqlite3")).app()
_description = json.loads(_undisturbed.state.openapi_json)
for _operations in _description["paths"].values():
    for _operation in _operations.values():
        for _parameter in _operation.get("parameters", []):
            # Any other guild would only ever be 403.
            if _parameter["name"] == "guild_id":
                _parameter["schema"] = {"type": "string", "enum": [str(GUILD)]}
schema = schemathesis.openapi.from_dict(_description)


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_api_keeps_what_its_description_promises(case, running_api: RunningApi) -> None:
    hold(case, running_api)


@pytest.mark.postgresql
@schema.parametrize()
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_keeps_it_on_postgresql_too(case, running_api_on_postgresql: RunningApi) -> None:
    hold(case, running_api_on_postgresql)


def hold(case, api: RunningApi) -> None:
    operation = case.operation.definition.raw
    # What a limit may be depends on the format asked for.
    meaning_decides = operation["operationId"] in MEANING_DECIDES or any(
        parameter["name"] == "format" for parameter in operation.get("parameters", [])
    )
    excluded = [positive_data_acceptance] if meaning_decides else []
    headers = case.meta.components.get(ParameterLocation.HEADER)
    forged = headers is not None and headers.mode.is_negative
    case.call_and_validate(
        base_url=api.url,
        headers=None if forged else {**api.world.auth(), "x-webhook-secret": WEBHOOK_SECRET.decode()},
        excluded_checks=excluded,
        timeout=30,
    )


def test_every_check_there_is_was_used() -> None:
    assert len(CHECKS.get_all()) >= 10
