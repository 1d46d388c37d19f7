"""`rollcall verify` of period exports: good ones, changed ones, hostile ones, and forgeries that the export key signed."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import shutil
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from attendance.cli.app import app
from attendance.cli.verification import Pins, verify_file
from attendance.core import FileReport, SigningKey
from attendance.domain.bagit import IDENTITY, MANIFEST, NAMESPACE, TAG_MANIFEST, BagFile, jwks, manifest, pem
from attendance.domain.sshsig import allowed_signer, armoured_signature, signed_data
from attendance.store import schema
from attendance.store.database import Database
from tests.export_world import ExportWorld, _sha, _unb64
from tests.signing_world import b64url

Forgery = Callable[[Path], None]


def verified(path: Path, **pins: list[bytes]) -> FileReport:
    given = Pins(pins.get("keys", []), pins.get("log_keys", []), None, tuple(pins.get("export_keys", ())))
    return verify_file(path, given)


def failed(report: FileReport) -> set[str]:
    return {check.name for check in report.checks if check.outcome == "failed"}


def reseal(bag: Path) -> None:
    """Give a changed bag manifests and signatures that are right, by an export key of the forger's."""
    key = SigningKey.generate()
    records = {one["kid"]: _unb64(one["x"]) for one in json.loads((bag / "keys/jwks.json").read_bytes())["keys"]}
    records = {kid: x for kid, x in records.items() if (bag / f"keys/record-{kid}.pem").exists()}
    (bag / "keys/export.pem").write_bytes(pem(key.public_key))
    (bag / "keys/jwks.json").write_bytes(jwks({**records, key.kid: key.public_key}))
    (bag / "keys/allowed_signers").write_text(allowed_signer(IDENTITY, key.public_key, NAMESPACE))
    files = {str(path.relative_to(bag)): path.read_bytes() for path in bag.rglob("*") if path.is_file()}

    def listed(chosen: Callable[[str], bool]) -> bytes:
        return manifest({path: BagFile(sha256(data).hexdigest(), len(data)) for path, data in files.items() if chosen(path)})

    files[MANIFEST] = listed(lambda path: path.startswith("data/"))
    text = listed(lambda path: not path.startswith(("data/", "tagmanifest")))
    (bag / MANIFEST).write_bytes(files[MANIFEST])
    (bag / TAG_MANIFEST).write_bytes(text)
    (bag / f"{TAG_MANIFEST}.sig").write_bytes(key.sign(text))
    signature = key.sign(signed_data(text, NAMESPACE))
    (bag / f"{TAG_MANIFEST}.sshsig").write_bytes(armoured_signature(key.public_key, signature, NAMESPACE))


@pytest.fixture
async def world(sqlite_database: Database, tmp_path: Path) -> ExportWorld:
    one = ExportWorld(sqlite_database, tmp_path / "data")
    await one.period(9, others=2)
    return one


async def test_a_good_export_is_valid_as_an_archive_and_as_a_folder(world: ExportWorld, tmp_path: Path) -> None:
    archive = tmp_path / "period.tar.gz"
    archive.write_bytes(await world.bytes_of())
    bag = await world.bag(tmp_path / "unpacked")
    for path in (archive, bag):
        report = verified(path)
        assert (report.verdict, report.reason) == ("valid", None)
        assert {check.outcome for check in report.checks} == {"passed"}
        assert (report.claims["sessions"], report.claims["entry_count"]) == ("9", "7")
        assert [one.pinned for one in report.trust] == [False, False, False]
    ran = CliRunner().invoke(app, ["verify", str(archive), str(bag)])
    assert ran.exit_code == 0
    assert ran.stdout.count("Export of a period: VALID") == 2
    assert ran.stdout.count("TAKEN FROM THE FILE ITSELF") == 6


