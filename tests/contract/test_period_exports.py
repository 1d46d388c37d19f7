"""Period exports on both databases: the bytes, the stock tools, erasure, keeping, and who builds when."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tracemalloc
from typing import Any

import nacl.signing
import pytest

from attendance.core import SigningKey
from attendance.domain.bagit import csv_row
from attendance.domain.sshsig import allowed_signer, armoured_signature, signed_data
from attendance.errors import ConflictError, NotFoundError, UnavailableError
from attendance.store.database import open_database
from tests.export_world import ExportWorld, check_bag, commands_pass
from tests.signing_world import GUILD, NEXT_PASSPHRASE

_TOOLS = [shutil.which(tool) for tool in ("openssl", "ssh-keygen", "sha256sum", "bash")]
stock_tools = pytest.mark.skipif(None in _TOOLS, reason="openssl, ssh-keygen (openssh-client), sha256sum and bash are needed")


@pytest.fixture
def world(database, tmp_path) -> ExportWorld:
    return ExportWorld(database, tmp_path)


@pytest.fixture
def sqlite_world(sqlite_database, tmp_path) -> ExportWorld:
    return ExportWorld(sqlite_database, tmp_path)


async def test_an_independent_reader_finds_everything_in_a_bag_as_it_was_signed(world, tmp_path):
    await world.period(23, others=4)
    bag = await world.bag(tmp_path / "out")
    # the key, the sessions, those of the next period between them, and the period
    assert check_bag(bag) == {"records": 1 + 27 + 1, "redacted": 0, "sessions": 23, "entries": 7}
    assert len((bag / "data/sessions.csv").read_bytes().splitlines()) == 1 + 23
    assert (bag / "data/entries.csv").read_bytes().splitlines()[0] == b"rank,user_id,credited_ms,session_count"


async def test_the_bytes_are_the_same_each_time_and_whatever_came_later(world):
    await world.period(30)
    first = await world.bytes_of()
    await world.close_period(1, 4, first=100)
    await world.process.succession.rotate(GUILD, NEXT_PASSPHRASE)
    await world.publish()
    (kept,) = world.exports.files.kept()
    world.exports.files.drop(kept)
    again = world.another()
    assert await world.bytes_of(exports=again) == first
    assert first[4:8] == bytes(4)  # no time in gzip's header


async def test_the_second_request_reads_what_the_first_has_built_and_two_at_once_build_once(sqlite_world):
    await sqlite_world.period(12)
    begun: list[int] = []
    files = sqlite_world.exports.files
    counting = _Counting(files, begun)
    sqlite_world.exports.files = counting
    both = await asyncio.gather(*(sqlite_world.bytes_of() for _ in range(3)))
    assert both[0] == both[1] == both[2] == await sqlite_world.bytes_of()
    assert len(begun) == 1
    assert not list(files.folder.glob(".build-*"))


class _Counting:
    def __init__(self, inner: Any, begun: list[int]) -> None:
        self._inner, self._begun = inner, begun

    def __getattr__(self, name: str) -> Any:
        if name == "begin":
            self._begun.append(1)
        return getattr(self._inner, name)


@pytest.mark.slow
async def test_who_gives_up_waiting_does_not_take_the_archive_from_the_others(sqlite_world):
    await sqlite_world.period(12)
    leaving, staying = (asyncio.create_task(sqlite_world.bytes_of()) for _ in range(2))
    while not sqlite_world.exports._building:  # noqa: ASYNC110  # it begins after a few queries
        await asyncio.sleep(0)
    leaving.cancel()
    assert await staying


@pytest.mark.slow
async def test_an_erasure_makes_another_archive_that_still_verifies_and_drops_the_old_one(world, tmp_path):
    facts = await world.period(23)
    before = await world.bytes_of()
    erased = await world.erase(facts[3].user_id)
    assert await world.exports.drop_stale() == 1
    assert world.exports.files.kept() == []
    bag = await world.bag(tmp_path / "waiting")  # the redaction waits for its signature
    assert check_bag(bag) == {"records": 1 + 23 + 1 - erased, "redacted": erased, "sessions": 23, "entries": 7}
    await world.process.succession.rotate(GUILD, NEXT_PASSPHRASE)
    await world.publish()
    bag = await world.bag(tmp_path / "signed")
    found = check_bag(bag)
    assert found["redacted"] == erased
    assert found["records"] >= 1 + 23 + 1 - erased + 1
    after = await world.bytes_of()
    assert after != before
    assert len(world.exports.files.kept()) == 1
    assert str(facts[3].user_id).encode() not in b"".join(path.read_bytes() for path in bag.rglob("*") if path.is_file())
    assert await world.exports.drop_stale() == 0


async def test_an_erasure_elsewhere_leaves_the_archive_as_it_is(sqlite_world):
    await sqlite_world.period(3)
    before = await sqlite_world.bytes_of()
    later = await sqlite_world.close_period(1, 1, first=503)  # of a member who was not there before
    await sqlite_world.process.sign_all()
    assert await sqlite_world.erase(later[0].user_id) == 1
    assert await sqlite_world.exports.drop_stale() == 0
    assert await sqlite_world.bytes_of() == before


async def test_what_cannot_be_exported_yet_says_why(world):
    await world.settle()
    with pytest.raises(NotFoundError):
        await world.exports.open(GUILD, 0)
    await world.close_period(0, 3)
    with pytest.raises(ConflictError, match="not archived yet"):
        await world.exports.open(GUILD, 0)
    await world.archive()
    with pytest.raises(ConflictError, match="waits for a signature"):
        await world.exports.open(GUILD, 0)
    await world.process.sign_all()
    with pytest.raises(ConflictError, match="not in the published log yet"):
        await world.exports.open(GUILD, 0)
    await world.publish()
    assert await world.bytes_of()


async def test_an_empty_period_is_exported(world, tmp_path):
    await world.period(0)
    assert check_bag(await world.bag(tmp_path / "out")) == {"records": 2, "redacted": 0, "sessions": 0, "entries": 0}


@pytest.mark.slow
@pytest.mark.parametrize("what", ["body", "entry", "gone"])
async def test_what_somebody_changed_in_the_database_is_not_signed(sqlite_world, what):
    await sqlite_world.period(5)
    statement = {
        "body": "UPDATE record SET body = CAST(replace(body, '50000', '50001') AS BLOB) WHERE guild_seq = 2",
        "entry": "UPDATE period_entry SET credited_ms = credited_ms + 1 WHERE position = 0",
        "gone": "DELETE FROM record WHERE guild_seq = 2",
    }[what]
    async with sqlite_world.database.transaction() as connection:
        await connection.exec_driver_sql(statement)
    with pytest.raises(ConflictError):
        await sqlite_world.exports.open(GUILD, 0)
    assert sqlite_world.exports.files.kept() == []
    assert not list(sqlite_world.exports.files.folder.glob(".build-*"))


@pytest.mark.slow
async def test_the_oldest_archives_go_when_all_are_too_large_and_leftovers_are_swept(sqlite_world):
    await sqlite_world.period(5)
    await sqlite_world.close_period(1, 5, first=50)
    await sqlite_world.process.sign_all()
    await sqlite_world.archive()
    await sqlite_world.publish()
    small = sqlite_world.another(limit_bytes=1)
    for index in (0, 1):
        await sqlite_world.bytes_of(index, small)
    assert [kept.period_index for kept in small.files.kept()] == [1]
    left = small.files.begin()
    left.append("data/records.jsonl", b"half")
    small.files.sweep(sqlite_world.clock.now_ms() + 10**13)
    left.discard()
    assert [path.name for path in small.files.folder.iterdir()] == [small.files.kept()[0].path.name]


async def test_a_disk_that_does_not_work_is_an_answer_and_leaves_nothing(sqlite_world):
    await sqlite_world.period(3)
    (sqlite_world.folder / "exports").write_bytes(b"a file where the folder should be")
    with pytest.raises(UnavailableError, match="exports"):
        await sqlite_world.exports.open(GUILD, 0)


@stock_tools
@pytest.mark.slow
async def test_the_stock_commands_pass_and_each_fails_where_it_should(sqlite_world, tmp_path):
    await sqlite_world.period(4)
    bag = await sqlite_world.bag(tmp_path / "out")
    assert commands_pass(bag) == [True] * 4
    tags = [path for path in sorted(bag.rglob("*")) if path.is_file() and "tagmanifest" not in path.name]
    for path in tags:  # sha256sum alone finds any change of any file, and any that is missing
        sound = path.read_bytes()
        path.write_bytes(sound[:-1] + bytes([(sound or b"\0")[-1] ^ 1]))
        assert commands_pass(bag)[2] is False, path
        path.unlink()
        assert commands_pass(bag)[2] is False, path
        path.write_bytes(sound)
    (bag / "data/proofs/extra").write_bytes(b"")
    assert commands_pass(bag) == [True, True, True, False]
    (bag / "data/proofs/extra").unlink()
    manifest = bag / "tagmanifest-sha256.txt"
    sound = manifest.read_bytes()
    manifest.write_bytes(sound.replace(b"0", b"1", 1))
    assert commands_pass(bag) == [False, False, False, True]
    manifest.unlink()
    assert commands_pass(bag) == [False, False, False, True]
    manifest.write_bytes(sound)
    for name, number in ((".sig", 0), (".sshsig", 1)):
        file = bag / f"tagmanifest-sha256.txt{name}"
        kept = file.read_bytes()
        file.write_bytes(kept[:40] + bytes([kept[40] ^ 1]) + kept[41:])
        assert commands_pass(bag)[number] is False
        file.write_bytes(kept)
    assert commands_pass(bag) == [True] * 4
    assert all(command in (bag / "README.txt").read_text() for command in _readme_commands())


def _readme_commands() -> tuple[str, ...]:
    """As the specification has them, not as our code has."""
    return (
        (
            "openssl pkeyutl -verify -pubin -inkey keys/export.pem -rawin -in tagmanifest-sha256.txt "
            "-sigfile tagmanifest-sha256.txt.sig"
        ),
        (
            "ssh-keygen -Y verify -f keys/allowed_signers -I rollcall -n rollcall-export -s tagmanifest-sha256.txt.sshsig "
            "< tagmanifest-sha256.txt"
        ),
        "sha256sum --strict --quiet -c tagmanifest-sha256.txt && sha256sum --strict --quiet -c manifest-sha256.txt",
        "comm -13 <(cut -c67- manifest-sha256.txt | LC_ALL=C sort) <(find data -type f | LC_ALL=C sort)",
    )


@stock_tools
def test_ssh_keygen_takes_our_signature_for_its_namespace_and_message_alone(tmp_path):
    key, message = SigningKey.generate(), b"any bytes\n"
    data = signed_data(message, "rollcall-export")
    signature = key.sign(data)
    nacl.signing.VerifyKey(key.public_key).verify(data, signature)
    (tmp_path / "sig").write_bytes(armoured_signature(key.public_key, signature, "rollcall-export"))
    (tmp_path / "allowed").write_text(allowed_signer("rollcall", key.public_key, "rollcall-export"))

    def accepts(text: bytes, namespace: str, identity: str = "rollcall") -> bool:
        command = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", identity, "-n", namespace, "-s", "sig"]
        return subprocess.run(command, cwd=tmp_path, input=text, capture_output=True, check=False).returncode == 0  # noqa: S603

    assert accepts(message, "rollcall-export")
    assert not accepts(b"other bytes\n", "rollcall-export")
    assert not accepts(message, "file")
    assert not accepts(message, "rollcall-export", "somebody")


def test_a_cell_that_a_spreadsheet_would_run_is_led_by_an_apostrophe_and_quoted_where_it_must_be():
    cells = ("=1+1", "+1", "-1", "@x", "\tx", "\rx", 'say "hi"', "a,b", None, -5, True)
    row = csv_row(*cells)
    assert row == b'\'=1+1,\'+1,\'-1,\'@x,\'\tx,"\'\rx","say ""hi""","a,b",,-5,true\r\n'


