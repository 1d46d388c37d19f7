"""A reader with docs/formats.md, hashlib and libsodium, and nothing of ours: every format's check, from its words alone."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import io
import json
import re
import struct
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import nacl.bindings
import nacl.exceptions
import nacl.pwhash
import nacl.signing
import pytest

TEXT = (Path(__file__).parents[2] / "docs/formats.md").read_text(encoding="utf-8")
BLOCKS = {
    name: body.removesuffix("\n")
    for name, body in re.findall(r"<!-- made: ([a-z0-9 ]+) -->\n```[a-z]*\n(.*?)```", TEXT, re.DOTALL)
}
RECORDS = [line.encode() for line in BLOCKS["records"].split("\n")]
PARSED = [json.loads(record) for record in RECORDS]


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert b64url(data) == text, "not the one spelling"
    return data


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def verifies(x: str, message: bytes, signature: bytes) -> bool:
    try:
        nacl.signing.VerifyKey(unb64url(x)).verify(message, signature)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def root(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha(b"")
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha(b"\1" + root(leaves[:split]) + root(leaves[split:]))


def test_the_trace_gives_the_timeline_and_the_session() -> None:
    lines = [json.loads(line) for line in BLOCKS["trace"].split("\n")]
    mine = [line for line in lines if line.get("user_id") == "754679441220698113"]
    cuts = [(line["at"], "muted" if line["self_mute"] else "counted") for line in mine]
    timeline = [[start, end, status] for (start, status), (end, _) in pairwise(cuts)]
    assert timeline == json.loads(BLOCKS["timeline"])
    session = PARSED[1]
    assert (session["joined_at_ms"], session["left_at_ms"]) == (timeline[0][0], timeline[-1][1])
    lengths = {status: sum(end - start for start, end, one in timeline if one == status) for status in ("counted", "muted")}
    assert (session["counted_ms"], session["paused_ms"]["muted"]) == (lengths["counted"], lengths["muted"]) == (50_000, 10_000)
    assert session["credited_ms"] == session["counted_ms"]


def test_rules_and_timeline_have_the_digests_that_the_record_names() -> None:
    for name, member in (("rules", "rules_sha256"), ("timeline", "timeline_sha256")):
        assert b64url(sha(BLOCKS[name].encode())) == BLOCKS[f"{name} sha256"] == PARSED[1][member]
    rules = next(json.loads(line)["rules"] for line in BLOCKS["trace"].split("\n") if '"rules"' in line)
    without = {name: value for name, value in rules.items() if (name, value) != ("afk_channel_id", None)}
    assert canonical({**without, "channels": sorted(without["channels"], key=int)}) == BLOCKS["rules"]


def test_a_session_id_holds_when_the_session_ended() -> None:
    value = UUID(BLOCKS["session id"].split("\n")[1])
    assert (value.version, value.int >> 80) == (7, PARSED[1]["left_at_ms"])
    assert str(value) == PARSED[1]["session_id"]


def test_canonical_json() -> None:
    assert canonical(json.loads(BLOCKS["json"])) == BLOCKS["canonical json"]
    for name in ("rules", "timeline", "wrap by passphrase", "wrap by master key"):
        assert canonical(json.loads(BLOCKS[name])) == BLOCKS[name]
    assert all(canonical(one).encode() == record for one, record in zip(PARSED, RECORDS, strict=True))


def test_a_key_s_id_and_its_files() -> None:
    x = BLOCKS["key"].split()[1]
    assert unb64url(x).hex() == BLOCKS["key"].split()[3]
    assert BLOCKS["thumbprint input"] == f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    assert b64url(sha(BLOCKS["thumbprint input"].encode())) == BLOCKS["kid"]
    der = base64.b64decode(BLOCKS["key pem"].split("\n")[1], validate=True)
    assert der == bytes.fromhex("302a300506032b6570032100") + unb64url(x)
    (jwk,) = json.loads(BLOCKS["jwks"])["keys"]
    assert (jwk["kid"], jwk["x"]) == (BLOCKS["kid"], x)


def keys_of_the_chain() -> dict[str, str]:
    return {one["kid"]: one["x"] for one in PARSED if one["type"] == "key.activate"}


def test_every_record_is_signed_and_chained_and_each_type_is_there() -> None:
    keys = keys_of_the_chain()
    for position, (record, signature) in enumerate(zip(RECORDS, BLOCKS["signatures"].split("\n"), strict=True)):
        one = PARSED[position]
        assert (one["v"], one["guild_seq"]) == (1, position)
        assert one.get("prev") == (b64url(sha(RECORDS[position - 1])) if position else None)
        assert len(unb64url(one["salt"])) == 16
        assert verifies(keys[one["kid"]], record, unb64url(signature))
        assert not verifies(keys[one["kid"]], record.replace(b'"v":1', b'"v":2'), unb64url(signature))


def test_the_members_of_each_type_are_those_of_the_table() -> None:
    table = TEXT.partition("## Records")[2].partition("### Windows")[0]
    rows = dict(re.findall(r"^\| `([a-z]+\.[a-z]+)` \| (.*) \|$", table, re.MULTILINE))
    common = {"v", "type", "guild_id", "guild_seq", "prev", "kid", "signed_at_ms", "salt"}
    for one in PARSED:
        named = set(re.findall(r"`([a-z_0-9]+)`", rows[one["type"]]))
        assert set(one) - common <= named, one["type"]
    assert set(rows) == {one["type"] for one in PARSED}, "the example has one of each"


def test_windows_by_position() -> None:
    first, second = (one["kid"] for one in PARSED if one["type"] == "key.activate")
    windows = {kid: [next(one["guild_seq"] for one in PARSED if one["kid"] == kid), len(PARSED)] for kid in (first, second)}
    for one in PARSED:
        if one["type"] == "key.retire":
            windows[one["kid"]][1] = one["guild_seq"]
        if one["type"] == "key.revoke":
            windows[one["revokes"]][1] = min(windows[one["revokes"]][1], one["last_good_guild_seq"])
    outside = [one["guild_seq"] for one in PARSED if not windows[one["kid"]][0] <= one["guild_seq"] <= windows[one["kid"]][1]]
    assert (windows[first], outside) == ([0, 5], [6])
    (revoked,) = (one for one in PARSED if one["type"] == "key.revoke")
    leaves = leaves_of_the_log()
    assert leaves.index(sha(b"\0\1" + sha(RECORDS[revoked["last_good_guild_seq"]]))) == revoked["last_good_leaf_index"]


def test_both_roots_of_the_period() -> None:
    period = next(one for one in PARSED if one["type"] == "leaderboard.period")
    entries = BLOCKS["entries"].split("\n")
    leaves = [sha(b"\0" + sha(entry.encode())) for entry in entries]
    assert [leaf.hex() for leaf in leaves] == BLOCKS["entry leaves"].split("\n")
    assert b64url(sha(b"\1" + leaves[0] + leaves[1])) == b64url(root(leaves)) == period["entries_root"]
    sessions = [record for record, one in zip(RECORDS, PARSED, strict=True) if one["type"] == "voice.session"]
    assert b64url(root([sha(b"\0\1" + sha(record)) for record in sessions])) == period["sessions_root"]
    sums: dict[str, int] = {}
    owner = {}
    for one in PARSED[period["first_guild_seq"] : period["last_guild_seq"] + 1]:
        if one["type"] == "voice.session":
            owner[one["session_id"]] = one["user_id"]
            sums[one["user_id"]] = sums.get(one["user_id"], 0) + one["credited_ms"]
        if one["type"] == "session.correction":
            assert one["corrects"] == b64url(sha(RECORDS[2]))
            sums[owner[one["session_id"]]] += one["delta_ms"]
    assert sums == {one["user_id"]: one["credited_ms"] for one in map(json.loads, entries)}


def leaves_of_the_log() -> list[bytes]:
    bundle = bytes.fromhex(BLOCKS["bundle"].replace("\n", ""))
    entries = []
    while bundle:
        (length,) = struct.unpack(">H", bundle[:2])
        entries.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert entries == [b"\1" + sha(record) for record in RECORDS]
    return [sha(b"\0" + entry) for entry in entries]


def open_note(note: str) -> tuple[str, int, bytes]:
    """By the section on checkpoints: origin, size, root, if the verifier key of the page signed it."""
    name, key_id, key = BLOCKS["vkey"].split("+", 2)
    public = base64.b64decode(key, validate=True)
    assert public[:1] == b"\1"
    assert sha(name.encode() + b"\n" + public)[:4].hex() == key_id
    text, _, signatures = note.partition("\n\n")
    dash, signer, blob = signatures.strip("\n").split(" ")
    signed = base64.b64decode(blob, validate=True)
    assert (dash, signer, signed[:4].hex()) == ("\u2014", name, key_id)
    nacl.signing.VerifyKey(public[1:]).verify(f"{text}\n".encode(), signed[4:])
    origin, size, tree = text.split("\n")
    assert origin == name
    return origin, int(size), base64.b64decode(tree, validate=True)


def test_entry_leaf_tile_and_bundle_give_the_root_that_was_signed() -> None:
    leaves = leaves_of_the_log()
    names = dict(line.rsplit(maxsplit=1) for line in BLOCKS["leaf"].split("\n"))
    assert bytes.fromhex(names["record sha256"]) == sha(RECORDS[1])
    assert bytes.fromhex(names["entry"]) == b"\1" + sha(RECORDS[1])
    assert bytes.fromhex(names["leaf"]) == leaves[1]
    assert bytes.fromhex(BLOCKS["tile"].replace("\n", "")) == b"".join(leaves)
    for name in ("checkpoint", "old checkpoint"):
        _, size, tree = open_note(BLOCKS[name])
        assert root(leaves[:size]) == tree
    with pytest.raises(nacl.exceptions.BadSignatureError):
        open_note(BLOCKS["checkpoint"].replace("\n11\n", "\n12\n"))


def test_paths_of_tiles() -> None:
    def path(level: str, number: int, width: int) -> str:
        groups = [f"{number % 1000:03}"]
        while number := number // 1000:
            groups.insert(0, f"x{number % 1000:03}")
        return f"tile/{level}/" + "/".join(groups) + (f".p/{width}" if width < 256 else "")

    shown = BLOCKS["tile paths"].split("\n")
    assert shown == [path("0", 0, 11), path("entries", 0, 11), path("entries", 0, 256), path("entries", 1_234_067, 256)]


def walk(proof: list[bytes], index: int, size: int, leaf: bytes) -> bytes | None:
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if fn % 2 or fn == sn:
            r = sha(b"\1" + p + r)
            while fn % 2 == 0 and fn:
                fn, sn = fn // 2, sn // 2
        else:
            r = sha(b"\1" + r + p)
        fn, sn = fn // 2, sn // 2
    return r if sn == 0 else None


def test_a_proof_file() -> None:
    head, _, note = BLOCKS["proof file"].partition("\n\n")
    magic, index_line, *hashes = head.split("\n")
    assert magic == "c2sp.org/tlog-proof@v1"
    _, size, tree = open_note(note)
    index, proof = int(index_line.removeprefix("index ")), [base64.b64decode(one) for one in hashes]
    leaf = sha(b"\0\1" + sha(RECORDS[index]))
    assert walk(proof, index, size, leaf) == tree
    assert walk(proof, index + 1, size, leaf) != tree
    assert walk(proof[:-1], index, size, leaf) != tree


def test_a_consistency_proof() -> None:
    proof = [base64.b64decode(one) for one in BLOCKS["consistency proof"].split("\n")]
    (_, old_size, old_root), (_, size, tree) = open_note(BLOCKS["old checkpoint"]), open_note(BLOCKS["checkpoint"])
    if old_size & (old_size - 1) == 0:
        proof.insert(0, old_root)
    fn, sn = old_size - 1, size - 1
    while fn % 2:
        fn, sn = fn // 2, sn // 2
    fr = sr = proof[0]
    for c in proof[1:]:
        if fn % 2 or fn == sn:
            fr, sr = sha(b"\1" + c + fr), sha(b"\1" + c + sr)
            while fn % 2 == 0 and fn:
                fn, sn = fn // 2, sn // 2
        else:
            sr = sha(b"\1" + sr + c)
        fn, sn = fn // 2, sn // 2
    assert (fr, sr, sn) == (old_root, tree, 0)


def test_a_receipt() -> None:
    receipt = json.loads((Path(__file__).parents[2] / "docs/examples/receipt.json").read_text(encoding="utf-8"))
    table = set(re.findall(r"`([a-z_]+)`", TEXT.partition("## Receipt")[2].partition("```")[0]))
    assert set(receipt) <= table
    record = json.loads(receipt["record"])
    assert verifies(receipt["public_key"], receipt["record"].encode(), unb64url(receipt["signature"]))
    jwk = canonical({"crv": "Ed25519", "kty": "OKP", "x": receipt["public_key"]})
    assert b64url(sha(jwk.encode())) == record["kid"]
    assert b64url(sha(receipt["timeline"].encode())) == record["timeline_sha256"]
    assert b64url(sha(receipt["rules"].encode())) == record["rules_sha256"]
    notes = set()
    for body, proof_file in [(receipt["record"], receipt["proof"])] + [
        (one["record"], one["proof"]) for one in receipt["key_records"]
    ]:
        head, _, note = proof_file.partition("\n\n")
        _, index_line, *hashes = head.split("\n")
        size, tree = note.split("\n")[1:3]
        index = int(index_line.removeprefix("index "))
        leaf = sha(b"\0\1" + sha(body.encode()))
        assert walk([base64.b64decode(one) for one in hashes], index, int(size), leaf) == base64.b64decode(tree)
        notes.add(note)
    assert len(notes) == 1, "all proofs end in one checkpoint"


@pytest.mark.parametrize("name", ["wrap by passphrase", "wrap by master key"])
def test_a_wrapped_key_opens_and_no_member_of_its_header_can_be_changed(name: str) -> None:
    wrapped = json.loads(BLOCKS[name])
    kdf = wrapped["kdf"]
    if kdf == {"name": "master"}:
        kek = base64.b64decode(BLOCKS["master key"], validate=True)
    else:
        assert (kdf["name"], kdf["p"], kdf["version"]) == ("argon2id", 1, 19)
        passphrase = re.search(r"By the passphrase `([^`]+)`", TEXT)
        assert passphrase is not None
        kek = nacl.pwhash.argon2id.kdf(
            32, passphrase[1].encode(), unb64url(kdf["salt"]), opslimit=kdf["t"], memlimit=kdf["m_kib"] * 1024
        )

    def opened(header: dict[str, object]) -> bytes:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            unb64url(wrapped["ct"]), canonical(header).encode(), unb64url(wrapped["aead"]["nonce"]), kek
        )

    header = {member: value for member, value in wrapped.items() if member != "ct"}
    seed = opened(header)
    assert seed == bytes([1]) * 32
    assert b64url(bytes(nacl.signing.SigningKey(seed).verify_key)) == wrapped["x"]
    with pytest.raises(nacl.exceptions.CryptoError):
        opened({**header, "purpose": "log"})


def test_secrets_have_their_lengths() -> None:
    assert len(base64.b64decode(BLOCKS["master key"], validate=True)) == 32
    assert len(unb64url(BLOCKS["api secret"])) == 32


def leb128(data: io.BytesIO) -> int:
    value = shift = 0
    while True:
        (byte,) = data.read(1)
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value


def signed(number: int) -> int:
    return -(number >> 1) if number & 1 else number >> 1


def test_the_saved_state_reads_as_it_is_described() -> None:
    state = bytes.fromhex(BLOCKS["state"].replace("\n", ""))
    assert state[-32:] == sha(state[:-32])
    assert state[:15] == b"rollcall guild\1"
    body = io.BytesIO(state[15:-32])
    assert leb128(body) == int(PARSED[0]["guild_id"])
    assert (leb128(body), signed(leb128(body))) == (1, 1_795_226_173_292)
    assert (leb128(body), leb128(body), leb128(body), leb128(body)) == (0, 1, 0, 0)  # mode, switches, channels, AFK channel
    assert (signed(leb128(body)), signed(leb128(body))) == (0, 120)
    assert (leb128(body), leb128(body)) == (0, 0)  # parents, opted out
    assert (leb128(body), leb128(body), leb128(body)) == (0, 2, 0)  # period, next stay, next ordinal
    statuses = []
    for _ in range(leb128(body)):
        user, channel, (bits,) = leb128(body), leb128(body), body.read(1)
        assert channel == 1132170995323371523
        assert bits & 32
        stay, part, stay_counted, joined = leb128(body), leb128(body), signed(leb128(body)), signed(leb128(body))
        assert (part, stay_counted) == (0, 0)
        past = [(signed(leb128(body)), body.read(1)[0]) for _ in range(leb128(body))]
        statuses.append((user, stay, joined, [length for length, _ in past], body.read(1)[0]))
    assert leb128(body) == 0  # not blind
    assert body.read() == b""
    assert [one[3] for one in statuses] == [[20_000, 10_000], []]


def test_a_backup_s_table_has_its_digest() -> None:
    manifest = json.loads(BLOCKS["backup manifest"])
    (table,) = manifest["tables"]
    lines = f"{BLOCKS['backup table']}\n".encode()
    assert (hashlib.sha256(lines).hexdigest(), lines.count(b"\n")) == (table["sha256"], table["rows"])
    (row,) = map(json.loads, lines.splitlines())
    assert dict(zip([column["name"] for column in table["columns"]], row, strict=True))["name"] == "Study hall"


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def test_manifests_and_both_signatures_of_a_bag() -> None:
    payload = {"data/checkpoint": b"example\n", "data/records.jsonl": b""}
    manifest = "".join(f"{hashlib.sha256(payload[path]).hexdigest()}  {path}\n" for path in sorted(payload))
    assert manifest == BLOCKS["manifest"] + "\n"
    assert f"Payload-Oxum: {sum(map(len, payload.values()))}.{len(payload)}" in BLOCKS["bag info"]
    tags = BLOCKS["tag manifest"] + "\n"
    assert f"{hashlib.sha256(manifest.encode()).hexdigest()}  manifest-sha256.txt\n" in tags
    *_, key_text = BLOCKS["allowed signers"].split(" ")
    blob = base64.b64decode(key_text, validate=True)
    assert blob[:-32] == string(b"ssh-ed25519") + struct.pack(">I", 32)
    key = nacl.signing.VerifyKey(blob[-32:])
    key.verify(tags.encode(), base64.b64decode(BLOCKS["tag manifest signature"], validate=True))
    armoured = BLOCKS["sshsig"].split("\n")
    assert (armoured[0], armoured[-1]) == ("-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----")
    data = base64.b64decode("".join(armoured[1:-1]), validate=True)
    middle = string(b"rollcall-export") + string(b"") + string(b"sha512")
    start = b"SSHSIG" + struct.pack(">I", 1) + string(blob) + middle
    assert data[:-64] == start + struct.pack(">I", 83) + string(b"ssh-ed25519") + struct.pack(">I", 64)
    key.verify(b"SSHSIG" + middle + string(hashlib.sha512(tags.encode()).digest()), data[-64:])


def test_a_table_reads_back_and_runs_nothing() -> None:
    rows = list(csv.reader(io.StringIO(BLOCKS["csv"].replace("\n", "\r\n"))))
    assert rows[2][2] == "'=1+1"
    assert rows[3] == ["3", "", 'a "quoted" name, and a comma']


def test_a_webhook_s_signature() -> None:
    headers = dict(line.split(": ", 1) for line in BLOCKS["webhook headers"].split("\n"))
    key = base64.b64decode(BLOCKS["webhook secret"].removeprefix("whsec_"), validate=True)
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{BLOCKS['webhook body']}".encode()
    expected = base64.b64encode(hmac.digest(key, message, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    body = json.loads(BLOCKS["webhook body"])
    assert set(body) == {"type", "timestamp", "data"}
    assert datetime.fromisoformat(body["timestamp"]) <= datetime.fromtimestamp(int(headers["webhook-timestamp"]) + 1, UTC)


def test_tokens() -> None:
    head, claims, signature = BLOCKS["jwt"].split(".")
    assert json.loads(unb64url(head)) == {"alg": "HS256", "typ": "JWT"}
    assert unb64url(claims).decode() == BLOCKS["jwt claims"]
    assert unb64url(signature) == hmac.digest(BLOCKS["api secret"].encode(), f"{head}.{claims}".encode(), "sha256")
    secret, digest = BLOCKS["api token"].split("\n")
    assert (len(unb64url(secret.removeprefix("rc_"))), sha(secret.encode()).hex()) == (32, digest)
