"""A guild as the recorder would have left it in the database, the API over it, and an owner who applies commands."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from sqlalchemy import Table, delete, insert, select, update

from api.app import build_app, serve_with
from api.services import ApiOptions, ApiServices
from api.wiring import ApiParts, build_api_services
from attendance.clock import FixedClock
from attendance.core import quarters_of
from attendance.domain.commands import CommandKind
from attendance.domain.schedule import Anchor, Interval, next_reset
from attendance.domain.settings import TrackingMode
from attendance.domain.subscriptions import Billing
from attendance.errors import UnavailableError
from attendance.ids import SystemIds, uuid7
from attendance.keys.sealing import SecretSealer
from attendance.ports.discord_lookup import BotPresence, GuildRole, ListedTextChannel, TextChannel
from attendance.services.commands import Commands
from attendance.services.open_keys import OpenKeys
from attendance.services.passphrases import Attempts, Passphrases
from attendance.store import schema
from attendance.store.commands import SqlCommandInbox
from attendance.store.database import Database
from attendance.store.export_folder import ExportFolder
from attendance.store.log_folder import LogFolder
from attendance.store.settings import load_settings, store_settings
from attendance.store.signing_keys import SqlKeyStore

GUILD = 81_384_788_765_712_384
OTHER_GUILD = 99_384_788_765_712_384
ABSENT_GUILD = 77_384_788_765_712_384
MANAGER, MEMBER, OPERATOR = 7, 8, 9
TEXT_CHANNELS = range(60, 100)
GUILD_ROLES = (300, 301, 302)
SECRET = b"a secret of thirty-two bytes, 1.."
OLD_SECRET = b"the one before it, as long as that"
BASE = f"/api/v1/guilds/{GUILD}"
START_MS = 1_800_000_000_000
HOUR = 3_600_000


@dataclass
class FakeLookup:
    """Discord: one manager, who manages every guild; away on demand."""

    away: bool = False
    missing: tuple[str, ...] = ()
    roles: dict[int, frozenset[int]] = field(default_factory=dict)  # of members

    async def may_manage(self, _guild_id: int, user_id: int) -> bool:
        if self.away:
            raise UnavailableError("Discord is away")
        return user_id == MANAGER

    async def member_roles(self, _guild_id: int, user_id: int) -> frozenset[int]:
        if self.away:
            raise UnavailableError("Discord is away")
        return self.roles.get(user_id, frozenset())

    async def guild_roles(self, guild_id: int) -> frozenset[int]:
        if self.away:
            raise UnavailableError("Discord is away")
        return frozenset({guild_id, *GUILD_ROLES}) if guild_id == GUILD else frozenset({guild_id})

    async def named_roles(self, guild_id: int) -> list[GuildRole]:
        names = {guild_id: "@everyone"} | {role_id: f"=Role {role_id}" for role_id in GUILD_ROLES}
        known = sorted(await self.guild_roles(guild_id), reverse=True)
        return [GuildRole(role_id, names[role_id], 0 if role_id == guild_id else 1, is_managed=False) for role_id in known]

    async def text_channel(self, guild_id: int, channel_id: int) -> TextChannel | None:
        if self.away:
            raise UnavailableError("Discord is away")
        channels = TEXT_CHANNELS if guild_id == GUILD else ()
        return TextChannel(channel_id, self.missing) if channel_id in channels else None

    async def text_channels(self, guild_id: int) -> list[ListedTextChannel]:
        if self.away:
            raise UnavailableError("Discord is away")
        channels = TEXT_CHANNELS if guild_id == GUILD else ()
        return [ListedTextChannel(one, f"=text {one}", "text", "Rooms", self.missing) for one in channels]

    async def bot_presence(self, _guild_id: int) -> BotPresence:
        if self.away:
            raise UnavailableError("Discord is away")
        return BotPresence(present=True, missing_permissions=self.missing)

    def forget(self, _guild_id: int) -> None:
        return None


@dataclass
class FakeOwner:
    """Applies what waits in the inbox whenever the API pauses, as the guild's recorder would."""

    database: Database
    clock: FixedClock
    present: bool = True
    applied: list[str] = field(default_factory=list)

    async def pause(self, seconds: float) -> None:
        self.clock.advance(round(seconds * 1000))
        if not self.present:
            await asyncio.sleep(0)
            return
        command = schema.command
        async with self.database.transaction() as connection:
            # One at a time, as the real owner works: whoever waits here sees what the one before has applied.
            waiting = select(command).where(command.c.applied_at_ms.is_(None)).order_by(command.c.id).with_for_update()
            for row in (await connection.execute(waiting)).all():
                result = await self._apply(connection, row)
                self.applied.append(row.kind)
                done = update(command).where(command.c.id == row.id)
                await connection.execute(done.values(applied_at_ms=self.clock.now_ms(), result=json.dumps(result)))

    async def _apply(self, connection, row) -> dict[str, Any]:
        settings = await load_settings(connection, row.guild_id)
        body = json.loads(row.body)
        if row.kind == CommandKind.RESET:
            return await self._cut(connection, row.guild_id)
        if row.kind == CommandKind.SCHEDULE:
            members = dict(body)
            if "interval" in members:
                members["interval"] = Interval(members["interval"])
            if "anchor" in members:
                members["anchor"] = Anchor(members["anchor"])
            schedule = replace(settings.schedule, **members)
            following = next_reset(schedule, self.clock.now_ms(), settings.last_reset_at_ms)
            changed = replace(settings, schedule=schedule, next_reset_at_ms=following)
            result = {**asdict(schedule), "next_reset_at_ms": following}
        elif row.kind == CommandKind.SETTINGS:
            mode = TrackingMode(body.pop("tracking_mode", settings.tracking_mode))
            changed = replace(settings, tracking_mode=mode, fairness=replace(settings.fairness, **body))
            result = {"tracking_mode": mode, **asdict(changed.fairness)}
        elif row.kind == CommandKind.OPT_OUT:
            return await self._opt(connection, row, body)
        else:
            channel, tracked = int(body["channel_id"]), settings.tracked_channels
            adds = row.kind == CommandKind.TRACK
            changed = replace(settings, tracked_channels=tracked | {channel} if adds else tracked - {channel})
            result = {"created": channel not in tracked} if adds else {"removed": channel in tracked}
        await store_settings(connection, row.guild_id, changed)
        return result

    async def _opt(self, connection, row, body) -> dict[str, Any]:
        """As `attendance.domain.stream.decisions` does; the table is all there is to remember."""
        table, user = schema.opt_out, int(body["user_id"])
        this = (table.c.guild_id == row.guild_id) & (table.c.user_id == user)
        by = (await connection.execute(select(table.c.actor_id).where(this))).all()
        if by and not body["out"] and not body.get("by_operator") and by[0][0] == user != row.actor_id:
            return {"changed": False, "refused": "own"}
        if by and (not body["out"] or row.actor_id == user):
            await connection.execute(delete(table).where(this))
        if body["out"] and (not by or row.actor_id == user):
            values = {"guild_id": row.guild_id, "user_id": user, "since_ms": self.clock.now_ms(), "actor_id": row.actor_id}
            await connection.execute(insert(table).values(**values))
        return {"changed": bool(by) != body["out"]}

    async def _cut(self, connection, guild_id: int) -> dict[str, Any]:
        period = schema.period
        query = select(period.c.period_index).where(period.c.guild_id == guild_id, period.c.state == "running")
        index = (await connection.execute(query)).scalar_one()
        ended = self.clock.now_ms()
        this = (period.c.guild_id == guild_id) & (period.c.period_index == index)
        await connection.execute(update(period).where(this).values(state="closed", ended_at_ms=ended, reason="manual"))
        await connection.execute(
            insert(period).values(guild_id=guild_id, period_index=index + 1, started_at_ms=ended, state="running")
        )
        return {"period_index": index, "ended_at_ms": ended}