@pytest.mark.postgresql
async def test_both_databases_give_the_same_sessions_byte_for_byte(migrated_database_url, tmp_path):
    found = []
    for dialect in ("sqlite", "postgresql"):
        database = open_database(await migrated_database_url(dialect))
        world = ExportWorld(database, tmp_path / dialect)
        await world.period(20, others=2)
        bag = await world.bag(tmp_path / f"{dialect}-bag")
        # Salts and keys are random, and so is everything that holds them.
        found.append(
            [(bag / f"data/{name}").read_bytes() for name in ("sessions.csv", "timelines.jsonl", "rules.jsonl", "entries.csv")]
        )
        await database.close()
    assert found[0] == found[1]


@pytest.mark.slow
async def test_memory_stays_flat_in_sessions(sqlite_world):
    peaks = []
    await sqlite_world.settle()
    for period_index, sessions in ((0, 3_000), (1, 12_000)):
        await sqlite_world.close_period(period_index, sessions, first=100_000 * period_index)
        await sqlite_world.process.sign_all()
        await sqlite_world.archive()
        await sqlite_world.publish()
        tracemalloc.start()
        (await sqlite_world.exports.open(GUILD, period_index)).file.close()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0], peaks


async def test_an_erasure_while_an_archive_is_built_is_not_in_it(sqlite_world, tmp_path):
    facts = await sqlite_world.period(23)
    sqlite_world.exports.store = _ErasingMeanwhile(sqlite_world.exports.store, sqlite_world, facts[3].user_id)
    bag = await sqlite_world.bag(tmp_path / "out")
    assert sqlite_world.exports.store.erased == check_bag(bag)["redacted"] > 0
    assert str(facts[3].user_id).encode() not in (bag / "data/records.jsonl").read_bytes()
    (kept,) = sqlite_world.exports.files.kept()
    assert await sqlite_world.exports.drop_stale() == 0
    assert kept.path.exists()


class _ErasingMeanwhile:
    """The first archive has read the records already when the erasure comes."""

    def __init__(self, inner: Any, world: ExportWorld, user_id: int) -> None:
        self._inner, self._world, self._user_id, self.erased = inner, world, user_id, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def entries(self, guild_id: Any, period_index: int) -> Any:
        if not self.erased:
            self.erased = await self._world.erase(self._user_id)
        async for page in self._inner.entries(guild_id, period_index):
            yield page


async def test_the_cache_is_looked_after_until_the_process_ends(sqlite_world):
    facts = await sqlite_world.period(5)
    await sqlite_world.bytes_of()
    await sqlite_world.erase(facts[0].user_id)
    running = asyncio.create_task(sqlite_world.exports.run())
    async with asyncio.timeout(60):
        while sqlite_world.exports.files.kept():  # noqa: ASYNC110  # it looks at once
            await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
