"""The browser's verifier and `rollcall verify` say the same of period exports: good, changed, hostile and forged ones."""

from __future__ import annotations

import gzip
import io
import random
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from attendance.cli.verification import Pins, verify_file
from attendance.core import FileReport, SigningKey
from attendance.domain.bagit import pem
from attendance.store import schema
from attendance.store.database import Database
from tests.browser_judge import Judge, running_judge, summary
from tests.contract.test_verify_export import FORGERIES, HOSTILE, _hide, reseal
from tests.contract.test_verify_export_history import FORGED, History
from tests.export_world import ExportWorld
from tests.property.test_unpacking import archives


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with running_judge() as one:
        yield one


@pytest.fixture
async def world(sqlite_database: Database, tmp_path: Path) -> ExportWorld:
    one = ExportWorld(sqlite_database, tmp_path / "data")
    await one.period(9, others=2)
    return one


def packed(bag: Path) -> bytes:
    """A bag as an archive, as our own are made."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path in sorted(one for one in bag.rglob("*") if one.is_file()):
            member = tarfile.TarInfo(f"{bag.name}/{path.relative_to(bag)}")
            member.size = path.stat().st_size
            with path.open("rb") as file:
                tar.addfile(member, file)
    return out.getvalue()


def agreed(judge: Judge, data: bytes, path: Path, *, is_named: bool = True, **pins: list[bytes]) -> FileReport:
    """What `rollcall verify` says, once the browser's verifier says it too; ``is_named``: the same checks fail."""
    path.write_bytes(data)
    given = Pins(pins.get("keys", []), pins.get("log_keys", []), None, tuple(pins.get("export_keys", ())))
    ours, theirs = verify_file(path, given), judge.at(path, **pins)
    assert theirs["verdict"] == ours.verdict, (theirs["reason"], ours.reason)
    if is_named:
        assert summary(theirs) == summary(ours), (theirs["reason"], ours.reason)
    return ours


async def test_a_good_export_is_judged_alike_to_the_word(judge, world, tmp_path):
    archive = await world.bytes_of()
    report = agreed(judge, archive, tmp_path / "period.tar.gz")
    assert report.verdict == "valid"
    told = judge.of(archive)
    assert told == {
        **report._asdict(),
        "checks": [check._asdict() for check in report.checks],
        "trust": [one._asdict() for one in report.trust],
    }


async def test_keys_from_elsewhere_count_alike(judge, world, tmp_path):
    bag = await world.bag(tmp_path / "unpacked")
    archive, path = packed(bag), tmp_path / "period.tar.gz"
    (record,) = bag.glob("keys/record-*.pem")
    good = {
        "keys": [record.read_bytes()],
        "log_keys": [(bag / "keys/log.vkey").read_bytes()],
        "export_keys": [(bag / "keys/export.pem").read_bytes()],
    }
    assert agreed(judge, archive, path, **good).verdict == "valid"
    assert all(one["pinned"] for one in judge.of(archive, **good)["trust"])
    for role in good:
        assert agreed(judge, archive, path, **{**good, role: [pem(SigningKey.generate().public_key)]}).verdict == "invalid"


async def test_what_a_stolen_export_key_signs_is_found_alike(judge, world, tmp_path):
    bag = await world.bag(tmp_path / "unpacked")
    reseal(bag)
    assert agreed(judge, packed(bag), tmp_path / "good.tar.gz").verdict == "valid"
    for number, (name, (forge, check)) in enumerate(FORGERIES.items()):
        forged = tmp_path / f"forged-{number}"
        shutil.copytree(bag, forged)
        forge(forged)
        reseal(forged)
        report = agreed(judge, packed(forged), tmp_path / "forged.tar.gz")
        assert (report.verdict, summary(report)[1]) == ("invalid", {check}), name
    _hide(bag)
    reseal(bag)
    assert agreed(judge, packed(bag), tmp_path / "hidden.tar.gz").verdict == "unusable"


async def test_wrong_sums_and_erasures_are_judged_alike(judge, sqlite_database, tmp_path):
    world = ExportWorld(sqlite_database, tmp_path / "data")
    await world.period(9, others=2)
    await world.erase(10**17 + 3)
    await world.publish()
    report = agreed(judge, await world.bytes_of(), tmp_path / "erased.tar.gz")
    assert report.verdict == "valid"
    assert "erased-sums" in summary(report)[2]


async def test_sums_that_the_deployment_itself_signed_wrongly_are_found(judge, sqlite_database, tmp_path):
    world = ExportWorld(sqlite_database, tmp_path / "data")
    await world.settle()
    await world.close_period(0, 5)
    async with sqlite_database.transaction() as connection:
        table = schema.period_member
        await connection.execute(
            update(table).where(table.c.user_id == 10**17 + 3).values(credited_ms=70_000, rank_key=-70_000)
        )
    await world.process.sign_all()
    await world.archive()
    await world.publish()
    assert summary(agreed(judge, await world.bytes_of(), tmp_path / "wrong.tar.gz"))[:2] == ("invalid", {"sums"})


async def test_what_can_happen_in_a_period_is_judged_alike_whoever_signs_it_again(judge, sqlite_database, tmp_path):
    history = History(sqlite_database, tmp_path / "data")
    await history.happen()
    bag = await history.bag(tmp_path / "unpacked")
    assert agreed(judge, packed(bag), tmp_path / "good.tar.gz").verdict == "valid"
    for number, (name, (change, checks)) in enumerate(FORGED.items()):
        forged = tmp_path / f"forged-{number}"
        shutil.copytree(bag, forged)
        history.sign_again(forged, change)
        reseal(forged)
        report = agreed(judge, packed(forged), tmp_path / "forged.tar.gz")
        assert (report.verdict, summary(report)[1]) == ("invalid", checks), name