@dataclass
class FakeRoles:
    """Discord's roles: what each member has, and why a role cannot be given."""

    away: bool = False
    problems: dict[int, str] = field(default_factory=dict)
    held: dict[int, set[int]] = field(default_factory=dict)  # by role
    gone: set[int] = field(default_factory=set)
    calls: list[tuple[str, int]] = field(default_factory=list)

    async def problem(self, _guild_id: int, role_id: int) -> str | None:
        if self.away:
            raise UnavailableError("Discord is away")
        return self.problems.get(role_id)

    async def has(self, _guild_id: int, user_id: int, role_id: int) -> bool | None:
        return None if user_id in self.gone else user_id in self.held.get(role_id, ())

    async def give(self, _guild_id: int, user_id: int, role_id: int, _reason: str) -> bool:
        self.calls.append(("give", user_id))
        self.held.setdefault(role_id, set()).add(user_id)
        return user_id not in self.gone

    async def take(self, _guild_id: int, user_id: int, role_id: int, _reason: str) -> bool:
        self.calls.append(("take", user_id))
        self.held.setdefault(role_id, set()).discard(user_id)
        return user_id not in self.gone


class NoDerivation:
    async def derive(self, *_arguments: object) -> bytes:
        return bytes(32)


class Apps:
    """Built apps, taken up again by the next test: building one takes longer than most tests."""

    def __init__(self) -> None:
        self._built: list[Litestar] = []
        self._used = 0

    def over(self, services: ApiServices) -> Litestar:
        if self._used == len(self._built):
            self._built.append(build_app())
        app = self._built[self._used]
        self._used += 1
        serve_with(app, services)
        return app

    def begin_anew(self) -> None:
        """The apps of the last test are nobody's any more."""
        self._used = 0


