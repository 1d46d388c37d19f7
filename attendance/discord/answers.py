"""Answers of a slow neighbour, kept for a moment and asked for once at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attendance.domain.ids import GuildId
from attendance.ports.clock import Clock

Answer = TypeVar("Answer")
Key = tuple[GuildId, int]
"""A guild, and a member of it (0 where the answer is about the guild)."""


class KeptAnswers(Generic[Answer]):
    """A bounded cache in which a question that is being asked is waited for, not asked again. Failures are not kept.

    Args:
        clock: monotonic time.
        kept_seconds: how long an answer is good.
        size: how many answers are kept; the oldest goes first.
    """

    def __init__(self, clock: Clock, *, kept_seconds: float, size: int) -> None:
        self._clock = clock
        self._kept_seconds = kept_seconds
        self._size = size
        self._answers: OrderedDict[Key, tuple[float, Answer]] = OrderedDict()
        self._questions: dict[Key, asyncio.Task[Answer]] = {}

    async def get(self, key: Key, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer that is kept or under way, else ask. Raises what ``ask`` raises, to everyone who waits."""
        kept = self._answers.get(key)
        if kept is not None and self._clock.monotonic() - kept[0] < self._kept_seconds:
            return kept[1]
        question = self._questions.get(key)
        if question is None:
            question = asyncio.create_task(self._ask(key, ask))
            question.add_done_callback(_see_exception)
            self._questions[key] = question
        # One who waits may be cancelled; the others still want the answer.
        return await asyncio.shield(question)

    async def _ask(self, key: Key, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        asked_at = self._clock.monotonic()
        try:
            answer = await ask()
        finally:
            still_wanted = self._questions.get(key) is asyncio.current_task()
            if still_wanted:
                del self._questions[key]
        if still_wanted:
            self._answers[key] = (asked_at, answer)
            self._answers.move_to_end(key)
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)
        return answer

    def forget(self, guild_id: GuildId) -> None:
        """Drop what is kept about a guild. What is being asked is answered to who waits already, and not kept."""
        for kept in [key for key in self._answers if key[0] == guild_id]:
            del self._answers[kept]
        for asked in [key for key in self._questions if key[0] == guild_id]:
            del self._questions[asked]

    async def close(self) -> None:
        """End what is being asked."""
        asked = list(self._questions.values())
        for question in asked:
            question.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


def _see_exception(question: asyncio.Task[Answer]) -> None:
    """Look at the failure of a question that nobody waits for any more, so that asyncio does not complain."""
    if not question.cancelled():
        question.exception()
