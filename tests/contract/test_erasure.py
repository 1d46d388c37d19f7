"""An erasure, from the request to the last byte: what must be gone is gone, and everything else still verifies."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from attendance.domain.audit import Actor
from attendance.domain.erasure import ERASURE_WAITS_MS, ErasureState, snapshot_mark
from attendance.domain.ids import UserId
from attendance.domain.local_time import Unit
from attendance.domain.observations import VoiceState
from attendance.domain.stream.lines import voice_state_text
from attendance.errors import ConflictError, ForbiddenError, NotFoundError
from attendance.services.analytics import Analytics
from attendance.services.breakdowns import Breakdowns
from attendance.services.explain import Explanations
from attendance.store import schema
from attendance.store.explain import SqlExplainSource
from attendance.store.reports import SqlReportSource
from tests.books import rows_of
from tests.observed import CHANNELS
from tests.owner import answer, ask, drained
from tests.privacy_world import (
    DAY,
    GUILD,
    HOUR,
    MEMBERS,
    PrivacyWorld,
    archived_periods,
    of_others,
    salts_of,
    sums_are_those_of_the_sessions,
    traces,
)
from tests.signing_world import chain_of

MEMBER, OTHER = MEMBERS[3], MEMBERS[4]


async def everything_verifies(world: PrivacyWorld, erased: int | None = None) -> None:
    world.clock.advance(HOUR)  # roots are kept for a while
    await chain_of(world.database, GUILD)
    for index in await archived_periods(world.database):
        verdict = await world.signing.verification.period(GUILD, index)
        assert verdict.valid, (index, verdict)
    for row in await rows_of(world.database, schema.session):
        if row["guild_id"] == GUILD:
            assert (await world.signing.verification.session(row["session_id"])).valid
    if erased is not None:
        rows = await rows_of(world.database, schema.session)
        assert not [row for row in rows if (row["guild_id"], row["user_id"]) == (GUILD, erased)]
        assert [row for row in rows if row["user_id"] == erased]  # other guilds keep theirs


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
async def test_nothing_of_a_member_is_left_and_everything_else_verifies(database, seed):
    world = PrivacyWorld(database, seed)
    await world.live()
    theirs = [row["session_id"] for row in await rows_of(database, schema.session) if row["user_id"] == MEMBER]
    theirs = [one for one in theirs if one in {row["session_id"] for row in await rows_of(database, schema.record)}]
    assert len(theirs) > 2
    salts, before = await salts_of(database, MEMBER), await of_others(database, MEMBER)
    assert {"session.user_id", "record.body", "period_entry.user_id", "journal.line", "member.display_name"} <= set(
        await traces(database, MEMBER, salts)
    )
    channels = await rows_of(database, schema.channel_quarter)

    assert await world.erase(MEMBER) == 1
    assert (await world.erasures.state(GUILD, MEMBER)).state is ErasureState.DONE
    world.clock.advance(DAY + 1)
    await world.eraser().look()
    assert await traces(database, MEMBER, salts) == []
    with pytest.raises(NotFoundError):
        await world.erasures.state(GUILD, MEMBER)

    assert await of_others(database, MEMBER) == before
    assert await rows_of(database, schema.channel_quarter) == channels
    await sums_are_those_of_the_sessions(database)
    await world.signing.sign_all()
    await everything_verifies(world, MEMBER)
    for session_id in theirs:
        verdict = await world.signing.verification.session(session_id)
        assert (verdict.valid, verdict.state) == (False, "redacted")
    await redactions_name_what_is_gone(world)
    anonymous = [row for row in await rows_of(database, schema.period_entry) if row["user_id"] is None]
    assert anonymous
    assert all(row["salt"] is None and row["rank"] >= 1 for row in anonymous)


async def redactions_name_what_is_gone(world: PrivacyWorld) -> None:
    records = await rows_of(world.database, schema.record, schema.record.c.guild_seq)
    gone = {row["guild_seq"] for row in records if row["body"] is None and row["guild_id"] == GUILD}
    named = set()
    for row in records:
        if row["type"] == "record.redacted":
            body = json.loads(row["body"])
            assert body["why"] == "erasure"
            assert 1 <= len(body["redacts"]) <= 200
            for first, last in body["redacts"]:
                named |= set(range(first, last + 1))
    assert gone == named


@pytest.mark.slow
async def test_after_an_erasure_members_and_what_was_erased_add_up_to_the_trend(database):
    world = PrivacyWorld(database)
    await world.live(signed=False, periods=1, steps=120)
    reports = SqlReportSource(database)
    analytics, breakdowns = Analytics(reports, world.clock), Breakdowns(reports, world.clock)

    async def told() -> tuple[int, int, int, int, int]:
        members = await breakdowns.distribution(GUILD, 30, "UTC")
        channels = (await breakdowns.channels(GUILD, 30, "UTC")).channels
        trend = sum(part.credited_ms for part in (await analytics.trend(GUILD, 30, "UTC", Unit.DAY)).parts)
        assert trend == members.distribution.credited_ms + members.erased_ms == sum(one.credited_ms for one in channels)
        count = members.distribution.member_count
        return trend, members.distribution.credited_ms, members.erased_ms, count, sum(one.session_count for one in channels)

    rows = [row for row in await rows_of(database, schema.session) if row["guild_id"] == GUILD]
    theirs = [row["credited_ms"] for row in rows if row["user_id"] == MEMBER]
    total, members, erased, count, sessions = await told()
    assert (total, erased, sessions) == (members, 0, len(rows))
    assert sum(theirs) > 0
    assert await world.erase(MEMBER) == 1
    assert await told() == (total, members - sum(theirs), sum(theirs), count - 1, sessions - len(theirs))


async def test_the_recorder_starts_and_goes_on_after_an_erasure_and_others_are_still_explained(database):
    world = PrivacyWorld(database)
    await world.live()
    before = await Explanations(SqlExplainSource(database), world.clock).explain(GUILD, OTHER, None, None, for_themselves=True)
    await world.erase(MEMBER)
    explanations = Explanations(SqlExplainSource(database), world.clock)
    after = await explanations.explain(GUILD, OTHER, before.from_ms, before.to_ms, for_themselves=True)
    sessions = [[one for one in told.rounded.stretches if one.session_id is not None] for told in (before, after)]
    assert sessions[0] == sessions[1] != []
    world.discord.at_ms = world.clock.now_ms()
    async with world.owner.term() as recorder:
        recorder.inlet.put_all(world.discord.connect())
        for _ in range(40):
            recorder.inlet.put_all(world.discord.step())
        recorder.inlet.put_all(world.discord.everyone_leaves())
        await drained(world.owner)
    await sums_are_those_of_the_sessions(database)
    names = {row["user_id"] for row in await rows_of(database, schema.member) if row["guild_id"] == GUILD}
    back = {row["user_id"] for row in await rows_of(database, schema.session) if row["joined_at_ms"] > before.to_ms}
    assert back <= names  # who comes back has a name again
    await world.sign_and_archive()
    await everything_verifies(world)


@pytest.mark.slow
async def test_in_a_running_period_a_member_vanishes_and_the_period_can_still_be_archived_and_signed(database):
    world = PrivacyWorld(database)
    await world.live(periods=1, steps=120)
    await world.erase(MEMBER)
    assert (GUILD, MEMBER) not in [(row["guild_id"], row["user_id"]) for row in await rows_of(database, schema.period_member)]
    (period,) = [row for row in await rows_of(database, schema.period) if row["guild_id"] == GUILD]
    assert period["erased_sessions"] > 0
    async with database.transaction() as connection:
        this = schema.period.c.guild_id == GUILD
        await connection.execute(update(schema.period).where(this).values(state="closed", ended_at_ms=world.clock.now_ms()))
    await world.sign_and_archive()
    assert await archived_periods(database) == [0]
    await everything_verifies(world, MEMBER)


@pytest.mark.slow
async def test_what_was_never_signed_leaves_no_trace_and_does_not_hold_up_its_period(database):
    world = PrivacyWorld(database)
    await world.live(signed=False)
    await world.erase(MEMBER)
    assert any(row["erased_sessions"] < 0 for row in await rows_of(database, schema.period))
    await world.signing.succession.generate(GUILD, "correct horse battery staple")
    await world.signing.sign_all()
    left = [row["type"] for row in await rows_of(database, schema.record_queue) if row["guild_id"] == GUILD]
    assert left == []
    await everything_verifies(world, MEMBER)
    assert not [row for row in await rows_of(database, schema.record) if row["type"] == "record.redacted"]


@pytest.mark.slow
async def test_whoever_is_in_voice_is_erased_and_the_rest_follows_when_they_have_left(database):
    world = PrivacyWorld(database)
    await world.live()
    world.discord.at_ms = world.clock.now_ms()
    async with world.owner.term() as recorder:
        recorder.inlet.put_all(world.discord.connect())
        state = world.discord.state(UserId(703), CHANNELS[0])
        world.discord.at_ms += 10_000
        seen = world.discord.voice_state()
        recorder.inlet.put(type(seen)(world.discord.at_ms, seen.shard_id, GUILD, state))
        await drained(world.owner)
    assert [row for row in await rows_of(database, schema.open_session) if row["user_id"] == MEMBER]
    assert await world.erase(MEMBER) == 0
    assert (await world.erasures.state(GUILD, MEMBER)).state is ErasureState.RUNNING
    with pytest.raises(ConflictError):
        await world.erasures.withdraw(GUILD, MEMBER, Actor(MEMBER))
    assert not [row for row in await rows_of(database, schema.session) if (row["user_id"], row["guild_id"]) == (MEMBER, GUILD)]

    world.discord.at_ms = world.clock.now_ms()
    async with world.owner.term() as recorder:
        recorder.inlet.put_all(world.discord.connect())
        recorder.inlet.put_all(world.discord.everyone_leaves())
        await drained(world.owner)
    world.clock.advance(120_000)
    assert await world.eraser().look() == 1
    assert set(await traces(database, MEMBER)) == {"erasure.user_id", "erasure.requested_by"}


@pytest.mark.slow
async def test_an_opt_out_outlives_the_erasure_and_nothing_else_does(database):
    world = PrivacyWorld(database)
    await world.live()
    async with world.owner.term() as recorder:
        await answer(database, recorder, await ask(database, GUILD, "opt_out", user_id=str(MEMBER), out=True))
    assert await world.erase(MEMBER) == 1
    world.clock.advance(DAY + 1)
    await world.eraser().look()
    assert set(await traces(database, MEMBER)) == {
        "opt_out.user_id",
        "checkpoint.state",
        "journal.user_id",
        "journal.line",
    }
    lines = [row for row in await rows_of(database, schema.journal) if (row["guild_id"], row["user_id"]) == (GUILD, MEMBER)]
    assert {row["type"] for row in lines} == {"opt_out"}


@pytest.mark.slow
async def test_a_member_is_told_once_and_before_anything_happens(database):
    world = PrivacyWorld(database)
    await world.live(periods=1, steps=20)
    world.mailbox.away = True
    asked, created = await world.erasures.request(GUILD, MEMBER, Actor(UserId(5)))
    again, twice = await world.erasures.request(GUILD, MEMBER, Actor(MEMBER))
    assert (created, twice, again) == (True, False, asked)
    world.clock.advance(ERASURE_WAITS_MS)
    assert await world.eraser().look() == 0
    assert (await world.erasures.state(GUILD, MEMBER)).state is ErasureState.WAITING  # nobody was told yet
    world.mailbox.away = False
    world.clock.advance(120_001)
    await world.eraser().look()
    ((user_id, text, nonce),) = world.mailbox.sent
    assert (user_id, len(nonce) <= 25) == (MEMBER, True)
    assert "Somebody who manages the server" in text
    assert f"<t:{asked.due_at_ms // 1000}:F>" in text
    assert (await world.erasures.state(GUILD, MEMBER)).state is ErasureState.DONE


@pytest.mark.slow
async def test_closed_direct_messages_are_noted_and_hold_nothing_up(database):
    world = PrivacyWorld(database)
    await world.live(periods=1, steps=20)
    world.mailbox.problem = "their direct messages are closed to the bot"
    assert await world.erase(MEMBER) == 1
    state = await world.erasures.state(GUILD, MEMBER)
    assert (state.told_at_ms, state.tell_error) == (None, "their direct messages are closed to the bot")


@pytest.mark.slow
async def test_who_may_withdraw_and_until_when(database):
    world = PrivacyWorld(database)
    await world.live(periods=1, steps=20)
    manager, another = Actor(UserId(5)), Actor(UserId(6))
    await world.erasures.request(GUILD, MEMBER, manager)
    with pytest.raises(ForbiddenError):
        await world.erasures.withdraw(GUILD, MEMBER, another)
    for actor, by_operator in ((manager, False), (Actor(MEMBER), False), (another, True)):
        await world.erasures.withdraw(GUILD, MEMBER, actor, by_operator=by_operator)
        await world.erasures.withdraw(GUILD, MEMBER, actor, by_operator=by_operator)
        assert (await world.erasures.state(GUILD, MEMBER)).state is ErasureState.WITHDRAWN
        await world.ask_to_erase(MEMBER)
        world.clock.advance(-ERASURE_WAITS_MS + 1)
    assert len(await rows_of(database, schema.session)) > 0
    await world.erasures.withdraw(GUILD, MEMBER, Actor(MEMBER))
    world.clock.advance(ERASURE_WAITS_MS)
    assert await world.eraser().look() == 0


def test_the_mark_of_a_line_is_how_lines_are_written():
    assert snapshot_mark(MEMBER) in voice_state_text(1, GUILD, VoiceState(MEMBER, CHANNELS[0]), bot=False)
