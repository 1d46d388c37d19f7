"""Verify a period export: a folder or a ``.tar.gz``. Any bytes give a report."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from attendance.cli.bags.findings import Fault, Findings, UnusableError, unusable
from attendance.cli.bags.passes import check_chain, check_standing, run
from attendance.cli.bags.unpacking import unpack
from attendance.cli.bags.wrapping import Bag, check_hashes, check_signatures, export_key, log_key, named_period, record_keys
from attendance.core import (
    ExportCheck,
    ExportPeriod,
    FileReport,
    Trust,
    export_period,
    open_checkpoint,
    pinned_keys,
    pinned_log_keys,
    read_proof_file,
    record_leaf_hash,
    thumbprint,
    verify_inclusion,
)
from attendance.errors import ConfigError, RollcallError

CHECKS = (
    "archive", "files", "manifest", "tag-manifest", "export-signature", "keys", "key-records", "period", "records",
    "signatures", "key-windows", "chain", "redacted", "timelines", "rules", "sessions", "corrections", "sessions-root",
    "entries", "entries-root", "sums", "ranking", "tables", "checkpoint", "proofs",
)  # fmt: skip
_OF_CHAIN = ("period", "records", "signatures", "key-windows", "chain", "timelines", "rules", "sessions", "corrections")
_SHOWN_KEYS = 20


@dataclass(frozen=True, slots=True)
class ExportPins:
    """Keys from elsewhere, in the forms that the core reads; an empty list leaves trust to the file."""

    keys: Sequence[bytes] = ()
    log_keys: Sequence[bytes] = ()
    export_keys: Sequence[bytes] = ()


@dataclass
class _Keys:
    """The bag's keys."""

    export: bytes
    vkey: str
    log_name: str
    log: bytes
    records: dict[str, bytes]


def verify_archive(file: BinaryIO, pins: ExportPins) -> FileReport:
    """Verify an export in its archive, by way of a folder of ours that is deleted afterwards.

    Raises:
        ConfigError: A pinned key is none.
    """
    findings = Findings(CHECKS)
    try:
        with tempfile.TemporaryDirectory(prefix="rollcall-verify-") as folder:
            root, digests = unpack(file, os.fstat(file.fileno()).st_size, Path(folder))
            findings.passed("archive", "one folder of regular files")
            return _verified(Bag(root, digests), pins, findings)
    except Fault as fault:
        findings.fault(fault)
        return findings.report()
    except UnusableError as error:
        return unusable(error)
    except OSError as error:
        return unusable(f"it cannot be read or unpacked: {error.strerror}")


def verify_folder(root: Path, pins: ExportPins) -> FileReport:
    """Verify an export that was unpacked.

    Raises:
        ConfigError: A pinned key is none.
    """
    findings = Findings(CHECKS)
    findings.passed("archive", "a folder")
    try:
        return _verified(Bag(root, {}), pins, findings)
    except Fault as fault:
        findings.fault(fault)
        return findings.report()
    except UnusableError as error:
        return unusable(error)
    except OSError as error:
        return unusable(f"it cannot be read: {error.strerror}")


def _verified(bag: Bag, pins: ExportPins, findings: Findings) -> FileReport:
    _passes(findings, lambda: _check_wrapping(bag, findings))
    try:
        keys = _keys(bag)
    except Fault as fault:
        findings.fault(fault)
        return findings.report()
    _passes(findings, lambda: _check_signature(bag, keys, findings))
    findings.trust = _trust(keys)
    check = ExportCheck(list(keys.records.values()))
    if _passes(findings, lambda: run(bag, check.survey)):
        _verify_payload(bag, keys, check, pins, findings)
    return findings.report()


def _verify_payload(bag: Bag, keys: _Keys, check: ExportCheck, pins: ExportPins, findings: Findings) -> None:
    period = export_period(check)
    _claim(findings, period)
    _pin(findings, keys, period, pins)
    _passes(findings, lambda: _check_name(bag, period))
    findings.passed("keys", f"{len(keys.records)} record keys, the log's and the export's")
    findings.passed("key-records", f"{check.key_records} key records")
    if _passes(findings, lambda: check_chain(bag, check, findings, _OF_CHAIN)):
        proven = check.seen["proven"]
        _passes(findings, lambda: check_standing(bag, check, findings))
        findings.passed("entries", "each in its one form")
        _passes(findings, lambda: _check_log(bag, keys, period.guild_seq, proven, findings))


