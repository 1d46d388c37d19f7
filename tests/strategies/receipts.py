"""Receipts: the one of the documentation with other members, and ones that are signed and logged but wrong."""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from nacl.signing import SigningKey

from attendance.core import record_leaf_hash, verifier_key, write_proof_file
from tests.signing_world import b64url, canonical
from tests.unit.record_keys import thumbprint_of

EXAMPLE = (Path(__file__).parents[2] / "docs/examples/receipt.json").read_bytes()
HELD = json.loads(EXAMPLE)
ORIGIN = "example.org/log"
GUILD = "81384788765712384"
TIMELINE = '[[1000,21000,"counted"],[21000,31000,"muted"],[31000,61000,"counted"]]'
RULES = (
    '{"bridge_gap_seconds":120,"channels":[],"min_session_seconds":30,"mode":"all","pause_on_deafen":false,'
    '"pause_on_mute":true,"pause_when_solo":false}'
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(list(HELD.values())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(list(HELD)) | st.text(max_size=5), inner),
    max_leaves=8,
)


@st.composite
def other_receipts(draw):
    held = copy.deepcopy(HELD)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from([held, *held["key_records"]]))
        name = draw(st.sampled_from(sorted(place)))
        text = place[name]
        if draw(st.booleans()) and isinstance(text, str) and text:
            at = draw(st.integers(0, len(text) - 1))
            place[name] = text[:at] + draw(st.text(max_size=2)) + text[at + draw(st.integers(0, 3)) :]
        else:
            place[name] = draw(VALUES)
        if place is held and name == "key_records":
            break
    return held


def key(seed: int) -> SigningKey:
    return SigningKey(bytes([seed]) * 32)


def x(seed: int) -> str:
    return b64url(key(seed).verify_key.encode())


def kid(seed: int) -> str:
    return thumbprint_of(key(seed).verify_key.encode())


def vkey(seed: int = 9, origin: str = ORIGIN) -> str:
    return verifier_key(origin, key(seed).verify_key.encode())


def signed(seed: int, guild_seq: int, /, **members: Any) -> tuple[int, bytes]:
    """A record of the chain and who signs it; a member that is None is left out."""
    record = {
        "v": 1, "guild_id": GUILD, "guild_seq": guild_seq, "kid": kid(seed), "signed_at_ms": 1_800_000_000_000,
        "salt": b64url(bytes([guild_seq % 256]) * 16), **({"prev": b64url(b"\x09" * 32)} if guild_seq else {}), **members,
    }  # fmt: skip
    return seed, canonical({name: value for name, value in record.items() if value is not None})


def activate(seed: int, guild_seq: int = 0, **members: Any) -> tuple[int, bytes]:
    return signed(seed, guild_seq, **{"type": "key.activate", "x": x(seed), **members})


def retire(seed: int, guild_seq: int, **members: Any) -> tuple[int, bytes]:
    return signed(seed, guild_seq, **{"type": "key.retire", "x": x(seed), **members})


def revoke(seed: int, guild_seq: int, last: Any, **members: Any) -> tuple[int, bytes]:
    more = {"type": "key.revoke", "x": x(1), "revokes": kid(1), "reason": "stolen", "last_good_guild_seq": last, **members}
    return signed(seed, guild_seq, **more)


def session(
    seed: int = 1, guild_seq: int = 5, /, timeline: str = TIMELINE, rules: str = RULES, **members: Any
) -> tuple[int, bytes]:
    told: dict[str, Any] = {
        "type": "voice.session", "session_id": "01890a5d-ac96-774b-bcce-b302099a8057", "user_id": "8", "channel_id": "99",
        "period_index": 0, "stay": 4, "part": 0, "joined_at_ms": 1000, "left_at_ms": 61000, "reason": "leave",
        "counted_ms": 50000, "bridged_ms": 0, "unwitnessed_ms": 0, "paused_ms": {"deafened": 0, "muted": 10000, "solo": 0},
        "below_minimum": False, "credited_ms": 50000, "timeline_sha256": b64url(sha256(timeline.encode()).digest()),
        "rules_sha256": b64url(sha256(rules.encode()).digest()), "software": {"name": "rollcall", "version": "0.1.0"},
    }  # fmt: skip
    return signed(seed, guild_seq, **{**told, **members})


