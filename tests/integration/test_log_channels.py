"""Log messages through real hikari to a simulated Discord: what is posted, and what is made of its refusals."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from attendance.clock import FixedClock, SystemClock
from attendance.discord.messages import DiscordLogChannels, Pace, open_log_channels
from attendance.discord.rest import open_lookup
from attendance.domain.ids import ChannelId
from attendance.domain.kept_checkpoints import note_of_copy
from attendance.domain.log_contents import CheckpointTold
from attendance.domain.log_messages import Embed, Field, text_of
from attendance.errors import UnavailableError
from attendance.ports.discord_lookup import TextChannel
from attendance.ports.log_deliveries import Answer, Outcome
from simulator import DEMO_GUILD_ID, Settings, Simulator, running_simulator
from simulator.entities import ChannelType, Overwrite, Permission

POST = "POST /channels/{channel_id}/messages"
READ = "GET /channels/{channel_id}/messages"
NOW = 1_800_000_000_000


def embed(marker: str = "marker") -> Embed:
    return Embed("Session ended", "**Ada** was there", 0x2E8B57, NOW, (Field("Counted", "1 h"),), f"Rollcall · {marker}")


@contextlib.asynccontextmanager
async def posting(*, limits: bool = False) -> AsyncIterator[tuple[Simulator, DiscordLogChannels, ChannelId]]:
    settings, clock = Settings(speed=0, enforce_rest_limits=limits), SystemClock()
    async with running_simulator(settings) as sim, open_log_channels(sim.token, sim.rest_url, clock) as channels:
        yield sim, channels, text_channel(sim)


def text_channel(sim: Simulator, kind: ChannelType = ChannelType.TEXT) -> ChannelId:
    return next(ChannelId(c.id) for c in sim.world.guilds[DEMO_GUILD_ID].channels.values() if c.type is kind)


def posted(sim: Simulator, channel: int) -> list[dict]:
    return sim.rest.messages.board.newest(channel, 100)


async def test_an_embed_arrives_as_it_is_and_the_same_nonce_makes_one_message() -> None:
    async with posting() as (sim, channels, channel):
        for _ in range(2):
            assert await channels.post(channel, "n", [embed()]) == Answer(Outcome.POSTED)
        (message,) = posted(sim, channel)
        (shown,) = message["embeds"]
        assert (shown["title"], shown["description"], shown["color"]) == ("Session ended", "**Ada** was there", 0x2E8B57)
        assert shown["fields"] == [{"name": "Counted", "value": "1 h", "inline": True}]
        assert shown["footer"] == {"text": "Rollcall · marker"}
        assert shown["timestamp"].startswith("2027-01-15T08:00:00")


async def test_a_checkpoint_s_text_arrives_byte_for_byte_above_the_embed() -> None:
    note = "example.org/log\n17\nkPrK/qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k=\n\n\u2014 example.org/log Az3grlgtzPICa5OS\n"
    told = [CheckpointTold(NOW, note, 17)]
    async with posting() as (sim, channels, channel):
        for _ in range(2):
            assert await channels.post(channel, "n", [embed()], text_of(told)) == Answer(Outcome.POSTED)
        (message,) = posted(sim, channel)
        assert note_of_copy(message["content"].encode()) == note.encode()
        assert message["content"] == f"```\n{note}```"


@pytest.mark.parametrize("kind", [ChannelType.TEXT, ChannelType.VOICE, ChannelType.STAGE])
async def test_voice_channels_and_stages_have_messages_too(kind: ChannelType) -> None:
    async with posting() as (sim, channels, _):
        assert (await channels.post(text_channel(sim, kind), "n", [embed()])).outcome is Outcome.POSTED


@pytest.mark.parametrize(
    ("denied", "reason"),
    [
        (Permission.VIEW_CHANNEL, "the bot cannot see the channel"),
        (Permission.SEND_MESSAGES, "the bot may not post in the channel (it needs Send Messages and Embed Links)"),
        (Permission.EMBED_LINKS, "the bot may not post in the channel (it needs Send Messages and Embed Links)"),
    ],
)
async def test_a_forbidden_channel_is_gone_with_the_reason(denied: Permission, reason: str) -> None:
    async with posting() as (sim, channels, channel):
        sim.world.guilds[DEMO_GUILD_ID].channels[channel].overwrites.append(Overwrite(DEMO_GUILD_ID, deny=denied))
        assert await channels.post(channel, "n", [embed()]) == Answer(Outcome.GONE, reason)
        assert await channels.holds(channel, "marker", NOW) is False


async def test_a_deleted_channel_a_category_and_a_left_server_are_gone() -> None:
    async with posting() as (sim, channels, channel):
        category = text_channel(sim, ChannelType.CATEGORY)
        assert await channels.post(category, "n", [embed()]) == Answer(Outcome.GONE, "the channel has no messages")
        sim.world.delete_channel(channel)
        assert await channels.post(channel, "n", [embed()]) == Answer(Outcome.GONE, "the channel is gone")
        stage = text_channel(sim, ChannelType.STAGE)
        sim.world.remove_bot(DEMO_GUILD_ID)
        assert (await channels.post(stage, "n", [embed()])).outcome is Outcome.GONE


async def test_a_message_that_discord_does_not_take_is_refused_not_tried_for_ever() -> None:
    async with posting() as (_, channels, channel):
        answer = await channels.post(channel, "n", [Embed("t" * 257, "d", 0, NOW)])
        assert (answer.outcome, "50035" in answer.reason) == (Outcome.REFUSED, True)


@pytest.mark.parametrize(("status", "done"), [(500, False), (502, True), (503, False), (0, True), (0, False)])
async def test_without_a_clear_answer_it_is_unknown_whether_it_was_stored(status: int, done: bool) -> None:  # noqa: FBT001
    async with posting() as (sim, channels, channel):
        sim.fault("rest", route=POST, status=status, done=done)
        answer = await channels.post(channel, "n", [embed()])
        assert answer.outcome is Outcome.UNKNOWN
        assert answer.reason
        assert sim.rest.requests[POST] == 1, "trying again is the deliverer's business"
        assert len(posted(sim, channel)) == done
        assert (await channels.post(channel, "n", [embed()])).outcome is Outcome.POSTED
        assert len(posted(sim, channel)) == 1


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_a_long_rate_limit_is_an_answer(scope: str) -> None:
    async with posting() as (sim, channels, channel):
        sim.fault("rest", route=POST, status=429, retry_after_s=30.0, scope=scope)
        answer = await channels.post(channel, "n", [embed()])
        assert (answer.outcome, answer.for_all) == (Outcome.LIMITED, scope == "global")
        assert 1 < answer.retry_after_s <= 30
        assert posted(sim, channel) == []
        other = await channels.post(text_channel(sim, ChannelType.VOICE), "n", [embed()])
        assert other.outcome is (Outcome.LIMITED if scope == "global" else Outcome.POSTED)
        assert sim.rest.requests[POST] == 1 + (scope != "global"), "what is limited is not asked again"


async def test_a_short_rate_limit_is_waited_for() -> None:
    async with posting() as (sim, channels, channel):
        sim.fault("rest", route=POST, status=429, retry_after_s=0.05, scope="shared")
        assert (await channels.post(channel, "n", [embed()])).outcome is Outcome.POSTED


@pytest.mark.slow
async def test_a_busy_channel_keeps_to_its_bucket_and_another_is_not_held_up() -> None:
    async with posting(limits=True) as (sim, channels, channel):
        other = text_channel(sim, ChannelType.VOICE)
        answers = [await channels.post(channel, f"n{number}", [embed()]) for number in range(8)]
        assert {answer.outcome for answer in answers} <= {Outcome.POSTED, Outcome.LIMITED}
        assert answers[-1].outcome is Outcome.LIMITED
        assert 0 < answers[-1].retry_after_s <= 5
        assert (await channels.post(other, "other", [embed()])).outcome is Outcome.POSTED
        assert len(posted(sim, channel)) == sim.rest.requests[POST] - 1, "no request was made to be refused"


async def test_a_message_is_found_by_its_marker_among_others_of_the_bot_and_not_of_others() -> None:
    async with posting() as (sim, channels, channel):
        board = sim.rest.messages.board
        for number in range(150):
            board.post(channel, sim.world.bot, {"content": f"{number}"}, NOW + number)
        other = next(user for user in sim.world.users.values() if user is not sim.world.bot)
        board.post(channel, other, {"embeds": [{"footer": {"text": "Rollcall · mine"}}]}, NOW + 200)
        assert await channels.holds(channel, "mine", NOW + 199) is False
        board.post(channel, sim.world.bot, {"embeds": [{"title": "t"}, {"footer": {"text": "Rollcall · mine"}}]}, NOW + 201)
        assert await channels.holds(channel, "mine", NOW - 1) is True


async def test_without_an_answer_nobody_knows_whether_the_message_is_there() -> None:
    async with posting() as (sim, channels, channel):
        sim.fault("rest", route=READ, status=503)
        assert await channels.holds(channel, "mine", NOW) is None


async def test_the_pace_spreads_requests_and_slows_down_when_told() -> None:
    pace = Pace(SystemClock(), a_second=200.0)
    began = pace.clock.monotonic()
    await asyncio.gather(*(pace.turn() for _ in range(11)))
    assert pace.clock.monotonic() - began >= 0.04
    for _ in range(20):
        pace.slow_down()
    assert pace.a_second == 2.0


async def test_which_channels_can_be_told_is_asked_of_discord_and_kept_for_a_moment() -> None:
    clock = FixedClock()
    async with (
        running_simulator(Settings(speed=0, enforce_rest_limits=False)) as sim,
        open_lookup(sim.token, sim.rest_url, clock) as lookup,
    ):
        channel = text_channel(sim)
        for kind in (ChannelType.TEXT, ChannelType.VOICE, ChannelType.STAGE):
            one = text_channel(sim, kind)
            assert await lookup.text_channel(DEMO_GUILD_ID, one) == TextChannel(one, ())
        other_guild = next(guild for guild in sim.world.guilds if guild != DEMO_GUILD_ID)
        assert await lookup.text_channel(other_guild, channel) is None
        assert await lookup.text_channel(DEMO_GUILD_ID, text_channel(sim, ChannelType.CATEGORY)) is None
        assert await lookup.text_channel(DEMO_GUILD_ID, ChannelId(1)) is None
        overwrites = sim.world.guilds[DEMO_GUILD_ID].channels[channel].overwrites
        overwrites.append(Overwrite(DEMO_GUILD_ID, deny=Permission.SEND_MESSAGES))
        assert await lookup.text_channel(DEMO_GUILD_ID, channel) == TextChannel(channel, ())
        clock.advance(10_000)
        assert await lookup.text_channel(DEMO_GUILD_ID, channel) == TextChannel(channel, ("Send Messages",))
        overwrites.append(Overwrite(sim.world.bot.id, allow=Permission.SEND_MESSAGES, is_member=True))
        clock.advance(10_000)
        assert await lookup.text_channel(DEMO_GUILD_ID, channel) == TextChannel(channel, ())
        overwrites[:] = [Overwrite(DEMO_GUILD_ID, deny=Permission.VIEW_CHANNEL)]
        clock.advance(10_000)
        assert await lookup.text_channel(DEMO_GUILD_ID, channel) is None
        clock.advance(10_000)
        sim.fault("rest", route="*", status=503, count=20)
        with pytest.raises(UnavailableError):
            await lookup.text_channel(DEMO_GUILD_ID, channel)
