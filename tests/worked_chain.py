"""The one story that the worked examples of docs/formats.md tell: a guild of three sessions, its chain, and the log.

Keys, salts and nonces are fixed, so that every byte comes out again: they are examples, good for nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import nacl.bindings
import nacl.pwhash
import nacl.signing

from attendance.core import ClosedRow, Engine, LogTree, MerkleRoot, SigningKey, canonicalise, leaderboard_entries, thumbprint
from attendance.domain.erasure import Why, redacted_drafts
from attendance.domain.external_attendance import ExternalAttendance
from attendance.domain.ids import GuildId, UserId
from attendance.domain.records import (
    PeriodFacts,
    SessionFacts,
    Software,
    b64url,
    correction_draft,
    key_activate_draft,
    key_retire_draft,
    key_revoke_draft,
    period_draft,
    restored_draft,
    session_draft,
)
from attendance.ids import uuid7

GUILD = GuildId(1132166800998400007)
ADA, BOB, LOBBY = 754679441220698113, 754679441220698114, 1132170995323371523
START_MS = 1_795_226_143_292
END_MS = START_MS + 3_600_000
SIGNED_MS = END_MS + 1_000
ORIGIN = "attendance.example.org/log"
RECORD_SEED, NEXT_SEED, LOG_SEED, EXPORT_SEED = (bytes([number]) * 32 for number in (1, 2, 3, 4))
MASTER_KEY = bytes([5]) * 32
PASSPHRASE = "correct horse battery staple"
M_KIB, PASSES = 65_536, 3
STATE_AFTER = 5  # lines

_STATE = (
    '{{"at":{at},"type":"voice_state","guild_id":"1132166800998400007","user_id":"{user}","channel_id":{channel},'
    '"self_mute":{mute},"mute":false,"self_deaf":false,"deaf":false,"bot":false}}\n'
)
_RULES = (
    '{{"at":{at},"type":"rules","guild_id":"1132166800998400007","rules":{{"mode":"all","channels":[],"afk_channel_id":null,'
    '"pause_on_mute":true,"pause_on_deafen":false,"pause_when_solo":false,"min_session_seconds":0,'
    '"bridge_gap_seconds":120}}}}\n'
)


def _voice(offset_ms: int, user: int, *, here: bool = True, mute: bool = False) -> str:
    channel = f'"{LOBBY}"' if here else "null"
    return _STATE.format(at=START_MS + offset_ms, user=user, channel=channel, mute=str(mute).lower())


TRACE = "".join(
    [
        _RULES.format(at=START_MS),
        _voice(0, ADA),
        _voice(5_000, BOB),
        _voice(20_000, ADA, mute=True),
        _voice(30_000, ADA),
        _voice(60_000, ADA, here=False),
        _voice(55_000 + 10_000, BOB, here=False),
    ]
)


def sealed(seed: bytes, purpose: str, kek: bytes, kdf: dict[str, object]) -> bytes:
    """A wrapped key by libsodium, from the page's words alone, with a nonce of 24 bytes 0x07."""
    public = bytes(nacl.signing.SigningKey(seed).verify_key)
    nonce = bytes([7]) * 24
    header = {
        "aead": {"name": "xchacha20-poly1305", "nonce": b64url(nonce)},
        "kdf": kdf,
        "kid": thumbprint(public),
        "purpose": purpose,
        "v": 1,
        "x": b64url(public),
    }
    aad = canonicalise(_json(header))
    sealed_seed = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(seed, aad, nonce, kek)
    return canonicalise(_json({**header, "ct": b64url(sealed_seed)}))


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def a_key(seed: bytes, purpose: str = "record") -> SigningKey:
    """A key of a known seed: the core opens the wrap that libsodium made, and so proves that the example is one."""
    return SigningKey.open_master(sealed(seed, purpose, MASTER_KEY, {"name": "master"}), MASTER_KEY, purpose)


