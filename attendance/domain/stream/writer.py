"""Appends lines to guild streams: positions, instants that never decrease, and period ends where they were due."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable
from dataclasses import replace

from attendance.domain.audit import SYSTEM, AuditEntry
from attendance.domain.ids import ChannelId, GuildId, ShardId, UserId
from attendance.domain.observations import BlindCause
from attendance.domain.schedule import next_reset
from attendance.domain.settings import GuildSettings, rules_of
from attendance.domain.stream import lines
from attendance.domain.stream.batch import BlindRow, JournalBatch, PeriodCut, RulesRow
from attendance.domain.stream.changes import rules_change
from attendance.domain.stream.guild_stream import GuildStream
from attendance.domain.stream.lines import Line


def canonical_rules(rules: dict[str, object]) -> bytes:
    """The canonical JSON that ``rules_sha256`` is over (records, section 2): no AFK member where there is none."""
    kept = {name: value for name, value in rules.items() if value is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class StreamWriter:
    """The streams of the guilds that this process owns, and the batch that is being written.

    Every method appends to ``batch``; `take_batch` hands it over. Nothing here waits or fails halfway.
    """

    def __init__(self, streams: Iterable[GuildStream] = ()) -> None:
        self.streams: dict[GuildId, GuildStream] = {stream.guild_id: stream for stream in streams}
        self.batch = JournalBatch()
        self._due: list[tuple[int, GuildId]] = []
        for stream in self.streams.values():
            self._note_due(stream)

    def take_batch(self) -> JournalBatch:
        """What was written since the last call."""
        batch, self.batch = self.batch, JournalBatch()
        return batch

    def alive(self, shard_id: ShardId, at_ms: int) -> None:
        """A sign of life, durable with the batch."""
        if at_ms > self.batch.alive.get(shard_id, 0):
            self.batch.alive[shard_id] = at_ms

    def append(self, stream: GuildStream, at_ms: int, kind: str, text: bytes, user_id: UserId | None = None) -> None:
        """Put one line whose text was made for exactly ``at_ms`` (see `instant`)."""
        self.batch.lines.append(Line(stream.guild_id, stream.next_seq, at_ms, user_id, kind, text))
        stream.next_seq += 1
        stream.last_at_ms = at_ms

    def instant(self, stream: GuildStream, at_ms: int) -> int:
        """The instant of a line observed at ``at_ms``, after any period end that must stand before it."""
        due = stream.settings.next_reset_at_ms
        if due is not None and due <= at_ms:
            self.cut_period(stream, due, at_ms, "schedule")
        return max(at_ms, stream.last_at_ms)

    def plain(self, stream: GuildStream, at_ms: int, kind: str) -> int:
        """Put a line without members; returns its instant."""
        at_ms = self.instant(stream, at_ms)
        self.append(stream, at_ms, kind, lines.plain_text(at_ms, kind, stream.guild_id))
        return at_ms

    # -- blind intervals ---------------------------------------------------------------------------------------------

    def begin_blind(self, stream: GuildStream, alive_at_ms: int, cause: BlindCause) -> None:
        """The guild is not seen since ``alive_at_ms``, though never before a line that stands already.

        While it is blind already nothing is written: a second ``blind`` would make the engine forget the replays that a
        resumed session does not send again, and RESUMED would then vouch for time that was never applied.
        """
        if stream.blind is not None:
            return
        at_ms = self.plain(stream, alive_at_ms, "blind")
        self._set_blind(stream, BlindRow(stream.guild_id, stream.next_seq - 1, at_ms, None, cause.value, None))

    def restart_blind(self, stream: GuildStream, alive_at_ms: int) -> None:
        """This process has just become the owner: nothing was seen since the last durable sign of life.

        Replays that an earlier process kept are forgotten: its session is over. (One that is left to be resumed has none.)
        """
        was = stream.blind
        at_ms = self.plain(stream, alive_at_ms, "blind")
        stream.fall_out_of_sync()
        if was is None:
            row = BlindRow(stream.guild_id, stream.next_seq - 1, at_ms, None, BlindCause.RESTART.value, None)
            self._set_blind(stream, row)

    def end_blind(self, stream: GuildStream, at_ms: int, ended_by: str) -> None:
        """Note that the interval ended with the line that was just put."""
        if stream.blind is not None:
            row = stream.blind._replace(ended_at_ms=at_ms, ended_by=ended_by)
            self.batch.blind[row.guild_id, row.seq] = row
            stream.blind = None

    def _set_blind(self, stream: GuildStream, row: BlindRow) -> None:
        stream.blind = row
        self.batch.blind[row.guild_id, row.seq] = row

    # -- settings and rules ------------------------------------------------------------------------------------------

    def change_settings(self, stream: GuildStream, settings: GuildSettings, at_ms: int, actor_id: UserId | None) -> None:
        """Adopt settings; a ``rules`` line follows if the accounting rules differ from those in force."""
        stream.settings = settings
        self.batch.settings[stream.guild_id] = settings
        self._note_due(stream)
        self.refresh_rules(stream, at_ms, actor_id)

    def refresh_rules(self, stream: GuildStream, at_ms: int, actor_id: UserId | None) -> None:
        """Put a ``rules`` line if settings and AFK channel now give other rules than the journal has."""
        rules = rules_of(stream.settings, stream.afk_channel_id)
        canonical = canonical_rules(rules)
        if canonical == stream.rules and stream.rules_version > 0:
            return
        at_ms = self.instant(stream, at_ms)
        self.append(stream, at_ms, "rules", lines.rules_text(at_ms, stream.guild_id, rules))
        if actor_id is None and stream.rules_version > 0:
            self._audit_rules(stream, at_ms, canonical)
        stream.rules = canonical
        stream.rules_version += 1
        digest = hashlib.sha256(canonical).digest()
        self.batch.rules.append(RulesRow(stream.guild_id, stream.rules_version, at_ms, digest, canonical, actor_id))

    def _audit_rules(self, stream: GuildStream, at_ms: int, canonical: bytes) -> None:
        """Nobody asked for it: the guild's AFK channel is another one."""
        change = rules_change(json.loads(stream.rules), json.loads(canonical))
        entry = AuditEntry(
            guild_id=stream.guild_id,
            at_ms=at_ms,
            actor=SYSTEM,
            action=change.action,
            before=change.before,
            after=change.after,
        )
        self.batch.audits.append(entry)

    def set_parent(self, stream: GuildStream, at_ms: int, channel_id: ChannelId, parent_id: ChannelId | None) -> None:
        """Put a ``channel`` line if the channel's category differs from what the journal has."""
        if stream.parents.get(channel_id) == parent_id:
            return
        at_ms = self.instant(stream, at_ms)
        self.append(stream, at_ms, "channel", lines.channel_text(at_ms, stream.guild_id, channel_id, parent_id))
        if parent_id is None:
            del stream.parents[channel_id]
        else:
            stream.parents[channel_id] = parent_id

    # -- periods -----------------------------------------------------------------------------------------------------

    def cut_period(self, stream: GuildStream, at_ms: int, now_ms: int, reason: str) -> PeriodCut:
        """End the running period at ``at_ms``; the next boundary is reckoned from ``now_ms``."""
        at_ms = max(at_ms, stream.last_at_ms)
        # The boundary moves on before the line is put: a cut must not find itself due again.
        following = next_reset(stream.settings.schedule, max(now_ms, at_ms), at_ms)
        stream.settings = replace(stream.settings, last_reset_at_ms=at_ms, next_reset_at_ms=following)
        self.batch.settings[stream.guild_id] = stream.settings
        self._note_due(stream)
        self.append(stream, at_ms, "period_end", lines.plain_text(at_ms, "period_end", stream.guild_id))
        cut = PeriodCut(stream.guild_id, stream.period_index, at_ms, reason)
        self.batch.cuts.append(cut)
        stream.period_index += 1
        return cut

    def cut_due_periods(self, now_ms: int, alive_ms: dict[ShardId, int]) -> None:
        """Put the period ends that are due in guilds where nothing happens.

        A watched guild waits for a sign of life from the boundary or later; a blind one is cut when the clock says so.
        """
        waiting = []
        while self._due and self._due[0][0] <= now_ms:
            due, guild_id = heapq.heappop(self._due)
            stream = self.streams.get(guild_id)
            if stream is None or stream.settings.next_reset_at_ms != due or not stream.present:
                continue  # an older boundary of the guild, or a guild that is gone
            if stream.blind is not None or alive_ms.get(stream.shard_id, 0) >= due:
                self.cut_period(stream, due, now_ms, "schedule")
            else:
                waiting.append((due, guild_id))
        for entry in waiting:
            heapq.heappush(self._due, entry)

    def _note_due(self, stream: GuildStream) -> None:
        due = stream.settings.next_reset_at_ms
        if due is not None:
            heapq.heappush(self._due, (due, stream.guild_id))
