"""What happens by itself: the scheduler's jobs."""

from __future__ import annotations

from attendance import __version__
from attendance.discord.direct_messages import open_direct_messages
from attendance.discord.entitlements import open_entitlements
from attendance.discord.messages import open_log_channels
from attendance.discord.roles import PATIENT_SECONDS, open_guild_roles
from attendance.keys.master import master_key
from attendance.keys.sealing import SecretSealer
from attendance.outbound.guarded_http import open_sender
from attendance.services.archive import Archiver
from attendance.services.entitlements import Entitlements
from attendance.services.erasure import Eraser
from attendance.services.key_watch import KeyWatch
from attendance.services.left_guilds import LeftGuildDeletion
from attendance.services.log_delivery import LogDeliverer
from attendance.services.retention import Retention
from attendance.services.role_runs import RoleRuns
from attendance.services.subscriptions import Subscriptions
from attendance.services.webhook_delivery import WebhookDeliveries
from attendance.store.erasure import SqlErasureSteps
from attendance.store.erasure_requests import SqlErasureRequests
from attendance.store.left_guilds import SqlLeftGuilds
from attendance.store.log_deliveries import SqlLogDeliveryStore
from attendance.store.periods import SqlPeriodStore
from attendance.store.role_runs import SqlRoleRunStore
from attendance.store.signing_keys import SqlKeyStore
from attendance.store.subscriptions import SqlSubscriptionStore
from attendance.store.webhook_outbox import SqlDeliveryStore
from attendance.wiring.ground import Ground
from scheduler.app import create_scheduler
from scheduler.jobs import Job


async def add_scheduler(ground: Ground) -> None:
    """What happens by itself: one job for each kind of it."""
    settings, database, clock, ids, holder = ground.settings, ground.database, ground.clock, ground.ids, ground.holder
    archiver = Archiver(SqlPeriodStore(database), clock, ids, holder, queued=ground.signing)
    channels = await ground.resources.enter_async_context(open_log_channels(ground.token, settings.discord_api_url, clock))
    logs = LogDeliverer(SqlLogDeliveryStore(database), channels, clock, ids, holder, settings.public_url)
    watch = KeyWatch(SqlKeyStore(database), clock)
    told = [Job("log messages", 1, logs.deliver_due), Job("lost keys", 15, watch.tell_lost)]
    further = [*told, *await _webhook_jobs(ground), *await _role_jobs(ground), *await _privacy_jobs(ground)]
    scheduler = create_scheduler(archiver, database, clock, further)
    ground.service.add("scheduler", scheduler.run)


async def _privacy_jobs(ground: Ground) -> list[Job]:
    database, clock = ground.database, ground.clock
    messages = await ground.resources.enter_async_context(open_direct_messages(ground.token, ground.settings.discord_api_url))
    requests, steps = SqlErasureRequests(database), SqlErasureSteps(database)
    eraser = Eraser(requests, steps, messages, clock, ground.ids, ground.holder, ground.signing)
    retention = Retention(steps, clock, ground.signing)
    left = LeftGuildDeletion(SqlLeftGuilds(database), clock)
    return [Job("erasures", 15, eraser.look), Job("retention", 3_600, retention.look), Job("left guilds", 3_600, left.look)]


async def _role_jobs(ground: Ground) -> list[Job]:
    """Verified roles and, where the deployment bills, what Discord has sold."""
    clock, ids, url = ground.clock, ground.ids, ground.settings.discord_api_url
    roles = await ground.resources.enter_async_context(open_guild_roles(ground.token, url, patience_seconds=PATIENT_SECONDS))
    tiers = SqlSubscriptionStore(ground.database)
    subscriptions = Subscriptions(tiers, clock, ground.billing)
    runs = RoleRuns(SqlRoleRunStore(ground.database), roles, subscriptions, clock, ids, ground.holder)
    jobs = [Job("role runs", 2, runs.work), Job("old role runs", 3_600, runs.trim)]
    if ground.billing.on:
        sold = await ground.resources.enter_async_context(open_entitlements(ground.token, url))
        jobs.append(Job("entitlements", 900, lambda: Entitlements(tiers, clock).reconcile(sold)))
    return jobs


async def _webhook_jobs(ground: Ground) -> list[Job]:
    settings, clock = ground.settings, ground.clock
    sender = await ground.resources.enter_async_context(open_sender(settings.webhook_allow, f"Rollcall/{__version__}"))
    sealer = SecretSealer(master_key(settings.master_key_file, settings.data_dir))
    store = SqlDeliveryStore(ground.database)
    subscriptions = Subscriptions(SqlSubscriptionStore(ground.database), clock, ground.billing)
    deliveries = WebhookDeliveries(
        store, sender, sealer, clock, ground.ids, ground.holder, settings.webhook_allow, subscriptions=subscriptions
    )
    return [Job("webhooks", 1, deliveries.deliver_due), Job("webhook log", 3_600, deliveries.forget_old)]
