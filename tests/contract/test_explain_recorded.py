"""Explanations and previews of what a recorder recorded: against statistics, leaderboards, and the twin's accounting."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.settings import GuildSettings, rules_of
from attendance.domain.stream.milestones import MILESTONE_MS
from attendance.services.explain import Explanation, Explanations
from attendance.services.fairness_preview import FairnessPreviews, OtherRules
from attendance.services.leaderboards import LeaderboardQuery, Leaderboards
from attendance.services.recording.recorder import LEASE_MS
from attendance.services.standings_cache import StandingsCache
from attendance.services.statistics import Statistics
from attendance.store import schema
from attendance.store.database import Database
from attendance.store.explain import SqlExplainSource
from attendance.store.leases import SqlLeaseStore
from attendance.store.recording import SqlJournalStore
from attendance.store.reports import SqlReportSource
from tests.books import books_balance, rows_of
from tests.observed import CHANNELS, GUILDS, SHARD, USERS, ScriptedDiscord
from tests.owner import START_MS, Owner, answer, ask, live
from tests.twin.fold import Guild
from tests.twin.presence import Presence, credited_under, presence
from tests.twin.replay import Replay
from tests.twin.session import reckon
from tests.twin.trace import read_line, read_rules

GUILD = GUILDS[0]
OUTSIDE = ("untracked", "afk", "off", "opted_out")
WHOLE = (START_MS - 1, None)


async def recorded(database: Database, seed: int, *, pause_ms: int = 0) -> tuple[Owner, Replay]:
    """A life with changing rules, opt-outs, losses and a reset, the books balanced at its end."""
    owner, discord = Owner(database), ScriptedDiscord(seed, START_MS)
    async with owner.term() as recorder:
        await live(owner, recorder, discord, 25)
        for kind, body in (
            ("settings", {"pause_on_mute": True, "pause_when_solo": True, "min_session_seconds": 30}),
            ("track", {"channel_id": str(CHANNELS[1])}),
            ("opt_out", {"user_id": str(USERS[2]), "out": True}),
            ("settings", {"tracking_mode": "denylist"}),
            ("reset", {}),
            ("settings", {"tracking_mode": "off"}),
            ("settings", {"tracking_mode": "denylist", "pause_on_deafen": True}),
        ):
            await answer(database, recorder, await ask(database, GUILD, kind, **body))
            await live(owner, recorder, discord, 25)
    if pause_ms:
        discord.at_ms += pause_ms
        owner.clock.advance(pause_ms)
        async with owner.term() as recorder:
            await live(owner, recorder, discord, 60)
    return owner, await books_balance(database)


async def explain(owner: Owner, user: int, from_ms: int | None = None, to_ms: int | None = None, **more: Any) -> Explanation:
    explanations = Explanations(SqlExplainSource(owner.database), owner.clock)
    return await explanations.explain(GUILD, UserId(user), from_ms, to_ms, **{"for_themselves": True, **more})


def plain(told: Explanation, *, outside: bool) -> list[tuple[int, int, str]]:
    stretches = [(it.start_ms, it.end_ms, it.status) for it in told.rounded.stretches if (it.status in OUTSIDE) is outside]
    assert stretches == sorted(stretches)
    return stretches


def credited_seconds(told: Explanation) -> list[int]:
    pairs = zip(told.rounded.stretches, told.rounded.seconds, strict=True)
    return [seconds for stretch, seconds in pairs if stretch.is_credited]


def twin_sessions(twin: Replay, user: int, as_of_ms: int) -> list[Any]:
    guild = twin.guilds[GUILD]
    running = [reckon(GUILD, it, max(as_of_ms, it.samples[-1][0]), None) for it in guild.sessions.values() if it.user == user]
    return [it for it in guild.closed if it.user == user] + running


def clipped(spans: list[Any], from_ms: int, to_ms: int) -> list[tuple[int, int, str]]:
    cut = [(max(start, from_ms), min(end, to_ms), status) for start, end, status in spans]
    return [span for span in cut if span[0] < span[1]]


async def journal(database: Database) -> list[bytes]:
    table = schema.journal
    rows = await rows_of(database, table, table.c.guild_id, table.c.seq)
    return [bytes(row["line"]) for row in rows if row["guild_id"] == GUILD]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
async def test_what_is_explained_is_what_everything_else_says(database: Database, seed: int) -> None:
    owner, twin = await recorded(database, seed)
    reports = SqlReportSource(database)
    boards = Leaderboards(reports, owner.clock, StandingsCache())
    page = await boards.page(LeaderboardQuery(guild_id=GUILD, limit=50, offset=0))
    shown = {line.user_id: line.credited_ms // 1000 for line in page.lines}
    statistics = Statistics(reports, boards, owner.clock)
    lines = await journal(database)
    blind = await rows_of(database, schema.blind_interval, schema.blind_interval.c.seq)
    random = Random(seed)
    seen = set()
    for user in USERS:
        told = await explain(owner, user)
        stats = await statistics.member(GUILD, user)
        assert told.rounded.credited == stats.sums.credited_ms // 1000 == shown.get(user, 0)
        for status in ("unwitnessed", "deafened", "muted", "solo"):
            assert told.rounded.totals[status] == getattr(stats.sums, f"{status}_ms") // 1000
        for _ in range(4):
            from_ms, to_ms = sorted(random.randrange(START_MS, owner.clock.at_ms + 60_000) for _ in range(2))
            told = await explain(owner, user, from_ms, to_ms)
            sessions = twin_sessions(twin, user, told.as_of_ms)
            in_sessions = [span for it in sessions for span in it.timeline]
            assert plain(told, outside=False) == sorted(clipped(in_sessions, from_ms, to_ms))
            counted = [
                span for it in sessions if not it.below_minimum for span in it.timeline if span[2] in ("counted", "bridged")
            ]
            credited = sum(end - start for start, end, _ in clipped(counted, from_ms, to_ms))
            assert told.rounded.credited == credited // 1000
            assert told.rounded.credited == sum(credited_seconds(told))
            expected: list[Presence] = presence(Guild(GUILD), user, lines, min(to_ms, told.as_of_ms))
            outside = clipped([(start, end, why) for start, end, _, why, _ in expected], from_ms, to_ms)
            assert plain(told, outside=True) == outside
            seen.update(status for *_, status in outside)
            touching = [
                row["started_at_ms"]
                for row in blind
                if row["guild_id"] == GUILD
                and row["started_at_ms"] < to_ms
                and (row["started_at_ms"] >= from_ms or (row["ended_at_ms"] or to_ms) > from_ms)
            ]
            assert [line.started_at_ms for line in told.blind] == touching
    assert {"untracked", "off"} <= seen


@pytest.mark.slow
async def test_each_stretch_names_its_session_and_rules_and_an_opt_out_is_told_to_the_member_alone(
    sqlite_database: Database,
) -> None:
    owner, _ = await recorded(sqlite_database, 1)
    versions = {row["version"]: row for row in await rows_of(sqlite_database, schema.rules_version) if row["guild_id"] == GUILD}
    sessions = {row["session_id"]: row for row in await rows_of(sqlite_database, schema.session)}
    kinds = set()
    for user in USERS:
        for stretch in (await explain(owner, user, *WHOLE)).rounded.stretches:
            if stretch.status == "opted_out":
                assert (stretch.rule, stretch.rules) == ("opt_out", None)
                continue
            assert stretch.rules is not None
            row = versions[stretch.rules.version]
            assert (row["actor_id"], row["from_ms"]) == (stretch.rules.actor_id, stretch.rules.since_ms)
            assert row["from_ms"] <= stretch.start_ms
            later = versions.get(stretch.rules.version + 1)
            assert later is None or stretch.end_ms <= later["from_ms"] or stretch.status in ("bridged", "unwitnessed")
            kinds.add((stretch.status, stretch.rule))
            if stretch.session_id is not None:
                session = sessions[stretch.session_id]
                assert session["rules_sha256"] == row["rules_sha256"]
                assert (session["stay"], session["part"], session["reason"]) == (stretch.stay, stretch.part, stretch.reason)
    mine, others = [await explain(owner, USERS[2], *WHOLE, for_themselves=own) for own in (True, False)]
    assert mine.rounded.totals["opted_out"] > 0 == others.rounded.totals["opted_out"]
    assert [it for it in mine.rounded.stretches if it.status != "opted_out"] == others.rounded.stretches
    assert {("counted", None), ("muted", "pause_on_mute"), ("solo", "pause_when_solo"), ("off", "tracking_mode")} <= kinds


async def stored_settings(database: Database) -> tuple[GuildSettings, ChannelId | None]:
    async with SqlExplainSource(database).view() as view:
        return await view.settings(GUILD), await view.afk_channel(GUILD)


@pytest.mark.slow
async def test_a_preview_is_the_twins_accounting_and_writes_nothing(database: Database) -> None:
    owner, _ = await recorded(database, 4)
    before = {table.name: await rows_of(database, table) for table in schema.metadata.sorted_tables}
    previews = FairnessPreviews(SqlExplainSource(database), owner.clock)
    settings, afk = await stored_settings(database)
    lines = [read_line(line) for line in await journal(database)]
    for asked in (
        OtherRules({}),
        OtherRules({"pause_on_mute": False, "pause_when_solo": False, "min_session_seconds": 0}),
        OtherRules({"min_session_seconds": 600, "bridge_gap_seconds": 600, "exclude_afk": False}),
        OtherRules({"pause_on_deafen": False}, "Allowlist", frozenset(CHANNELS[:2])),
        OtherRules({}, "ALL"),
    ):
        told = await previews.preview(GUILD, asked, 100, 0)
        assert told.settings == settings
        assert replace(settings.fairness, **asked.fairness) == told.others.fairness
        for side, name in ((told.settings, "now"), (told.others, "then")):
            rules = read_rules(rules_of(side, afk))
            expected = credited_under(lines, Guild(GUILD), told.from_ms, rules, told.to_ms)
            members = {it.user_id: side_of(it, name) for it in told.members if side_of(it, name)[1]}
            assert members == {user: (credit.credited_ms, credit.sessions) for user, credit in expected.items()}
        differences = [abs(it.difference_ms) for it in told.members]
        assert differences == sorted(differences, reverse=True)
        assert set(told.names) == {it.user_id for it in told.members}
        if asked == OtherRules({}):
            assert not any(differences)
        else:
            assert any(differences)
    assert before == {table.name: await rows_of(database, table) for table in schema.metadata.sorted_tables}


def side_of(member: Any, side: str) -> tuple[int, int]:
    return getattr(member, f"{side}_ms"), getattr(member, f"{side}_sessions")


@pytest.mark.slow
async def test_after_a_trim_replays_begin_at_the_first_milestone_that_is_left(database: Database) -> None:
    owner, _ = await recorded(database, 5, pause_ms=2 * MILESTONE_MS)
    table = schema.milestone
    kept = [row for row in await rows_of(database, table, table.c.guild_id, table.c.number) if row["guild_id"] == GUILD]
    assert kept[0]["seq"] == 0 < kept[-1]["seq"]
    assert len({row["number"] for row in kept}) == len(kept) > 1
    all_lines = await journal(database)
    whole = await explain(owner, USERS[1], *WHOLE)
    assert whole.journal_from_ms == START_MS
    now_ms = owner.clock.now_ms()
    (lease,) = await SqlLeaseStore(database).acquire(1, [SHARD], "one", now_ms, now_ms + LEASE_MS) or []
    store = SqlJournalStore(database)
    assert await store.trim(lease, START_MS + 1_000, 10_000) > 0
    left = [row for row in await rows_of(database, table, table.c.guild_id, table.c.number) if row["guild_id"] == GUILD]
    assert left == kept[1:]
    later = left[0]
    told = await explain(owner, USERS[1], *WHOLE)
    assert told.journal_from_ms == later["at_ms"]
    assert plain(told, outside=False) == plain(whole, outside=False)
    expected = [span for span in plain(whole, outside=True) if span[1] > later["at_ms"]]
    assert plain(told, outside=True) == clipped(expected, later["at_ms"], now_ms)
    preview = await FairnessPreviews(SqlExplainSource(database), owner.clock).preview(GUILD, OtherRules({}, "all"), 9, 0)
    assert (preview.from_ms, preview.is_trimmed) == (later["at_ms"], True)
    _, afk = await stored_settings(database)
    guild = Guild(GUILD)
    for line in all_lines[: later["seq"]]:
        guild.apply(read_line(line))
    behind = [read_line(line) for line in all_lines[later["seq"] :]]
    credited = credited_under(behind, guild, preview.from_ms, read_rules(rules_of(preview.others, afk)), preview.to_ms)
    assert {it.user_id: it.then_ms for it in preview.members if it.then_sessions} == {
        user: credit.credited_ms for user, credit in credited.items()
    }


@pytest.mark.slow
async def test_without_any_milestone_the_checkpoint_is_where_it_begins(sqlite_database: Database) -> None:
    owner, _ = await recorded(sqlite_database, 6)
    async with sqlite_database.transaction() as connection:
        await connection.execute(schema.milestone.delete())
    stored = next(row for row in await rows_of(sqlite_database, schema.checkpoint) if row["guild_id"] == GUILD)
    async with SqlExplainSource(sqlite_database).view() as view:
        start = await view.replay_start(GUILD, START_MS)
        assert start is not None
        assert (start.seq, start.state) == (stored["seq"], stored["state"])
        assert await view.replay_start(GuildId(5), START_MS) is None
    preview = await FairnessPreviews(SqlExplainSource(sqlite_database), owner.clock).preview(GUILD, OtherRules({}), 9, 0)
    assert preview.to_ms - preview.from_ms < 600_000
