"""What the owner of a guild keeps in memory to write its journal: the counterpart of the stored stream."""

from __future__ import annotations

from dataclasses import dataclass, field

from attendance.domain.ids import ChannelId, GuildId, ShardId, UserId
from attendance.domain.observations import VoiceState
from attendance.domain.settings import GuildSettings
from attendance.domain.stream.batch import BlindRow


@dataclass(slots=True)
class GuildStream:
    """One guild's head of stream.

    Attributes:
        next_seq: journal position of the next line.
        last_at_ms: instant of the last line; the next is never earlier.
        blind: the open blind interval, or None while watching.
        in_sync: a snapshot was read in the present gateway session, so that its RESUMED vouches for this guild.
        replayed: who is in voice by a GUILD_CREATE read between a loss and RESUMED, kept up with the replays behind it.
        present: the bot is in the guild.
        parents: category of each channel, as the journal has it (only those that have one).
        opted_out: who is out, and who said so; None where that is not known, and then it counts as the member.
        rules: canonical JSON of the rules in force.
        rules_version: of `rules_version`; 0 before the first.
    """

    guild_id: GuildId
    shard_id: ShardId
    next_seq: int = 0
    last_at_ms: int = 0
    period_index: int = 0
    blind: BlindRow | None = None
    in_sync: bool = False
    replayed: dict[UserId, VoiceState] | None = None
    present: bool = True
    settings: GuildSettings = field(default_factory=GuildSettings)
    afk_channel_id: ChannelId | None = None
    parents: dict[ChannelId, ChannelId] = field(default_factory=dict)
    opted_out: dict[UserId, UserId | None] = field(default_factory=dict)
    rules: bytes = b""
    rules_version: int = 0

    def fall_out_of_sync(self) -> None:
        """Nothing that the present gateway session says vouches for the guild until it is snapshotted anew."""
        self.in_sync = False
        self.replayed = None
