"""Traces as lists of dicts: few ids and small instants, so that the rare cases of the accounting text are common.

A trace is drawn as a list of steps, each one line or a short episode around a blind interval, so that shrinking drops
whole steps. Every guild has its own clock, which never goes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, product
from typing import Any

from hypothesis import strategies as st

Line = dict[str, Any]
Step = list[Line]

# Ids that sort differently as numbers and as strings, and the largest there is.
GUILDS = ("7", "10", "9223372036854775807")
HUMANS = ("9", "10", "101", "9223372036854775807")
BOTS = ("8", "100")
CHANNELS = ("20", "3", "100")
CATEGORIES = ("50", "4")
FLAGS = ("self_mute", "mute", "self_deaf", "deaf")

# Milliseconds between two lines of one guild: equal instants most, then both sides of the seconds used in rules below.
DELTAS = (0, 0, 0, 1, 1, 999, 1000, 1001, 2000, 2001, 120_000, 120_001)
STARTS = (0, 899_000, 1_767_225_599_999, -900_001)
SECONDS = (0, 1, 2, 3, 120)

# What is likelier stands more than once. Whole states are listed and drawn at once: one choice is faster than six.
USERS = ("9", "9", "9", "10", "10", *HUMANS, *BOTS)
ROOMS = ("20", "20", "20", *CHANNELS)
ON = ((), (), (), *((flag,) for flag in FLAGS), FLAGS, ("self_mute", "deaf"))


def states_in(places: Sequence[str | None]) -> list[Line]:
    """Members' states; false flags are mostly left out. A user's `bot` never changes: the adapter sees to it."""
    return [
        {"user_id": user, "channel_id": place, **dict.fromkeys(on, True), **({"bot": user in BOTS} if is_told else {})}
        for place, user, on, is_told in product(places, USERS, ON, (False, False, True))
        if is_told or user not in BOTS
    ]


pauses = st.sampled_from((True, True, False))
modes = st.sampled_from(("all", "all", "allowlist", "allowlist", "denylist", "denylist", "denylist", "off"))


@st.composite
def rule_sets(draw: st.DrawFn) -> Line:
    """Every member may be missing, which means its default; `channels` may hold an id twice, in any order."""
    every = {
        "mode": modes,
        "channels": st.lists(st.sampled_from(CHANNELS + CATEGORIES), max_size=3),
        "afk_channel_id": st.sampled_from((None, None, None, *CHANNELS)),
        "pause_on_mute": pauses,
        "pause_on_deafen": pauses,
        "pause_when_solo": pauses,
        "min_session_seconds": st.sampled_from(SECONDS),
        "bridge_gap_seconds": st.sampled_from(SECONDS),
    }
    return draw(st.fixed_dictionaries({}, optional=every))


def snapshots(states: list[Line], least: int, most: int) -> st.SearchStrategy[Line]:
    present = st.lists(st.sampled_from(states), min_size=least, max_size=most)
    return present.map(lambda states: {"type": "snapshot", "voice_states": states})


voice_state_lines = st.sampled_from([{"type": "voice_state", **state} for state in states_in((*ROOMS, None, None))])
snapshot_lines = snapshots(states_in(ROOMS), 0, 5)
rules_lines = rule_sets().map(lambda rules: {"type": "rules", "rules": rules})
channel_lines = st.sampled_from(
    [{"type": "channel", "channel_id": channel, "parent_id": parent} for channel, parent in product(ROOMS, (None, *CATEGORIES))]
)
deleted_lines = st.sampled_from([{"type": "channel_deleted", "channel_id": channel} for channel in ROOMS])
opt_out_lines = st.sampled_from(
    [{"type": "opt_out", "user_id": user, "out": out} for user, out in product(USERS, (False, True))]
)
blind_lines = st.just({"type": "blind"})
resumed_lines = st.just({"type": "resumed"})
period_lines = st.just({"type": "period_end"})
left_lines = st.just({"type": "guild_left"})

any_line = st.sampled_from(
    [voice_state_lines] * 24
    + [rules_lines] * 4
    + [snapshot_lines, resumed_lines, opt_out_lines, channel_lines, period_lines] * 2
    + [blind_lines, deleted_lines, left_lines]
)

# What may come while blind, replays most; a second `blind` now and then.
while_blind = st.sampled_from(
    [voice_state_lines] * 12
    + [opt_out_lines] * 2
    + [rules_lines, channel_lines, deleted_lines, period_lines, blind_lines, left_lines]
)

# How a blind interval ends; None: the guild stays blind.
ends = st.sampled_from((resumed_lines, resumed_lines, resumed_lines, snapshot_lines, snapshot_lines, None))

# How many lines a blind interval holds; None: no interval, but a single line of any kind.
lengths = st.sampled_from((None,) * 16 + (0, 1, 2, 3, 4))

places_in_time = st.sampled_from([{"guild": guild, "delta": delta} for guild, delta in product((0, 0, 0, 0, 1, 2), DELTAS)])
deltas = st.sampled_from(DELTAS)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """One line or one blind interval, each line with its `guild` and how long after that guild's last it comes."""
    place, length = draw(places_in_time), draw(lengths)
    if length is None:
        return [{**place, **draw(draw(any_line))}]
    end = draw(ends)
    inside = [draw(draw(while_blind)) for _ in range(length)] + ([] if end is None else [draw(end)])
    return [{**place, "type": "blind"}, *({**place, "delta": draw(deltas), **line} for line in inside)]


full_houses = st.tuples(rules_lines, snapshots(states_in(("20",)), 2, 4)).map(
    lambda lines: [{"guild": 0, "delta": 0, **line} for line in lines]
)


@st.composite
def traces(draw: st.DrawFn, max_steps: int = 40) -> list[Line]:
    """A well-formed trace: lines of up to three guilds, interleaved.

    Half of them begin with strict rules and several members together, so that what follows has something to break.
    """
    all_steps = [draw(full_houses)] if draw(st.booleans()) else []
    clocks = [draw(st.sampled_from(STARTS))] * len(GUILDS)
    at_least = draw(st.sampled_from((0, max_steps // 4, max_steps // 2)))  # left alone, lists are mostly short
    all_steps += draw(st.lists(steps(), min_size=at_least, max_size=max_steps))
    lines: list[Line] = []
    for line in chain.from_iterable(all_steps):
        body = dict(line)
        guild = body.pop("guild")
        clocks[guild] += body.pop("delta")
        lines.append({"at": clocks[guild], "guild_id": GUILDS[guild], **body})
    return lines
