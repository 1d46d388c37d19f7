"""The accounting's table "From the gateway to the trace", row by row, and where rows meet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from attendance.domain.audit import Actor
from attendance.domain.commands import Command
from attendance.domain.ids import ChannelId, GuildId, ShardId, UserId
from attendance.domain.observations import (
    BlindCause,
    ChannelDeleted,
    ChannelFacts,
    ChannelKind,
    ChannelSeen,
    GuildChanged,
    GuildFacts,
    GuildLeft,
    GuildSeen,
    GuildUnavailable,
    Observation,
    PayloadUnreadable,
    ShardAlive,
    ShardLost,
    ShardReady,
    ShardResumed,
    VoiceState,
    VoiceStateSeen,
)
from attendance.domain.schedule import Interval, Schedule
from attendance.domain.stream.decisions import apply_command
from attendance.domain.stream.translator import Translator
from attendance.domain.stream.writer import StreamWriter
from tests.twin.replay import Replay

T = 1_800_000_000_000  # 08:00:00 UTC
HOUR = 3_600_000
SHARD, OTHER_SHARD = ShardId(0), ShardId(1)
GUILD, SECOND = GuildId(2 << 22), GuildId(4 << 22)
ADA, BEN = UserId(71), UserId(72)
LOBBY, STAGE = ChannelId(51), ChannelId(52)


class Told:
    """A translator; what it wrote is read back as JSON, and as sessions by the twin."""

    def __init__(self) -> None:
        self.translator = Translator(StreamWriter(), set())
        self.lines: list[dict[str, Any]] = []
        self.twin = Replay()
        self.batches: list[Any] = []

    @property
    def writer(self) -> StreamWriter:
        return self.translator.writer

    def __call__(self, *observations: Observation, at: int | None = None) -> list[str]:
        """Tell of these; with ``at`` the clock is looked at afterwards. Returns the types of the lines."""
        for seen in observations:
            self.translator.observe(seen)
        if at is not None:
            self.writer.cut_due_periods(at, self.translator.alive_ms)
        return self._taken()

    def _taken(self) -> list[str]:
        batch = self.writer.take_batch()
        self.batches.append(batch)
        new = [json.loads(line.line) for line in batch.lines]
        for line in batch.lines:
            self.twin.feed(line.line + b"\n")
        assert self.twin.malformed is None, self.twin.what
        self.lines += new
        return [line["type"] for line in new]

    def schedule(self, interval: Interval, at: int, guild_id: GuildId = GUILD) -> None:
        stream = self.writer.streams[guild_id]
        self.writer.change_settings(stream, stream.settings.__class__(schedule=Schedule(interval)), at, None)
        apply_command(self.writer, Command(1, guild_id, "schedule", json.dumps({"interval": interval}), Actor(BEN), 0), at)
        self._taken()

    def closed(self) -> list[tuple[int, int, int, str]]:
        return [(session.user, session.joined, session.left, session.reason) for session in self.twin.closed]


def guild(at: int, *states: VoiceState, guild_id: GuildId = GUILD, channels: tuple[ChannelFacts, ...] = ()) -> GuildSeen:
    return GuildSeen(at, SHARD, GuildFacts(guild_id, "guild", BEN, None), channels, states)


def ready(at: int, *guild_ids: GuildId) -> ShardReady:
    return ShardReady(at, SHARD, frozenset(guild_ids or (GUILD,)))


def voice(at: int, user: UserId, channel: ChannelId | None, guild_id: GuildId = GUILD) -> VoiceStateSeen:
    return VoiceStateSeen(at, SHARD, guild_id, VoiceState(user, channel))


def lost(at: int, alive: int, cause: BlindCause = BlindCause.DISCONNECTED) -> ShardLost:
    return ShardLost(at, SHARD, alive, cause)


def in_lobby(user: UserId) -> VoiceState:
    return VoiceState(user, LOBBY)


@pytest.fixture
def told() -> Told:
    """One guild, connected, Ada in the lobby since T."""
    told = Told()
    told(ready(T), guild(T, in_lobby(ADA)))
    return told


# -- connections


def test_what_is_lost_is_blind_since_the_last_sign_of_life_and_resumed_by_resumed(told: Told) -> None:
    told(ShardAlive(T + 5_000, SHARD))
    assert told(lost(T + 9_000, T + 5_000)) == ["blind"]
    assert told(voice(T + 9_900, ADA, None), ShardResumed(T + 10_000, SHARD)) == ["voice_state", "resumed"]
    assert [line["at"] for line in told.lines[-3:]] == [T + 5_000, T + 9_900, T + 10_000]
    assert told.closed() == [(ADA, T, T + 5_000, "gap")]


def test_blind_never_stands_before_a_line_that_stands(told: Told) -> None:
    told(voice(T + 6_000, BEN, LOBBY), lost(T + 9_000, T + 5_000))
    assert told.lines[-1] == {"at": T + 6_000, "type": "blind", "guild_id": str(GUILD)}


def test_what_is_said_between_ready_and_the_guild_is_a_replay_that_the_snapshot_overrules(told: Told) -> None:
    assert told(lost(T + 1, T), ready(T + 5), voice(T + 6, ADA, None)) == ["blind", "voice_state"]
    assert told(guild(T + 7, in_lobby(ADA))) == ["snapshot"]
    assert told.closed() == []


def test_ready_without_a_loss_makes_blind_as_well(told: Told) -> None:
    assert told(ShardAlive(T + 4, SHARD), ready(T + 5)) == ["blind"]
    assert told.lines[-1]["at"] == T + 4


def test_a_guild_that_ready_does_not_list_was_left(told: Told) -> None:
    assert told(lost(T + 1, T), ready(T + 5, SECOND)) == ["blind", "guild_left"]
    assert told.closed() == [(ADA, T, T, "guild_left")] or told.closed() == []


def test_resumed_vouches_only_for_guilds_that_were_in_sync_in_this_session(told: Told) -> None:
    told(guild(T, guild_id=SECOND), lost(T + 1, T), ready(T + 2, GUILD, SECOND), guild(T + 3, in_lobby(ADA)))
    assert told(lost(T + 5, T + 4)) == ["blind"], "the second guild is blind already"
    assert told(ShardResumed(T + 6, SHARD)) == ["resumed"]
    assert told.lines[-1]["guild_id"] == str(GUILD)
    assert told(guild(T + 7, guild_id=SECOND)) == ["snapshot"]


def test_resumed_does_not_vouch_for_a_guild_that_is_down_or_was_unreadable(told: Told) -> None:
    told(guild(T, guild_id=SECOND), GuildUnavailable(T + 9, SHARD, GUILD, T + 8))
    told(PayloadUnreadable(T + 11, SHARD, SECOND, T + 10, 1))
    assert told(lost(T + 20, T + 15), ShardResumed(T + 21, SHARD)) == []
    assert told(guild(T + 22), guild(T + 22, guild_id=SECOND)) == ["snapshot", "snapshot"]


def test_resumed_does_not_vouch_for_what_we_threw_away_ourselves(told: Told) -> None:
    assert told(lost(T + 5, T + 4, BlindCause.OVERFLOW), ShardResumed(T + 6, SHARD)) == ["blind"]


def test_an_overflow_during_a_blind_interval_is_remembered(told: Told) -> None:
    told(lost(T + 5, T + 4), lost(T + 6, T + 4, BlindCause.OVERFLOW))
    assert told(ShardResumed(T + 7, SHARD)) == []


def test_a_second_loss_before_the_resume_is_through_keeps_the_replays(told: Told) -> None:
    """The session goes on where it was: what was replayed once does not come again."""
    told(lost(T + 5, T + 4), voice(T + 6, ADA, None), lost(T + 7, T + 6))
    assert told(ShardResumed(T + 9, SHARD)) == ["resumed"]
    assert told.closed() == [(ADA, T, T + 4, "gap")]


def test_a_loss_touches_the_guilds_of_its_own_shard_only(told: Told) -> None:
    assert told(ShardLost(T + 5, OTHER_SHARD, T + 4, BlindCause.DISCONNECTED)) == []


def test_an_unreadable_payload_of_nobody_knows_whom_makes_the_shard_blind(told: Told) -> None:
    told(guild(T, guild_id=SECOND))
    assert told(PayloadUnreadable(T + 9, SHARD, None, T + 8, 1)) == ["blind", "blind"]


def test_an_unreadable_payload_of_a_guild_without_a_stream_makes_no_other_blind(told: Told) -> None:
    """It is named, so it is nobody else's; or one guild that we cannot read would keep its whole shard blind for ever."""
    assert told(PayloadUnreadable(T + 9, SHARD, SECOND, T + 8, 1)) == []


