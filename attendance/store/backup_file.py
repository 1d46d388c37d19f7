r"""The file form of a backup: a ZIP archive that does not say which database it came from.

```text
manifest.json             what is in it: see `Manifest`
tables/<name>.jsonl       one row a line, ascending by primary key: a JSON array, its cells in the manifest's order of columns
master.key                the deployment's master key, only where it was asked for
```

Integers, booleans and texts are JSON's own, bytes are base64, UUIDs their usual text. A table's digest is over its
uncompressed lines. The manifest is written last, so a backup that was cut short has none.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Annotated, Any, Literal, Self
from uuid import UUID

import msgspec

from attendance.errors import ConfigError, InvalidInputError

FORMAT_VERSION = 1
ROWS_A_STEP = 2_000
_MANIFEST = "manifest.json"
_MASTER_KEY = "master.key"
_LONGEST_MANIFEST = 1_000_000
_LONGEST_KEY = 1_024

Kind = Literal["int", "bool", "text", "bytes", "uuid"]
_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_CELLS: dict[Kind, Any] = {"int": _Int64, "bool": bool, "text": str, "bytes": bytes, "uuid": UUID}
# What zipfile raises for bytes that are no archive, are damaged, encrypted or packed in a way we never use.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError, struct.error, ValueError)


class ColumnManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column, and what its cells are; any of them may be null."""

    name: str
    kind: Kind


class TableManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table as it was. ``sha256`` is in hex; ``last_id`` is the highest id the database itself ever gave, if it gives any."""

    name: str
    columns: tuple[ColumnManifest, ...]
    rows: int
    sha256: str
    last_id: int | None = None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup holds. ``tables`` stand in the order in which they can be filled."""

    format_version: int
    revision: str
    software: str
    created_at_ms: int
    source: str
    has_master_key: bool
    tables: tuple[TableManifest, ...]


class BackupWriter:
    """Writes a backup beside its final place; it appears there, complete, when the block ends without an error."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._unfinished = target.with_name(f".{target.name}.unfinished")
        self._zip: zipfile.ZipFile

    def __enter__(self) -> Self:
        with self._disk():
            if self._target.exists():
                raise ConfigError(f"{self._target} exists: a backup is never overwritten")
            self._unfinished.unlink(missing_ok=True)
            os.close(os.open(self._unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # it holds wrapped keys
            self._zip = zipfile.ZipFile(self._unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        return self

    @contextmanager
    def table(self, name: str) -> Iterator[TableWriter]:
        """Write one table."""
        with self._disk(), self._zip.open(f"tables/{name}.jsonl", "w", force_zip64=True) as file:
            yield TableWriter(file)

    def finish(self, manifest: Manifest, master_key: bytes | None) -> None:
        """Write what stands at the end."""
        with self._disk():
            if master_key is not None:
                self._zip.writestr(_MASTER_KEY, master_key)
            self._zip.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            with self._disk():
                self._zip.close()
                if error is None:
                    with self._unfinished.open("rb") as file:
                        os.fsync(file.fileno())
                    self._unfinished.replace(self._target)
        finally:
            self._unfinished.unlink(missing_ok=True)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        # An OSError that passed through a transaction would be taken for the database's.
        try:
            yield
        except OSError as error:
            raise ConfigError(f"the backup cannot be written to {self._target}: {error.strerror or error}") from error


class TableWriter:
    """Takes rows, and tells how many there were and their digest."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._encoder = msgspec.json.Encoder()
        self.rows = 0

    @property
    def sha256(self) -> str:
        """Of everything written so far, in hex."""
        return self._digest.hexdigest()

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append some rows."""
        lines = self._encoder.encode_lines(rows)
        self._digest.update(lines)
        self._file.write(lines)
        self.rows += len(rows)


class BackupReader:
    """Reads a backup. Whatever is wrong with it is an InvalidInputError; a file that cannot be read is a ConfigError."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._zip: zipfile.ZipFile
        self.manifest: Manifest

    def __enter__(self) -> Self:
        with self._readable():
            self._zip = zipfile.ZipFile(self._source)
        try:
            with self._readable():
                manifest = msgspec.json.decode(self._member(_MANIFEST, _LONGEST_MANIFEST))
                self.manifest = _manifest(manifest)
        except BaseException:
            self._zip.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._zip.close()

    def master_key(self) -> bytes | None:
        """The master key's file, byte for byte; None where it was not asked for."""
        if not self.manifest.has_master_key:
            return None
        with self._readable():
            return self._member(_MASTER_KEY, _LONGEST_KEY)

    def rows(self, table: TableManifest) -> Iterator[list[tuple[Any, ...]]]:
        """A table's rows, some at a time. The digest is checked at the end: do not commit before."""
        decoder = msgspec.json.Decoder(_row_type(table))
        digest, count = hashlib.sha256(), 0
        with self._readable(), self._zip.open(f"tables/{table.name}.jsonl") as file:
            while text := b"".join(islice(file, ROWS_A_STEP)):
                digest.update(text)
                rows = decoder.decode_lines(text)
                count += len(rows)
                yield rows
        if (digest.hexdigest(), count) != (table.sha256, table.rows):
            raise InvalidInputError(f"the backup is damaged: table {table.name} has not the digest that the manifest says")

    def _member(self, name: str, longest: int) -> bytes:
        with self._zip.open(name) as file:
            content = file.read(longest + 1)
        if len(content) > longest:
            raise InvalidInputError(f"the backup is damaged: {name} is too long")
        return content

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(f"the backup {self._source} cannot be read: {error.strerror or error}") from error
        except _DAMAGE as error:
            raise InvalidInputError(f"{self._source} is no backup, or it is damaged ({error})") from error


def _manifest(content: Any) -> Manifest:
    # The version first: what a later one has further is not for us to judge.
    version = content.get("format_version") if isinstance(content, dict) else None
    if version != FORMAT_VERSION:
        raise InvalidInputError(f"the backup has format {version}, this version reads {FORMAT_VERSION}")
    return msgspec.convert(content, type=Manifest)


def _row_type(table: TableManifest) -> Any:
    cells = tuple(_CELLS[column.kind] | None for column in table.columns)
    return tuple[cells]  # type: ignore[valid-type]  # as many as there are columns
