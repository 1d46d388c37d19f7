"""The API's small parts: limits, proxies, tables, instants, and the copy of a leaderboard in memory."""

from __future__ import annotations

import asyncio
import re
from ipaddress import ip_address, ip_network
from typing import Annotated

import msgspec
import pytest

from api.schemas.history import RulesVersionBody
from api.schemas.wire import DECIMAL_ID, UUID_TEXT, in_words
from api.tables import cell, table
from attendance.client_address import client_ip
from attendance.clock import FixedClock
from attendance.domain.ids import parse_snowflake
from attendance.domain.instants import parse_rfc3339, to_rfc3339
from attendance.domain.reporting import Watch
from attendance.errors import InvalidInputError, UnavailableError
from attendance.ports.reports import Board, SumsVersion
from attendance.rate_limits import RateLimiter, ip_key
from attendance.services.standings_cache import StandingsCache

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def test_a_minute_s_worth_passes_and_no_more():
    clock = FixedClock(0)
    limiter = RateLimiter(clock, per_minute=60)
    assert [limiter.take("a") for _ in range(60)] == [None] * 60
    assert limiter.take("a") is not None
    assert limiter.take("b") is None


def test_waiting_as_long_as_told_is_enough_and_less_is_not_much_too_little():
    clock = FixedClock(0)
    limiter = RateLimiter(clock, per_minute=10)
    for used_at in (0, 59_000, 130_000, 171_500):
        clock.at_ms = max(clock.at_ms, used_at)
        while (wait := limiter.take("a")) is None:
            pass
        clock.advance(wait * 1000)
        assert limiter.take("a") is None


def test_no_minute_ever_lets_more_than_twice_the_limit_through_at_an_edge():
    clock = FixedClock(0)
    limiter = RateLimiter(clock, per_minute=100)
    passed = []
    for _ in range(4000):
        if limiter.take("a") is None:
            passed.append(clock.at_ms)
        clock.advance(50)
    for start in passed:
        assert sum(1 for at in passed if start <= at < start + 60_000) <= 150


def test_a_limit_of_zero_is_none():
    limiter = RateLimiter(FixedClock(0), per_minute=0)
    assert {limiter.take("a") for _ in range(1000)} == {None}


def test_the_table_of_keys_is_bounded():
    limiter = RateLimiter(FixedClock(0), per_minute=1, table_size=10)
    for key in range(1000):
        limiter.take(key)
    assert len(limiter._counts) == 10


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1, 10.2.3.4"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["10.1.1.1"], "10.1.1.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        (None, ["198.51.100.1"], None),
        ("not an address", [], None),
    ],
)
def test_a_client_s_address_is_believed_only_from_trusted_proxies(peer, forwarded, client):
    assert client_ip(peer, forwarded, TRUSTED) == (None if client is None else ip_address(client))


def test_addresses_of_one_ipv6_network_share_a_limit():
    assert ip_key(ip_address("2001:db8::1")) == ip_key(ip_address("2001:db8::ffff:1"))
    assert ip_key(ip_address("2001:db8::1")) != ip_key(ip_address("2001:db8:0:1::1"))
    assert ip_key(ip_address("203.0.113.9")) != ip_key(ip_address("203.0.113.10"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_cells_that_would_run_are_led_by_an_apostrophe(text):
    assert cell(text) == "'" + text


def test_other_cells_are_as_they_are():
    values = [None, True, False, 7, -7, "plain", "a=b", ""]
    assert [cell(value) for value in values] == ["", "true", "false", "7", "-7", "plain", "a=b", ""]


def test_a_list_is_a_cell_of_words_not_python():
    assert [cell(value) for value in ([], ["read"], ["read", "export"], ["=1+1"])] == ["", "read", "read export", "'=1+1"]


def test_a_table_s_columns_are_named_as_in_json():
    header = table("rules", [], RulesVersionBody, 0).content.splitlines()[0]
    assert header == "version,from,actor_id,rules_sha256,rules"


def test_the_pattern_of_ids_is_what_the_parser_takes():
    edges = [0, 1, 9, 10, 10**17, 10**18, 10**19, 2**63]
    numbers = {edge + step for edge in edges for step in range(-3, 4) if edge + step >= 0}
    top = str(2**63 - 1)
    for index in range(len(top)):
        numbers |= {int(top[:index] + str(digit) + filler * (18 - index)) for digit in range(10) for filler in "09"}
    texts = {str(number) for number in numbers} | {"", "00", "01", "+1", "-1", "1_0", "\uff11", " 1", "1.0"}
    for text in texts:
        try:
            parse_snowflake(text)
            taken = True
        except InvalidInputError:
            taken = False
        assert bool(re.search(DECIMAL_ID, text)) == taken, text


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2027-01-15T08:00:00.000Z", 1_800_000_000_000),
        ("2027-01-15t08:00:00.123456789z", 1_800_000_000_123),
        ("2027-01-15T09:30:00.9999+01:30", 1_800_000_000_999),
        ("1969-12-31T23:59:59.999Z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
    ],
)
def test_instants_are_read_with_any_offset(text, at_ms):
    assert parse_rfc3339(text, name="from") == at_ms
    assert parse_rfc3339(to_rfc3339(at_ms), name="from") == at_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2027-01-15",
        "2027-01-15T08:00Z",
        "2027-01-15T08:00:00",
        "2027-02-30T08:00:00Z",
        "2027-01-15T24:00:01Z",
        "2027-01-15T08:00:00+0100",
        "0001-01-01T00:00:00+23:59x",
        "\uff12027-01-15T08:00:00Z",
        "2027-01-15T08:00:00Z\n",
    ],
)
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(InvalidInputError) as caught:
        parse_rfc3339(text, name="from")
    assert list(caught.value.details) == ["from"]


