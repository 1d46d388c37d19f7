"""Questions that are asked at the same time are answered together, and none by an answer from before it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from attendance.errors import UnavailableError
from dashboard.gathered import MOST_TOGETHER, Gathered


class Told:
    """Answers when it is let, with what is true then."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.truth = {"a": 1, "b": 2}
        self.let = asyncio.Event()
        self.let.set()
        self.began = asyncio.Event()

    async def answer(self, questions: Sequence[str]) -> Mapping[str, int]:
        self.asked.append(list(questions))
        answers = {one: self.truth[one] for one in questions if one in self.truth}
        self.began.set()
        await self.let.wait()
        return answers


async def test_who_asks_at_once_is_answered_at_once():
    told = Told()
    gathered = Gathered(told.answer)
    assert await asyncio.gather(*(gathered.ask(one) for one in ("a", "b", "a", "c"))) == [1, 2, 1, None]
    assert told.asked == [["a", "b", "c"]]


async def test_a_question_that_comes_later_is_not_told_what_was_true_before_it():
    told = Told()
    gathered = Gathered(told.answer)
    told.let.clear()
    first = asyncio.create_task(gathered.ask("a"))
    await told.began.wait()
    told.truth["a"] = 7
    second = asyncio.create_task(gathered.ask("a"))
    told.let.set()
    assert (await first, await second) == (1, 7)


async def test_more_than_fit_are_answered_in_turn():
    told = Told()
    gathered = Gathered(told.answer)
    await asyncio.gather(*(gathered.ask(str(number)) for number in range(MOST_TOGETHER + 1)))
    assert [len(together) for together in told.asked] == [MOST_TOGETHER, 1]


async def test_an_error_reaches_each_who_asked_and_the_next_question_is_asked_anew():
    told = Told()

    async def away(_questions: Sequence[str]) -> Mapping[str, int]:
        raise UnavailableError("away")

    gathered = Gathered(away)
    outcomes = await asyncio.gather(gathered.ask("a"), gathered.ask("b"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UnavailableError, UnavailableError]
    gathered.answer_all = told.answer
    assert await gathered.ask("a") == 1


async def test_who_goes_away_takes_the_answer_from_nobody():
    told = Told()
    gathered = Gathered(told.answer)
    told.let.clear()
    leaves, stays = asyncio.create_task(gathered.ask("a")), asyncio.create_task(gathered.ask("a"))
    await told.began.wait()
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    told.let.set()
    assert await stays == 1
