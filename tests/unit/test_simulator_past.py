"""The lived past: what a bot saw of it, and that a simulator which begins later begins where it ended."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any

import pytest

from simulator.changes import ChannelMade, VoiceChange
from simulator.demo_ids import DEMO_GUILD_ID, DEMO_MEMBER_ID, demo_channel_id
from simulator.demo_world import build_demo_world
from simulator.habits import FOCUS, HABITS, STUDY, habitual_changes
from simulator.lives import life_changes, settled
from simulator.past import Frame, Lost, Past, losses
from simulator.patterns import DAY_MS, HOUR_MS
from simulator.player import Player
from simulator.server import Simulator
from simulator.settings import Settings
from simulator.world import World

BEGAN_MS = 1_791_763_200_000  # a Monday
SMALL = Settings(guilds=2, members=27)


async def nothing_to_drain() -> None:
    pass


def lived(days: float) -> tuple[list[Any], World]:
    past = Past(SMALL, BEGAN_MS)
    return list(past.moments(BEGAN_MS + int(days * DAY_MS))), past.world


def shown(world: World) -> dict[int, Any]:
    """What GUILD_CREATE tells of each guild: rooms and who is in them; the ids of voice sessions are the past's own."""
    told = {}
    for guild in world.guilds.values():
        payload = guild.create_payload(world.bot.id, with_voice=True)
        states = [{**state, "session_id": ""} for state in payload["voice_states"]]
        told[guild.id] = (payload["channels"], sorted(states, key=lambda state: state["user_id"]))
    return told


@pytest.mark.parametrize("days", [0.8, 3.82, 9.6, 16.75, 18.01, 20.9])
def test_a_simulator_begins_where_the_past_ended(days: float) -> None:
    _, ended = lived(days)
    world = build_demo_world(SMALL)
    offset_ms = int(days * DAY_MS) - 1
    player = Player(world, settled(life_changes(SMALL, world), offset_ms), speed=1.0, drained=nothing_to_drain)
    player.advance_to(offset_ms)
    assert player.skipped == 0
    assert shown(world) == shown(ended)
    assert player.advance_to(offset_ms + DAY_MS) > 50


def test_what_settles_leaves_out_how_it_came_there_and_nothing_after() -> None:
    world = build_demo_world(SMALL)
    at_ms = 12 * DAY_MS
    whole = itertools.takewhile(lambda change: change.offset_ms < at_ms + DAY_MS, life_changes(SMALL, world))
    after = [change for change in whole if change.offset_ms > at_ms]
    rest = itertools.takewhile(lambda change: change.offset_ms < at_ms + DAY_MS, settled(life_changes(SMALL, world), at_ms))
    kept = list(rest)
    assert kept[-len(after) :] == after
    voices = [change.user_id for change in kept[: -len(after)] if isinstance(change, VoiceChange)]
    assert len(voices) == len(set(voices))


def test_a_world_that_has_lived_is_served_as_it_is_now() -> None:
    simulator = Simulator(Settings(guilds=1, members=27, speed=0, lived_since_ms=BEGAN_MS))
    assert simulator.player.position_ms > 0
    assert simulator.player.skipped == 0
    assert any(channel.name == "Board Games" for channel in simulator.world.guilds[DEMO_GUILD_ID].channels.values())


def test_the_same_seed_is_the_same_past_and_time_never_goes_back() -> None:
    first, _ = lived(8)
    again, _ = lived(8)
    assert first == again
    assert all(one.at_ms <= two.at_ms for one, two in itertools.pairwise(first))
    assert first[0].at_ms == BEGAN_MS
    assert first[-1].at_ms < BEGAN_MS + 8 * DAY_MS


def test_frames_are_numbered_anew_in_each_session_and_every_loss_ends_one_way_or_the_other() -> None:
    moments, _ = lived(14.9)
    sequence, lost, ends = 0, False, Counter[str]()
    for moment in moments:
        if isinstance(moment, Lost):
            assert not lost
            lost = True
            continue
        frame = json.loads(moment.payload)
        if frame["op"] != 0:
            continue
        if frame["t"] == "READY":
            sequence = 0
        if lost and frame["t"] in ("READY", "RESUMED"):
            lost = False
            ends[frame["t"]] += 1
        sequence += 1
        assert frame["s"] == sequence
    assert ends["RESUMED"] >= 1
    assert ends["READY"] >= 2


def test_some_losses_are_short_enough_to_be_bridged_and_some_are_not() -> None:
    some = list(itertools.islice(losses(7), 30))
    assert all(one.until_ms < two.from_ms for one, two in itertools.pairwise(some))
    anew = [loss.until_ms - loss.from_ms for loss in some if not loss.resumed]
    assert min(anew) < 110_000
    assert max(anew) > 120_000


def test_what_is_lost_before_a_new_session_is_never_told() -> None:
    moments, _ = lived(14.9)
    silent = False
    for moment in moments:
        if isinstance(moment, Lost):
            silent = True
        elif silent:
            name = json.loads(moment.payload)["t"]
            back_ms = moment.at_ms
            silent = name not in ("READY", "RESUMED")
            assert not silent or isinstance(moment, Frame)
            assert moment.at_ms == back_ms


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_people_of_habit_are_in_one_room_at_a_time_and_leave_in_the_end(seed: int) -> None:
    present: dict[int, VoiceChange] = {}
    last_ms = -1
    for change in itertools.takewhile(lambda one: one.offset_ms < 40 * DAY_MS, habitual_changes(seed, 0, 60)):
        assert change.offset_ms >= last_ms
        last_ms = change.offset_ms
        assert (change.channel_id is None) <= (change.user_id in present)
        if change.channel_id is None:
            del present[change.user_id]
        else:
            present[change.user_id] = change
    assert len(present) < len({habit.member for habit in HABITS})


def test_the_member_of_the_demo_is_there_on_most_days_and_the_study_group_meets() -> None:
    days, together = set(), Counter[int]()
    for change in itertools.takewhile(lambda one: one.offset_ms < 42 * DAY_MS, habitual_changes(7, 0, 60)):
        if change.user_id == DEMO_MEMBER_ID and change.channel_id == demo_channel_id(0, FOCUS):
            days.add(change.offset_ms // DAY_MS)
        if change.channel_id == demo_channel_id(0, STUDY):
            together[change.offset_ms // DAY_MS] += 1
    assert len(days) > 20
    assert sum(count > 5 for count in together.values()) >= 10


def test_the_exam_room_is_there_for_three_days() -> None:
    world = build_demo_world(SMALL)
    changes = list(itertools.takewhile(lambda one: one.offset_ms < 20 * DAY_MS, life_changes(SMALL, world)))
    made = next(change for change in changes if isinstance(change, ChannelMade))
    inside = [
        change.offset_ms for change in changes if isinstance(change, VoiceChange) and change.channel_id == made.channel_id
    ]
    assert inside
    assert min(inside) > made.offset_ms
    assert max(inside) < 18 * DAY_MS
    assert made.offset_ms == 15 * DAY_MS + 9 * HOUR_MS