def _passes(findings: Findings, work: Callable[[], None]) -> bool:
    try:
        work()
    except Fault as fault:
        findings.fault(fault)
        return False
    return True


def _check_wrapping(bag: Bag, findings: Findings) -> None:
    count = check_hashes(bag)
    findings.passed("files", f"{count} files, all and only those that are named")
    findings.passed("manifest", "every file of data/ has its SHA-256")
    findings.passed("tag-manifest", "every other file has its SHA-256")


def _keys(bag: Bag) -> _Keys:
    export = export_key(bag)
    vkey, name, key = log_key(bag)
    return _Keys(export, vkey, name, key, record_keys(bag, export))


def _check_signature(bag: Bag, keys: _Keys, findings: Findings) -> None:
    check_signatures(bag, keys.export)
    findings.passed("export-signature", f"Ed25519 and SSHSIG by {thumbprint(keys.export)}")


def _check_name(bag: Bag, period: ExportPeriod) -> None:
    named, found = named_period(bag), (period.guild_id, period.period_index)
    if named != found:
        raise Fault("period", f"the period {named[1]} of guild {named[0]}", f"{found[1]} of {found[0]}")


def _check_log(bag: Bag, keys: _Keys, of_period: int, records: Mapping[int, bytes], findings: Findings) -> None:
    """The period's record (at ``of_period``) and every key record are in the log; ``records``: their hashes by position."""
    proven = {f"data/proofs/{position}.tlog-proof": position for position in records}
    there = {path for path in bag.files if path.startswith("data/proofs/")}
    if there != proven.keys():
        raise Fault("proofs", "a proof of each key record and of the period's", min(there ^ proven.keys()))
    leaves = {}
    for path, position in proven.items():
        try:
            index, hashes, note = read_proof_file(bag.small(path))
            _, size, root = open_checkpoint(note, keys.vkey)
            verify_inclusion(record_leaf_hash(records[position]), index, size, hashes, root)
        except RollcallError as error:
            raise Fault("proofs", f"{path}: a proof under {keys.vkey}", error.message) from None
        leaves[position] = index
        if position == of_period:
            if note != bag.small("data/checkpoint"):
                raise Fault("checkpoint", "data/checkpoint as in the proof of the period's record", "another")
            findings.passed("checkpoint", f"{keys.log_name}, {size} entries")
            findings.claims["leaf_index"] = str(index)
    order = [leaves[position] for position in sorted(leaves)]
    if order != sorted(set(order)):
        raise Fault("proofs", "leaves in the order of the chain", order)
    findings.passed("proofs", f"{len(proven)} records in the log")


def _claim(findings: Findings, period: ExportPeriod) -> None:
    findings.claims |= {
        "guild_id": period.guild_id,
        "period_index": str(period.period_index),
        "started_at_ms": str(period.started_at_ms),
        "ended_at_ms": str(period.ended_at_ms),
        "entry_count": str(period.entry_count),
    }


def _trust(keys: _Keys) -> list[Trust]:
    records = [Trust("record", kid, pinned=False) for kid in list(keys.records)[:_SHOWN_KEYS]]
    return [Trust("export", thumbprint(keys.export), pinned=False), *records, Trust("log", keys.vkey, pinned=False)]


def _pin(findings: Findings, keys: _Keys, period: ExportPeriod, pins: ExportPins) -> None:
    """Hold keys against those from elsewhere. Of record keys the one counts that signed the period: all else hangs on it."""
    try:
        records = [key for text in pins.keys for key in pinned_keys(text)]
        exports = [key for text in pins.export_keys for key in pinned_keys(text)]
        logs = [pin for text in pins.log_keys for pin in pinned_log_keys(text)]
    except ValueError as error:
        raise ConfigError(f"a key is none: {error}") from None
    signer = keys.records.get(period.kid)
    is_log_known = any(key == keys.log and name in (None, keys.log_name) for name, key in logs)
    for name, given, known, key in (
        ("pinned-export-key", exports, keys.export in exports, thumbprint(keys.export)),
        ("pinned-key", records, signer in records, period.kid),
        ("pinned-log-key", logs, is_log_known, keys.vkey),
    ):
        if given and known:
            findings.passed(name, f"{key} is among the {len(given)} given")
        elif given:
            findings.failed(name, f"one of the {len(given)} keys given", key)
    findings.trust = [
        one._replace(
            pinned=(one.role == "export" and keys.export in exports)
            or (one.role == "record" and keys.records[one.key] in records)
            or (one.role == "log" and is_log_known)
        )
        for one in findings.trust
    ]
