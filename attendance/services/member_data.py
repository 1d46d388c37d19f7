"""Everything that is held of a member, as one JSON object: what the data protection laws call a copy.

Ids are decimal texts, instants RFC 3339 (``joined_at_ms`` is told as ``joined_at``), lengths of time milliseconds as recorded,
records the very texts that were signed.
"""

from __future__ import annotations

import tempfile
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Any
from uuid import UUID

import msgspec

from attendance.domain.ids import GuildId, UserId
from attendance.domain.instants import to_rfc3339
from attendance.ports.clock import Clock
from attendance.ports.member_data import MemberDataSource, Row

_IN_MEMORY = 4 * 2**20
_CHUNK = 256 * 1024
_TEXTS = frozenset({"body", "line"})  # bytes that are the very text
_INSTANTS = frozenset({"at_ms", "since_ms"})


@dataclass(frozen=True, slots=True)
class MemberData:
    """Tells members what is held of them."""

    source: MemberDataSource
    clock: Clock

    async def copy(self, guild_id: GuildId, user_id: UserId) -> IO[bytes]:
        """The whole of it, written down before anybody reads: a slow reader holds no transaction open.

        The caller closes the file, which has no name and is gone then.

        Raises:
            UnavailableError: the database is away.
        """
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # the caller closes it
        try:
            async for piece in self._pieces(guild_id, user_id):
                file.write(piece)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    async def _pieces(self, guild_id: GuildId, user_id: UserId) -> AsyncIterator[bytes]:
        encode = msgspec.json.Encoder().encode
        async with self.source.view() as view:
            head: dict[str, Any] = {"guild_id": str(guild_id), "user_id": str(user_id)}
            head["as_of"] = to_rfc3339(self.clock.now_ms())
            head |= await view.person(guild_id, user_id) or {"display_name": None, "bot": None}
            yield encode(head)[:-1]
            async for name, rows in view.sections(guild_id, user_id):
                yield b',"%b":[' % name.encode()
                between = b""
                async for row in rows:
                    yield between + encode(told_row(row))
                    between = b","
                yield b"]"
            yield b"}"


def chunks_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    """The file's bytes, which is closed behind the last of them."""

    async def chunks() -> AsyncIterator[bytes]:
        with file:
            while piece := file.read(_CHUNK):
                yield piece

    return chunks()


def told_row(row: Row) -> dict[str, Any]:
    """A row as it is told."""
    return dict(_told(name, value) for name, value in row.items())


def _told(name: str, value: Any) -> tuple[str, Any]:  # noqa: PLR0911  # one table, one line each
    match value:
        case int() if name.endswith("_at_ms") or name in _INSTANTS:
            return name.removesuffix("_ms"), to_rfc3339(value)
        case None if name.endswith("_at_ms") or name in _INSTANTS:
            return name.removesuffix("_ms"), None
        case int() if name.endswith(("_id", "_by")) and not isinstance(value, bool):
            return name, str(value)
        case UUID():
            return name, str(value)
        case bytes() if name == "timeline":
            return name, msgspec.Raw(value)
        case bytes() if name in _TEXTS:
            return "record" if name == "body" else name, value.decode()
        case bytes():
            return name, urlsafe_b64encode(value).rstrip(b"=").decode()
        case _:
            return name, value
