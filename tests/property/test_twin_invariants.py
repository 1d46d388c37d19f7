"""What the accounting text promises of any trace, checked on the plain Python twin by other means than its own."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies.traces import BOTS, GUILDS, Line, traces
from tests.twin.fold import Guild
from tests.twin.replay import Replay, as_bytes, run
from tests.twin.session import Session, quarters

pytestmark = pytest.mark.slow

Interval = tuple[int, int, set[str | None] | None]
STATUSES = {"counted", "bridged", "unwitnessed", "deafened", "muted", "solo"}


def everything(trace: list[Line]) -> list[Session]:
    """Closed and open sessions, the open ones as if they closed at the end."""
    replay = run(trace)
    return replay.closed + replay.still_open()


def lines_of(trace: list[Line], guild: str) -> list[Line]:
    return [line for line in trace if line["guild_id"] == guild]


def blind_intervals(lines: list[Line]) -> Iterator[Interval]:
    """Each blind interval of one guild and which channels it leaves uncertain, read from the lines alone.

    None is every channel: only a clean resume vouches for any, and only for those that no replay touched.
    """
    since: int | None = None
    states: dict[str, str | None] = {}
    replays: list[Line] = []
    for line in lines:
        kind = line["type"]
        if kind == "voice_state" and since is not None:
            replays.append(line)
        elif kind == "voice_state":
            states[line["user_id"]] = line["channel_id"]
        elif kind == "channel_deleted":
            states = {user: channel for user, channel in states.items() if channel != line["channel_id"]}
        elif kind == "blind":
            since, replays = line["at"] if since is None else since, []
        elif kind == "resumed" and since is not None:
            touched = set()
            for replay in replays:
                touched |= {states.get(replay["user_id"]), replay["channel_id"]}
                states[replay["user_id"]] = replay["channel_id"]
            yield since, line["at"], touched
            since = None
        elif kind in ("snapshot", "guild_left"):
            states = {state["user_id"]: state["channel_id"] for state in line.get("voice_states", [])}
            if since is not None:
                yield since, line["at"], None
            since = None


def overlap(start: int, end: int, interval: Interval) -> int:
    return max(0, min(end, interval[1]) - max(start, interval[0]))


@given(traces())
def test_a_timeline_partitions_its_session_and_its_sums_add_up(trace: list[Line]) -> None:
    for session in everything(trace):
        bounds = [session.joined, *(end for _, end, _ in session.timeline)]
        assert [start for start, _, _ in session.timeline] == bounds[:-1]
        assert bounds[-1] == session.left
        assert all(start < end and status in STATUSES for start, end, status in session.timeline)
        assert all(a[2] != b[2] for a, b in zip(session.timeline, session.timeline[1:], strict=False))
        assert session.sum_of(*STATUSES) == session.left - session.joined
        assert 0 <= session.credited_ms <= session.counted_ms
        assert sum(ms for _, ms in quarters(session)) == session.credited_ms
        assert all(0 < ms <= 900_000 for _, ms in quarters(session))


@given(traces())
def test_sessions_of_a_member_never_overlap_and_bots_have_none(trace: list[Line]) -> None:
    by_member = defaultdict(list)
    for session in everything(trace):
        assert str(session.user) not in BOTS
        by_member[session.guild, session.user].append((session.joined, session.left))
    for spans in by_member.values():
        spans.sort()
        assert all(left <= joined for (_, left), (joined, _) in itertools.pairwise(spans))


@given(traces())
def test_nothing_counted_is_invented_and_uncertain_time_was_blind(trace: list[Line]) -> None:
    blind = {int(guild): list(blind_intervals(lines_of(trace, guild))) for guild in GUILDS}
    for session in everything(trace):
        for start, end, status in session.timeline:
            is_uncertain = status in ("bridged", "unwitnessed")
            within = 0
            for interval in blind[session.guild]:
                uncertain = interval[2]
                if (uncertain is None or str(session.channel) in uncertain) == is_uncertain:
                    within += overlap(start, end, interval)
                else:
                    assert overlap(start, end, interval) == 0
            assert not is_uncertain or within == end - start


@given(traces())
def test_parts_of_a_stay_are_numbered_without_gaps_and_follow_one_another(trace: list[Line]) -> None:
    stays = defaultdict(list)
    for session in everything(trace):
        stays[session.guild, session.stay].append(session)
    for parts in stays.values():
        assert [part.part for part in parts] == list(range(len(parts)))
        assert len({(part.user, part.channel) for part in parts}) == 1
        assert all(a.left == b.joined and a.reason in ("rules", "period") for a, b in itertools.pairwise(parts))
        so_far = 0
        for part in parts:
            so_far += part.counted_ms
            assert part.below_minimum == (so_far < part.rules.min_session_seconds * 1000)


@given(traces())
def test_stays_are_numbered_in_the_order_they_open(trace: list[Line]) -> None:
    for guild in run(trace).guilds.values():
        opened = sorted((s.stay, s.joined) for s in guild.closed + guild.still_open() if s.part == 0)
        assert all(a[1] <= b[1] for a, b in itertools.pairwise(opened))
        assert all(stay < guild.next_stay for stay, _ in opened)


@given(traces())
def test_what_one_line_closes_goes_by_user_id_and_later_lines_never_change_it(trace: list[Line]) -> None:
    replay = Replay()
    for line in trace:
        before = list(replay.closed)
        replay.feed(as_bytes([line]))
        assert replay.closed[: len(before)] == before
        users = [session.user for session in replay.closed[len(before) :]]
        assert users == sorted(set(users))


@given(traces())
def test_while_watching_who_should_have_a_session_has_one_and_nobody_else(trace: list[Line]) -> None:
    def check(guild: Guild) -> None:
        for session in guild.sessions.values():
            assert session.user not in guild.opted_out
            assert session.status in STATUSES
        if guild.blind_since is None:
            assert guild.without_session() == []
            assert all(guild.channel_of(s.user) == s.channel for s in guild.sessions.values())
            assert all(s.status == guild.status_of(s.user) for s in guild.sessions.values())
            assert all(s.rules == guild.rules for s in guild.sessions.values())

    Replay().feed(as_bytes(trace), check)


@given(traces(), st.sampled_from(GUILDS))
def test_guilds_know_nothing_of_each_other(trace: list[Line], guild: str) -> None:
    alone = everything(lines_of(trace, guild))
    assert alone == [session for session in everything(trace) if str(session.guild) == guild]


def no_news(guild: Guild, kind: str) -> list[dict[str, Any]]:
    """Lines that say nothing new to a guild that is watching."""
    last = {"at": guild.last_at, "guild_id": str(guild.guild_id)}
    if kind == "snapshot":
        states = [
            {
                "user_id": str(s.user), "channel_id": str(s.channel), "bot": s.bot,
                "mute": s.mute, "deaf": s.deaf, "self_mute": s.self_mute, "self_deaf": s.self_deaf,
            }
            for s in guild.states.values()
        ]  # fmt: skip
        return [{**last, "type": "snapshot", "voice_states": states}]
    if kind == "rules":
        members: dict[str, Any] = dict(vars(guild.rules))
        members["channels"] = [str(channel) for channel in members["channels"]] * 2
        if members["afk_channel_id"] is not None:
            members["afk_channel_id"] = str(members["afk_channel_id"])
        return [{**last, "type": "rules", "rules": members}]
    if kind == "resumed":
        return [{**last, "type": "resumed"}]
    return [{**last, "type": "blind"}, {**last, "type": "resumed"}]


@given(traces(), st.lists(st.sampled_from((None, "snapshot", "rules", "resumed", "blind and resumed")), min_size=1))
def test_lines_that_say_nothing_new_change_nothing(trace: list[Line], kinds: list[str | None]) -> None:
    plain, noisy = Replay(), Replay()
    for number, line in enumerate(trace):
        plain.feed(as_bytes([line]))
        noisy.feed(as_bytes([line]))
        guild = noisy.guilds[int(line["guild_id"])]
        kind = kinds[number % len(kinds)]
        if kind is not None and guild.blind_since is None:
            noisy.feed(as_bytes(no_news(guild, kind)))
            assert noisy.malformed is None, noisy.what
    assert noisy.printed(include_open=True) == plain.printed(include_open=True)


@given(traces(), st.integers(-(10**6), 10**6))
def test_another_epoch_shifts_every_instant_and_changes_nothing_else(trace: list[Line], shift: int) -> None:
    def looks(sessions: list[Session], by: int) -> list[tuple[Any, ...]]:
        return [(s.user, s.stay, s.part, s.reason, s.below_minimum, s.counted_ms, s.joined + by, s.left + by) for s in sessions]

    shifted = [{**line, "at": line["at"] + shift} for line in trace]
    assert looks(everything(shifted), 0) == looks(everything(trace), shift)
