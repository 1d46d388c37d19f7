"""Answers are kept for a moment, asked for once at a time, and never kept after they were told to be forgotten."""

from __future__ import annotations

import asyncio

import pytest

from attendance.clock import FixedClock
from attendance.discord.answers import KeptAnswers
from attendance.domain.ids import GuildId
from attendance.errors import UnavailableError

KEY = (GuildId(1), 7)


class Neighbour:
    """Answers when told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.away = False

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        if self.away:
            raise UnavailableError("away")
        return number


def kept(clock: FixedClock, size: int = 10) -> KeptAnswers[int]:
    return KeptAnswers(clock, kept_seconds=30.0, size=size)


async def test_an_answer_is_good_for_its_time_and_no_longer() -> None:
    clock, ask = FixedClock(), Neighbour()
    answers = kept(clock)
    assert await answers.get(KEY, ask) == 1
    clock.advance(29_999)
    assert await answers.get(KEY, ask) == 1
    clock.advance(1)
    assert await answers.get(KEY, ask) == 2


async def test_many_who_ask_at_once_share_one_question() -> None:
    answers, ask = kept(FixedClock()), Neighbour()
    ask.may_answer.clear()
    waiting = [asyncio.create_task(answers.get(KEY, ask)) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    ask.may_answer.set()
    assert await asyncio.gather(*waiting[1:]) == [1] * 49
    assert ask.asked == 1


async def test_a_failure_reaches_everyone_who_waits_and_is_not_kept() -> None:
    answers, ask = kept(FixedClock()), Neighbour()
    ask.away = True
    results = await asyncio.gather(answers.get(KEY, ask), answers.get(KEY, ask), return_exceptions=True)
    assert [type(result) for result in results] == [UnavailableError, UnavailableError]
    ask.away = False
    assert await answers.get(KEY, ask) == 2


async def test_an_answer_under_way_when_it_is_forgotten_is_not_kept() -> None:
    answers, ask = kept(FixedClock()), Neighbour()
    ask.may_answer.clear()
    early = asyncio.create_task(answers.get(KEY, ask))
    await asyncio.sleep(0)
    answers.forget(GuildId(1))
    late = asyncio.create_task(answers.get(KEY, ask))
    await asyncio.sleep(0)
    ask.may_answer.set()
    assert (await early, await late) == (1, 2)
    assert await answers.get(KEY, ask) == 2


async def test_forgetting_one_guild_leaves_the_others() -> None:
    answers, ask = kept(FixedClock()), Neighbour()
    other = (GuildId(2), 7)
    assert (await answers.get(KEY, ask), await answers.get(other, ask)) == (1, 2)
    answers.forget(GuildId(1))
    assert (await answers.get(other, ask), await answers.get(KEY, ask)) == (2, 3)


async def test_the_oldest_answer_makes_room() -> None:
    answers, ask = kept(FixedClock(), size=2), Neighbour()
    keys = [(GuildId(number), 0) for number in range(3)]
    assert [await answers.get(key, ask) for key in keys] == [1, 2, 3]
    assert await answers.get(keys[2], ask) == 3
    assert await answers.get(keys[1], ask) == 2
    assert await answers.get(keys[0], ask) == 4


async def test_closing_ends_what_is_being_asked() -> None:
    answers, ask = kept(FixedClock()), Neighbour()
    ask.may_answer.clear()
    waiting = asyncio.create_task(answers.get(KEY, ask))
    await asyncio.sleep(0)
    await answers.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
