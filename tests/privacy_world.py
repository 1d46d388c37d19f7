"""A recorded, signed, archived life of several members, and what must be true after one of them is erased."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import LargeBinary, insert, select

from attendance.clock import FixedClock
from attendance.domain.audit import Actor
from attendance.domain.erasure import ERASURE_WAITS_MS, state_mark
from attendance.domain.external_attendance import ExternalAttendance
from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.observations import GuildSeen, VoiceState
from attendance.errors import UnavailableError
from attendance.ids import SystemIds
from attendance.services.archive import Archiver
from attendance.services.commands import Request
from attendance.services.corrections import Corrections
from attendance.services.erasure import Eraser, Erasures
from attendance.store import schema
from attendance.store.corrections import SqlCorrectionStore
from attendance.store.database import Database
from attendance.store.erasure import SqlErasureSteps
from attendance.store.erasure_requests import SqlErasureRequests
from attendance.store.external_attendance import SqlExternalAttendanceStore
from attendance.store.periods import SqlPeriodStore
from tests.books import rows_of
from tests.observed import GUILDS, SHARD, USERS, ScriptedDiscord
from tests.owner import START_MS, Owner, answer, ask, drained, live
from tests.signing_world import PASSPHRASE, SigningProcess

GUILD = GUILDS[0]
# Ids that occur nowhere by chance, so that any trace of one is a trace.
REAL = {small: UserId(712_345_678_900_000_000 + small * 7_919) for small in USERS}
MEMBERS = [REAL[user] for user in USERS]
HOUR = 3_600_000
DAY = 24 * HOUR


class RealIds(ScriptedDiscord):
    """The script with members whose ids look like Discord's."""

    def state(self, user_id: UserId, channel_id: ChannelId | None) -> VoiceState:
        state = super().state(user_id, channel_id)
        real = REAL[user_id]
        flags = (state.self_mute, state.mute, state.self_deaf, state.deaf)
        return VoiceState(real, channel_id, *flags, bot=state.bot, display_name=name_of(real))

    def everyone_leaves(self) -> list[GuildSeen]:
        self.at_ms += 1_000
        return [GuildSeen(self.at_ms, SHARD, self.facts(guild_id), (), ()) for guild_id in GUILDS]


def name_of(user_id: int) -> str:
    return f"Zyxwv{user_id % 9_973}"


@dataclass
class Mailbox:
    """Direct messages: what was sent to whom; closed or away on demand."""

    sent: list[tuple[int, str, str]] = field(default_factory=list)
    problem: str | None = None
    away: bool = False

    async def send(self, user_id: UserId, text: str, nonce: str) -> str | None:
        if self.away:
            raise UnavailableError("Discord is away")
        if self.problem is None:
            self.sent.append((user_id, text, nonce))
        return self.problem


@dataclass
class PrivacyWorld:
    """Everything over one database."""

    database: Database
    seed: int = 1

    def __post_init__(self) -> None:
        self.clock = FixedClock(START_MS)
        self.owner = Owner(self.database, self.clock)
        self.discord = RealIds(self.seed, START_MS)
        self.signing = SigningProcess(self.database, self.clock)
        self.mailbox = Mailbox()
        self.ids = SystemIds()
        self.steps = SqlErasureSteps(self.database)
        self.requests = SqlErasureRequests(self.database)
        self.erasures = Erasures(self.requests, self.clock, self.ids)

    def eraser(self, **other: Any) -> Eraser:
        parts = {"requests": self.requests, "steps": self.steps, "messages": self.mailbox}
        return Eraser(**{**parts, **other}, clock=self.clock, ids=self.ids, holder="test", sessions_a_step=3, rows_a_step=5)

    async def live(self, *, signed: bool = True, periods: int = 2, steps: int = 220) -> None:
        """Some periods, all but the last archived; sessions signed, corrected, announced; then nobody is in voice."""
        if signed:
            await self.signing.succession.generate(GUILD, PASSPHRASE)
        await self._listeners()
        async with self.owner.term() as recorder:
            for number in range(periods):
                await live(self.owner, recorder, self.discord, steps)
                if number + 1 < periods:
                    await answer(self.database, recorder, await ask(self.database, GUILD, "reset"))
            recorder.inlet.put_all(self.discord.everyone_leaves())
            await drained(self.owner)
            self.clock.at_ms = max(self.clock.at_ms, self.discord.at_ms)
        await self.sign_and_archive()
        if signed:
            await self.correct_some()
        await self.others_report()
        await self.sign_and_archive()

    async def sign_and_archive(self) -> None:
        await Archiver(SqlPeriodStore(self.database), self.clock, self.ids, "test").archive_due()
        await self.signing.sign_all()

    async def correct_some(self) -> None:
        """A correction of every member's longest session of each period."""
        corrections = Corrections(SqlCorrectionStore(self.database), self.clock, self.ids, self.signing.wake)
        longest: dict[tuple[int, int], dict[str, Any]] = {}
        for row in await rows_of(self.database, schema.session, schema.session.c.credited_ms):
            if row["guild_id"] == GUILD and row["left_at_ms"] - row["joined_at_ms"] > row["credited_ms"]:
                longest[row["user_id"], row["period_index"]] = row
        for row in longest.values():
            note = f"was there, {name_of(row['user_id'])} says"
            await corrections.correct(Request(GUILD, Actor(UserId(5))), row["session_id"], 1, note)

    async def others_report(self) -> None:
        store = SqlExternalAttendanceStore(self.database)
        for user_id in MEMBERS:
            report = ExternalAttendance(f"m{user_id % 997}", GUILD, user_id, None, START_MS, START_MS + HOUR, "meeting")
            await store.add(report, self.clock.now_ms())

    async def _listeners(self) -> None:
        ids = [self.ids.session_id(START_MS) for _ in range(3)]
        async with self.database.transaction() as connection:
            await connection.execute(
                insert(schema.log_destination).values(
                    destination_id=ids[0],
                    guild_id=GUILD,
                    channel_id=60,
                    types='["session_end"]',
                    frequency="daily",
                    created_at_ms=0,
                )
            )
            values = {"url": "https://example.org", "events": '["session.completed"]', "enabled": True}
            await connection.execute(insert(schema.webhook).values(guild_id=GUILD, created_at_ms=0, updated_at_ms=0, **values))
            for user_id in MEMBERS:
                grant = {"guild_id": GUILD, "rule_id": ids[1], "user_id": user_id}
                await connection.execute(insert(schema.role_grant).values(**grant, granted_at_ms=0))
                change = {"run_id": ids[2], "user_id": user_id, "guild_id": GUILD, "action": "grant", "state": "done"}
                await connection.execute(insert(schema.role_change).values(**change))

    async def ask_to_erase(self, user_id: int) -> None:
        await self.erasures.request(GUILD, UserId(user_id), Actor(UserId(user_id), address="203.0.113.9"))
        await self.eraser().look()
        self.clock.advance(ERASURE_WAITS_MS)

    async def erase(self, user_id: int) -> int:
        await self.ask_to_erase(user_id)
        return await self.eraser().look()