# -- a GUILD_CREATE that is replayed


def test_a_guild_that_is_replayed_is_not_the_present_until_resumed(told: Told) -> None:
    """Its states were true when Discord sent them first. What is replayed behind it made them the present."""
    told(lost(T + 5_000, T + 4_000))
    assert told(guild(T + 9_000, in_lobby(ADA), in_lobby(BEN)), voice(T + 9_001, ADA, None)) == ["voice_state"]
    assert told(ShardResumed(T + 9_002, SHARD)) == ["snapshot"]
    assert told.lines[-1]["at"] == T + 9_002
    assert [state["user_id"] for state in told.lines[-1]["voice_states"]] == [str(BEN)]
    assert told.closed() == [(ADA, T, T + 4_000, "gap")]
    assert told(lost(T + 9_500, T + 9_400), ShardResumed(T + 9_600, SHARD)) == ["blind", "resumed"]


def test_a_new_guild_that_is_replayed_counts_from_resumed_on(told: Told) -> None:
    told(lost(T + 5, T + 4))
    told(guild(T + 9, in_lobby(ADA), in_lobby(BEN), guild_id=SECOND), voice(T + 10, ADA, None, SECOND))
    assert told(ShardResumed(T + 11, SHARD)) == ["resumed", "snapshot"]
    assert told(voice(T + 20, BEN, None, SECOND)) == ["voice_state"]
    assert told.closed() == [(BEN, T + 11, T + 20, "leave")]