async def test_an_empty_period_is_judged_alike(judge, sqlite_database, tmp_path):
    world = ExportWorld(sqlite_database, tmp_path / "data")
    await world.period(0)
    assert agreed(judge, await world.bytes_of(), tmp_path / "empty.tar.gz").verdict == "valid"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_judged_alike(judge, name, tmp_path):
    data, verdict = HOSTILE[name]
    assert agreed(judge, data, tmp_path / "hostile.tar.gz").verdict == verdict


@pytest.mark.slow
async def test_changes_of_single_bytes_are_judged_alike_wherever_they_are(judge, world, tmp_path):
    bag, path, chance = await world.bag(tmp_path / "unpacked"), tmp_path / "changed.tar.gz", random.Random(11)
    for one in sorted(one for one in bag.rglob("*") if one.is_file() and one.stat().st_size):
        data = one.read_bytes()
        for is_resealed in (False, True):
            if is_resealed and one.parent.name in {bag.name, "keys"}:
                continue
            changed = bytearray(data)
            at = chance.randrange(len(data))
            changed[at] ^= 1 << chance.randrange(8)
            one.write_bytes(changed)
            if is_resealed:
                reseal(bag)
            # A record that is not canonical fails as a record in the browser, and for its signature on the command line.
            assert agreed(judge, packed(bag), path, is_named=not is_resealed).verdict == "invalid", (one, at)
            one.write_bytes(data)
    whole = await world.bytes_of()
    raw = bytearray(whole)
    for at in [*range(12), *(chance.randrange(len(raw)) for _ in range(60)), *range(len(raw) - 10, len(raw))]:
        flip = 1 << chance.randrange(8)
        raw[at] ^= flip
        if agreed(judge, bytes(raw), path, is_named=False).verdict == "valid":  # the same files, packed in another way
            assert gzip.decompress(bytes(raw)) == gzip.decompress(whole)
        raw[at] ^= flip
    for length in (0, 1, 2, 10, len(raw) // 2, len(raw) - 9, len(raw) - 8, len(raw) - 1):
        assert agreed(judge, bytes(raw[:length]), path).verdict == "unusable"


@pytest.mark.slow
async def test_any_change_that_is_signed_anew_is_judged_alike(judge, world, tmp_path):
    bag, path, chance = await world.bag(tmp_path / "unpacked"), tmp_path / "changed.tar.gz", random.Random(13)
    chosen = sorted(one for one in bag.rglob("*") if one.is_file() and one.stat().st_size and "tagmanifest" not in one.name)
    for _ in range(120):
        one = chance.choice(chosen)
        before = one.read_bytes()
        changed = bytearray(before)
        at = chance.randrange(len(changed))
        changed[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(4)) or b"9"
        one.write_bytes(changed)
        if "keys" not in one.parts:
            reseal(bag)
        agreed(judge, packed(bag), path, is_named=False)
        one.write_bytes(before)


_BLOCK = 512
_FIELDS = st.sampled_from(
    [(0, 100), (100, 8), (124, 12), (136, 12), (148, 8), (156, 1), (257, 6), (263, 2), (329, 8), (345, 155)]
)
_VALUES = st.sampled_from(
    [
        b"",
        b"0",
        b"00000000017\x00",
        b"-1",
        b"\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05",
        b"\xff" * 12,
        b"99999999999",
        b"0o7",
        b"bag/data/x",
        b"bag/",
        b"../x",
        b"bag//x",
        b"\xc3\xa9",
        b"x",
        b"5",
        b"L",
        b"2",
        b"g",
        b"S",
        b"\x00",
        b"ustar\x00",
        b" 7 ",
    ]
)


@given(st.tuples(st.integers(0, 3), _FIELDS, _VALUES), st.booleans(), st.integers(0, 3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_headers_with_other_fields_are_judged_alike(judge, tmp_path, change, is_summed, zeros):
    member, (start, length), value = change
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("bag/a", "bag/data/b", "bag/manifest-sha256.txt", "bag/tagmanifest-sha256.txt"):
            info = tarfile.TarInfo(name)
            info.size = 5
            tar.addfile(info, io.BytesIO(b"12345"))
    data = bytearray(out.getvalue()[: 8 * _BLOCK]) + bytes(zeros * _BLOCK)
    place = member * 2 * _BLOCK
    data[place + start : place + start + length] = value[:length].ljust(length, b"\0")
    if is_summed:
        data[place + 148 : place + 156] = b" " * 8
        data[place + 148 : place + 156] = b"%06o\0 " % sum(data[place : place + _BLOCK])
    agreed(judge, gzip.compress(bytes(data), mtime=0), tmp_path / "odd.tar.gz", is_named=False)


@given(archives())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_archive_that_anybody_made_up_is_valid_for_either(judge, tmp_path, data):
    path = tmp_path / "any.tar.gz"
    path.write_bytes(data)
    # Of archives with attributes that tar itself cannot read the two say different things, and nothing good.
    assert "valid" not in {verify_file(path, Pins([], [])).verdict, judge.at(path)["verdict"]}
