"""Plays a stream of changes onto the world at a chosen speed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from simulator.changes import Change, ChannelMade, ChannelMoved, ChannelRemoved, ChannelRenamed, GuildLeft, VoiceChange
from simulator.world import World, WorldError

_CHANGES_A_TURN = 500


class Player:
    """Applies changes in order. One that the edited world has no place for is skipped and counted.

    ``speed`` is seconds of the stream a real second; ``drained`` is awaited between chunks when there are no pauses.
    """

    def __init__(
        self, world: World, changes: Iterator[Change], *, speed: float, drained: Callable[[], Awaitable[None]]
    ) -> None:
        self._world = world
        self._changes = changes
        self._speed = speed
        self._drained = drained
        self._next: Change | None = next(changes, None)
        self._going = asyncio.Event()
        self._going.set()
        self.position_ms = 0
        self.applied = 0
        self.skipped = 0
        self.finished = asyncio.Event()

    def pause(self) -> None:
        """Stop after the present change."""
        self._going.clear()

    def unpause(self) -> None:
        """Go on from where it stopped."""
        self._going.set()

    def advance_to(self, offset_ms: int) -> int:
        """Apply everything up to an offset of the stream at once; return how many changes there were."""
        before = self.applied
        while self._next is not None and self._next.offset_ms <= offset_ms:
            self._apply_next()
        self.position_ms = max(self.position_ms, offset_ms)
        if self._next is None:
            self.finished.set()
        return self.applied - before

    async def play(self) -> None:
        """Play until the stream ends, keeping its pace; behaviour stands still while paused."""
        loop = asyncio.get_running_loop()
        last_s = loop.time()
        while self._next is not None:
            if not self._going.is_set():
                await self._going.wait()
                last_s = loop.time()
            due_in_s = (self._next.offset_ms - self.position_ms) / 1_000 / self._speed
            await asyncio.sleep(max(due_in_s, 0))
            now_s = loop.time()
            elapsed_ms = int((now_s - last_s) * 1_000 * self._speed)
            # The clock moves by whole milliseconds of behaviour; what is left over counts next time.
            last_s += elapsed_ms / 1_000 / self._speed
            if self._going.is_set():
                self.advance_to(self.position_ms + elapsed_ms)
        self.finished.set()

    async def play_at_once(self) -> None:
        """Play without pauses, as fast as the sockets take it."""
        while self._next is not None:
            await self._going.wait()
            for _ in range(_CHANGES_A_TURN):
                self._apply_next()
            await self._drained()
            await asyncio.sleep(0)
        self.finished.set()

    def _apply_next(self) -> None:
        change = self._next
        if change is None:
            return
        self._next = next(self._changes, None)
        self.position_ms = max(self.position_ms, change.offset_ms)
        try:
            apply_change(self._world, change)
            self.applied += 1
        except WorldError:
            self.skipped += 1


def apply_change(world: World, change: Change) -> None:
    """Let one change happen.

    Raises:
        WorldError: the world has no place for it.
    """
    match change:
        case VoiceChange():
            world.set_voice(
                change.guild_id,
                change.user_id,
                change.channel_id,
                self_mute=change.self_mute,
                mute=change.mute,
                self_deaf=change.self_deaf,
                deaf=change.deaf,
            )
        case ChannelMade():
            world.create_channel(change.guild_id, change.name, parent_id=change.parent_id, channel_id=change.channel_id)
        case ChannelMoved():
            world.update_channel(change.channel_id, parent_id=change.parent_id)
        case ChannelRenamed():
            world.update_channel(change.channel_id, name=change.name)
        case ChannelRemoved():
            world.delete_channel(change.channel_id)
        case GuildLeft():
            world.remove_bot(change.guild_id)
