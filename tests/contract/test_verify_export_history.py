"""`rollcall verify` of exports with a history: corrections, keys that changed, were lost or revoked, a restored backup."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from attendance.core import SigningKey, canonicalise
from attendance.domain.audit import Actor
from attendance.domain.ids import UserId
from attendance.ids import SystemIds
from attendance.services.commands import Request
from attendance.services.corrections import Corrections
from attendance.store import schema
from attendance.store.backup import back_up, restore
from attendance.store.corrections import SqlCorrectionStore
from attendance.store.database import Database, open_database
from attendance.store.migrate import upgrade
from tests.contract.test_verify_export import failed, reseal, verified
from tests.export_world import ExportWorld, commands_pass
from tests.signing_world import GUILD, MASTER_KEY, NEXT_PASSPHRASE, START_MS, b64url

Members = dict[str, Any]
Change = Callable[[list[Members]], None]


class History(ExportWorld):
    """A period with everything that can happen in one."""

    async def happen(self) -> None:
        """Ten sessions by three keys: the first retired, the second lost; the first revoked behind that. Corrections."""
        self.keys: dict[str, SigningKey] = {}
        succession = self.process.succession
        await self.settle()
        await self.remember_key()
        facts = await self.record(0, 4)
        await self.process.sign_all()
        await succession.rotate(GUILD, NEXT_PASSPHRASE)
        await self.remember_key()
        facts += await self.record(0, 3, first=4)
        await self.process.sign_all()
        await succession.rotate(GUILD, "a third passphrase, after a loss", lost=True)
        await self.remember_key()
        first = next(iter(self.keys))
        await succession.revoke(GUILD, kid=first, reason="a copy of the key was found", last_good_guild_seq=5)
        facts += await self.record(0, 3, first=7)
        await self.process.sign_all()
        await self.end_period(0, facts)
        for place, seconds in ((0, -20), (5, 10), (0, 5)):
            await self.correct(facts[place].session_id, seconds)
        await self.process.sign_all()
        await self.archive()
        await self.publish()
        await self.correct(facts[1].session_id, -7)  # shown beside the archive, not in it
        await self.publish()

    async def remember_key(self) -> None:
        row = schema.signing_key.c
        async with self.database.snapshot() as connection:
            query = select(row.kid, row.master_wrapped).where(row.state == "active")
            kid, wrapped = (await connection.execute(query)).one()
        self.keys[kid] = SigningKey.open_master(wrapped.encode(), MASTER_KEY, "record")

    async def correct(self, session_id: Any, seconds: int) -> None:
        corrections = Corrections(SqlCorrectionStore(self.database), self.clock, SystemIds(), self.process.wake)
        await corrections.correct(Request(GUILD, Actor(UserId(5))), session_id, seconds, "was there")

    def sign_again(self, bag: Path, change: Change) -> None:
        """Change records, and chain and sign them all again, as who has every key could."""
        path, signatures = bag / "data/records.jsonl", []
        records: list[Members] = [json.loads(line) for line in path.read_bytes().splitlines()]
        change(records)
        lines, before = [], b""
        for one in records:
            if one["guild_seq"]:
                one["prev"] = b64url(sha256(before).digest())
            before = canonicalise(json.dumps(one).encode())
            signed = {"guild_seq": one["guild_seq"], "kid": one["kid"], "record_sha256": b64url(sha256(before).digest())}
            signed["signature"] = b64url(self.keys[one["kid"]].sign(before))
            lines.append(before + b"\n")
            signatures.append(canonicalise(json.dumps(signed).encode()) + b"\n")
        path.write_bytes(b"".join(lines))
        (bag / "data/signatures.jsonl").write_bytes(b"".join(signatures))


@pytest.fixture
async def history(sqlite_database: Database, tmp_path: Path) -> History:
    world = History(sqlite_database, tmp_path / "data")
    await world.happen()
    return world


def of_type(records: list[Members], kind: str) -> list[Members]:
    return [one for one in records if one["type"] == kind]


async def test_a_period_with_corrections_a_rotation_a_loss_and_a_revocation_is_valid(history: History, tmp_path: Path) -> None:
    bag = await history.bag(tmp_path / "unpacked")
    report = verified(bag)
    assert (report.verdict, report.reason) == ("valid", None)
    assert {check.outcome for check in report.checks} == {"passed"}
    (keys,) = (check for check in report.checks if check.name == "key-records")
    assert keys.found == "5 key records"
    records = [json.loads(line) for line in (bag / "data/records.jsonl").read_bytes().splitlines()]
    assert [one["delta_ms"] for one in of_type(records, "session.correction")] == [-20_000, 10_000, 5_000]
    entries = [json.loads(line) for line in (bag / "data/entries.jsonl").read_bytes().splitlines()]
    assert sum(one["credited_ms"] for one in entries) == 10 * 50_000 - 5_000
    history.sign_again(bag, lambda _records: None)
    reseal(bag)
    assert verified(bag).verdict == "valid"  # signatures are deterministic: nothing has changed
    assert all(commands_pass(bag))


def _by(place: int, key: int) -> Change:
    def change(records: list[Members]) -> None:
        kids = list(dict.fromkeys(one["kid"] for one in records))
        of_type(records, "voice.session")[place]["kid"] = kids[key]

    return change


def _set(kind: str, place: int, **members: Any) -> Change:
    return lambda records: of_type(records, kind)[place].update(members)


def _again(records: list[Members]) -> None:
    """A position used twice, with nothing that explains it."""
    at = next(place for place, one in enumerate(records) if one["type"] == "session.correction")
    records.insert(at, dict(records[at]))


def _moved(records: list[Members]) -> None:
    """A correction of the one session said to be of another."""
    first, second, _ = of_type(records, "session.correction")
    first["corrects"], second["corrects"] = second["corrects"], first["corrects"]


FORGED: dict[str, tuple[Change, set[str]]] = {
    "a session by the key that is not yet": (_by(0, 1), {"key-windows"}),
    "a session by the retired key": (_by(-1, 0), {"key-windows"}),
    "a session by the lost key": (_by(-1, 1), {"key-windows"}),
    "a revocation from before the sessions": (_set("key.revoke", 0, last_good_guild_seq=2), {"key-windows"}),
    "a revocation of the key in use": (
        lambda records: of_type(records, "key.revoke")[0].update(
            revokes=records[-1]["kid"], x=of_type(records, "key.activate")[-1]["x"]
        ),
        {"key-windows"},
    ),
    "an activation that is none": (_set("key.activate", 2, type="attendance.external"), {"key-windows"}),
    "a loss of the key in use": (
        lambda records: of_type(records, "key.activate")[2].update(replaces=records[-1]["kid"]), {"key-windows"}
    ),
    "a key record of no known kind": (_set("key.retire", 0, type="key.lend"), {"key-records"}),
    "another key's x": (_set("key.activate", 1, x="A" * 43), {"key-records"}),
    "two activations": (_set("key.retire", 0, type="key.activate"), {"key-records"}),
    "a correction beyond the session": (_set("session.correction", 1, delta_ms=10_001), {"corrections"}),
    "a correction below nothing": (_set("session.correction", 0, delta_ms=-50_001), {"corrections"}),
    "another correction": (_set("session.correction", 0, delta_ms=-21_000), {"sums", "proofs"}),
    "a correction of another session": (_moved, {"corrections"}),
    "a position used twice": (_again, {"chain"}),
    "another note": (_set("session.correction", 0, note="was not there"), {"proofs"}),
}  # fmt: skip


async def test_what_whoever_has_all_keys_signs_again_is_held_against_the_rules_of_records(
    history: History, tmp_path: Path
) -> None:
    bag = await history.bag(tmp_path / "unpacked")
    found = {}
    for number, (name, (change, _)) in enumerate(FORGED.items()):
        forged = tmp_path / f"forged-{number}"
        shutil.copytree(bag, forged)
        history.sign_again(forged, change)
        reseal(forged)
        report = verified(forged)
        assert report.verdict == "invalid", name
        found[name] = failed(report)
    assert found == {name: expected for name, (_, expected) in FORGED.items()}


async def test_a_period_that_goes_on_after_a_restored_backup_is_valid(
    empty_database: Database, tmp_path: Path, new_database_url: Any
) -> None:
    await upgrade(empty_database)
    world = ExportWorld(empty_database, tmp_path / "data")
    await world.settle()
    facts = await world.record(0, 4)
    await world.publish()
    await back_up(empty_database, tmp_path / "backup", START_MS)
    await world.record(0, 3, first=20)
    await world.publish()  # lost
    restored = open_database(await new_database_url("sqlite"))
    try:
        await restore(restored, tmp_path / "backup")
        again = ExportWorld(restored, tmp_path / "data")
        assert await again.log.repair() == (3, 1)
        facts += await again.record(0, 3, first=4)
        await again.end_period(0, facts)
        await again.publish()
        await again.archive()
        await again.publish()
        bag = await again.bag(tmp_path / "unpacked")
    finally:
        await restored.close()
    report = verified(bag)
    assert (report.verdict, report.reason) == ("valid", None)
    assert report.claims["sessions"] == "7"
    lines = (bag / "data/records.jsonl").read_bytes().splitlines(keepends=True)
    (at,) = (place for place, line in enumerate(lines) if b'"chain.restored"' in line)
    for name in ("records.jsonl", "signatures.jsonl"):
        some = (bag / "data" / name).read_bytes().splitlines(keepends=True)
        (bag / "data" / name).write_bytes(b"".join(some[:at] + some[at + 1 :]))
    reseal(bag)
    assert failed(verified(bag)) == {"chain"}


def places(bag: Path) -> list[tuple[Path, int]]:
    """Every file and its size. Each byte of each is covered by a signature, or is one."""
    return [(path, path.stat().st_size) for path in sorted(bag.rglob("*")) if path.is_file()]


def is_found(path: Path, at: int, change: int, bag: Path) -> bool:
    """Whether a byte's change is found."""
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ change]))
        file.flush()
        verdict = verified(bag).verdict
        file.seek(at)
        file.write(bytes([byte]))
    return verdict == "invalid"


async def test_any_change_of_any_byte_of_an_export_is_found(history: History, tmp_path: Path) -> None:
    bag = await history.bag(tmp_path / "unpacked")
    files = [one for one in places(bag) if one[1]]

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(file=st.sampled_from(files), share=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
    def check(file: tuple[Path, int], share: float, change: int) -> None:
        path, size = file
        assert is_found(path, int(share * size), change, bag)

    check()
    assert verified(bag).verdict == "valid"


@pytest.mark.slow
async def test_a_change_of_each_byte_of_a_small_export_is_found(sqlite_database: Database, tmp_path: Path) -> None:
    world = ExportWorld(sqlite_database, tmp_path / "data")
    await world.period(1)
    bag = await world.bag(tmp_path / "unpacked")
    chance = random.Random(11)
    unseen = [
        (path.relative_to(bag), at)
        for path, size in places(bag)
        for at in range(size)
        if not is_found(path, at, chance.randrange(1, 256), bag)
    ]
    assert unseen == []