@dataclass(frozen=True)
class Forged:
    """What a receipt is made of. Key 1 is the guild's, key 9 the log's."""

    session: tuple[int, bytes] = field(default_factory=session)
    key_records: tuple[tuple[int, bytes], ...] = field(default_factory=lambda: (activate(1), retire(1, 7)))
    timeline: str = TIMELINE
    rules: str = RULES
    log: int = 9
    origin: str = ORIGIN
    named: str | None = None

    def proof(self, record: bytes, at: int | None = None) -> bytes:
        """A proof file of a record in a tree of all that is here, activation first."""
        leaves = [self.key_records[0][1] if self.key_records else b"-", b"-", self.session[1]]
        leaves += [one for _, one in self.key_records[1:]] + [b"-"]
        hashes = [record_leaf_hash(sha256(leaf).digest()) for leaf in leaves]
        index = (leaves.index(record) if record in leaves else 1) if at is None else at
        note = f"{self.origin}\n{len(hashes)}\n{_b64(_root(hashes))}\n"
        name, keyid, _ = vkey(self.log, self.named or self.origin).split("+", 2)
        signature = bytes.fromhex(keyid) + key(self.log).sign(note.encode()).signature
        checkpoint = f"{note}\n\u2014 {name} {_b64(signature)}\n".encode()
        return write_proof_file(index, _path(index, hashes), checkpoint)

    def json(self) -> dict[str, Any]:
        return {
            "v": 1, "type": "rollcall.receipt", "timeline": self.timeline, "rules": self.rules,
            "log_key": vkey(9), **self._held(self.session), "key_records": [self._held(one) for one in self.key_records],
        }  # fmt: skip

    def _held(self, one: tuple[int, bytes]) -> dict[str, str]:
        seed, record = one
        signature = b64url(key(seed).sign(record).signature)
        return {"record": record.decode(), "signature": signature, "public_key": x(seed), "proof": self.proof(record).decode()}


def _numbers():
    return st.sampled_from([-1, 0, 1, 4, 5, 6, 7, 9, 29999, 30000, 50000, 59999, 60000, 2**53 - 1, -(2**53) + 1])