def test_how_far_a_guild_was_seen():
    assert Watch(None, None, None).seen_until(100) == 100
    assert Watch(None, 101, 40).seen_until(100) == 100
    assert Watch(None, 100, 40).seen_until(100) == 40
    assert Watch(30, 101, 40).seen_until(100) == 30
    assert Watch(30, 100, 40).seen_until(100) == 30
    assert Watch(None, 100, 140).seen_until(100) == 100


class View:
    """A guild's stored lines at one instant."""

    def __init__(self, lines, count, changed=(), revision=0):
        self.all, self.count, self.changed = sorted(lines), count, list(changed)
        self.read, self.revision = 0, revision

    async def sums_version(self, _guild):
        await asyncio.sleep(0)
        return SumsVersion(self.count, self.revision)

    async def stored_after(self, _board, after, limit):
        self.read += 1
        await asyncio.sleep(0)
        return [line for line in self.all if after is None or line[:2] > after][:limit]

    async def stored_changed(self, _board, _since):
        await asyncio.sleep(0)
        return self.changed


BOARD = Board(1, 0)


async def test_a_leaderboard_is_read_once_and_then_only_caught_up():
    cache = StandingsCache()
    lines = [(-user, user, 1) for user in range(1, 5001)]
    first = View(lines, 5)
    assert (await cache.standings(first, BOARD)).lines(2, 0) == [(-5000, 5000, 1, False), (-4999, 4999, 1, False)]
    assert first.read == 3
    second = View([], 6, [(-9000, 7, 2)])
    assert (await cache.standings(second, BOARD)).lines(1, 0) == [(-9000, 7, 2, False)]
    assert second.read == 0


async def test_a_correction_or_an_erasure_makes_the_copy_be_read_anew_though_no_session_closed():
    cache = StandingsCache()
    await cache.standings(View([(-5, 1, 1), (-4, 2, 1)], 5), BOARD)
    corrected = await cache.standings(View([(-3, 1, 1)], 5, revision=1), BOARD)
    assert corrected.lines(9, 0) == [(-3, 1, 1, False)]
    assert corrected.totals == (3, 1)
    assert await cache.standings(View([], 6, revision=0), BOARD) is None, "an older revision, whatever closed since"


async def test_an_older_snapshot_than_the_copy_is_not_answered_from_it():
    cache = StandingsCache()
    await cache.standings(View([(-1, 1, 1)], 5), BOARD)
    assert await cache.standings(View([], 4), BOARD) is None


async def test_concurrent_snapshots_each_get_their_own_or_none():
    cache = StandingsCache()
    await cache.standings(View([(-1, 1, 1)], 5), BOARD)

    async def ask(count):
        standings = await cache.standings(View([], count, [(-count, 2, 1)]), BOARD)
        return None if standings is None else standings.stored_of(2)

    counts = [6, 5, 8, 7, 6, 8]
    for count, found in zip(counts, await asyncio.gather(*(ask(count) for count in counts)), strict=True):
        assert found in {None, (count, 1)}


async def test_a_copy_that_failed_half_way_is_read_anew():
    class Failing(View):
        async def stored_changed(self, _board, _since):
            raise UnavailableError("away")

    cache = StandingsCache()
    await cache.standings(View([(-1, 1, 1)], 5), BOARD)
    with pytest.raises(UnavailableError):
        await cache.standings(Failing([], 6), BOARD)
    again = View([(-3, 1, 2)], 6)
    assert (await cache.standings(again, BOARD)).stored_of(1) == (3, 2)
    assert again.read == 1


async def test_leaderboards_that_nobody_asks_for_are_let_go():
    cache = StandingsCache(max_members=10)
    for period in range(5):
        await cache.standings(View([(-user, user, 1) for user in range(4)], 1), Board(1, period))
    assert [period for _, period in cache._kept] == [3, 4]


def test_a_line_break_is_no_part_of_an_id():
    text = "01972f3c-7c00-7000-8000-0123456789ab"
    assert msgspec.convert(text, Annotated[str, msgspec.Meta(pattern=UUID_TEXT)]) == text
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text + "\n", Annotated[str, msgspec.Meta(pattern=UUID_TEXT)])


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (DECIMAL_ID, "a Discord id: decimal digits, below 2^63"),
        (UUID_TEXT, "a UUID"),
        (r"^[!-~]{1,80}$", "not of the form that /docs describes"),
    ],
)
def test_nobody_is_told_an_expression(pattern, words):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert("x y", Annotated[str, msgspec.Meta(pattern=pattern)])
    assert in_words(str(caught.value)) == words
    assert in_words("Expected int, got str") == "Expected int, got str"


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("Expected `int` <= 600", "at most 600"),
        ("Expected int >= -5", "at least -5"),
        ("Expected float > 0.5", "above 0.5"),
        ("Expected str of length <= 100", "at most 100 characters"),
        ("Expected `array` of length >= 1", "at least 1 item"),
    ],
)
def test_a_bound_that_was_not_met_is_told_in_words(problem: str, words: str) -> None:
    assert in_words(problem) == words
