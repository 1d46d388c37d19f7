"""``verify``: check receipts, period exports and proof files with no server, no database and no network."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from attendance.cli.app import app
from attendance.cli.bags.verifying import ExportPins, verify_archive, verify_folder
from attendance.cli.verification_words import written
from attendance.core import FileReport, verify_proof_file, verify_receipt
from attendance.domain.receipts import MAX_BYTES
from attendance.errors import ConfigError, InvalidInputError

# A file beyond this is refused by its size; the verifier says how much it takes.
_READ_BYTES = MAX_BYTES + 1
_GZIP = b"\x1f\x8b"
_PROOF = b"c2sp.org/tlog-proof@"
_EXIT_CODES = {"valid": 0, "invalid": 1, "unusable": 2}


class Pins(NamedTuple):
    """Keys from elsewhere, and the record of a proof file."""

    keys: list[bytes]
    log_keys: list[bytes]
    record: bytes | None = None
    export_keys: tuple[bytes, ...] = ()


@app.command()
def verify(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Receipts, period exports and `.tlog-proof` files.")],
    *,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="A guild's key from elsewhere: PEM, JWK, JWK set or base64url, as a file or as text."),
    ] = None,
    log_key: Annotated[
        list[str] | None,
        typer.Option("--log-key", help="The log's key from elsewhere: a verifier key (name+id+key), or a form of --key."),
    ] = None,
    export_key: Annotated[
        list[str] | None,
        typer.Option("--export-key", help="The deployment's key of exports from elsewhere, in a form of --key."),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", help="The record that a `.tlog-proof` is about: exactly the bytes that were signed."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file, for machines.")] = False,
) -> None:
    """Check receipts, exports and proofs with no server, no database and no network, and say on whose keys that rests.

    Exit code 0: all are valid; 1: one is invalid; 2: one is no such file, or what is needed to judge it is missing.
    """
    exports = tuple(_key(text) for text in export_key or ())
    pins = Pins([_key(text) for text in key or ()], [_key(text) for text in log_key or ()], _record(record), exports)
    reports = [(path, verify_file(path, pins)) for path in paths]
    for path, report in reports:
        sys.stdout.write(_as_json(path, report) if as_json else written(str(path), report))
    worst = max(_EXIT_CODES[report.verdict] for _, report in reports)
    invalid = any(report.verdict == "invalid" for _, report in reports)
    raise typer.Exit(1 if invalid else worst)


def verify_file(path: Path, pins: Pins) -> FileReport:
    """Verify one file, or an export's folder, whatever it is.

    Raises:
        ConfigError: One of the pinned keys is none.
    """
    of_export = ExportPins(pins.keys, pins.log_keys, pins.export_keys)
    try:
        if path.is_dir():
            return verify_folder(path, of_export)
        data = _read(path)
        if data.startswith(_GZIP):
            with path.open("rb") as file:
                return verify_archive(file, of_export)
    except OSError as error:
        return FileReport("unknown", "unusable", f"it cannot be read: {error.strerror}", [], {}, [])
    return verify_bytes(data, pins)


def verify_bytes(data: bytes, pins: Pins) -> FileReport:
    """Verify a file's bytes: by how they begin, a proof file or a receipt.

    Raises:
        ConfigError: One of the pinned keys is none.
    """
    try:
        if data.startswith(_PROOF):
            return verify_proof_file(data, pins.record, pins.log_keys)
        return verify_receipt(data, pins.keys, pins.log_keys)
    except InvalidInputError as error:
        raise ConfigError(error.message) from None


def _read(path: Path) -> bytes:
    # Opened without waiting, so that a pipe nobody writes to cannot hold us; never more than is needed to refuse it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
        return file.read(_READ_BYTES)


def _record(path: Path | None) -> bytes | None:
    try:
        return None if path is None else _read(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def _key(text: str) -> bytes:
    """A key given as text, or as the name of a file that holds it."""
    try:
        return _read(Path(text))
    except (OSError, ValueError):  # a key's text is no file's name, and may be too long for one
        return text.encode(errors="replace")


def _as_json(path: Path, report: FileReport) -> str:
    told: dict[str, Any] = {
        "path": str(path),
        **report._asdict(),
        "checks": [check._asdict() for check in report.checks],
        "trust": [one._asdict() for one in report.trust],
    }
    return json.dumps(told, ensure_ascii=True) + "\n"