def test_what_was_replayed_is_forgotten_when_the_session_is(told: Told) -> None:
    told(lost(T + 5, T + 4), guild(T + 9, in_lobby(BEN)), ready(T + 20), guild(T + 21, in_lobby(ADA)))
    assert told(lost(T + 30, T + 29), ShardResumed(T + 31, SHARD)) == ["blind", "resumed"]
    assert told.closed() == []


@pytest.mark.parametrize(
    "after",
    [
        GuildUnavailable(T + 10, SHARD, GUILD, T + 9),
        PayloadUnreadable(T + 10, SHARD, GUILD, T + 9, 3),
        lost(T + 10, T + 9, BlindCause.OVERFLOW),
        GuildLeft(T + 10, SHARD, GUILD),
    ],
)
def test_a_replayed_guild_that_is_gone_again_is_not_vouched_for(told: Told, after: Observation) -> None:
    told(lost(T + 5, T + 4), guild(T + 9, in_lobby(ADA)), after)
    assert told(ShardResumed(T + 11, SHARD)) == []


def test_a_channel_that_is_deleted_in_a_replay_is_deleted_from_the_replayed_guild(told: Told) -> None:
    told(lost(T + 5, T + 4), guild(T + 9, in_lobby(ADA), VoiceState(BEN, STAGE)), ChannelDeleted(T + 10, SHARD, GUILD, LOBBY))
    told(ShardResumed(T + 11, SHARD))
    assert [state["user_id"] for state in told.lines[-1]["voice_states"]] == [str(BEN)]


# -- the directory


def test_channels_that_the_guild_no_longer_has_are_marked_deleted(told: Told) -> None:
    facts = ChannelFacts(LOBBY, "lobby", ChannelKind.VOICE, None, 0)
    told(ChannelSeen(T + 1, SHARD, GUILD, facts))
    told(guild(T + 2, channels=(ChannelFacts(STAGE, "stage", ChannelKind.STAGE, None, 1),)))
    assert told.batches[-1].complete_channels == {GUILD: {STAGE}}


def test_a_channel_that_comes_and_goes_in_one_batch_is_gone(told: Told) -> None:
    facts = ChannelFacts(LOBBY, "lobby", ChannelKind.VOICE, None, 0)
    told(ChannelSeen(T + 1, SHARD, GUILD, facts), guild(T + 2))
    assert told.batches[-1].complete_channels == {GUILD: set()}
    told(guild(T + 3), ChannelSeen(T + 4, SHARD, GUILD, facts))
    assert told.batches[-1].complete_channels == {GUILD: {LOBBY}}


# -- periods


def test_a_period_ends_before_the_first_event_that_is_not_earlier(told: Told) -> None:
    told.schedule(Interval.HOURLY, T)
    assert told(voice(T + HOUR - 1, BEN, LOBBY)) == ["voice_state"]
    assert told(voice(T + HOUR + 70_000, BEN, None)) == ["period_end", "voice_state"]
    assert told.lines[-2]["at"] == T + HOUR


