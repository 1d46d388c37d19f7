"""`GET /export/period/{index}`: headers, ranges, conditions, tiers."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient

from api.schemas.exports import asked_range, is_current
from attendance.domain.subscriptions import Billing
from tests.api_world import World, app_over, http_client
from tests.export_world import ExportWorld
from tests.signing_world import GUILD

PATH = f"/api/v1/guilds/{GUILD}/export/period"


@pytest.fixture
async def exported(sqlite_database, tmp_path) -> ExportWorld:
    world = ExportWorld(sqlite_database, tmp_path)
    await world.period(9)
    return world


@pytest.fixture
async def client(exported) -> AsyncIterator[AsyncClient]:
    async with _client(exported, Billing()) as client:
        yield client


def _client(exported: ExportWorld, billing: Billing) -> AsyncClient:
    world = World(exported.database, clock=exported.clock, billing=billing)
    services = dataclasses.replace(world.services(requests_per_minute_user=0), exports=exported.exports)
    client = http_client(app_over(services))
    client.headers.update(world.auth(guild=GUILD))
    return client


async def test_the_archive_is_sent_with_its_name_its_digest_and_its_tag(client, exported):
    answer = await client.get(f"{PATH}/0")
    assert answer.status_code == 200
    assert answer.content == await exported.bytes_of()
    digest = hashlib.sha256(answer.content)
    assert answer.headers["etag"] == f'"{digest.hexdigest()}"'
    assert answer.headers["digest"] == "sha-256=" + base64.b64encode(digest.digest()).decode()
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-type"].startswith("application/gzip")
    assert answer.headers["content-disposition"] == f'attachment; filename="rollcall-{GUILD}-0.tar.gz"'
    assert answer.headers["accept-ranges"] == "bytes"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        owners = {(one.uid, one.gid, one.uname, one.gname, one.mode, one.isreg()) for one in tar}
        names = [name.split("/", 1) for name in tar.getnames()]
    assert owners == {(0, 0, "", "", 0o644, True)}
    assert {folder for folder, _ in names} == {f"rollcall-{GUILD}-0"}
    assert names == sorted(names)
    head = await client.head(f"{PATH}/0")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", answer.headers["etag"])
    assert head.headers["content-length"] == str(len(answer.content))


async def test_a_broken_download_goes_on_where_it_ended(client):
    whole = await client.get(f"{PATH}/0")
    size, etag = len(whole.content), whole.headers["etag"]
    rest = await client.get(f"{PATH}/0", headers={"Range": "bytes=1000-", "If-Range": etag})
    assert (rest.status_code, rest.content) == (206, whole.content[1000:])
    assert rest.headers["content-range"] == f"bytes 1000-{size - 1}/{size}"
    some = await client.get(f"{PATH}/0", headers={"Range": "bytes=0-0"})
    assert (some.status_code, some.content, some.headers["content-length"]) == (206, whole.content[:1], "1")
    last = await client.get(f"{PATH}/0", headers={"Range": "bytes=-7"})
    assert last.content == whole.content[-7:]
    other = await client.get(f"{PATH}/0", headers={"Range": "bytes=1000-", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, whole.content)
    beyond = await client.get(f"{PATH}/0", headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")


async def test_who_has_it_already_is_told_so(client):
    etag = (await client.get(f"{PATH}/0")).headers["etag"]
    for value, status in ((etag, 304), (f'"x", W/{etag}', 304), ("*", 304), ('"x"', 200)):
        answer = await client.get(f"{PATH}/0", headers={"If-None-Match": value})
        assert (answer.status_code, answer.headers["etag"], len(answer.content) > 0) == (status, etag, status == 200)


async def test_what_is_no_period_is_not_found_and_what_is_not_ready_says_why(client, exported):
    for index in ("1", "01", "-1", "x", "9" * 30, str(2**31)):
        assert (await client.get(f"{PATH}/{index}")).status_code == 404, index
    await exported.close_period(1, 2, first=50)
    answer = await client.get(f"{PATH}/1")
    assert (answer.status_code, answer.json()["error"]) == (409, "the period is not archived yet: try again in some seconds")


async def test_with_billing_on_a_free_guild_is_told_that_it_needs_pro(exported):
    async with _client(exported, Billing(on=True)) as client:
        answer = await client.get(f"{PATH}/0")
    assert (answer.status_code, answer.json()["error"]) == (403, "using exports needs Pro")


async def test_the_key_set_names_the_keys_of_the_deployment_too(client, exported):
    await client.get(f"{PATH}/0")
    keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
    own = {kid for kid, _ in await exported.exports.deployment_keys()}
    assert len(own) == 2
    assert own < {key["kid"] for key in keys}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-", range(10)),
        ("bytes=2-4", range(2, 5)),
        ("Bytes= 2-400", range(2, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-30", range(10)),
        ("bytes=-0", range(10, 10)),
        ("bytes=10-", range(10, 10)),
        ("bytes=4-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_ranges_are_those_of_the_standard(header: Any, expected: Any):
    assert asked_range(header, 10) == expected


def test_a_missing_condition_is_no_condition():
    assert not is_current(None, '"x"')