async def traces(database: Database, user_id: int, also: Sequence[bytes] = ()) -> list[str]:
    """Every column of every table that holds the member's id, name, or one of these byte strings."""
    words = [str(user_id), name_of(user_id)]
    marks = [word.encode() for word in words] + [state_mark(UserId(user_id)), *also]
    found = []
    for table in schema.metadata.sorted_tables:
        for row in await rows_of(database, table):
            if "guild_id" in row and row["guild_id"] not in (GUILD, None):
                continue
            for name, value in row.items():
                raw = bytes(value) if isinstance(table.c[name].type, LargeBinary) and value is not None else str(value).encode()
                if value == user_id or any(mark in raw for mark in marks):
                    found.append(f"{table.name}.{name}")
    return found


async def salts_of(database: Database, user_id: int) -> list[bytes]:
    """Salts of a member's records and entries, raw and as the records write them."""
    salts = [row["salt"] for row in await rows_of(database, schema.period_entry) if row["user_id"] == user_id]
    for row in await rows_of(database, schema.record):
        if row["body"] is not None and f'"user_id":"{user_id}"'.encode() in bytes(row["body"]):
            salts += [json.loads(row["body"])["salt"].encode()]
    return [bytes(salt) for salt in salts]


async def sums_are_those_of_the_sessions(database: Database) -> None:
    """The members' sums against the sessions and corrections that are stored."""
    moved: dict[Any, int] = defaultdict(int)
    for row in await rows_of(database, schema.correction):
        moved[row["session_id"]] += 0 if row["after_archive"] else row["delta_ms"]
    totals: dict[Any, list[int]] = defaultdict(lambda: [0] * 6)
    channels: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    quarters: dict[Any, int] = defaultdict(int)
    for row in await rows_of(database, schema.session):
        credited = row["credited_ms"] + moved[row["session_id"]]
        amounts = [credited, 1, *(row[f"{name}_ms"] for name in ("unwitnessed", "deafened", "muted", "solo"))]
        key = (row["guild_id"], row["period_index"], row["user_id"])
        totals[key] = [one + more for one, more in zip(totals[key], amounts, strict=True)]
        place = (row["guild_id"], row["period_index"], row["channel_id"], row["user_id"])
        channels[place] = [one + more for one, more in zip(channels[place], amounts, strict=False)]
        quarters[place] += credited
    names = ("credited_ms", "session_count", "unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms")
    stored = {
        (row["guild_id"], row["period_index"], row["user_id"]): [row[name] for name in names]
        for row in await rows_of(database, schema.period_member)
    }
    assert stored == totals
    assert all(row["rank_key"] == -row["credited_ms"] for row in await rows_of(database, schema.period_member))
    found = {
        (row["guild_id"], row["period_index"], row["channel_id"], row["user_id"]): [row["credited_ms"], row["session_count"]]
        for row in await rows_of(database, schema.period_channel)
    }
    assert found == channels
    cells: dict[Any, int] = defaultdict(int)
    for row in await rows_of(database, schema.member_quarter):
        cells[row["guild_id"], row["period_index"], row["channel_id"], row["user_id"]] += row["credited_ms"]
        assert row["credited_ms"] != 0
    assert {key: value for key, value in quarters.items() if value} == {key: value for key, value in cells.items() if value}


async def of_others(database: Database, user_id: int) -> dict[str, list[dict[str, Any]]]:
    """What is stored of everybody else: it must not change."""
    kept = {}
    for table in (schema.session, schema.period_member, schema.period_entry, schema.correction, schema.member, schema.opt_out):
        rows = await rows_of(database, table, *table.primary_key)
        kept[table.name] = [row for row in rows if row["user_id"] not in (user_id, None)]
    return kept


async def archived_periods(database: Database, guild_id: GuildId = GUILD) -> list[int]:
    async with database.snapshot() as connection:
        period = schema.period.c
        query = select(period.period_index).where(period.guild_id == guild_id, period.state == "archived")
        return list(await connection.scalars(query.order_by(period.period_index)))