_APPS = Apps()
begin_anew = _APPS.begin_anew
app_over = _APPS.over


@dataclass
class World:
    """The guild, who asks about it, and everything behind the API."""

    database: Database
    clock: FixedClock = field(default_factory=lambda: FixedClock(START_MS))
    lookup: FakeLookup = field(default_factory=FakeLookup)
    roles: FakeRoles = field(default_factory=FakeRoles)
    billing: Billing = field(default_factory=Billing)
    log_folder: Path = Path("/nonexistent")
    ordinal: int = 0

    def __post_init__(self) -> None:
        self.owner = FakeOwner(self.database, self.clock)
        self.ids = SystemIds()

    def services(self, **options: Any) -> ApiServices:
        keys = SqlKeyStore(self.database)
        services = build_api_services(
            ApiParts(
                options=ApiOptions(secrets=(SECRET, OLD_SECRET), **options),
                database=self.database,
                clock=self.clock,
                ids=self.ids,
                lookup=self.lookup,
                operators=[OPERATOR],
                keys=keys,
                open_keys=OpenKeys(keys, self.clock, bytes(32)),
                passphrases=Passphrases(NoDerivation(), Attempts(self.clock), self.ids),
                sealing=SecretSealer(bytes(32)),
                log_files=LogFolder(self.log_folder),
                export_files=ExportFolder(self.log_folder / "exports"),
                signing=asyncio.Event(),
                commands=asyncio.Event(),
                guild_roles=self.roles,
                billing=self.billing,
            )
        )
        commands = Commands(SqlCommandInbox(self.database), self.clock, pause=self.owner.pause)
        return dataclasses.replace(
            services,
            settings=replace(services.settings, commands=commands),
            opt_outs=replace(services.opt_outs, commands=commands),
            preferences=replace(services.preferences, settings=replace(services.preferences.settings, commands=commands)),
            resets=replace(services.resets, commands=commands),
        )

    def app(self, **options: Any) -> Litestar:
        return _APPS.over(self.services(**options))

    def token(self, user: int | str = MANAGER, guild: int | str = GUILD, *, secret=SECRET, algorithm="HS256", **claims):
        body = {"user_id": user, "guild_id": guild, "exp": self.clock.now_ms() // 1000 + 60, **claims}
        return jwt.encode({name: value for name, value in body.items() if value is not ...}, secret, algorithm)

    def auth(self, user: int | str = MANAGER, guild: int | str = GUILD, **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(user, guild, **claims)}"}

    async def put(self, table, **values: Any) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(insert(table).values(**values))

    async def change(self, table, where, **values: Any) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(update(table).where(where).values(**values))

    async def remove(self, table, where) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(delete(table).where(where))

    async def settle(self) -> None:
        """The guild with two channels in a category, its running period 3, and a living owner."""
        async with self.database.transaction() as connection:
            for table, rows in settled_rows(self.clock.now_ms()).items():
                await connection.execute(insert(table), rows)

    async def channel(self, channel_id: int, name: str, kind: str = "voice", parent: int | None = None, **more) -> None:
        await self.put(schema.channel, **channel_row(channel_id, name, kind, parent) | more)

    async def name(self, user_id: int, display_name: str) -> None:
        await self.put(schema.member, guild_id=GUILD, user_id=user_id, display_name=display_name, bot=False)

    async def session(
        self,
        user_id: int,
        credited_ms: int,
        *,
        channel_id: int = 50,
        period_index: int = 3,
        ago_ms: int = 2 * HOUR,
        below_minimum: bool = False,
        pauses: tuple[int, int, int, int] = (0, 0, 0, 0),
        signed: bool = False,
    ) -> UUID:
        """A closed session that ended ``ago_ms`` ago, with the sums and the count that are stored together with it."""
        left = self.clock.now_ms() - ago_ms
        joined = left - credited_ms - sum(pauses)
        session_id = uuid7(left, self.ids.salt()[:10])
        timeline = b'[[%d,%d,"counted"]]' % (left - credited_ms, left)
        unwitnessed, deafened, muted, solo = pauses
        credited = 0 if below_minimum else credited_ms
        key = {"guild_id": GUILD, "period_index": period_index, "user_id": user_id}
        async with self.database.transaction() as connection:
            await connection.execute(
                insert(schema.session).values(
                    session_id=session_id,
                    ordinal=self.ordinal,
                    channel_id=channel_id,
                    stay=self.ordinal,
                    part=0,
                    joined_at_ms=joined,
                    left_at_ms=left,
                    reason="leave",
                    counted_ms=credited_ms,
                    bridged_ms=0,
                    unwitnessed_ms=unwitnessed,
                    deafened_ms=deafened,
                    muted_ms=muted,
                    solo_ms=solo,
                    below_minimum=below_minimum,
                    credited_ms=credited,
                    timeline=timeline,
                    rules_sha256=b"r" * 32,
                    **key,
                )
            )
            sums = {
                "credited_ms": credited,
                "session_count": 1,
                "unwitnessed_ms": unwitnessed,
                "deafened_ms": deafened,
                "muted_ms": muted,
                "solo_ms": solo,
                "rank_key": -credited,
            }
            await _add(connection, schema.period_member, key, sums)
            part = {name: sums[name] for name in ("credited_ms", "session_count")}
            await _add(connection, schema.period_channel, {**key, "channel_id": channel_id}, part)
            for quarter, amount in quarters_of(timeline) if credited else []:
                await _add(
                    connection,
                    schema.member_quarter,
                    {**key, "channel_id": channel_id, "quarter": quarter},
                    {"credited_ms": amount},
                )
                cell = {"guild_id": GUILD, "quarter": quarter, "channel_id": channel_id}
                await _add(connection, schema.channel_quarter, cell, {"credited_ms": amount})
            self.ordinal += 1
            await connection.execute(
                update(schema.stream).where(schema.stream.c.guild_id == GUILD).values(closed_count=self.ordinal)
            )
            if signed:
                await connection.execute(
                    insert(schema.record).values(
                        guild_id=GUILD,
                        guild_seq=self.ordinal,
                        type="voice.session",
                        record_sha256=b"h" * 32,
                        kid="k",
                        signed_at_ms=left,
                        session_id=session_id,
                        period_index=period_index,
                    )
                )
        return session_id

    async def opened(
        self, user_id: int, *, ago_ms: int = HOUR, channel_id: int = 50, period_index: int = 3, **more: Any
    ) -> None:
        """An open session that began ``ago_ms`` ago and has been counted since."""
        joined = self.clock.now_ms() - ago_ms
        values: dict[str, Any] = {
            "stay": 1000 + user_id,
            "part": 0,
            "joined_at_ms": joined,
            "status": "counted",
            "since_ms": joined,
            "timeline": b"[]",
            "stay_counted_ms": 0,
            "min_session_ms": 0,
            **dict.fromkeys(("counted_ms", "bridged_ms", "unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms"), 0),
        }
        if "rules_sha256" in schema.open_session.c:
            values["rules_sha256"] = b"r" * 32
        values |= more
        await self.put(
            schema.open_session,
            guild_id=GUILD,
            user_id=user_id,
            channel_id=channel_id,
            period_index=period_index,
            **values,
        )


def channel_row(channel_id: int, name: str, kind: str, parent: int | None) -> dict[str, Any]:
    place = {"guild_id": GUILD, "channel_id": channel_id, "parent_id": parent, "position": channel_id}
    return place | {"name": name, "kind": kind, "deleted": False}


def settled_rows(now_ms: int) -> dict[Table, list[dict[str, Any]]]:
    guilds = ((GUILD, "Guild", None), (OTHER_GUILD, "Other", None), (ABSENT_GUILD, "Left", now_ms))
    channels = ((50, "Lobby", "voice", 52), (51, "=Stage", "stage", None), (52, "Rooms", "category", None))
    lease = {"shard_count": 1, "shard_id": 0, "holder": "test", "epoch": 1, "alive_at_ms": now_ms, "connected": True}
    period = {"guild_id": GUILD, "period_index": 3, "started_at_ms": now_ms - 100 * HOUR, "state": "running"}
    return {
        schema.guild: [
            {"guild_id": guild_id, "name": name, "owner_id": MANAGER, "first_seen_at_ms": now_ms, "left_at_ms": left}
            for guild_id, name, left in guilds
        ],
        schema.stream: [{"guild_id": guild_id, "shard_count": 1, "closed_count": 0} for guild_id, *_ in guilds],
        schema.channel: [channel_row(*channel) for channel in channels],
        schema.period: [period],
        schema.shard_lease: [lease | {"expires_at_ms": now_ms + 10_000 * HOUR}],
    }


def http_client(app, *, peer: tuple[str, int] = ("127.0.0.1", 123)) -> AsyncClient:
    """Talks to the app in this event loop: database connections belong to one loop, and Litestar's test client has another."""
    transport = ASGITransport(app=app, raise_app_exceptions=False, client=peer)
    return AsyncClient(transport=transport, base_url="http://rollcall.test")


async def _add(connection, table, key: dict[str, int], sums: dict[str, int]) -> None:
    where = [table.c[name] == value for name, value in key.items()]
    changed = await connection.execute(
        update(table).where(*where).values({name: table.c[name] + value for name, value in sums.items()})
    )
    if changed.rowcount == 0:
        await connection.execute(insert(table).values(**key, **sums))
