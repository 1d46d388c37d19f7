"""A guild with an archived, signed and logged period, its exports, and a reader of bags that knows nothing of the service."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import subprocess
import tarfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nacl.signing
from sqlalchemy import insert, select, update

from attendance.domain.bagit import COMMANDS
from attendance.domain.records import SessionFacts
from attendance.ids import SystemIds
from attendance.services.archive import Archiver
from attendance.services.log_reading import PublicLog
from attendance.services.period_exports import PeriodExports
from attendance.services.transparency_log import TransparencyLog
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.export_folder import ExportFolder
from attendance.store.exporting import SqlExportStore
from attendance.store.log_folder import LogFolder
from attendance.store.periods import SqlPeriodStore
from attendance.store.transparency_log import SqlLogStore
from tests.signing_world import (
    GUILD,
    MASTER_KEY,
    PASSPHRASE,
    START_MS,
    SigningProcess,
    a_session,
    b64url,
    canonical,
    log_root,
    put_sessions,
)  # fmt: skip

RULE_SET = canonical(
    {
        "bridge_gap_seconds": 300,
        "channels": [],
        "min_session_seconds": 0,
        "mode": "all",
        "pause_on_deafen": True,
        "pause_on_mute": True,
        "pause_when_solo": True,
    }
)


@dataclass
class ExportWorld:
    """One process: signer, archiver, log and exports over a database and a data folder."""

    database: Database
    folder: Path

    def __post_init__(self) -> None:
        self.process = SigningProcess(self.database)
        self.clock = self.process.clock
        files = LogFolder(self.folder / "log")
        self.log = TransparencyLog(
            SqlLogStore(self.database), files, self.clock, MASTER_KEY, "https://attendance.example.org", asyncio.Event()
        )
        self.exports = self.another()

    def another(self, **options: Any) -> PeriodExports:
        """The exports of another process on the same folder."""
        folder = ExportFolder(self.folder / "exports", **options)
        return PeriodExports(
            SqlExportStore(self.database), folder, PublicLog(LogFolder(self.folder / "log")), self.clock, MASTER_KEY
        )

    async def settle(self) -> None:
        await self.process.succession.generate(GUILD, PASSPHRASE)
        values = {"guild_id": GUILD, "version": 1, "from_ms": 0, "rules": RULE_SET, "rules_sha256": _sha(RULE_SET)}
        await self._put(schema.guild, guild_id=GUILD, name="=cmd()", owner_id=1, first_seen_at_ms=0)
        await self._put(schema.rules_version, **values)

    async def _put(self, table: Any, **values: Any) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(insert(table).values(**values))

    async def record(self, period_index: int, sessions: int, *, first: int = 0) -> list[SessionFacts]:
        """Sessions of a period, waiting for their records."""
        facts = [
            a_session(first + number, period_index=period_index)._replace(rules_sha256=_sha(RULE_SET))
            for number in range(sessions)
        ]
        await put_sessions(self.database, facts)
        return facts

    async def close_period(self, period_index: int, sessions: int, *, first: int = 0, others: int = 0) -> list[SessionFacts]:
        """Sessions, ``others`` of the next period among them, and the period's end."""
        half = sessions // 2
        facts = await self.record(period_index, half, first=first)
        await self.record(period_index + 1, others, first=first + sessions)
        facts += await self.record(period_index, sessions - half, first=first + half)
        await self.end_period(period_index, facts)
        return facts

    async def end_period(self, period_index: int, facts: list[SessionFacts]) -> None:
        """A period's end, with the sums of its sessions."""
        sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for one in facts:
            sums[one.user_id][0] += one.credited_ms
            sums[one.user_id][1] += 1
        times = {"started_at_ms": START_MS, "ended_at_ms": START_MS + 3_600_000}
        await self._put(schema.period, guild_id=GUILD, period_index=period_index, state="closed", reason="schedule", **times)
        async with self.database.transaction() as connection:
            for user_id, (credited, count) in sums.items():
                zeros = dict.fromkeys(("unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms"), 0)
                await connection.execute(
                    insert(schema.period_member).values(
                        guild_id=GUILD,
                        period_index=period_index,
                        user_id=user_id,
                        credited_ms=credited,
                        session_count=count,
                        rank_key=-credited,
                        **zeros,
                    )
                )

    async def archive(self) -> None:
        await Archiver(SqlPeriodStore(self.database), self.clock, SystemIds(), "test").archive_due()

    async def publish(self) -> None:
        await self.process.sign_all()
        while await self.log.publish_batch():
            pass

    async def period(self, sessions: int = 5, **more: int) -> list[SessionFacts]:
        """Period 0, ready to be exported."""
        await self.settle()
        facts = await self.close_period(0, sessions, **more)
        await self.process.sign_all()
        await self.archive()
        await self.publish()
        return facts

    async def erase(self, user_id: int) -> int:
        """What an erasure leaves: positions, types, hashes; and the draft of the record that says so. How many records."""
        record, session, entry = schema.record, schema.session, schema.period_entry
        async with self.database.transaction() as connection:
            ids = (await connection.execute(select(session.c.session_id).where(session.c.user_id == user_id))).scalars().all()
            seqs = (await connection.execute(select(record.c.guild_seq).where(record.c.session_id.in_(ids)))).scalars().all()
            gone = {"body": None, "signature": None, "session_id": None}
            await connection.execute(update(record).where(record.c.session_id.in_(ids)).values(**gone))
            await connection.execute(session.delete().where(session.c.session_id.in_(ids)))
            await connection.execute(update(entry).where(entry.c.user_id == user_id).values(user_id=None, salt=None))
            body = json.dumps({"type": "record.redacted", "why": "erasure", "redacts": [[seq, seq] for seq in seqs]})
            await connection.execute(
                insert(schema.record_queue).values(guild_id=GUILD, type="record.redacted", body=body, created_at_ms=START_MS)
            )
        return len(seqs)

    async def bytes_of(self, period_index: int = 0, exports: PeriodExports | None = None) -> bytes:
        opened = await (exports or self.exports).open(GUILD, period_index)
        try:
            data, part = b"", b"x"
            while part:
                part = opened.file.read(len(data), 2**20)
                data += part
            return data
        finally:
            opened.file.close()

    async def bag(self, folder: Path) -> Path:
        """The export, unpacked."""
        return _unpack(await self.bytes_of(), folder)


