"""A guild with sessions to sign, the services that sign them, and a reader of chains that knows nothing of the service."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from dataclasses import dataclass, field
from uuid import UUID

import nacl.pwhash
import nacl.signing
from sqlalchemy import insert, select

from attendance.clock import FixedClock
from attendance.domain.ids import GuildId
from attendance.domain.records import SessionFacts, Software
from attendance.ids import SystemIds, uuid7
from attendance.services.keyring import Keyring
from attendance.services.open_keys import OpenKeys
from attendance.services.passphrases import Argon2Cost, Attempts, Passphrases
from attendance.services.signed_batches import BatchSigner
from attendance.services.signing import Signer
from attendance.services.succession import Succession
from attendance.services.verification import Verification
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.evidence import SqlEvidenceStore
from attendance.store.records import SqlSigningStore
from attendance.store.signing_keys import SqlKeyStore

GUILD = GuildId(81_384_788_765_712_384)
OTHER_GUILD = GuildId(81_384_788_765_712_385)
PASSPHRASE = "correct horse battery staple"
NEXT_PASSPHRASE = "a second, quite different passphrase"
MASTER_KEY = bytes(range(32))
CHEAP = Argon2Cost(m_kib=8, t=1, min_m_kib=8, min_t=1)
SOFTWARE = Software("rollcall", "0.1.0")
START_MS = 1_800_000_000_000
RULES = hashlib.sha256(b"rules").digest()


class CheapDerivation:
    """Argon2id at its least; counts what it was asked for."""

    def __init__(self) -> None:
        self.derived = 0

    async def derive(self, passphrase: str, salt: bytes, m_kib: int, t: int) -> bytes:
        self.derived += 1
        await asyncio.sleep(0)
        return nacl.pwhash.argon2id.kdf(32, passphrase.encode(), salt, opslimit=t, memlimit=m_kib * 1024)


@dataclass
class SigningProcess:
    """What one process has: its own open keys, over a database that others may use as well."""

    database: Database
    clock: FixedClock = field(default_factory=FixedClock)
    master_key: bytes = MASTER_KEY
    key_store: object = None
    signing_store: object = None

    def __post_init__(self) -> None:
        ids = SystemIds()
        self.wake = asyncio.Event()
        self.derivation = CheapDerivation()
        self.key_store = self.key_store or SqlKeyStore(self.database)
        self.signing_store = self.signing_store or SqlSigningStore(self.database)
        self.attempts = Attempts(self.clock)
        self.passphrases = Passphrases(self.derivation, self.attempts, ids, CHEAP)
        self.open_keys = OpenKeys(self.key_store, self.clock, self.master_key)
        self.keyring = Keyring(self.key_store, self.open_keys, self.passphrases, self.clock, self.wake)
        self.succession = Succession(self.key_store, self.open_keys, self.passphrases, self.clock, ids, self.wake)
        batches = BatchSigner(self.signing_store, self.clock, ids, SOFTWARE)
        self.signer = Signer(self.signing_store, batches, self.open_keys, self.clock, self.wake)
        self.verification = Verification(SqlEvidenceStore(self.database), self.clock)

    async def sign_all(self) -> int:
        """Rounds until nothing is left to do."""
        signed = 0
        while count := await self.signer.sign_round():
            signed += count
        return signed


def a_session(number: int, *, period_index: int = 0, user_id: int | None = None) -> SessionFacts:
    """The guild's session of that ordinal: counted for a minute but for ten seconds muted."""
    joined = START_MS + number * 1000
    timeline = [[joined, joined + 20_000, "counted"], [joined + 20_000, joined + 30_000, "muted"]]
    timeline.append([joined + 30_000, joined + 60_000, "counted"])
    return SessionFacts(
        session_id=uuid7(joined, hashlib.sha256(f"{number}".encode()).digest()[:10]),
        user_id=user_id or 10**17 + number % 7,
        channel_id=10**17 + 99,
        period_index=period_index,
        stay=number,
        part=0,
        joined_at_ms=joined,
        left_at_ms=joined + 60_000,
        reason="leave",
        counted_ms=50_000,
        bridged_ms=0,
        unwitnessed_ms=0,
        deafened_ms=0,
        muted_ms=10_000,
        solo_ms=0,
        below_minimum=False,
        credited_ms=50_000,
        timeline=json.dumps(timeline, separators=(",", ":")).encode(),
        rules_sha256=RULES,
    )


async def put_sessions(database: Database, sessions: list[SessionFacts], guild_id: GuildId = GUILD) -> None:
    """Close sessions as the projector does: each with its queue row, in one transaction."""
    async with database.transaction() as connection:
        for facts in sessions:
            await connection.execute(insert(schema.session).values(guild_id=guild_id, ordinal=facts.stay, **facts._asdict()))
            await connection.execute(
                insert(schema.record_queue).values(
                    guild_id=guild_id, type="voice.session", session_id=facts.session_id, created_at_ms=facts.left_at_ms
                )
            )