def test_an_event_at_the_very_instant_is_of_the_new_period(told: Told) -> None:
    told.schedule(Interval.HOURLY, T)
    assert told(voice(T + HOUR, BEN, LOBBY)) == ["period_end", "voice_state"]


def test_a_quiet_guild_waits_for_a_sign_of_life_from_the_boundary_or_later(told: Told) -> None:
    told.schedule(Interval.HOURLY, T)
    assert told(ShardAlive(T + HOUR - 1, SHARD), at=T + HOUR + 5_000) == []
    assert told(ShardAlive(T + HOUR, SHARD), at=T + HOUR + 5_001) == ["period_end"]
    assert told.lines[-1]["at"] == T + HOUR


def test_a_guild_lost_before_its_boundary_is_cut_behind_the_blind_line(told: Told) -> None:
    told.schedule(Interval.HOURLY, T)
    assert told(lost(T + HOUR + 60_000, T + HOUR - 9), at=T + HOUR + 60_000) == ["blind", "period_end"]
    assert [line["at"] for line in told.lines[-2:]] == [T + HOUR - 9, T + HOUR]
    assert told.closed() == [(ADA, T, T + HOUR - 9, "period")]


def test_a_guild_lost_after_its_boundary_is_cut_before_the_blind_line(told: Told) -> None:
    told.schedule(Interval.HOURLY, T)
    assert told(lost(T + HOUR + 60_000, T + HOUR)) == ["period_end", "blind"]


def test_a_blind_guild_is_cut_when_the_clock_says_so(told: Told) -> None:
    told.schedule(Interval.HOURLY, T)
    told(lost(T + 9, T + 8))
    assert told(at=T + HOUR - 1) == []
    assert told(at=T + HOUR) == ["period_end"]


def test_missed_boundaries_make_one_cut_and_the_next_is_reckoned_from_now(told: Told) -> None:
    told.schedule(Interval.HOURLY, T)
    told(lost(T + 9, T + 8))
    assert told(at=T + 5 * HOUR + 7) == ["period_end"]
    assert told.lines[-1]["at"] == T + HOUR
    assert told.writer.streams[GUILD].settings.next_reset_at_ms == T + 6 * HOUR


def test_a_guild_that_was_left_over_its_boundary_is_cut_when_it_is_back(told: Told) -> None:
    told.schedule(Interval.HOURLY, T)
    told(GuildLeft(T + 9, SHARD, GUILD), at=T + 2 * HOUR)
    assert told(guild(T + 2 * HOUR + 5, in_lobby(ADA))) == ["period_end", "snapshot"]
    assert told(ShardAlive(T + 3 * HOUR, SHARD), at=T + 3 * HOUR) == ["period_end"]


# -- decisions


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("settings", []),
        ("settings", None),
        ("settings", {"min_session_seconds": -1}),
        ("settings", {"min_session_seconds": "60"}),
        ("settings", {"bridge_gap_seconds": 10**30}),
        ("settings", {"pause_on_mute": 1}),
        ("settings", {"tracking_mode": {}}),
        ("track", []),
        ("track", {"channel_id": 51}),
        ("schedule", {"interval": "off", "hour": "noon"}),
        ("schedule", {"interval": "daily", "hour": 1.5}),
        ("schedule", {"interval": "daily", "day": True}),
        ("schedule", {"timezone": ["UTC"]}),
        ("schedule", {"century": 21}),
        ("opt_out", "Ada"),
        ("opt_out", {"user_id": "71", "out": "yes"}),
        ("paint", {}),
    ],
)
def test_a_command_that_cannot_be_read_is_refused_and_changes_nothing(told: Told, kind: str, body: Any) -> None:
    before = told.writer.streams[GUILD].settings
    apply_command(told.writer, Command(7, GUILD, kind, json.dumps(body), Actor(BEN), 0), T + 9)
    assert "error" in json.loads(told.writer.batch.answers[0][1])
    assert told.writer.streams[GUILD].settings == before
    assert told._taken() == []


def test_an_afk_channel_that_moves_is_new_rules(told: Told) -> None:
    facts = GuildFacts(GUILD, "guild", BEN, LOBBY)
    assert told(GuildChanged(T + 9, SHARD, facts), GuildChanged(T + 10, SHARD, facts)) == ["rules"]
    assert told.closed() == [(ADA, T, T + 9, "untracked")]
