"""100,000 outbox rows delivered to a simulated Discord with its real limits: how long, how many requests, how much memory."""

from __future__ import annotations

import resource
import time

from sqlalchemy import func, select

from attendance.clock import SystemClock
from attendance.discord.messages import open_log_channels
from attendance.domain.announcements import LogType
from attendance.domain.ids import ChannelId, GuildId
from attendance.domain.log_destinations import Frequency, LogDestination
from attendance.ids import SystemIds, uuid7
from attendance.services.log_delivery import LogDeliverer
from attendance.store import schema
from attendance.store.database import Database, bulk_insert
from attendance.store.log_deliveries import SqlLogDeliveryStore
from attendance.store.log_destinations import destination_values
from benches.setting import DIALECTS, migrated_database
from simulator import DEMO_GUILD_ID, Settings, Simulator, running_simulator
from simulator.entities import ChannelType

ROWS = 100_000
POST = "POST /channels/{channel_id}/messages"
GUILD = GuildId(DEMO_GUILD_ID)
_SESSION_COLUMNS = (
    "session_id", "guild_id", "ordinal", "user_id", "channel_id", "period_index", "stay", "part", "joined_at_ms",
    "left_at_ms", "reason", "counted_ms", "bridged_ms", "unwitnessed_ms", "deafened_ms", "muted_ms", "solo_ms",
    "below_minimum", "credited_ms", "timeline", "rules_sha256",
)  # fmt: skip
_ITEM_COLUMNS = ("destination_id", "guild_id", "type", "session_id", "created_at_ms")


async def main() -> None:
    for dialect in DIALECTS:
        for destinations in (1, 40, 1_000):
            async with (
                migrated_database(dialect) as database,
                running_simulator(Settings(speed=0, guilds=1, members=0)) as sim,
                open_log_channels(sim.token, sim.rest_url, SystemClock()) as channels,
            ):
                await _fill(database, sim, destinations)
                deliverer = LogDeliverer(SqlLogDeliveryStore(database), channels, SystemClock(), SystemIds(), "bench")
                before_mib = _peak_mib()
                began = time.perf_counter()
                while await _waiting(database):
                    await deliverer.deliver_due()
                took = time.perf_counter() - began
                messages = sum(len(sim.rest.messages.board.newest(channel, 1_000)) for channel in sim.world.channel_guild)
                requests = sim.rest.requests[POST]
                print(
                    f"{dialect}, {destinations:,} destinations: {ROWS:,} rows in {took:.1f} s, {messages:,} messages "
                    f"({messages / took:.1f}/s), {requests - messages} requests refused, "
                    f"peak memory +{_peak_mib() - before_mib:.0f} MiB"
                )


async def _waiting(database: Database) -> int:
    async with database.snapshot() as connection:
        return await connection.scalar(select(func.count()).select_from(schema.log_item)) or 0


async def _fill(database: Database, sim: Simulator, destinations: int) -> None:
    now_ms, ids = SystemClock().now_ms(), SystemIds()
    at_ms = now_ms - 60_000
    made = [
        LogDestination(
            ids.session_id(at_ms),
            GUILD,
            ChannelId(sim.world.create_channel(DEMO_GUILD_ID, f"log {number}", ChannelType.TEXT)),
            (LogType.SESSION_END,),
            Frequency.IMMEDIATE,
            at_ms,
        )
        for number in range(destinations)
    ]
    each = ROWS // destinations
    async with database.transaction() as connection:
        guild = [(GUILD, "bench", 1, at_ms)]
        await bulk_insert(connection, schema.guild, ("guild_id", "name", "owner_id", "first_seen_at_ms"), guild)
        await connection.execute(schema.log_destination.insert(), [destination_values(one) for one in made])
        sessions = [
            (uuid7(at_ms, number.to_bytes(10, "big")), GUILD, number, 1_000 + number, 50, 0, number, 0, at_ms - 3_600_000,
             at_ms, "leave", 3_600_000, 0, 0, 0, 0, 0, False, 3_600_000, b"[]", b"r" * 32)
            for number in range(each)
        ]  # fmt: skip
        await bulk_insert(connection, schema.session, _SESSION_COLUMNS, sessions)
        for one in made:
            items = [(one.destination_id, GUILD, "session_end", session[0], at_ms) for session in sessions]
            await bulk_insert(connection, schema.log_item, _ITEM_COLUMNS, items)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