async def put_drafts(database: Database, count: int, guild_id: GuildId = GUILD) -> None:
    """Drafts that carry their own body."""
    async with database.transaction() as connection:
        for number in range(count):
            body = json.dumps({"type": "record.redacted", "why": "retention", "redacts": [[number, number]]})
            values = {"guild_id": guild_id, "type": "record.redacted", "body": body, "created_at_ms": START_MS + number}
            await connection.execute(insert(schema.record_queue).values(**values))


async def chain_of(database: Database, guild_id: GuildId = GUILD) -> list[dict[str, object]]:
    """Read a guild's whole chain and check it with hashlib, json and libsodium alone; returns the parsed records."""
    async with database.snapshot() as connection:
        table = schema.record
        rows = (await connection.execute(select(table).where(table.c.guild_id == guild_id).order_by(table.c.guild_seq))).all()
        keys = {
            row.kid: row
            for row in await connection.execute(select(schema.signing_key).where(schema.signing_key.c.guild_id == guild_id))
        }
        head = (await connection.execute(select(schema.chain_head).where(schema.chain_head.c.guild_id == guild_id))).first()
    records: list[dict[str, object]] = []
    previous: bytes | None = None
    for position, row in enumerate(rows):
        if row.body is None:  # erased: the hash alone holds the chain together
            assert (row.guild_seq, row.signature) == (position, None)
            previous = bytes(row.record_sha256)
            continue
        body = bytes(row.body)
        record = json.loads(body)
        assert json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == body
        assert row.guild_seq == position == record["guild_seq"], "a gap, or a position used twice"
        assert (record["v"], record["guild_id"], record["type"]) == (1, str(guild_id), row.type)
        assert record.get("prev") == (None if previous is None else b64url(previous))
        assert (record["kid"], record["signed_at_ms"]) == (row.kid, row.signed_at_ms)
        assert len(base64.urlsafe_b64decode(record["salt"] + "==")) == 16
        key = keys[row.kid]
        assert key.first_guild_seq is not None
        assert key.first_guild_seq <= position
        nacl.signing.VerifyKey(bytes(key.public_key)).verify(body, bytes(row.signature))
        previous = hashlib.sha256(body).digest()
        assert bytes(row.record_sha256) == previous
        if row.session_id is not None:
            assert record["session_id"] == str(row.session_id)
        records.append(record)
    if rows:
        assert head is not None
        assert (head.next_guild_seq, bytes(head.head_sha256)) == (len(rows), previous)
    assert len({record["salt"] for record in records}) == len(records)
    return records


async def queue_length(database: Database, guild_id: GuildId = GUILD) -> int:
    async with database.snapshot() as connection:
        query = select(schema.record_queue.c.id).where(schema.record_queue.c.guild_id == guild_id)
        return len((await connection.execute(query)).all())


async def period_over(
    database: Database, period_index: int = 0, *, state: str = "archived", sessions: int = 0, queued: bool = True
) -> None:
    """A period that is over, with one entry for all of its sessions, and its queue row."""
    leaf = hashlib.sha256(b"\0" + hashlib.sha256(b"entry").digest()).digest()
    entries = 1 if sessions else 0
    async with database.transaction() as connection:
        await connection.execute(
            insert(schema.period).values(
                guild_id=GUILD,
                period_index=period_index,
                started_at_ms=START_MS + period_index * 3_600_000,
                ended_at_ms=START_MS + (period_index + 1) * 3_600_000,
                state=state,
                reason="schedule",
                entry_count=entries,
                entries_root=leaf if entries else hashlib.sha256().digest(),
            )
        )
        if entries:
            await connection.execute(
                insert(schema.period_entry).values(
                    guild_id=GUILD,
                    period_index=period_index,
                    position=0,
                    user_id=10**17,
                    rank=1,
                    credited_ms=50_000 * sessions,
                    session_count=sessions,
                    salt=bytes(16),
                    leaf_sha256=leaf,
                )
            )
        if queued:
            row = {"guild_id": GUILD, "type": "leaderboard.period", "period_index": period_index, "created_at_ms": START_MS}
            await connection.execute(insert(schema.record_queue).values(**row))


def log_root(record_hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, over the log entries 0x01 || hash."""
    leaves = [hashlib.sha256(b"\0\1" + digest).digest() for digest in record_hashes]

    def root(nodes: list[bytes]) -> bytes:
        if not nodes:
            return hashlib.sha256().digest()
        if len(nodes) == 1:
            return nodes[0]
        split = 1 << (len(nodes) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + root(nodes[:split]) + root(nodes[split:])).digest()

    return root(leaves)


def canonical(record: dict[str, object]) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def an_unknown_session() -> UUID:
    return UUID("01890a5d-ac96-774b-bcce-b302099a8057")
