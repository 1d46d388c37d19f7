"""Identifies are a daily allowance."""

from __future__ import annotations

from attendance.discord.pacing import FORGIVEN_AFTER_S, FREE_IDENTIFIES, LONGEST_WAIT_S, IdentifyPacing


def test_the_first_few_are_free_and_then_each_waits_twice_as_long_as_the_last() -> None:
    pacing = IdentifyPacing()
    waits = [pacing.next_wait(10.0 * number) for number in range(FREE_IDENTIFIES + 10)]
    assert waits[:FREE_IDENTIFIES] == [0.0] * FREE_IDENTIFIES
    assert waits[FREE_IDENTIFIES:] == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 900.0, 900.0]


def test_a_day_of_nothing_but_unreadable_payloads_spends_a_small_part_of_the_thousand_identifies() -> None:
    pacing, now, count = IdentifyPacing(), 0.0, 0
    while now < 86_400:
        now += pacing.next_wait(now) + 1.0
        count += 1
    assert count < 120


def test_an_hour_without_one_forgives() -> None:
    pacing = IdentifyPacing()
    for _ in range(100):
        pacing.next_wait(0.0)
    assert pacing.next_wait(1.0) == LONGEST_WAIT_S
    assert pacing.next_wait(1.0 + FORGIVEN_AFTER_S + 1.0) == 0.0
