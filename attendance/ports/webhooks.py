"""What webhooks need from outside. Every store method is one transaction.

All of them raise UnavailableError while the database is away; whether a failing write was stored is then unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from attendance.domain.audit import AuditEntry
from attendance.domain.ids import GuildId
from attendance.domain.webhook_payloads import Told
from attendance.domain.webhooks import Attempt, Delivery, DeliveryState, Outcome, Reply, Secret, WebhookSettings


class SecretSealing(Protocol):
    """Keeps a guild's webhook secrets at rest under the deployment's master key."""

    def seal(self, guild_id: GuildId, secrets: Sequence[Secret]) -> bytes:
        """Bytes that open only for the same guild and under the same master key."""
        ...

    def open(self, guild_id: GuildId, sealed: bytes) -> list[Secret]:
        """The secrets, the newest first.

        Raises:
            KeyOpenError: they were sealed for another guild or under another key, or are damaged.
        """
        ...


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A guild's row: settings, and sealed secrets (None: there are none)."""

    settings: WebhookSettings
    sealed: bytes | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """What a guild's row becomes, and the audit's entry of it."""

    webhook: StoredWebhook
    audit: AuditEntry


@dataclass(frozen=True, slots=True)
class DeliveryDetails:
    """A delivery with its attempts, the first first."""

    delivery: Delivery
    attempts: Sequence[Attempt]


class WebhookStore(Protocol):
    """Webhooks and their delivery log, for who sets them."""

    async def read(self, guild_id: GuildId) -> StoredWebhook:
        """A guild's webhook; the default where nothing was ever set."""
        ...

    async def change(
        self, guild_id: GuildId, now_ms: int, decide: Callable[[StoredWebhook], WebhookChange | None]
    ) -> StoredWebhook:
        """Change a guild's row as ``decide`` says of what is stored; None leaves it as it is.

        Nobody else changes it meanwhile. A webhook that stops delivering fails what waits in the same transaction.
        What ``decide`` raises undoes everything.
        """
        ...

    async def deliveries(self, guild_id: GuildId, state: DeliveryState | None, limit: int, offset: int) -> list[Delivery]:
        """The log, newest first."""
        ...

    async def count_deliveries(self, guild_id: GuildId, state: DeliveryState | None) -> int:
        """How many of a state there are."""
        ...

    async def delivery(self, guild_id: GuildId, delivery_id: UUID) -> DeliveryDetails | None:
        """One of the guild's deliveries."""
        ...

    async def replay(self, guild_id: GuildId, delivery_id: UUID, now_ms: int, audit: AuditEntry) -> Delivery | None:
        """Let a delivery be tried at once; None if the guild has no such delivery.

        One that is being tried right now stays as it is.

        Raises:
            ConflictError: what it was about has been erased, or the webhook does not deliver.
        """
        ...

    async def add_test(self, guild_id: GuildId, delivery_id: UUID, now_ms: int, audit: AuditEntry) -> Delivery:
        """Store a delivery that tells nothing but that it is a test.

        Raises:
            ConflictError: the webhook does not deliver.
        """
        ...


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook for which something is due. ``failing`` is whether its last attempt failed."""

    guild_id: GuildId
    url: str
    sealed: bytes | None = field(repr=False)
    failing: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery in this attempt's hands. ``token`` names the attempt: who has another may not end it."""

    token: str
    delivery_id: UUID
    guild_id: GuildId
    event: str
    session_id: UUID | None
    period_index: int | None
    body: str | None
    created_at_ms: int
    attempt: int


class DeliveryStore(Protocol):
    """The outbox, for who delivers. Any number of processes may; an attempt is one process's only."""

    async def receivers(
        self, now_ms: int, after: GuildId, limit: int, without: Collection[GuildId], *, with_failing: bool
    ) -> list[Receiver]:
        """Webhooks that deliver and have something due, by guild, from the one after ``after``."""
        ...

    async def claim(self, guild_id: GuildId, token: str, now_ms: int, until_ms: int, limit: int) -> list[Due]:
        """Take what is due first, at most ``limit``, and count an attempt of each. Whoever dies loses it at ``until_ms``."""
        ...

    async def told(self, due: Due) -> Told | None:
        """What the delivery tells, as the database has it now; None: it has been erased."""
        ...

    async def finish(self, due: Due, url: str, attempt: Attempt, reply: Reply, outcome: Outcome) -> str | None:
        """Store what came of an attempt; nothing if somebody else has taken the delivery over.

        A webhook whose URL is still ``url`` notes since when it fails, or that it does not. It is switched off, with an entry
        in the audit, when the receiver is gone or has failed for five days; everything that waits fails with it.

        Returns:
            Why it was switched off, if it was.
        """
        ...

    async def drop(self, due: Due) -> None:
        """What it was about has been erased: it is over, and no attempt was made."""
        ...

    async def forget(self, before_ms: int, limit: int) -> int:
        """Delete deliveries that are over and were stored before an instant, with their attempts; how many."""
        ...


class WebhookSender(Protocol):
    """Makes one POST."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Post to a receiver that may be reached. It never raises: whatever goes wrong is a reply that says what.

        Redirects are not followed, and nothing of the answer but its status is kept.
        """
        ...