async def test_keys_from_elsewhere_must_be_those_of_the_export(world: ExportWorld, tmp_path: Path) -> None:
    bag = await world.bag(tmp_path / "unpacked")
    (record,) = bag.glob("keys/record-*.pem")
    good = {
        "keys": [record.read_bytes()],
        "log_keys": [(bag / "keys/log.vkey").read_bytes()],
        "export_keys": [(bag / "keys/export.pem").read_bytes()],
    }
    report = verified(bag, **good)
    assert report.verdict == "valid"
    assert all(one.pinned for one in report.trust)
    other = pem(SigningKey.generate().public_key)
    names = {"keys": "pinned-key", "log_keys": "pinned-log-key", "export_keys": "pinned-export-key"}
    for role, name in names.items():
        report = verified(bag, **{**good, role: [other]})
        assert (report.verdict, failed(report)) == ("invalid", {name})


async def test_a_changed_byte_in_any_file_is_found(world: ExportWorld, tmp_path: Path) -> None:
    bag = await world.bag(tmp_path / "unpacked")
    chance = random.Random(4)
    for path in sorted(one for one in bag.rglob("*") if one.is_file()):
        data = path.read_bytes()
        if not data:
            continue
        at = chance.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :])
        assert verified(bag).verdict == "invalid", (path, at)
        path.write_bytes(data)
    (bag / "data/more.txt").write_text("more")
    assert failed(verified(bag)) == {"files"}
    (bag / "data/more.txt").unlink()
    (bag / "data/more.txt").symlink_to("/etc/passwd")
    assert failed(verified(bag)) == {"files"}
    (bag / "data/more.txt").unlink()
    (bag / "data/entries.csv").unlink()
    assert failed(verified(bag)) >= {"files"}


def _edit(name: str, old: str, new: str) -> Forgery:
    def change(bag: Path) -> None:
        path = bag / "data" / name
        changed, count = re.subn(old.encode(), new.encode(), path.read_bytes(), count=1)
        assert count == 1
        path.write_bytes(changed)

    return change


def _drop(*names: str, line: int) -> Forgery:
    def change(bag: Path) -> None:
        for name in names:
            lines = (bag / "data" / name).read_bytes().splitlines(keepends=True)
            (bag / "data" / name).write_bytes(b"".join(lines[:line] + lines[line + 1 :]))

    return change


def _swap(name: str, first: int) -> Forgery:
    def change(bag: Path) -> None:
        lines = (bag / "data" / name).read_bytes().splitlines(keepends=True)
        lines[first], lines[first + 1] = lines[first + 1], lines[first]
        (bag / "data" / name).write_bytes(b"".join(lines))

    return change


def _hide(bag: Path) -> None:
    """Say that a session was erased, though no signed record says so."""
    records = bag / "data/records.jsonl"
    lines = records.read_bytes().splitlines()
    at = next(place for place, line in enumerate(lines) if b'"voice.session"' in line)
    one = json.loads(lines[at])
    told = {"guild_seq": one["guild_seq"], "period_index": one["period_index"]}
    told |= {"record_sha256": b64url(_sha(lines[at])), "type": one["type"]}
    (bag / "data/redacted.jsonl").write_text(json.dumps(told, separators=(",", ":")) + "\n")
    _drop("records.jsonl", "signatures.jsonl", line=at)(bag)
    _drop("timelines.jsonl", line=0)(bag)
    _drop("sessions.csv", line=1)(bag)


FORGERIES: dict[str, tuple[Forgery, str]] = {
    "a rank": (_edit("entries.jsonl", r'"rank":1,', '"rank":2,'), "ranking"),
    "two entries in the other order": (_swap("entries.jsonl", 0), "ranking"),
    "more time": (_edit("entries.jsonl", r'"credited_ms":\d+', '"credited_ms":999000'), "sums"),
    "more sessions": (_edit("entries.jsonl", r'"session_count":\d+', '"session_count":8'), "sums"),
    "a member left out": (_drop("entries.jsonl", line=6), "sums"),
    "another salt": (_edit("entries.jsonl", r'"salt":"[^"]{22}"', f'"salt":"{"A" * 22}"'), "entries-root"),
    "a record left out": (_drop("records.jsonl", "signatures.jsonl", line=3), "chain"),
    "two records in the other order": (_swap("records.jsonl", 3), "chain"),
    "two signatures in the other order": (_swap("signatures.jsonl", 3), "signatures"),
    "a changed signature": (_edit("signatures.jsonl", r'"signature":"..', '"signature":"AA'), "signatures"),
    "a longer session": (_edit("records.jsonl", r'"credited_ms":50000', '"credited_ms":60000'), "signatures"),
    "a changed timeline": (_edit("timelines.jsonl", r"muted", "solo"), "sessions"),
    "a timeline left out": (_drop("timelines.jsonl", line=0), "timelines"),
    "other rules": (_edit("rules.jsonl", r"300", "301"), "rules"),
    "another table of sessions": (_edit("sessions.csv", r"50000", "60000"), "tables"),
    "another table of entries": (_edit("entries.csv", r"\d{18}", "100000000000000009"), "tables"),
    "a table that goes on": (_edit("entries.csv", r"\r\n$", "\r\nx\r\n"), "tables"),
    "another checkpoint": (_edit("checkpoint", r"\n\d+\n", "\n1\n"), "checkpoint"),
    "a proof left out": (lambda bag: next(iter((bag / "data/proofs").iterdir())).unlink(), "proofs"),
    "no end of the last line": (_edit("entries.jsonl", r"\n$", ""), "entries"),
}  # fmt: skip


