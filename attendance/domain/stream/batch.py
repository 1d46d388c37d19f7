"""What one journal commit writes: the lines, and the rows that follow from them at once.

Keyed by primary key where a row may change more than once in a batch, so that the last holds and no row is written twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from attendance.domain.audit import AuditEntry
from attendance.domain.ids import ChannelId, GuildId, ShardId, UserId
from attendance.domain.observations import ChannelFacts, GuildFacts
from attendance.domain.settings import GuildSettings
from attendance.domain.stream.lines import Line


class BlindRow(NamedTuple):
    """A blind interval, known by the journal position of its first ``blind`` line."""

    guild_id: GuildId
    seq: int
    started_at_ms: int
    ended_at_ms: int | None
    cause: str
    ended_by: str | None


class RulesRow(NamedTuple):
    """A version of a guild's rules. ``rules`` is canonical JSON; no actor: the gateway or the default."""

    guild_id: GuildId
    version: int
    from_ms: int
    rules_sha256: bytes
    rules: bytes
    actor_id: UserId | None


class OptOutRow(NamedTuple):
    """That a member is out, and who said so. Without an instant they were out already: only who says so is new."""

    since_ms: int | None
    actor_id: UserId | None


class PeriodCut(NamedTuple):
    """The end of a period and the start of the next."""

    guild_id: GuildId
    period_index: int
    at_ms: int
    reason: str


@dataclass(slots=True)
class JournalBatch:
    """One group commit. ``alive`` holds signs of life for each shard: they become durable with the batch."""

    lines: list[Line] = field(default_factory=list)
    alive: dict[ShardId, int] = field(default_factory=dict)
    new_guilds: dict[GuildId, int] = field(default_factory=dict)  # first seen at
    guilds: dict[GuildId, GuildFacts] = field(default_factory=dict)
    left: dict[GuildId, int | None] = field(default_factory=dict)  # None: back again
    channels: dict[tuple[GuildId, ChannelId], ChannelFacts] = field(default_factory=dict)
    complete_channels: dict[GuildId, set[ChannelId]] = field(default_factory=dict)  # all that the guild has; others are gone
    deleted_channels: dict[tuple[GuildId, ChannelId], None] = field(default_factory=dict)
    members: dict[tuple[GuildId, UserId], tuple[str, bool]] = field(default_factory=dict)
    blind: dict[tuple[GuildId, int], BlindRow] = field(default_factory=dict)
    settings: dict[GuildId, GuildSettings] = field(default_factory=dict)
    rules: list[RulesRow] = field(default_factory=list)
    opt_outs: dict[tuple[GuildId, UserId], OptOutRow | None] = field(default_factory=dict)  # None: in again
    cuts: list[PeriodCut] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)  # command id, result JSON
    forgotten: set[GuildId] = field(default_factory=set)  # everything of theirs is deleted, after all other rows
    audits: list[AuditEntry] = field(default_factory=list)  # what the commands changed
    permissions_changed: set[GuildId] = field(default_factory=set)  # not stored: told after the commit

    def guild_ids(self) -> set[GuildId]:
        """Every guild that a row is about; answers to commands that changed nothing are about none."""
        ids = (
            {line.guild_id for line in self.lines} | {row.guild_id for row in self.rules} | {cut.guild_id for cut in self.cuts}
        )
        for by_guild in (self.new_guilds, self.guilds, self.left, self.complete_channels, self.settings):
            ids |= by_guild.keys()
        for keyed in (self.channels, self.deleted_channels, self.members, self.blind, self.opt_outs):
            ids |= {key[0] for key in keyed}
        return ids

    @property
    def has_rows(self) -> bool:
        """Whether there is anything to store but signs of life (those are renewed with the leases anyway)."""
        return any(getattr(self, name) for name in self.__slots__ if name not in ("alive", "permissions_changed"))
