"""Log destinations with something to tell, a Discord that is only a list, and deliverers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import func, insert, select

from attendance.clock import FixedClock
from attendance.domain.announcements import Announcement, Happening, LogType
from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.log_destinations import Frequency, LogDestination, next_due
from attendance.domain.log_messages import Embed
from attendance.ids import SystemIds, uuid7
from attendance.ports.log_deliveries import Answer, LogChannels, LogDeliveryStore, Outcome
from attendance.services.log_delivery import LogDeliverer
from attendance.store import schema
from attendance.store.announcements import announce
from attendance.store.database import Database, bulk_insert
from attendance.store.log_deliveries import SqlLogDeliveryStore
from attendance.store.log_destinations import SqlLogDestinationStore, destination_values

GUILD = GuildId(81_384_788_765_712_384)
CHANNEL = ChannelId(60)
NOW = 1_800_000_000_000  # a Friday, 08:00 UTC
GATHERED = 2_001
IDS = SystemIds()
KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@dataclass
class ChannelList:
    """Discord's channels as a list of what is in them: keeps nonces as long as it is told to."""

    posted: list[tuple[ChannelId, str, tuple[Embed, ...]]] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    attempts: int = 0
    lost: int = 0  # so many answers more are lost after the message was stored
    readable: bool = True

    async def post(self, channel_id: ChannelId, nonce: str, embeds: Sequence[Embed], text: str | None = None) -> Answer:
        self.attempts += 1
        if self.answers:
            return self.answers.pop(0)
        if nonce not in self.nonces:
            self.nonces.add(nonce)
            self.posted.append((channel_id, nonce, tuple(embeds)))
            self.texts.append(text)
        if self.lost:
            self.lost -= 1
            return Answer(Outcome.UNKNOWN, "Discord does not answer")
        return Answer(Outcome.POSTED)

    async def holds(self, channel_id: ChannelId, marker: str, _since_ms: int) -> bool | None:
        found = any(embeds[-1].footer.endswith(marker) for channel, _, embeds in self.posted if channel == channel_id)
        return found and self.readable

    @property
    def titles(self) -> list[list[str]]:
        return [[embed.title for embed in embeds] for _, _, embeds in self.posted]


def deliverer(store: LogDeliveryStore | Database, channels: LogChannels, clock: FixedClock, name: str = "one") -> LogDeliverer:
    outbox = SqlLogDeliveryStore(store) if isinstance(store, Database) else store
    return LogDeliverer(outbox, channels, clock, IDS, name)


async def settle(database: Database, *, guild_id: int = GUILD, names_shown: bool | None = None) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(schema.guild).values(guild_id=guild_id, name="Guild", owner_id=7, first_seen_at_ms=NOW))
        if names_shown is not None:
            values = {"names_shown": names_shown, "read_roles": "[]", "write_roles": "[]", "updated_at_ms": NOW}
            await connection.execute(insert(schema.guild_preferences).values(guild_id=guild_id, **values))


async def destination(
    database: Database,
    frequency: Frequency = Frequency.IMMEDIATE,
    *,
    channel_id: int = CHANNEL,
    guild_id: int = GUILD,
    types: Sequence[LogType] = tuple(LogType),
    timezone: str = "UTC",
    at_ms: int = NOW,
) -> UUID:
    made = LogDestination(
        destination_id=IDS.session_id(at_ms),
        guild_id=GuildId(guild_id),
        channel_id=ChannelId(channel_id),
        types=tuple(types),
        frequency=frequency,
        created_at_ms=at_ms,
        next_due_at_ms=next_due(frequency, timezone, at_ms),
    )
    async with database.transaction() as connection:
        await connection.execute(insert(schema.log_destination).values(destination_values(made)))
    return made.destination_id


async def sessions(
    database: Database, count: int, *, guild_id: int = GUILD, at_ms: int = NOW, first: int = 0, user: int | None = None
) -> list[UUID]:
    """Closed sessions and their announcements, as the projection stores them."""
    ids = [uuid7(at_ms, (first + number).to_bytes(10, "big")) for number in range(count)]
    columns = (
        "session_id", "guild_id", "ordinal", "user_id", "channel_id", "period_index", "stay", "part", "joined_at_ms",
        "left_at_ms", "reason", "counted_ms", "bridged_ms", "unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms",
        "below_minimum", "credited_ms", "timeline", "rules_sha256",
    )  # fmt: skip
    rows = []
    for number, session_id in enumerate(ids, start=first):
        user_id = 1_000 + number % 997 if user is None else user
        rows.append(
            (
                session_id,
                guild_id,
                number,
                user_id,
                50,
                0,
                number,
                0,
                at_ms - 3_725_000,
                at_ms,
                "leave",
                3_600_000,
                0,
                0,
                125_000,
                0,
                0,
                False,
                3_600_000,
                b"[]",
                b"r" * 32,
            )
        )
    async with database.transaction() as connection:
        await bulk_insert(connection, schema.session, columns, rows)
        ended = Happening.SESSION_ENDED
        await announce(connection, [Announcement(GuildId(guild_id), ended, at_ms, session_id) for session_id in ids])
    return ids


async def name(database: Database, user_id: int, display_name: str, *, guild_id: int = GUILD) -> None:
    async with database.transaction() as connection:
        values = {"guild_id": guild_id, "user_id": user_id, "display_name": display_name, "bot": False}
        await connection.execute(insert(schema.member).values(**values))


async def tell(database: Database, happening: Happening, at_ms: int = NOW, **about: object) -> None:
    async with database.transaction() as connection:
        await announce(connection, [Announcement(GUILD, happening, at_ms, **about)])  # type: ignore[arg-type]


async def waiting(database: Database) -> tuple[int, int]:
    """How many items and how many messages there are."""
    async with database.snapshot() as connection:
        items = await connection.scalar(select(func.count()).select_from(schema.log_item))
        messages = await connection.scalar(select(func.count()).select_from(schema.log_message))
    return items or 0, messages or 0


async def stored(database: Database) -> LogDestination:
    """The one destination."""
    items, _ = await SqlLogDestinationStore(database).page(GUILD, 10, 0)
    (found,) = items
    return found


def a_user(number: int) -> UserId:
    return UserId(1_000 + number)