@pytest.mark.slow
async def test_what_a_stolen_export_key_signs_is_held_against_the_records(world: ExportWorld, tmp_path: Path) -> None:
    bag = await world.bag(tmp_path / "unpacked")
    reseal(bag)
    assert verified(bag).verdict == "valid"  # with a key of the forger's: that is what pins are for
    found = {}
    for number, (name, (forge, _)) in enumerate(FORGERIES.items()):
        forged = tmp_path / f"forged-{number}"
        shutil.copytree(bag, forged)
        forge(forged)
        reseal(forged)
        report = verified(forged)
        found[name] = report.verdict, failed(report)
    assert found == {name: ("invalid", {check}) for name, (_, check) in FORGERIES.items()}


async def test_an_erasure_that_no_record_names_cannot_be_judged(world: ExportWorld, tmp_path: Path) -> None:
    bag = await world.bag(tmp_path / "unpacked")
    _hide(bag)
    reseal(bag)
    report = verified(bag)
    assert (report.verdict, (report.reason or "").split(":")[0]) == ("unusable", "redacted")


@pytest.mark.slow
async def test_wrong_sums_that_the_deployment_itself_signed_are_found(sqlite_database: Database, tmp_path: Path) -> None:
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
    report = verified(await world.bag(tmp_path / "unpacked"))
    assert (report.verdict, failed(report)) == ("invalid", {"sums"})


