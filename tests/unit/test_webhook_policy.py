from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.domain.ids import GuildId
from attendance.domain.webhooks import (
    MOST_ATTEMPTS,
    RETRIED_FOR_MS,
    DeliveryState,
    Reply,
    Secret,
    longest_pause_ms,
    outcome_of,
    shown_url,
)
from attendance.errors import KeyOpenError
from attendance.keys.sealing import SecretSealer

HOUR = 3_600_000


def a_life(chance) -> list[int]:
    """When each attempt of a delivery that never arrives is made."""
    now, made = 0, [0]
    while True:
        outcome = outcome_of(Reply(500), attempt=len(made), created_at_ms=0, now_ms=now, chance=chance())
        if outcome.state is DeliveryState.FAILED:
            return made
        assert outcome.next_attempt_at_ms is not None
        assert outcome.next_attempt_at_ms > now
        now = outcome.next_attempt_at_ms
        made.append(now)


@given(st.integers(0, 2**32))
def test_a_delivery_is_tried_for_three_days_and_a_last_time_at_their_end(seed):
    made = a_life(random.Random(seed).random)
    assert made[-1] == RETRIED_FOR_MS
    assert 10 <= len(made) <= MOST_ATTEMPTS
    assert all(later - earlier <= 6 * HOUR for earlier, later in pairwise(made))


def test_pauses_grow_fourfold_up_to_six_hours():
    assert [longest_pause_ms(attempt) // 1000 for attempt in (1, 2, 3, 4, 8, 100)] == [10, 40, 160, 640, 21_600, 21_600]


def test_no_chance_makes_two_attempts_within_a_second():
    outcome = outcome_of(Reply(500), attempt=1, created_at_ms=0, now_ms=0, chance=0.0)
    assert outcome.next_attempt_at_ms == 1000


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_every_2xx_is_a_delivery(status):
    assert outcome_of(Reply(status), attempt=1, created_at_ms=0, now_ms=0, chance=0).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 429, 500, 503, 199, 304, None])
def test_everything_else_is_tried_again(status):
    reply = Reply(status)
    assert reply.problem
    assert outcome_of(reply, attempt=1, created_at_ms=0, now_ms=0, chance=0.5).state is DeliveryState.WAITING


def test_a_redirect_is_a_failure_and_says_so():
    assert "redirect" in str(Reply(302).problem)


def test_410_is_final():
    assert outcome_of(Reply(410), attempt=1, created_at_ms=0, now_ms=0, chance=0).state is DeliveryState.FAILED


def test_what_the_receiver_asks_for_is_waited_but_not_for_ever():
    asked = outcome_of(Reply(503, retry_after_ms=HOUR), attempt=1, created_at_ms=0, now_ms=0, chance=0)
    assert asked.next_attempt_at_ms == HOUR
    too_long = outcome_of(Reply(503, retry_after_ms=1000 * HOUR), attempt=1, created_at_ms=0, now_ms=0, chance=0)
    assert too_long.next_attempt_at_ms == 6 * HOUR


def test_a_replay_after_the_three_days_is_one_attempt():
    late = outcome_of(Reply(500), attempt=3, created_at_ms=0, now_ms=RETRIED_FOR_MS + 1, chance=0)
    assert late.state is DeliveryState.FAILED


def test_the_audit_never_shows_what_stands_behind_the_question_mark():
    assert shown_url("https://example.org/a?token=secret") == "https://example.org/a?…"
    assert shown_url("https://example.org/a") == "https://example.org/a"
    assert shown_url(None) is None


def test_sealed_secrets_open_for_their_guild_under_their_master_key_only():
    sealer, secrets = SecretSealer(bytes(32)), [Secret(b"n" * 32), Secret(b"o" * 32, 7)]
    sealed = sealer.seal(GuildId(5), secrets)
    assert sealer.open(GuildId(5), sealed) == secrets
    assert b"nnnn" not in sealed
    assert sealer.seal(GuildId(5), secrets) != sealed
    for opener, guild_id, content in (
        (sealer, 6, sealed),
        (SecretSealer(b"x" * 32), 5, sealed),
        (sealer, 5, sealed[:-1]),
        (sealer, 5, sealed[:10]),
        (sealer, 5, b""),
        (sealer, 5, bytes([sealed[0] ^ 1]) + sealed[1:]),
    ):
        with pytest.raises(KeyOpenError):
            opener.open(GuildId(guild_id), content)
    assert "nnnn" not in repr(secrets)
