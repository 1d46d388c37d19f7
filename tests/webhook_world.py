"""A guild with a webhook, something to tell it, and processes that deliver to a receiver that answers as told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, insert, select

from attendance.clock import FixedClock
from attendance.domain.announcements import Announcement, Happening
from attendance.domain.audit import SYSTEM
from attendance.domain.ids import GuildId
from attendance.domain.subscriptions import Billing
from attendance.domain.webhooks import Reply
from attendance.ids import SystemIds
from attendance.keys.sealing import SecretSealer
from attendance.services.subscriptions import Subscriptions
from attendance.services.webhook_delivery import WebhookDeliveries
from attendance.services.webhooks import WebhookEdit, Webhooks
from attendance.store import schema
from attendance.store.announcements import announce
from attendance.store.database import Database
from attendance.store.subscriptions import SqlSubscriptionStore
from attendance.store.webhook_outbox import SqlDeliveryStore
from attendance.store.webhooks import SqlWebhookStore
from tests.webhook_receiver import accepts

GUILD = GuildId(81_384_788_765_712_384)
URL = "https://receiver.example/hook"
MASTER_KEY = bytes(range(32))
Answer = Callable[[str, Mapping[str, str], bytes], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Request:
    url: str
    headers: Mapping[str, str]
    body: bytes
    at_ms: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers with ``status`` (or by ``answer``), and keeps what it was sent and when."""

    clock: FixedClock = field(default_factory=FixedClock)
    status: int = 200
    answer: Answer | None = None
    got: list[Request] = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.got.append(Request(url, dict(headers), body, self.clock.now_ms()))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            return Reply(self.status) if self.answer is None else await self.answer(url, headers, body)
        finally:
            self.at_once -= 1


@dataclass
class WebhookWorld:
    database: Database
    clock: FixedClock = field(default_factory=FixedClock)
    receiver: Receiver = field(default_factory=Receiver)
    secrets: dict[int, str] = field(default_factory=dict)
    billing: Billing = field(default_factory=Billing)

    def __post_init__(self) -> None:
        self.receiver.clock = self.clock
        self.ids = SystemIds()
        self.sealer = SecretSealer(MASTER_KEY)
        self.webhooks = Webhooks(SqlWebhookStore(self.database), self.sealer, self.clock, self.ids)

    def process(self, database: object = None, holder: str = "test", sender: object = None) -> WebhookDeliveries:
        store = SqlDeliveryStore(database or self.database)
        subscriptions = Subscriptions(SqlSubscriptionStore(self.database), self.clock, self.billing)
        sender = sender or self.receiver
        return WebhookDeliveries(store, sender, self.sealer, self.clock, self.ids, holder, subscriptions=subscriptions)

    async def set_up(self, guild_id: int = GUILD, url: str = URL, **more: object) -> str:
        changed = await self.webhooks.change(GuildId(guild_id), SYSTEM, WebhookEdit(url=url, **more))
        if changed.secret:
            self.secrets[guild_id] = changed.secret
        return self.secrets[guild_id]

    async def lock(self, count: int = 1, guild_id: int = GUILD) -> None:
        """Something that is told at once: ``signing.locked``."""
        told = [
            Announcement(GuildId(guild_id), Happening.SIGNING_LOCKED, self.clock.now_ms(), body={"kid": f"k{number}"})
            for number in range(count)
        ]
        await self.announce(*told)

    async def announce(self, *told: Announcement) -> None:
        async with self.database.transaction() as connection:
            await announce(connection, told)

    async def log(self, guild_id: int = GUILD) -> list:
        return await self.webhooks.store.deliveries(GuildId(guild_id), None, 1000, 0)

    async def one(self):
        (delivery,) = await self.log()
        return delivery

    async def attempts(self) -> list:
        table = schema.webhook_attempt
        async with self.database.snapshot() as connection:
            return list((await connection.execute(select(table).order_by(table.c.delivery_id, table.c.number))).all())

    async def audited(self) -> list[tuple[str, str]]:
        table = schema.audit
        async with self.database.snapshot() as connection:
            return [tuple(row) for row in await connection.execute(select(table.c.action, table.c.via).order_by(table.c.id))]

    async def count(self, table) -> int:
        async with self.database.snapshot() as connection:
            return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())

    async def put(self, table, **values: object) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(insert(table).values(**values))

    def genuine(self, request: Request, guild_id: int = GUILD) -> bool:
        """As of when it came."""
        return accepts(self.secrets[guild_id], request.headers, request.body, request.at_ms // 1000)