def _unpack(data: bytes, folder: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extractall(folder, filter="data")
    (bag,) = folder.iterdir()
    return bag


def commands_pass(bag: Path) -> list[bool]:
    """Whether each of the stock commands accepts a bag."""
    runs = [subprocess.run(["bash", "-c", one], cwd=bag, capture_output=True, check=False) for one in COMMANDS]  # noqa: S603, S607
    return [run.returncode == 0 and not (number == 3 and run.stdout) for number, run in enumerate(runs)]


def check_bag(bag: Path) -> dict[str, Any]:
    """Check everything in a bag with hashlib, json and libsodium alone; what it says, in numbers."""

    def lines(name: str) -> list[bytes]:
        return (bag / "data" / name).read_bytes().splitlines()

    keys = {key["kid"]: key["x"] for key in json.loads((bag / "keys/jwks.json").read_bytes())["keys"]}
    signatures = [json.loads(line) for line in lines("signatures.jsonl")]
    timelines = {one["session_id"]: one["timeline"] for one in map(json.loads, lines("timelines.jsonl"))}
    rules = {b64url(_sha(line)) for line in lines("rules.jsonl")}
    redacted = [json.loads(line) for line in lines("redacted.jsonl")]
    hashes: dict[int, tuple[str, int | None, bytes]] = {
        one["guild_seq"]: (one["type"], one.get("period_index"), _unb64(one["record_sha256"])) for one in redacted
    }
    records, sums = {}, defaultdict(int)
    for line, signed in zip(lines("records.jsonl"), signatures, strict=True):
        record = json.loads(line)
        assert canonical(record) == line
        assert (record["guild_seq"], record["kid"]) == (signed["guild_seq"], signed["kid"])
        nacl.signing.VerifyKey(_unb64(keys[record["kid"]])).verify(line, _unb64(signed["signature"]))
        records[record["guild_seq"]] = record
        hashes[record["guild_seq"]] = record["type"], record.get("period_index"), _sha(line)
        if record["type"] == "voice.session":
            timeline = timelines[record["session_id"]]
            assert b64url(_sha(json.dumps(timeline, separators=(",", ":")).encode())) == record["timeline_sha256"]
            assert sum(end - start for start, end, status in timeline if status == "counted") == record["counted_ms"]
            assert record["rules_sha256"] in rules
            sums[record["user_id"], record["period_index"]] += record["credited_ms"]
    for position, record in records.items():  # the chain has no gap from the first session on
        if position - 1 in hashes:
            assert record.get("prev") == b64url(hashes[position - 1][2])
    (period,) = (one for one in records.values() if one["type"] == "leaderboard.period")
    first = period.get("first_guild_seq", period["guild_seq"])
    assert set(range(first, period["guild_seq"] + 1)) <= hashes.keys()
    ours = [
        digest for _, (kind, index, digest) in sorted(hashes.items())
        if kind == "voice.session" and index == period["period_index"]
    ]  # fmt: skip
    assert b64url(log_root(ours)) == period["sessions_root"]
    assert len(ours) == period["session_count"]
    leaves = []
    for line in lines("entries.jsonl"):
        entry = json.loads(line)
        leaves.append(_unb64(entry["leaf_sha256"]) if "leaf_sha256" in entry else _sha(b"\0" + _sha(line)))
        if "user_id" in entry:
            assert sums[entry["user_id"], period["period_index"]] == entry["credited_ms"]
    assert b64url(_root(leaves)) == period["entries_root"]
    proven = {int(path.stem) for path in (bag / "data/proofs").iterdir()}
    assert proven == {seq for seq, one in records.items() if one["type"].startswith("key.") or one is period}
    for position in proven:
        _check_proof(
            (bag / f"data/proofs/{position}.tlog-proof").read_text(), hashes[position][2], (bag / "keys/log.vkey").read_text()
        )
    note = (bag / f"data/proofs/{period['guild_seq']}.tlog-proof").read_text().split("\n\n", 1)[1]
    assert (bag / "data/checkpoint").read_text() == note
    return {"records": len(records), "redacted": len(redacted), "sessions": len(ours), "entries": len(leaves)}


def _check_proof(text: str, record_sha256: bytes, vkey: str) -> None:
    head, note = text.split("\n\n", 1)
    kind, index_line, *path = head.split("\n")
    assert kind == "c2sp.org/tlog-proof@v1"
    body, signature = note.split("\n\n")
    origin, size, root = body.split("\n")
    name, _, key = vkey.strip().split("+", 2)
    assert name == origin
    signed = base64.b64decode(signature.strip().rsplit(" ", 1)[1])
    nacl.signing.VerifyKey(base64.b64decode(key)[1:]).verify(f"{body}\n".encode(), signed[4:])
    index, last = int(index_line.removeprefix("index ")), int(size) - 1
    node = _sha(b"\0\1" + record_sha256)
    for sibling in map(base64.b64decode, path):  # RFC 9162, section 2.1.3.2
        if index & 1 or index == last:
            node = _sha(b"\1" + sibling + node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = _sha(b"\1" + node + sibling)
        index, last = index >> 1, last >> 1
    assert last == 0
    assert node == base64.b64decode(root)


def _root(nodes: list[bytes]) -> bytes:
    if len(nodes) < 2:
        return nodes[0] if nodes else _sha(b"")
    split = 1 << (len(nodes) - 1).bit_length() - 1
    return _sha(b"\1" + _root(nodes[:split]) + _root(nodes[split:]))


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
