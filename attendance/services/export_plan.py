"""What goes into the export of a period, and a digest of all that it depends on."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

from attendance.domain.ids import GuildId
from attendance.errors import ConflictError, NotFoundError
from attendance.ports.exporting import ExportSource, ExportStore, Redaction
from attendance.ports.signing import StoredRecord
from attendance.ports.transparency_log import DeploymentKey
from attendance.services.log_reading import PublicLog

KeyId = Callable[[], Awaitable[str]]
# Part of the digest: another form is another export.
_FORM = 1
_ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """The export of one period.

    Attributes:
        record: the period's record, with its bytes.
        members: what the record says.
        leaf_index: where the log has it.
        first: where the chain is exported from; every record up to the period's is in it.
        before: positions of key records before ``first``.
        after: positions, behind the period's, of redactions that are about what is exported, and of the keys that signed them.
        proven: positions whose inclusion in the log is proven: key records and the period's.
        origin: the log's name.
        log_key: what signs its checkpoints.
        digest: hexadecimal; equal digests, equal exports.
    """

    guild_id: GuildId
    period_index: int
    record: StoredRecord
    members: dict[str, object]
    leaf_index: int
    first: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    proven: tuple[int, ...]
    origin: str
    log_key: DeploymentKey
    digest: str

    @property
    def last(self) -> int:
        """Position of the period's record."""
        return self.record.guild_seq


async def plan_export(
    store: ExportStore, log: PublicLog, guild_id: GuildId, period_index: int, export_kid: KeyId
) -> ExportPlan:
    """Decide what is exported; a few small queries, however large the period. ``export_kid`` makes the key if there is none.

    Raises:
        NotFoundError: there is no such period.
        ConflictError: it cannot be exported yet, or no more; the message says why.
        UnavailableError: the database or the log's folder is away.
    """
    source = await store.source(guild_id, period_index)
    record, body, leaf_index = _exportable(source)
    origin, log_key = await store.log_origin(), await store.deployment_key("log")
    published = await log.published()
    if leaf_index is None or origin is None or log_key is None or published is None or published.size <= leaf_index:
        raise ConflictError("the period's record is not in the published log yet: try again in some seconds")
    kid = await export_kid()
    members = json.loads(body)
    first = members.get("first_guild_seq", record.guild_seq)
    redactions = [one for one in await store.redactions(guild_id) if _touches(one, first, record.guild_seq)]
    later = [one.guild_seq for one in redactions if one.guild_seq is not None and one.guild_seq > record.guild_seq]
    keys = await store.key_records(guild_id, max([record.guild_seq, *later]))
    depends = [
        _FORM,
        str(guild_id),
        period_index,
        record.sha256.hex(),
        leaf_index,
        origin,
        log_key.kid,
        kid,
        [one.mark.hex() for one in redactions],
        0 if source is None else source.anonymous_entries,
    ]
    return ExportPlan(
        guild_id=guild_id,
        period_index=period_index,
        record=record,
        members=members,
        leaf_index=leaf_index,
        first=first,
        before=tuple(seq for seq in keys if seq < first),
        after=tuple(sorted({*later, *(seq for seq in keys if seq > record.guild_seq)})),
        proven=tuple(sorted({*keys, record.guild_seq})),
        origin=origin,
        log_key=log_key,
        digest=sha256(json.dumps(depends).encode()).hexdigest(),
    )


def _exportable(source: ExportSource | None) -> tuple[StoredRecord, bytes, int | None]:
    if source is None:
        raise NotFoundError("there is no such period")
    if source.state == "running":
        raise ConflictError("the period is still running")
    if source.state != _ARCHIVED:
        raise ConflictError("the period is not archived yet: try again in some seconds")
    if source.record is None:
        raise ConflictError("the period's record waits for a signature: is the guild's key unlocked?")
    if source.record.record is None:
        raise ConflictError("the period's record was erased")
    return source.record, source.record.record, source.leaf_index


def _touches(redaction: Redaction, first: int, last: int) -> bool:
    """Whether a redaction is about a record from ``first`` to ``last``."""
    ranges = json.loads(redaction.body).get("redacts", [])
    return any(start <= last and end >= first for start, end in ranges)
