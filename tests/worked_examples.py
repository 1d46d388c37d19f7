"""The blocks of docs/formats.md that are made: the name of each, and its text."""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
import zipfile
from pathlib import Path

import jwt

from attendance.core import (
    LogTree,
    canonicalise,
    consistency_paths,
    consistency_proof,
    inclusion_paths,
    inclusion_proof,
    log_bundle,
    record_leaf_hash,
    sign_checkpoint,
    verifier_key,
    verify_consistency,
    verify_inclusion,
    write_proof_file,
)
from attendance.domain import bagit
from attendance.domain.records import b64, b64url
from attendance.domain.sshsig import allowed_signer, armoured_signature, signed_data
from attendance.domain.tokens import new_secret, secret_sha256
from attendance.domain.webhook_payloads import ToldFact, payload
from attendance.domain.webhook_signature import secret_of, signed_headers
from attendance.services.log_reading import entries_path
from attendance.store.backup_file import BackupWriter, ColumnManifest, Manifest, TableManifest
from tests.worked_chain import (
    END_MS,
    EXPORT_SEED,
    GUILD,
    LOG_SEED,
    MASTER_KEY,
    ORIGIN,
    RECORD_SEED,
    SIGNED_MS,
    TRACE,
    a_key,
    chain,
    passphrase_wrap,
    sealed,
)

LEAF, OLD_SIZE = 1, 4
API_SECRET = b64url(bytes([8]) * 32)
WEBHOOK_KEY = bytes([9]) * 32
_UNCHECKED = 'a "quoted" name'


def examples() -> dict[str, str]:
    """Every made block by its name, without a newline at its end."""
    return {**_recorded(), **_keys(), **_logged(), **_exported(), **_spoken()}


def _recorded() -> dict[str, str]:
    told = chain()
    session = told.sessions[0]
    digest = b64url(hashlib.sha256(told.rules).digest())
    return {
        "trace": TRACE.rstrip("\n"),
        "state": "\n".join(told.state[at : at + 48].hex() for at in range(0, len(told.state), 48)),
        "rules": told.rules.decode(),
        "rules sha256": digest,
        "timeline": session.timeline.decode(),
        "timeline sha256": b64url(hashlib.sha256(session.timeline).digest()),
        "session id": f"left_at_ms {session.left_at_ms} = 0x{session.left_at_ms:012x}\n{session.session_id}",
        "json": '{ "b" : 1, "a" : ["\\u00e9", "\\n"], "a_b" : true }',
        "canonical json": canonicalise(b'{ "b" : 1, "a" : ["\\u00e9", "\\n"], "a_b" : true }').decode(),
        "records": "\n".join(record.decode() for record in told.records),
        "signatures": "\n".join(b64url(signature) for signature in told.signatures),
        "entries": "\n".join(entry.decode() for entry in told.entries),
        "entry leaves": "\n".join(leaf.hex() for leaf in told.leaves),
    }


def _keys() -> dict[str, str]:
    key = a_key(RECORD_SEED)
    return {
        "key": f"x    {key.x}\nhex  {key.public_key.hex()}",
        "thumbprint input": json.dumps({"crv": "Ed25519", "kty": "OKP", "x": key.x}, separators=(",", ":")),
        "kid": key.kid,
        "key pem": bagit.pem(key.public_key).decode().rstrip("\n"),
        "jwks": bagit.jwks({key.kid: key.public_key}).decode().rstrip("\n"),
        "wrap by passphrase": passphrase_wrap().decode(),
        "wrap by master key": sealed(RECORD_SEED, "record", MASTER_KEY, {"name": "master"}).decode(),
        "master key": b64(MASTER_KEY),
        "api secret": API_SECRET,
    }


def _logged() -> dict[str, str]:
    told, key = chain(), a_key(LOG_SEED, "log")
    size = len(told.records)
    note = sign_checkpoint(ORIGIN, size, told.root, key)
    # The service writes what is new with each batch; all of it at once gives the tiles of the last size.
    tiles = dict(LogTree().append(b"".join(told.digests)))
    inclusion = inclusion_proof(size, LEAF, {path: tiles[path] for path in inclusion_paths(size, LEAF)})
    verify_inclusion(record_leaf_hash(told.digests[LEAF]), LEAF, size, inclusion, told.root)
    consistency = consistency_proof(OLD_SIZE, size, {path: tiles[path] for path in consistency_paths(OLD_SIZE, size)})
    verify_consistency(OLD_SIZE, size, consistency, told.roots[OLD_SIZE], told.root)
    assert tiles[f"tile/entries/000.p/{size}"] == log_bundle(b"".join(told.digests))
    paths = [inclusion_paths(size, LEAF)[0], entries_path(0, size), entries_path(0, 256), entries_path(1234067, 256)]
    leaf = b"\1" + told.digests[LEAF]
    return {
        "leaf": f"record sha256  {told.digests[LEAF].hex()}\nentry          {leaf.hex()}\n"
        f"leaf           {record_leaf_hash(told.digests[LEAF]).hex()}",
        "tile paths": "\n".join(paths),
        "tile": tiles[f"tile/0/000.p/{size}"].hex("\n", 32),
        "bundle": tiles[f"tile/entries/000.p/{size}"].hex("\n", 35),
        "vkey": verifier_key(ORIGIN, key.public_key),
        "checkpoint": note.decode().rstrip("\n"),
        "old checkpoint": sign_checkpoint(ORIGIN, OLD_SIZE, told.roots[OLD_SIZE], key).decode().rstrip("\n"),
        "proof file": write_proof_file(LEAF, inclusion, note).decode().rstrip("\n"),
        "consistency proof": "\n".join(map(b64, consistency)),
    }


