"""Corrections: beside the record, within the session, in the sums or beside the archive, and in the chain."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest

from attendance.ids import SystemIds
from attendance.services.archive import Archiver
from attendance.services.verification import Verification
from attendance.store import schema
from attendance.store.evidence import SqlEvidenceStore
from attendance.store.periods import SqlPeriodStore
from tests.api_world import BASE, GUILD, MANAGER, OTHER_GUILD, World, http_client
from tests.books import rows_of
from tests.signing_world import PASSPHRASE, SigningProcess, a_session, b64url, chain_of, put_sessions

CORRECTIONS = f"{BASE}/corrections"


async def correct(client, world: World, session_id, seconds: int, *, key: str | None = None, note: str = "was there"):
    headers = world.auth() | ({"Idempotency-Key": key} if key else {})
    return await client.post(
        CORRECTIONS, headers=headers, json={"session_id": str(session_id), "delta_seconds": seconds, "note": note}
    )


async def told(client, world: World, path: str, **params) -> dict:
    answer = await client.get(f"{BASE}/{path}", headers=world.auth(), params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def board(client, world: World, **params) -> list[tuple[str, int, int]]:
    items = (await told(client, world, "leaderboard", **params))["items"]
    return [(item["user_id"], item["seconds"], item["corrected_seconds"]) for item in items]


async def test_a_correction_moves_every_sum_and_the_leaderboard(client, world):
    first = await world.session(11, 600_000, pauses=(0, 0, 300_000, 0), signed=True)
    await world.session(12, 700_000, signed=True)
    assert await board(client, world) == [("12", 700, 0), ("11", 600, 0)]
    await world.name(MANAGER, "=Ada")
    made = await correct(client, world, first, 200)
    assert made.status_code == 201
    assert made.json() == {
        "correction_id": made.json()["correction_id"],
        "session_id": str(first),
        "user_id": "11",
        "channel_id": "50",
        "period_index": 3,
        "at": "2027-01-15T05:59:59.999Z",
        "delta_seconds": 200,
        "note": "was there",
        "actor_id": str(MANAGER),
        "actor_name": "=Ada",
        "created_at": "2027-01-15T08:00:00.000Z",
        "after_archive": False,
    }
    assert await board(client, world) == [("11", 800, 0), ("12", 700, 0)]
    assert await board(client, world, channel_id=50) == [("11", 800, 0), ("12", 700, 0)]
    stats = await told(client, world, "stats", user_id=11)
    assert (stats["seconds"], stats["rank"], stats["by_channel"][0]["seconds"], stats["by_day"]) == (
        800,
        1,
        800,
        [{"date": "2027-01-15", "seconds": 800}],
    )
    assert (stats["recent"][0]["seconds"], stats["recent"][0]["corrected_seconds"]) == (600, 200)
    explained = await told(client, world, "stats/explain", user_id=11)
    assert explained["seconds"] == 800
    assert [(part["session_id"], part["seconds"]) for part in explained["corrections"]] == [(str(first), 200)]
    assert sum(map(sum, (await told(client, world, "analytics/heatmap"))["cells"])) == 1500
    assert (await told(client, world, "overview"))["totals"]["seconds"] == 1500
    assert (await told(client, world, "sessions", user_id=11))["items"][0]["corrected_seconds"] == 200
    listed = await told(client, world, "corrections")
    assert listed == {"items": [made.json()], "total": 1}
    assert (await told(client, world, "corrections", user_id=12))["total"] == 0


async def test_what_a_pause_took_at_an_earlier_hour_is_taken_at_the_session_s_end(client, world):
    """All of a session that ended just after midnight is taken: the last day has less than nothing, and the sum is right."""
    session = await world.session(11, 3_600_000, ago_ms=8 * 3_600_000 - 60_000, signed=True)
    assert (await correct(client, world, session, -3600)).status_code == 201
    stats = await told(client, world, "stats", user_id=11)
    assert stats["seconds"] == 0
    assert [day["seconds"] for day in stats["by_day"]] == [3540, -3540]


async def test_a_corrected_session_stays_within_nothing_and_its_length(client, world):
    session = await world.session(11, 600_000, pauses=(0, 0, 300_000, 0), signed=True)
    for seconds in (301, -601):
        answer = await correct(client, world, session, seconds)
        assert answer.status_code == 422
        assert answer.json()["details"] == {"delta_seconds": "from -600 to 300, but not 0"}
    assert (await correct(client, world, session, 300)).status_code == 201
    assert (await correct(client, world, session, 1)).json()["details"] == {"delta_seconds": "from -900 to 0, but not 0"}
    assert (await correct(client, world, session, -900)).status_code == 201
    assert await board(client, world) == [("11", 0, 0)]
    vain = await world.session(12, 60_000, below_minimum=True, signed=True)
    assert (await correct(client, world, vain, 60)).status_code == 201
    assert await board(client, world) == [("12", 60, 0), ("11", 0, 0)]


async def test_those_who_correct_at_once_cannot_leave_it_together(client, world):
    session = await world.session(11, 600_000, pauses=(0, 0, 300_000, 0), signed=True)
    answers = await asyncio.gather(*(correct(client, world, session, 100, note=f"n{n}") for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 5
    assert await board(client, world) == [("11", 900, 0)]


async def test_a_retry_with_the_same_key_is_one_correction(client, world):
    session = await world.session(11, 600_000, signed=True)
    answers = await asyncio.gather(*(correct(client, world, session, -10, key="k") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201]
    assert len({answer.json()["correction_id"] for answer in answers}) == 1
    assert await board(client, world) == [("11", 590, 0)]
    assert (await correct(client, world, session, -11, key="k")).status_code == 409
    assert (await correct(client, world, session, -10)).status_code == 201


async def test_a_session_that_is_not_signed_or_not_the_guild_s_cannot_be_corrected(client, world):
    pending = await world.session(11, 600_000)
    answer = await correct(client, world, pending, 1)
    assert answer.status_code == 409
    assert "signature" in answer.json()["error"]
    assert (await correct(client, world, UUID(int=7), 1)).status_code == 404
    signed = await world.session(11, 600_000, signed=True)
    elsewhere = await client.post(
        f"/api/v1/guilds/{OTHER_GUILD}/corrections",
        headers=world.auth(guild=OTHER_GUILD),
        json={"session_id": str(signed), "delta_seconds": -1, "note": "x"},
    )
    assert elsewhere.status_code == 404
    assert await rows_of(world.database, schema.correction) == []


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"delta_seconds": 0}, "delta_seconds"),
        ({"delta_seconds": "5"}, "delta_seconds"),
        ({"delta_seconds": 2**63}, "delta_seconds"),
        ({"note": ""}, "note"),
        ({"note": " "}, "note"),
        ({"note": "a\u0000"}, "note"),
        ({"note": "x" * 501}, "note"),
        ({"session_id": "nonsense"}, "session_id"),
        ({"session_id": "{01972f3c-7c00-7000-8000-0123456789ab}"}, "session_id"),
        ({"more": 1}, "body"),
    ],
)
async def test_corrections_that_cannot_be_are_422(sqlite_client, sqlite_world, change, member):
    body = {"session_id": str(UUID(int=7)), "delta_seconds": 1, "note": "why"} | change
    answer = await sqlite_client.post(CORRECTIONS, headers=sqlite_world.auth(), json=body)
    assert (answer.status_code, list(answer.json()["details"])) == (422, [member])


async def close_period(world: World) -> None:
    period = schema.period
    await world.change(period, period.c.period_index == 3, state="closed", ended_at_ms=world.clock.now_ms())
    await world.put(schema.period, guild_id=GUILD, period_index=4, started_at_ms=world.clock.now_ms(), state="running")


class InterruptedPeriods(SqlPeriodStore):
    """Something happens between reading the sums and writing the entries."""

    def __init__(self, database, then):
        super().__init__(database)
        object.__setattr__(self, "then", then)

    async def finish(self, *arguments):
        if self.then is not None:
            then, _ = self.then, object.__setattr__(self, "then", None)
            await then()
        await super().finish(*arguments)


async def entries(world: World) -> list[tuple[int, int]]:
    rows = await rows_of(world.database, schema.period_entry)
    return [(row["user_id"], row["credited_ms"]) for row in rows]


async def test_a_correction_during_the_archiving_is_in_the_entries(client, world):
    session = await world.session(11, 600_000, signed=True)
    await world.session(12, 595_000, signed=True)
    await close_period(world)
    answers = []

    async def meanwhile() -> None:
        answers.append(await correct(client, world, session, -10))

    archiver = Archiver(InterruptedPeriods(world.database, meanwhile), world.clock, SystemIds(), "one", entries_a_chunk=1)
    assert await archiver.archive_due() == 0, "its claim is gone"
    assert answers[0].json()["after_archive"] is False
    assert await archiver.archive_due() == 1
    assert await entries(world) == [(12, 595_000), (11, 590_000)]
    assert await board(client, world, period_index=3) == [("12", 595, 0), ("11", 590, 0)]


async def test_a_correction_after_the_archiving_stands_beside_it(client, world):
    session = await world.session(11, 600_000, signed=True)
    await world.session(12, 595_000, signed=True)
    await close_period(world)
    archiver = Archiver(SqlPeriodStore(world.database), world.clock, SystemIds(), "one")
    assert await archiver.archive_due() == 1
    before = [await rows_of(world.database, table) for table in (schema.period_member, schema.member_quarter)]
    assert (await correct(client, world, session, -10)).json()["after_archive"] is True
    assert (await correct(client, world, session, -591)).status_code == 422
    assert await entries(world) == [(11, 600_000), (12, 595_000)]
    assert await board(client, world, period_index=3) == [("11", 600, -10), ("12", 595, 0)]
    assert await board(client, world, period_index=3, channel_id=50) == [("11", 600, -10), ("12", 595, 0)]
    assert [await rows_of(world.database, table) for table in (schema.period_member, schema.member_quarter)] == before
    explained = await told(client, world, "stats/explain", user_id=11, **{"from": "2027-01-15T00:00:00Z"})
    assert (explained["seconds"], explained["corrected_seconds"]) == (600, -10)


@pytest.mark.slow
async def test_corrections_and_the_archiver_at_once_are_in_the_entries_or_beside_them(client, world):
    sessions = [await world.session(20 + number, 600_000, signed=True) for number in range(6)]
    await close_period(world)
    archivers = [
        Archiver(SqlPeriodStore(world.database), world.clock, SystemIds(), name, entries_a_chunk=1) for name in ("one", "two")
    ]

    async def archive(archiver: Archiver) -> None:
        for _ in range(4):
            await archiver.archive_due()

    answers, *_ = await asyncio.gather(
        asyncio.gather(*(correct(client, world, session, -10) for session in sessions)), *map(archive, archivers)
    )
    late = {answer.json()["user_id"] for answer in answers if answer.json()["after_archive"]}
    await archivers[0].archive_due()
    archived = await entries(world)
    assert len(archived) == 6
    assert {str(user_id) for user_id, credited_ms in archived if credited_ms == 600_000} == late


@pytest.mark.slow
async def test_its_record_names_what_it_corrects_and_the_period_s_record_reaches_up_to_it(database):
    world, process = World(database), SigningProcess(database)
    await world.settle()
    await process.succession.generate(GUILD, PASSPHRASE)
    facts = [a_session(number, period_index=3) for number in range(3)]
    await put_sessions(database, facts)
    for one in facts:
        key = {"guild_id": GUILD, "period_index": 3, "user_id": one.user_id, "session_count": 1, "credited_ms": 50_000}
        sums = dict.fromkeys(("unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms"), 0)
        await world.put(schema.period_member, **key, **sums, rank_key=-50_000)
    await process.sign_all()
    archiver = Archiver(SqlPeriodStore(database), world.clock, SystemIds(), "one")
    async with http_client(world.app()) as client:
        assert (await correct(client, world, facts[1].session_id, 7, note="naïve “quotes”")).status_code == 201
        await close_period(world)
        await archiver.archive_due()
        assert (await correct(client, world, facts[2].session_id, -7)).json()["after_archive"] is True
    await process.sign_all()
    chain = await chain_of(database)
    assert [record["type"] for record in chain] == [
        "key.activate",
        *["voice.session"] * 3,
        "session.correction",
        "leaderboard.period",
        "session.correction",
    ]
    correction, period = chain[4], chain[5]
    hashes = {row["session_id"]: bytes(row["record_sha256"]) for row in await rows_of(database, schema.record)}
    assert {name: correction[name] for name in ("session_id", "corrects", "delta_ms", "actor_id", "note")} == {
        "session_id": str(facts[1].session_id),
        "corrects": b64url(hashes[facts[1].session_id]),
        "delta_ms": 7000,
        "actor_id": str(MANAGER),
        "note": "naïve “quotes”",
    }
    assert (period["first_guild_seq"], period["last_guild_seq"], period["session_count"]) == (1, 4, 3)
    verification = Verification(SqlEvidenceStore(database), world.clock)
    assert (await verification.period(GUILD, 3)).valid
    assert (await verification.session(facts[1].session_id)).valid


async def test_who_corrected_is_audited_without_the_reason(client, world):
    session = await world.session(11, 600_000, signed=True)
    await correct(client, world, session, -10, note="private")
    await correct(client, world, session, -1000)
    (row,) = await rows_of(world.database, schema.audit)
    assert (row["action"], row["target"], row["actor_id"], row["via"]) == ("session.correct", str(session), MANAGER, "api")
    assert json.loads(row["before"]) == {"credited_ms": 600_000}
    assert json.loads(row["after"])["credited_ms"] == 590_000
    assert "private" not in str(row)
