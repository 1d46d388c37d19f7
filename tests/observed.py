"""Observations as a gateway might make them, from a seed: everything that can happen, often at one instant."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from attendance.domain.ids import ChannelId, GuildId, ShardId, UserId
from attendance.domain.observations import (
    BlindCause,
    ChannelDeleted,
    ChannelFacts,
    ChannelKind,
    ChannelSeen,
    GuildChanged,
    GuildFacts,
    GuildLeft,
    GuildSeen,
    GuildUnavailable,
    Observation,
    PayloadUnreadable,
    ShardAlive,
    ShardLost,
    ShardReady,
    ShardResumed,
    VoiceState,
    VoiceStateSeen,
)

SHARD = ShardId(0)
GUILDS = [GuildId((number + 1) << 22) for number in range(4)]
CHANNELS = [ChannelId(50 + number) for number in range(4)]
CATEGORY = ChannelId(90)
USERS = [UserId(700 + number) for number in range(7)]


class ScriptedDiscord:
    """Makes observations; keeps just enough state to be believable (a lost shard resumes or becomes ready before more)."""

    def __init__(self, seed: int, at_ms: int) -> None:
        self.random = Random(seed)
        self.at_ms = at_ms
        self.lost = True

    def connect(self) -> Iterator[Observation]:
        """A new gateway session: READY, then every guild."""
        self.lost = False
        yield ShardReady(self.at_ms, SHARD, frozenset(GUILDS))
        for guild_id in GUILDS:
            yield self.guild(guild_id)

    def step(self) -> Iterator[Observation]:
        """The next thing that happens."""
        self.at_ms += self.random.choice([0, 0, 1, 5, 400, 20_000, 300_000])
        if self.lost:
            yield from self._while_lost()
            return
        kind = self.random.random()
        if kind < 0.78:
            yield self.voice_state()
        elif kind < 0.82:
            yield ShardAlive(self.at_ms, SHARD)
        elif kind < 0.88:
            self.lost = True
            yield ShardLost(self.at_ms, SHARD, self.at_ms - self.random.choice([0, 1, 30_000]), BlindCause.DISCONNECTED)
        else:
            yield from self._rare()

    def _while_lost(self) -> Iterator[Observation]:
        for _ in range(self.random.choice([0, 0, 1, 3])):
            yield self.voice_state()
        if self.random.random() < 0.5:
            self.lost = False
            yield ShardResumed(self.at_ms, SHARD)
        else:
            yield from self.connect()

    def _rare(self) -> Iterator[Observation]:
        guild_id = self.random.choice(GUILDS)
        parent = self.random.choice([None, CATEGORY])
        channel = ChannelFacts(self.random.choice(CHANNELS), "talk", ChannelKind.VOICE, parent, 0)
        alive_ms = self.at_ms - 1_000
        yield self.random.choice(
            [
                self.guild(guild_id),
                ChannelSeen(self.at_ms, SHARD, guild_id, channel),
                ChannelDeleted(self.at_ms, SHARD, guild_id, channel.channel_id),
                GuildChanged(self.at_ms, SHARD, self.facts(guild_id)),
                GuildUnavailable(self.at_ms, SHARD, guild_id, alive_ms),
                GuildLeft(self.at_ms, SHARD, guild_id),
                PayloadUnreadable(self.at_ms, SHARD, guild_id, alive_ms, 7),
            ]
        )

    def facts(self, guild_id: GuildId) -> GuildFacts:
        return GuildFacts(guild_id, f"guild {guild_id}", UserId(1), self.random.choice([None, CHANNELS[3]]))

    def guild(self, guild_id: GuildId) -> GuildSeen:
        channels = tuple(
            ChannelFacts(channel_id, f"channel {channel_id}", ChannelKind.VOICE, self.random.choice([None, CATEGORY]), 0)
            for channel_id in CHANNELS
        )
        inside = self.random.sample(USERS, self.random.randrange(len(USERS)))
        states = tuple(self.state(user_id, self.random.choice(CHANNELS)) for user_id in inside)
        return GuildSeen(self.at_ms, SHARD, self.facts(guild_id), channels, states)

    def voice_state(self) -> VoiceStateSeen:
        state = self.state(self.random.choice(USERS), self.random.choice([None, *CHANNELS]))
        return VoiceStateSeen(self.at_ms, SHARD, self.random.choice(GUILDS), state)

    def state(self, user_id: UserId, channel_id: ChannelId | None) -> VoiceState:
        flags = [self.random.random() < 0.2 for _ in range(4)]
        return VoiceState(user_id, channel_id, *flags, bot=user_id == USERS[0], display_name=f"user {user_id}")
