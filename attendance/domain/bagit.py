"""The texts of a period export: a BagIt folder (RFC 8493) that stock tools verify (records specification, section 5).

Everything here is a function of what is exported, without the time of building or a version of ours: the same period gives the
same bytes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from attendance.domain.records import b64url

IDENTITY = "rollcall"
NAMESPACE = "rollcall-export"
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
# What verifies a bag, in its folder, in bash. The last one must print nothing.
COMMANDS = (
    f"openssl pkeyutl -verify -pubin -inkey keys/export.pem -rawin -in {TAG_MANIFEST} -sigfile {TAG_MANIFEST}.sig",
    f"ssh-keygen -Y verify -f keys/allowed_signers -I {IDENTITY} -n {NAMESPACE} -s {TAG_MANIFEST}.sshsig < {TAG_MANIFEST}",
    f"sha256sum --strict --quiet -c {TAG_MANIFEST} && sha256sum --strict --quiet -c {MANIFEST}",
    f"comm -13 <(cut -c67- {MANIFEST} | LC_ALL=C sort) <(find data -type f | LC_ALL=C sort)",
)

# What makes a spreadsheet take a cell for a formula (records specification, section 5).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# SubjectPublicKeyInfo of an Ed25519 key, but for its last 32 bytes (RFC 8410).
_SPKI = bytes.fromhex("302a300506032b6570032100")


@dataclass(frozen=True, slots=True)
class BagFile:
    """A file of the bag as it was written: SHA-256 (hex) and length in bytes."""

    sha256: str
    size: int


def manifest(files: Mapping[str, BagFile]) -> bytes:
    """A manifest in the form of ``sha256sum``, ordered as ``LC_ALL=C sort`` would."""
    return "".join(f"{files[path].sha256}  {path}\n" for path in sorted(files)).encode("ascii")


def bag_info(guild_id: int, period_index: int, signed_at_ms: int, payload: Mapping[str, BagFile]) -> bytes:
    """``bag-info.txt``. The date is that of the period record's signature."""
    octets = sum(file.size for file in payload.values())
    lines = (
        f"Bagging-Date: {datetime.fromtimestamp(signed_at_ms / 1000, UTC):%Y-%m-%d}",
        f"External-Description: Rollcall: signed attendance of period {period_index} of guild {guild_id}",
        f"External-Identifier: {guild_id}/{period_index}",
        f"Payload-Oxum: {octets}.{len(payload)}",
    )
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def pem(public_key: bytes) -> bytes:
    """An Ed25519 public key as OpenSSL reads it."""
    text = b64encode(_SPKI + public_key).decode("ascii")
    return f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n".encode("ascii")


def jwks(keys: Mapping[str, bytes]) -> bytes:
    """A key set (RFC 7517) of Ed25519 public keys by their ids."""
    members = [{"crv": "Ed25519", "kid": kid, "kty": "OKP", "use": "sig", "x": b64url(keys[kid])} for kid in sorted(keys)]
    return json.dumps({"keys": members}, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"


def csv_row(*cells: str | int | None) -> bytes:
    """A line of a table (RFC 4180). A text that a spreadsheet would run is led by an apostrophe."""
    return (",".join(_cell(cell) for cell in cells) + "\r\n").encode()


def _cell(value: str | int | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text


def readme(guild_id: int, period_index: int, export_kid: str, log_key: str) -> bytes:
    """``README.txt``: what this is, what it proves and what not, and the commands."""
    return _README.format(guild=guild_id, period=period_index, kid=export_kid, vkey=log_key, commands=COMMANDS).encode()


_README = """\
Attendance of period {period} of guild {guild}, as Rollcall recorded it.

WHAT IT PROVES
The deployment whose keys are in keys/ recorded this, and it has not changed since. It does not prove that a member was
attentive, nor that the deployment is honest. The keys in this folder are hints: compare them with those that you have from
elsewhere (the deployment serves them at /.well-known/jwks.json, and its log at /log/checkpoint).

export key  {kid}
log key     {vkey}

HOW TO VERIFY, WITH STOCK TOOLS, IN THIS FOLDER
1. The manifest was signed by the export key (either command will do):

{commands[0]}
{commands[1]}

2. Every file is as the manifests say:

{commands[2]}

3. No file was added to data/ (this must print nothing):

{commands[3]}

`rollcall verify` on this folder, or on the archive it came in, does all of that with no network, and beyond it recomputes
signatures, sums, ranks and roots.

WHAT IS IN IT
data/records.jsonl     signed records, one a line, exactly the bytes that were signed: every record of the guild's chain from
                       the first session of the period to the record of the period; the records of keys before that; and of
                       later ones those that say that some of these were erased, and of the keys that signed them
data/signatures.jsonl  their signatures, in the same order: pure Ed25519 over the line without its newline
data/timelines.jsonl   the timeline of each session in records.jsonl
data/rules.jsonl       the rules in force, one a line: a line's SHA-256 is the rules_sha256 that records name
data/entries.jsonl     the leaderboard that was archived, in the order of entries_root; of an erased member only the leaf hash
data/redacted.jsonl    records of that stretch of the chain whose content was erased: position, type and hash
data/entries.csv       the leaderboard as a table, without erased members
data/sessions.csv      the period's sessions as a table, without erased ones. Times are UTC; _ms is milliseconds
data/checkpoint        the first checkpoint of the transparency log that covers the period's record
data/proofs/           that the records of the period and of the keys are in that log; the other records are held by
                       sessions_root in the period's record, and by each record's prev
keys/                  the public keys: export.pem (this folder), record-*.pem (the records), log.vkey (the log)
"""
