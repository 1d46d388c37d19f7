"""hikari's bot with watched shards, without its cache and its event objects."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import hikari
from hikari.impl import config

from attendance.discord.shard import WatchedShard
from attendance.discord.watch import ShardWatch
from attendance.domain.ids import ShardId
from attendance.ports.gateway import GatewaySession

INTENTS = hikari.Intents.GUILDS | hikari.Intents.GUILD_VOICE_STATES


class WatchedBot(hikari.GatewayBot):
    """A bot whose shards tell a watch of every frame. Overrides one private method of hikari 2.7, which is pinned exactly.

    Args:
        token: the bot's token.
        rest_url: Discord's REST address, None for its own.
        watches: one for every shard that will be started.
        handshake_seconds: how long a shard waits for HELLO and READY.
        sessions: of earlier processes, to be resumed. One that was identified with other intents is left alone.
    """

    def __init__(
        self,
        token: str,
        rest_url: str | None,
        watches: Mapping[ShardId, ShardWatch],
        *,
        handshake_seconds: float,
        sessions: Sequence[GatewaySession] = (),
    ) -> None:
        super().__init__(
            token,
            banner=None,
            logs=None,
            suppress_optimization_warning=True,
            auto_chunk_members=False,
            intents=INTENTS,
            rest_url=rest_url,
            cache_settings=config.CacheSettings(components=config.CacheComponents.NONE),
            http_settings=config.HTTPSettings(force_close_transports=False),
        )
        self._watches = watches
        self._handshake_seconds = handshake_seconds
        self._sessions = {session.shard_id: session for session in sessions if session.intents == int(INTENTS)}
        self.watched: dict[int, WatchedShard] = {}
        self.begun = asyncio.Event()

    async def _start_one_shard(
        self,
        *,
        activity: Any,
        afk: bool,
        idle_since: Any,
        status: hikari.Status,
        large_threshold: int,
        shard_id: int,
        shard_count: int,
        url: str,
    ) -> None:
        shard = WatchedShard(
            watch=self._watches[ShardId(shard_id)],
            handshake_seconds=self._handshake_seconds,
            session=self._sessions.get(ShardId(shard_id)),
            http_settings=self.http_settings,
            proxy_settings=self.proxy_settings,
            event_manager=self.event_manager,
            event_factory=self.event_factory,
            intents=self.intents,
            initial_activity=activity,
            initial_is_afk=afk,
            initial_idle_since=idle_since,
            initial_status=status,
            large_threshold=large_threshold,
            shard_id=shard_id,
            shard_count=shard_count,
            token=self._token,
            url=url,
        )
        self.watched[shard_id] = shard
        self.begun.set()
        await shard.start()
        self._shards[shard_id] = shard

    def leave(self) -> list[GatewaySession]:
        """See nothing more; the sessions that another process may resume. `close` does not end those."""
        left = [shard.leave() for shard in self.watched.values()]
        return [session for session in left if session is not None]

    def tick(self) -> None:
        """Let every shard look at the clocks."""
        for shard in self.watched.values():
            shard.tick()