def _exported() -> dict[str, str]:
    key = a_key(EXPORT_SEED, "export")
    files = {"data/checkpoint": b"example\n", "data/records.jsonl": b""}
    manifest = bagit.manifest(
        {path: bagit.BagFile(hashlib.sha256(data).hexdigest(), len(data)) for path, data in files.items()}
    )
    payload_files = {path: bagit.BagFile("", len(data)) for path, data in files.items()}
    tags = {"bagit.txt": bagit.BAGIT, bagit.MANIFEST: manifest}
    tag_manifest = bagit.manifest(
        {path: bagit.BagFile(hashlib.sha256(data).hexdigest(), len(data)) for path, data in tags.items()}
    )
    armoured = armoured_signature(key.public_key, key.sign(signed_data(tag_manifest, bagit.NAMESPACE)), bagit.NAMESPACE)
    rows = [
        bagit.csv_row("rank", "user_id", "note"),
        bagit.csv_row(1, "754679441220698113", "plain"),
        bagit.csv_row(2, "754679441220698114", "=1+1"),
        bagit.csv_row(3, None, f"{_UNCHECKED}, and a comma"),
    ]
    return {
        "manifest": manifest.decode().rstrip("\n"),
        "bag info": bagit.bag_info(GUILD, 0, SIGNED_MS, payload_files).decode().rstrip("\n"),
        "tag manifest": tag_manifest.decode().rstrip("\n"),
        "tag manifest signature": b64(key.sign(tag_manifest)),
        "allowed signers": allowed_signer(bagit.IDENTITY, key.public_key, bagit.NAMESPACE).rstrip("\n"),
        "sshsig": armoured.decode().rstrip("\n"),
        "csv": b"".join(rows).decode().replace("\r\n", "\n").rstrip("\n"),
        **_backed_up(),
    }


def _backed_up() -> dict[str, str]:
    columns = (ColumnManifest("guild_id", "int"), ColumnManifest("name", "text"), ColumnManifest("left_at_ms", "int"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "backup.zip"
        with BackupWriter(path) as backup:
            with backup.table("guild") as table:
                table.write([(int(GUILD), "Study hall", None)])
            manifest = Manifest(
                1, "0001", "rollcall 0.1.0", END_MS, "sqlite", has_master_key=False,
                tables=(TableManifest("guild", columns, table.rows, table.sha256),),
            )  # fmt: skip
            backup.finish(manifest, None)
        with zipfile.ZipFile(path) as archive:
            held = {name: archive.read(name).decode().rstrip("\n") for name in archive.namelist()}
    return {"backup manifest": held["manifest.json"], "backup table": held["tables/guild.jsonl"]}


def _spoken() -> dict[str, str]:
    body = payload("signing.locked", END_MS, ToldFact(GUILD, {"kid": a_key(RECORD_SEED).kid, "reason": "lock"}))
    headers = signed_headers([WEBHOOK_KEY], "01972f3c-7c00-7000-8000-0123456789ab", END_MS // 1000, body)
    secret = new_secret(bytes([10]) * 32)
    digest = secret_sha256(secret)
    assert digest is not None
    claims = {"user_id": "754679441220698113", "guild_id": str(GUILD), "exp": END_MS // 1000}
    return {
        "webhook secret": secret_of(WEBHOOK_KEY),
        "webhook headers": "\n".join(f"{name}: {value}" for name, value in headers.items()),
        "webhook body": body.decode(),
        "api token": f"{secret}\n{digest.hex()}",
        "jwt": jwt.encode(claims, API_SECRET, algorithm="HS256"),
        "jwt claims": base64.b64decode(jwt.encode(claims, API_SECRET, "HS256").split(".")[1] + "==").decode(),
    }