async def test_after_an_erasure_all_else_verifies_and_what_cannot_be_is_said(world: ExportWorld, tmp_path: Path) -> None:
    await world.erase(10**17 + 3)
    await world.publish()
    report = verified(await world.bag(tmp_path / "unpacked"))
    assert (report.verdict, report.reason) == ("valid", None)
    (told,) = [check for check in report.checks if check.name == "erased-sums"]
    assert told.outcome == "not_possible"
    assert "1 of 7 entries can no longer be recomputed" in told.found


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def _member(name: str, kind: bytes = tarfile.REGTYPE, **pax: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.pax_headers = kind, "/etc/passwd", dict(pax)
    return member


def _raw(*headers: tuple[str, bytes, bytes], end: bytes = bytes(1024)) -> bytes:
    """Headers as they are told, each with what follows it, and the end."""
    blocks = b""
    for name, kind, data in headers:
        member = _member(name, kind)
        member.size = len(data)
        blocks += member.tobuf(tarfile.USTAR_FORMAT) + data.ljust(-(-len(data) // 512) * 512, b"\0")
    return gzip.compress(blocks + end, mtime=0)


_SPARSE = b"22 GNU.sparse.map=0,1\n29 GNU.sparse.size=999999999\n"
HOSTILE = {
    "out of the folder": (_tar((_member("bag/../../evil"), b"x")), "invalid"),
    "absolute": (_tar((_member("/tmp/evil"), b"x")), "invalid"),  # noqa: S108 -- never written
    "a symlink": (_tar((_member("bag/a", tarfile.SYMTYPE), b"")), "invalid"),
    "a hard link": (_tar((_member("bag/a", tarfile.LNKTYPE), b"")), "invalid"),
    "a device": (_tar((_member("bag/a", tarfile.CHRTYPE), b"")), "invalid"),
    "a name twice": (_tar((_member("bag/a"), b"x"), (_member("bag/A"), b"y")), "invalid"),
    "a file where a folder is": (_tar((_member("bag/a"), b"x"), (_member("bag/a/b"), b"y")), "unusable"),
    "two folders": (_tar((_member("bag/a"), b"x"), (_member("gab/a"), b"y")), "invalid"),
    "a bomb": (_tar((_member("bag/a"), bytes(40 * 2**20))), "invalid"),
    "a header of a megabyte": (_tar((_member("bag/a", comment="x" * 2**20), b"x")), "invalid"),
    "a sparse file": (
        _tar((_member("bag/a", tarfile.REGTYPE, **{"GNU.sparse.map": "0,1", "GNU.sparse.size": "9" * 15}), b"x")),
        "invalid",
    ),
    "a negative size": (_tar((_member("bag/a", size="-5"), b"x")), "invalid"),
    "no bag": (_tar((_member("bag/a"), b"x")), "unusable"),
    "no tar": (gzip.compress(b"x" * 2000), "unusable"),
    "nothing": (gzip.compress(b""), "unusable"),
    "no gzip": (b"\x1f\x8b" + b"x" * 50, "unusable"),
    "a sparse file behind another extended header": (
        _raw(("bag/x", b"x", b""), ("bag/x", b"x", _SPARSE), ("bag/a", b"0", b"x")),
        "invalid",
    ),
    "thousands of extended headers": (_raw(*[("bag/x", b"x", b"")] * 5000, ("bag/a", b"0", b"")), "invalid"),
    "an extended header of nothing": (_raw(("bag/x", b"x", b"")), "unusable"),
    "bytes behind the end": (_raw(("bag/a", b"0", b"x"), end=bytes(1024) + b"more".ljust(512, b"\0")), "invalid"),
    "no header behind a file": (_raw(("bag/a", b"0", b"x"), end=b"more".ljust(512, b"\0") + bytes(1024)), "unusable"),
    "half a header behind a file": (_raw(("bag/a", b"0", b"x"), end=b"more"), "unusable"),
    "no end": (_raw(("bag/a", b"0", b"x"), end=b""), "unusable"),
    "more behind": (_tar((_member("bag/a"), b"x")) + b"more", "invalid"),
    "a symlink in a damaged file": (_tar((_member("bag/a", tarfile.SYMTYPE), b""))[:-8] + bytes(8), "unusable"),
    "a symlink in a file that was cut short": (_tar((_member("bag/a", tarfile.SYMTYPE), b""))[:-1], "unusable"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_and_writes_nothing(name: str, tmp_path: Path) -> None:
    data, verdict = HOSTILE[name]
    path = tmp_path / "hostile.tar.gz"
    path.write_bytes(data)
    report = verified(path)
    assert (report.verdict, bool(report.reason)) == (verdict, True)
    assert list(tmp_path.iterdir()) == [path]
    assert CliRunner().invoke(app, ["verify", str(path)]).exit_code == {"invalid": 1, "unusable": 2}[verdict]


async def test_an_archive_that_was_cut_short_is_unusable(world: ExportWorld, tmp_path: Path) -> None:
    data, path = await world.bytes_of(), tmp_path / "cut.tar.gz"
    for length in (2, 10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        assert verified(path).verdict == "unusable"


@pytest.mark.slow
async def test_any_change_that_is_signed_anew_gives_a_verdict(world: ExportWorld, tmp_path: Path) -> None:
    bag = await world.bag(tmp_path / "unpacked")
    chance = random.Random(7)
    paths = sorted(path for path in bag.rglob("*") if path.is_file() and path.stat().st_size and "tagmanifest" not in path.name)
    for _ in range(150):
        path = chance.choice(paths)
        data = bytearray(path.read_bytes())
        at = chance.randrange(len(data))
        data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(4)) or b"9"
        before = path.read_bytes()
        path.write_bytes(data)
        if "keys" not in path.parts:
            reseal(bag)
        report = verified(bag)
        covered = path.parent.name in {"data", "proofs"} and bytes(data) != before
        assert report.verdict != "valid" if covered else report.verdict in {"valid", "invalid", "unusable"}, path
        path.write_bytes(before)
