"""A guild's webhook: read and changed by its admins, tested, and its delivery log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from attendance.domain.addresses import Network, target_of
from attendance.domain.announcements import WebhookEvent
from attendance.domain.audit import Actor, AuditEntry
from attendance.domain.ids import GuildId
from attendance.domain.webhook_signature import secret_of
from attendance.domain.webhooks import (
    MOST_SECRETS,
    OLD_SECRET_MS,
    Delivery,
    DeliveryState,
    Secret,
    WebhookSettings,
    shown_settings,
)
from attendance.errors import KeyOpenError, NotFoundError
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.webhooks import (
    DeliveryDetails,
    SecretSealing,
    StoredWebhook,
    WebhookChange,
    WebhookStore,
)

_SALTS_A_KEY = 2  # 16 bytes each


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEdit:
    """The members to change; None leaves one as it is."""

    url: str | None = None
    remove_url: bool = False
    events: frozenset[WebhookEvent] | None = None
    enabled: bool | None = None
    rotate_secret: bool = False


@dataclass(frozen=True, slots=True)
class ChangedWebhook:
    """What holds now, and the secret that this change has made: nobody is shown it again."""

    settings: WebhookSettings
    secret: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """A page of the log, and how many there are in all."""

    deliveries: Sequence[Delivery]
    total: int


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Webhooks, for who sets them. ``allowed`` are the operator's own networks (``ROLLCALL_WEBHOOK_ALLOW``)."""

    store: WebhookStore
    sealing: SecretSealing
    clock: Clock
    ids: IdSource
    allowed: Sequence[Network] = ()

    async def settings(self, guild_id: GuildId) -> WebhookSettings:
        """What is set."""
        return (await self.store.read(guild_id)).settings

    async def change(self, guild_id: GuildId, actor: Actor, edit: WebhookEdit) -> ChangedWebhook:
        """Change what ``edit`` names.

        The first URL makes a secret. A secret that is replaced goes on signing, beside the new one, for 24 hours. Switching a
        webhook on, or giving it another URL, forgets that it has failed.

        Raises:
            InvalidInputError: the URL may not be called.
        """
        if edit.url is not None:
            target_of(edit.url, self.allowed)
        now_ms, key = self.clock.now_ms(), self.ids.salt(_SALTS_A_KEY)
        made: list[str] = []

        def decide(stored: StoredWebhook) -> WebhookChange | None:
            after = _edited(stored.settings, edit)
            is_first = after.url is not None and not after.secret_set
            sealed = stored.sealed
            if edit.rotate_secret or is_first:
                sealed = self.sealing.seal(guild_id, self._rotated(guild_id, stored.sealed, key, now_ms))
                after = replace(after, secret_set=True)
                made.append(secret_of(key))
            if after == stored.settings and not made:
                return None
            told = dict(shown_settings(after))
            if made:
                told["secret"] = "rotated" if stored.settings.secret_set else "made"
            entry = AuditEntry(
                guild_id=guild_id,
                at_ms=now_ms,
                actor=actor,
                action="webhook.update",
                before=shown_settings(stored.settings),
                after=told,
            )
            return WebhookChange(StoredWebhook(after, sealed), entry)

        stored = await self.store.change(guild_id, now_ms, decide)
        return ChangedWebhook(stored.settings, made[0] if made else None)

    def _rotated(self, guild_id: GuildId, sealed: bytes | None, key: bytes, now_ms: int) -> list[Secret]:
        """The new secret, then those that still sign."""
        try:
            before = [] if sealed is None else self.sealing.open(guild_id, sealed)
        except KeyOpenError:
            before = []  # lost with the old master key: nothing can be signed by them any more
        until_ms = now_ms + OLD_SECRET_MS
        old = [replace(one, until_ms=until_ms) if one.until_ms is None else one for one in before]
        standing = [one for one in old if one.until_ms is not None and one.until_ms > now_ms]
        return [Secret(key), *standing][:MOST_SECRETS]

    async def deliveries(self, guild_id: GuildId, state: DeliveryState | None, limit: int, offset: int) -> DeliveryPage:
        """The delivery log, newest first."""
        page = await self.store.deliveries(guild_id, state, limit, offset)
        return DeliveryPage(page, await self.store.count_deliveries(guild_id, state))

    async def delivery(self, guild_id: GuildId, delivery_id: UUID) -> DeliveryDetails:
        """One delivery with its attempts.

        Raises:
            NotFoundError: the guild has none of that id.
        """
        found = await self.store.delivery(guild_id, delivery_id)
        if found is None:
            raise NotFoundError("there is no such delivery")
        return found

    async def replay(self, guild_id: GuildId, actor: Actor, delivery_id: UUID) -> Delivery:
        """Let a delivery be tried at once, whatever has become of it.

        Raises:
            NotFoundError: the guild has none of that id.
            ConflictError: what it told has been erased, or the webhook is switched off.
        """
        now_ms = self.clock.now_ms()
        entry = AuditEntry(guild_id=guild_id, at_ms=now_ms, actor=actor, action="webhook.replay", target=str(delivery_id))
        found = await self.store.replay(guild_id, delivery_id, now_ms, entry)
        if found is None:
            raise NotFoundError("there is no such delivery")
        return found

    async def test(self, guild_id: GuildId, actor: Actor) -> Delivery:
        """Send something that tells nothing; its delivery says what came of it.

        Raises:
            ConflictError: the webhook has no URL, or is switched off.
        """
        now_ms = self.clock.now_ms()
        delivery_id = self.ids.session_id(now_ms)
        entry = AuditEntry(guild_id=guild_id, at_ms=now_ms, actor=actor, action="webhook.test", target=str(delivery_id))
        return await self.store.add_test(guild_id, delivery_id, now_ms, entry)


def _edited(before: WebhookSettings, edit: WebhookEdit) -> WebhookSettings:
    after = before
    if edit.url is not None or edit.remove_url:
        after = replace(after, url=edit.url)
    if edit.events is not None:
        after = replace(after, events=edit.events)
    if edit.enabled is not None:
        after = replace(after, enabled=edit.enabled)
    if after.url != before.url or (after.enabled and not before.enabled):
        after = replace(after, failing_since_ms=None)
    return replace(after, disabled_reason=None) if after.enabled else after
