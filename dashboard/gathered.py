"""Questions that are asked at the same time, answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

MOST_TOGETHER = 500  # questions in one answer: well below what a statement may have of parameters

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(slots=True, eq=False)
class Gathered(Generic[Q, A]):
    """Asks for one, or for as many as wait by then, so that a crowd costs a few queries and takes one connection.

    A question waits for the answer that is under way and is part of the next one: no answer was begun before its question, so
    nobody is told what was true before they asked.
    """

    answer_all: Callable[[Sequence[Q]], Awaitable[Mapping[Q, A]]]
    _waiting: dict[Q, asyncio.Future[A | None]] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A | None:
        """The answer; None where there is none. Raises what ``answer_all`` raises."""
        future = self._waiting.get(question)
        if future is None:
            future = self._waiting[question] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_note_error)
        if self._task is None:
            self._task = asyncio.create_task(self._answer_waiting(), name="gathered questions")
        return await asyncio.shield(future)  # who goes away takes the answer from nobody

    async def _answer_waiting(self) -> None:
        try:
            while self._waiting:
                together = dict(islice(self._waiting.items(), MOST_TOGETHER))
                for question in together:
                    del self._waiting[question]
                await self._answer(together)
        finally:
            self._task = None

    async def _answer(self, together: Mapping[Q, asyncio.Future[A | None]]) -> None:
        try:
            answers = await self.answer_all(list(together))
        except Exception as error:  # noqa: BLE001  # it is raised again, to each who asked
            for future in together.values():
                future.set_exception(error)
        else:
            for question, future in together.items():
                future.set_result(answers.get(question))


def _note_error(future: asyncio.Future[A | None]) -> None:
    """Whoever asked has it, or has gone."""
    if not future.cancelled():
        future.exception()