_MEMBERS = st.dictionaries(
    st.sampled_from(
        [
            "type",
            "session_id",
            "user_id",
            "channel_id",
            "period_index",
            "stay",
            "part",
            "joined_at_ms",
            "left_at_ms",
            "reason",
            "counted_ms",
            "bridged_ms",
            "unwitnessed_ms",
            "paused_ms",
            "below_minimum",
            "credited_ms",
            "timeline_sha256",
            "rules_sha256",
            "v",
            "guild_id",
            "guild_seq",
            "prev",
            "salt",
            "kid",
            "signed_at_ms",
        ]
    ),
    st.none()
    | st.booleans()
    | _numbers()
    | st.sampled_from(["", "0", "07", "9223372036854775808", "A", GUILD, kid(2), "leave"])
    | st.just({"deafened": 0, "muted": 10000, "solo": 0})
    | st.just({})
    | st.text(max_size=5)
    | st.just([1]),
    max_size=2,
)
_SEGMENTS = st.lists(
    st.tuples(
        st.sampled_from([999, 1000, 21000, 31000, 60999, 61000, -5, 2**53]),
        st.sampled_from([1000, 21000, 31000, 61000, 61001]),
        st.sampled_from(["counted", "muted", "solo", "bridged", "unwitnessed", "deafened", "Counted"]),
    ),
    max_size=4,
)
_TIMELINES = (
    st.just(TIMELINE)
    | _SEGMENTS.map(lambda some: json.dumps(some, separators=(",", ":")))
    | _SEGMENTS.map(json.dumps)
    | st.sampled_from(
        [
            '[[1000,61000,"counted"]]',
            '[[1000,61000,"bridged"]]',
            '[[1000,61000,"solo"]]',
            "[]",
            "",
            "{}",
            "[[]]",
            '[[1000,6.1e4,"solo"]]',
        ]
    )
    | st.sampled_from(
        [
            '[[1000,61000,"count\\u0065d"]]',
            '[[01000,61000,"counted"]]',
            '[[-0,61000,"counted"]]',
            "[1000]",
            '[[1000,61000,"counted"]],',
        ]
    )
)
_RULES = st.just(RULES) | st.sampled_from(
    [
        RULES.replace('"pause_on_mute":true', '"pause_on_mute":false'),
        RULES.replace("30", "60"),
        RULES.replace("30", "51"),
        RULES.replace('"mode":"all"', '"mode":"off"'),
        RULES.replace('"mode":"all"', '"mode":"denylist"'),
        RULES.replace("30", "3.0"),
        RULES.replace("{", '{"afk_channel_id":"99",'),
        RULES.replace('"mode"', ' "mode"'),
        RULES.replace("30", str(2**53 - 1)),
        RULES.replace("120", "-1"),
        RULES.replace("true", "1"),
        RULES.replace('"mode"', '"mod"'),
        "{}",
        "",
        "[]",
        '{"a":1,"a":1}',
    ]
)
_KEY_RECORDS = st.lists(
    st.sampled_from(
        [
            activate(1),
            activate(1, 4),
            activate(1, 5),
            activate(1, 6),
            activate(2, 6, replaces=kid(1)),
            activate(2, 5, replaces=kid(1)),
            activate(2, 0),
            activate(1, 0, x=x(2)),
            activate(1, 0, guild_id="1"),
            retire(1, 7),
            retire(1, 5),
            retire(1, 4),
            retire(2, 9),
            revoke(2, 9, 5),
            revoke(2, 9, 4),
            revoke(2, 9, -1),
            revoke(2, 9, "5"),
            revoke(2, 9, 5, revokes=kid(2)),
            session(1, 3),
            activate(1, 0, prev=b64url(bytes(32))),
            activate(1, 0, kid=kid(2)),
            signed(1, 3, type="key.other"),
            activate(1, 0, replaces=kid(1)),
            activate(1, 0, v=2),
            signed(2, 3, type=7),
        ]
    ),
    max_size=3,
).map(tuple)


@st.composite
def forged_receipts(draw):
    """Signed and logged as they should be, but for what was drawn; sometimes nothing was."""
    some = draw(st.sets(st.sampled_from(["session", "timeline", "rules", "key_records", "log", "moved"]), max_size=2))
    timeline = draw(_TIMELINES) if "timeline" in some else TIMELINE
    rules = draw(_RULES) if "rules" in some else RULES
    members = draw(_MEMBERS) if "session" in some else {}
    if "timeline" in some and draw(st.booleans()):
        members |= {"counted_ms": 60000, "credited_ms": 60000, "paused_ms": {"deafened": 0, "muted": 0, "solo": 0}}
    seed = draw(st.sampled_from([1, 1, 1, 2]))
    forged = Forged(session(seed, timeline=timeline, rules=rules, **members), timeline=timeline, rules=rules)
    if "key_records" in some:
        forged = replace(forged, key_records=draw(_KEY_RECORDS))
    if "log" in some:
        odd = st.sampled_from([{"log": 8}, {"origin": "example.com/log"}, {"origin": "example.com/log", "named": ORIGIN}])
        forged = replace(forged, **draw(odd))
    told = forged.json()
    if "moved" in some:
        place = draw(st.sampled_from([told, *told["key_records"]]))
        place["proof"] = forged.proof(forged.session[1], draw(st.integers(0, 4))).decode()
    return told


def _b64(data: bytes) -> str:
    return b64encode(data).decode()


def _root(nodes: list[bytes]) -> bytes:
    if len(nodes) == 1:
        return nodes[0]
    split = 1 << (len(nodes) - 1).bit_length() - 1
    return sha256(b"\1" + _root(nodes[:split]) + _root(nodes[split:])).digest()


def _path(index: int, nodes: list[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    if len(nodes) == 1:
        return []
    split = 1 << (len(nodes) - 1).bit_length() - 1
    if index < split:
        return [*_path(index, nodes[:split]), _root(nodes[split:])]
    return [*_path(index - split, nodes[split:]), _root(nodes[:split])]