def passphrase_wrap() -> bytes:
    """The record key under a passphrase, at the least cost that is accepted."""
    salt = bytes([6]) * 16
    kek = nacl.pwhash.argon2id.kdf(32, PASSPHRASE.encode(), salt, opslimit=PASSES, memlimit=M_KIB * 1024)
    kdf = {"m_kib": M_KIB, "name": "argon2id", "p": 1, "salt": b64url(salt), "t": PASSES, "version": 19}
    wrapped = sealed(RECORD_SEED, "record", kek, kdf)
    assert SigningKey.open_wrapped(wrapped, kek, purpose="record").kid == a_key(RECORD_SEED).kid
    return wrapped


@dataclass(frozen=True)
class Chain:
    """What the story makes: ``records`` and ``signatures`` by guild_seq, in the log in the same order."""

    state: bytes
    rules: bytes
    sessions: list[SessionFacts]
    records: list[bytes]
    digests: list[bytes]
    signatures: list[bytes]
    entries: list[bytes]
    leaves: list[bytes]
    tiles: dict[str, bytes]
    root: bytes
    roots: dict[int, bytes]


class _Signer:
    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.digests: list[bytes] = []
        self.signatures: list[bytes] = []

    def sign(self, key: SigningKey, draft: bytes) -> bytes:
        at = len(self.records)
        previous = self.digests[-1] if self.digests else None
        ((record, digest, signature),) = key.sign_chain(GUILD, at, previous, SIGNED_MS, [(draft, bytes([at]) * 16)])
        self.records.append(record)
        self.digests.append(digest)
        self.signatures.append(signature)
        return digest


def _facts(row: ClosedRow) -> SessionFacts:
    fields = {name: getattr(row, name) for name in SessionFacts._fields if name != "session_id"}
    return SessionFacts(session_id=uuid7(row.left_at_ms, bytes([row.ordinal]) * 10), **fields)


@cache
def chain() -> Chain:
    """The story, told once."""
    engine = Engine()
    lines = TRACE.encode().splitlines()
    engine.apply(lines[:STATE_AFTER])
    state = engine.save(GUILD)
    sessions = [_facts(row) for row in engine.apply(lines[STATE_AFTER:]).closed]
    rules = engine.summary(GUILD).rules
    first, second, signer = a_key(RECORD_SEED), a_key(NEXT_SEED), _Signer()
    signer.sign(first, key_activate_draft(first.x))
    for session in sessions:
        signer.sign(first, session_draft(session, Software("rollcall", "0.1.0")))
    signer.sign(first, correction_draft(sessions[1].session_id, signer.digests[2], -5_000, ADA, "left the desk"))
    external = ExternalAttendance(
        external_id="meeting-2026-11-21/ada", guild_id=GUILD, user_id=UserId(ADA), channel_id=None, joined_at_ms=START_MS,
        left_at_ms=START_MS + 60_000, source="meetings",
    )  # fmt: skip
    signer.sign(first, external.draft().encode())
    sums = [(sessions[0].user_id, sessions[0].credited_ms, 1), (sessions[1].user_id, sessions[1].credited_ms - 5_000, 1)]
    entries, entries_root = leaderboard_entries(sums, bytes([20]) * 16 + bytes([21]) * 16)
    tree = MerkleRoot()
    tree.add_record_hashes(b"".join(signer.digests[1:3]))
    period = PeriodFacts(0, START_MS, END_MS, [sessions[0].rules_sha256], [], 1, 3, 2, tree.root(), 2, entries_root)
    signer.sign(first, period_draft(period))
    signer.sign(first, key_retire_draft(first.x))
    signer.sign(second, key_activate_draft(second.x))
    signer.sign(
        second,
        key_revoke_draft(first.x, first.kid, reason="the laptop was stolen", last_good_guild_seq=5, last_good_leaf_index=5),
    )
    (redacted,) = redacted_drafts([2], Why.ERASURE)
    signer.sign(second, redacted)
    signer.sign(second, restored_draft(10, 10, 11))
    log, tiles, roots = LogTree(), {}, {}
    for digest in signer.digests:
        tiles.update(log.append(digest))
        roots[log.size] = log.root()
    return Chain(
        state, rules, sessions, signer.records, signer.digests, signer.signatures,
        [one[2] for one in entries], [one[3] for one in entries], tiles, log.root(), roots,
    )  # fmt: skip
