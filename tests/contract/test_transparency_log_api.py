"""The log's public routes: what a monitor reads, and what is refused."""

from __future__ import annotations

import asyncio
import base64

import pytest

from attendance.core import (
    LogTree,
    inclusion_proof,
    open_checkpoint,
    read_log_bundle,
    read_proof_file,
    record_leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from attendance.services.transparency_log import TransparencyLog
from attendance.store.log_folder import LogFolder
from attendance.store.transparency_log import SqlLogStore
from tests.api_world import World, http_client
from tests.signing_world import GUILD, MASTER_KEY, PASSPHRASE, SigningProcess, put_drafts


@pytest.fixture
async def monitor(sqlite_database, tmp_path):
    """A client of the public routes, the log behind them, and who signs."""
    process = SigningProcess(sqlite_database)
    log = TransparencyLog(
        SqlLogStore(sqlite_database), LogFolder(tmp_path), process.clock, MASTER_KEY, "https://a.example", asyncio.Event()
    )
    world = World(sqlite_database)
    world.log_folder = tmp_path
    async with http_client(world.app()) as client:
        yield client, log, process


@pytest.mark.slow
async def test_a_monitor_follows_the_log_by_its_public_routes_alone(monitor):
    client, log, process = monitor
    await process.succession.generate(GUILD, PASSPHRASE)
    seen = []
    for count in (9, 290):
        await put_drafts(process.database, count)
        await process.sign_all()
        await log.publish_batch()
        answer = await client.get("/log/checkpoint")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "public, max-age=5"
        seen.append(open_checkpoint(answer.content, await log.vkey()))
    (_, old_size, old_root), (origin, size, root) = seen
    assert (origin, old_size, size) == ("a.example/log", 10, 300)

    body = (await client.get(f"/log/consistency?from={old_size}&to={size}")).json()
    assert (body["from"], body["to"]) == (10, 300)
    proof = [base64.b64decode(digest, validate=True) for digest in body["proof"]]
    verify_consistency(old_size, size, proof, old_root, root)

    bundles = [await client.get(f"/log/tile/entries/{path}") for path in ("000", "001.p/44")]
    records = b"".join(read_log_bundle(bundle.content) for bundle in bundles)
    tree = LogTree()
    tree.append(records)
    assert tree.root() == root
    assert bundles[0].headers["cache-control"].endswith("immutable")

    file = (await client.get("/log/proof/17")).content
    index, hashes, note = read_proof_file(file)
    assert (index, open_checkpoint(note, await log.vkey())[2]) == (17, root)
    verify_inclusion(record_leaf_hash(records[17 * 32 : 18 * 32]), 17, size, hashes, root)
    tiles = {path: (await client.get(f"/log/{path}")).content for path in ("tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1")}
    assert inclusion_proof(size, 17, tiles) == hashes


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/log/checkpoint", 404),
        ("/log/proof/0", 404),
        ("/log/proof/x", 400),
        ("/log/proof/-1", 400),
        ("/log/proof/007", 400),
        ("/log/proof/\u0661", 400),
        ("/log/proof/99999999999999999999", 400),
        ("/log/consistency?from=1&to=2", 404),
        ("/log/consistency?from=0&to=2", 400),
        ("/log/consistency?from=3&to=2", 400),
        ("/log/consistency?from=1_0&to=20", 400),
        ("/log/tile/0/000", 404),
        ("/log/tile/entries/000.p/255", 404),
        ("/log/tile/0/000.p/256", 400),
        ("/log/tile/0/000.p/0", 400),
        ("/log/tile/8/000", 400),
        ("/log/tile/0/1", 400),
        ("/log/tile/0/x1/000", 400),
        ("/log/tile/%2e%2e/checkpoint", 400),
        ("/log/tile/0/..%2f..%2fmaster.key", 400),
    ],
)
async def test_what_is_not_there_is_404_and_what_cannot_be_is_400(monitor, path, status):
    answer = await monitor[0].get(path)
    assert answer.status_code == status, answer.text
    assert "error" in answer.json()


async def test_a_checkpoint_that_is_none_is_unavailable_and_not_an_error_of_ours(monitor, tmp_path):
    (tmp_path / "checkpoint").write_bytes(b"scribbled over")
    assert (await monitor[0].get("/log/proof/0")).status_code == 503
