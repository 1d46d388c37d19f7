"""What `rollcall demo-history` makes up is recorded, archived, signed and logged like real life, and never mixed with it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from attendance.cli.made_up.making import SOFTWARE, first_midnight_ms
from attendance.clock import FixedClock, SystemClock
from attendance.domain.ids import GuildId
from attendance.errors import ConfigError, ConflictError
from attendance.keys.master import master_key
from attendance.ports.provenance import MADE_UP
from attendance.services.log_reading import LogReader
from attendance.services.provenance import Provenances
from attendance.services.transparency_log import TransparencyLog
from attendance.services.verification import Verification
from attendance.store import schema
from attendance.store.data_folder import own_data_folder
from attendance.store.database import Database, open_database
from attendance.store.evidence import SqlEvidenceStore
from attendance.store.log_folder import LogFolder
from attendance.store.migrate import prepare
from attendance.store.provenance import SqlProvenanceStore
from attendance.store.reports import SqlReportSource
from attendance.store.transparency_log import SqlLogStore
from simulator.demo_ids import demo_guild_id
from tests.books import books_balance, rows_of
from tests.fixtures_demo import DemoData, made_history, settings_of
from tests.report_agreement import Reports, channels_agree, members_agree, quarters_said, ranges_agree

_DAY_MS = 86_400_000


@asynccontextmanager
async def opened(folder: Path) -> Any:
    database = open_database(settings_of(folder).database_url)
    await prepare(database)
    try:
        yield database
    finally:
        await database.close()


@pytest.mark.slow
async def test_the_books_balance_and_every_kind_of_time_occurs(demo_data: DemoData) -> None:
    async with opened(demo_data.folder) as database:
        twin = await books_balance(database)
        reasons = Counter(session.reason for session in twin.closed)
        assert {"leave", "move", "rules", "period", "gap", "opted_out"} <= reasons.keys()
        sums: Counter[str] = Counter()
        for row in await rows_of(database, schema.session):
            sums.update(
                {name: row[f"{name}_ms"] for name in ("bridged", "unwitnessed", "muted", "deafened", "solo", "credited")}
            )
        assert all(sums[name] > 0 for name in ("bridged", "unwitnessed", "deafened", "solo", "credited"))
        member = [row for row in await rows_of(database, schema.session) if row["user_id"] == demo_data.member_id]
        assert len({row["joined_at_ms"] // _DAY_MS for row in member}) >= 7


@pytest.mark.slow
async def test_every_report_adds_up_to_the_same_time(demo_data: DemoData) -> None:
    async with opened(demo_data.folder) as database:
        last_ms = max(row["at_ms"] for row in await rows_of(database, schema.journal))
        for number, zone in ((0, "Europe/Berlin"), (1, "America/New_York")):
            reports = Reports(SqlReportSource(database), FixedClock(last_ms + 1), GuildId(demo_guild_id(number)))
            await reports.read()
            assert reports.period_index >= 2
            await members_agree(reports)
            await channels_agree(reports)
            await ranges_agree(reports, await quarters_said(reports, database), zone)


@pytest.mark.slow
async def test_every_record_verifies_and_says_who_recorded(demo_data: DemoData) -> None:
    async with opened(demo_data.folder) as database:
        verification = Verification(SqlEvidenceStore(database), SystemClock())
        sessions = await rows_of(database, schema.session)
        for row in sessions[::97]:
            verdict = await verification.session(row["session_id"])
            assert verdict.valid, verdict
            assert verdict.state == "logged"
        periods = [row for row in await rows_of(database, schema.period) if row["state"] == "archived"]
        assert len(periods) >= 2
        for row in periods:
            assert (await verification.period(GuildId(row["guild_id"]), row["period_index"])).valid
        assert await rows_of(database, schema.record_queue) == []
        bodies = [json.loads(row["body"]) for row in await rows_of(database, schema.record) if row["type"] == "voice.session"]
        assert {(body["software"]["name"], body["software"]["version"]) for body in bodies} == {
            (SOFTWARE.name, SOFTWARE.version)
        }
        # Signed when it was signed: after the last thing that was made up.
        assert min(body["signed_at_ms"] for body in bodies) >= max(row["left_at_ms"] for row in sessions)


@pytest.mark.slow
async def test_the_log_is_whole_and_nothing_waits_to_be_told(demo_data: DemoData) -> None:
    files = LogFolder(demo_data.folder / "log")
    async with opened(demo_data.folder) as database:
        key = master_key(None, demo_data.folder)
        log = TransparencyLog(SqlLogStore(database), files, SystemClock(), key, None, asyncio.Event())
        published = LogReader(files).check(await log.vkey(), lambda *_: None)
        records = await rows_of(database, schema.record)
        assert published is not None
        assert published.size == len(records)
        for table in (schema.log_item, schema.log_message, schema.webhook_delivery):
            assert await rows_of(database, table) == []
        names = {row["user_id"]: row["display_name"] for row in await rows_of(database, schema.member)}
        assert {row["user_id"] for row in await rows_of(database, schema.session)} <= names.keys()
        assert all(names.values())


@pytest.mark.slow
def test_a_second_run_changes_nothing(demo_data: DemoData) -> None:
    before = (demo_data.folder / "rollcall.db").read_bytes()
    again = made_history(demo_data.folder, 5)
    assert again.lines is None
    assert again.began_ms == demo_data.began_ms
    assert (demo_data.folder / "rollcall.db").read_bytes() == before


@pytest.mark.slow
def test_another_process_in_the_data_folder_refuses_it(demo_data: DemoData) -> None:
    with own_data_folder(demo_data.folder), pytest.raises(ConflictError, match="in use"):
        made_history(demo_data.folder, 1)


@pytest.mark.parametrize("host", ["discord.com", "127.0.0.1"])
def test_a_database_that_saw_a_gateway_gets_no_made_up_history(tmp_path: Path, host: str) -> None:
    async def record_from() -> None:
        async with opened(tmp_path) as database:
            await Provenances(SqlProvenanceStore(database), FixedClock()).note_gateway(host)

    asyncio.run(record_from())
    with pytest.raises(ConflictError, match=f"recorded from {host}"):
        made_history(tmp_path, 1)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (schema.stream, {"guild_id": 1, "shard_count": 1, "closed_count": 0}),
        (schema.journal, {"guild_id": 1, "seq": 0, "at_ms": 5, "type": "blind", "line": b"{}"}),
        (schema.guild, {"guild_id": 1, "name": "g", "owner_id": 2, "first_seen_at_ms": 5}),
    ],
)
def test_a_database_older_than_the_mark_that_holds_anything_gets_none(tmp_path: Path, table: Any, row: dict[str, Any]) -> None:
    async def live() -> None:
        async with opened(tmp_path) as database, database.transaction() as connection:
            await connection.execute(insert(table).values(**row))

    asyncio.run(live())
    with pytest.raises(ConflictError, match="recorded from Discord by an earlier version"):
        made_history(tmp_path, 1)


def test_an_attempt_that_was_cut_short_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    async def begin() -> None:
        async with opened(tmp_path) as database:
            assert await Provenances(SqlProvenanceStore(database), FixedClock()).begin(7) is None

    asyncio.run(begin())
    with pytest.raises(ConflictError, match="did not come to its end"):
        made_history(tmp_path, 1)


async def test_made_up_history_is_never_continued_by_discord_itself(database: Database) -> None:
    provenances = Provenances(SqlProvenanceStore(database), FixedClock())
    assert await provenances.begin(7) is None
    await provenances.finish()
    with pytest.raises(ConfigError, match=r"must not record discord\.com"):
        await provenances.note_gateway("discord.com")
    for host in ("127.0.0.1", "::1", "localhost"):
        await provenances.note_gateway(host)
    standing = await SqlProvenanceStore(database).read()
    assert [source.name for source in standing.sources] == ["127.0.0.1", "::1", "localhost", MADE_UP]
    stands = await provenances.begin(9)
    assert stands is not None
    assert stands.since_ms == 7


async def test_the_first_connection_from_a_host_is_the_one_that_is_remembered(database: Database) -> None:
    clock = FixedClock(100)
    provenances = Provenances(SqlProvenanceStore(database), clock)
    await provenances.note_gateway("discord.com")
    clock.advance(50)
    await provenances.note_gateway("discord.com")
    assert [source.since_ms for source in (await SqlProvenanceStore(database).read()).sources] == [100]


def test_history_begins_at_a_mondays_midnight() -> None:
    saturday = 1_795_903_200_000  # 2026-11-28T22:00:00Z
    monday = first_midnight_ms(saturday, 0)
    assert monday <= saturday < monday + 7 * _DAY_MS
    assert (monday // _DAY_MS + 3) % 7 == 0
    assert first_midnight_ms(saturday, 6) == monday - 42 * _DAY_MS
