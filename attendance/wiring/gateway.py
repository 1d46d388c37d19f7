"""What reads Discord's gateway."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from api.interactions import interaction_services
from api.services import ApiServices
from attendance.discord.dispatches import DispatchQueue, DispatchSwitch
from attendance.discord.entitlements import entitlement_handler
from attendance.discord.gateway import Gateway, GatewaySettings, recommended_shards
from attendance.discord.interactions.opening import open_interactions
from attendance.domain.ids import GuildId, ShardId
from attendance.ports.dispatches import ENTITLEMENT_NAMES, DispatchListener
from attendance.ports.gateway import GatewaySession
from attendance.ports.observing import ObservationSink
from attendance.services.entitlements import Entitlements
from attendance.services.provenance import Provenances
from attendance.services.recording.ownership import Ownership
from attendance.services.recording.recorder import RecorderStores
from attendance.store.data_folder import guards
from attendance.store.leases import SqlLeaseStore
from attendance.store.opt_outs import SqlOptOutSource
from attendance.store.projection import SqlProjectionStore
from attendance.store.provenance import SqlProvenanceStore
from attendance.store.recording import SqlJournalStore
from attendance.store.streams import SqlStreamStore
from attendance.store.subscriptions import SqlSubscriptionStore
from attendance.wiring.ground import Ground


async def add_gateway(ground: Ground, services: ApiServices) -> None:
    """What reads Discord's gateway: the recorder, and one queue for each kind of what is not voice."""
    settings, service = ground.settings, ground.service
    to_interactions = interaction_services(services, SqlOptOutSource(ground.database), settings.public_url)
    interactions = await ground.resources.enter_async_context(
        open_interactions(ground.token, settings.discord_api_url, to_interactions)
    )
    service.add("slash commands", interactions.register)
    queues = [interactions.queue]
    if ground.billing.on:
        entitlements = Entitlements(SqlSubscriptionStore(ground.database), ground.clock)
        queues.append(DispatchQueue(ENTITLEMENT_NAMES, entitlement_handler(entitlements.note)))
    for queue in queues:
        service.add(f"dispatches {min(queue.names)}", queue.run)
    ownership = _ownership(ground, DispatchSwitch(queues))
    service.add("gateway", ownership.run, ownership.stop)


def _ownership(ground: Ground, listener: DispatchListener) -> Ownership:
    settings, database, clock, token = ground.settings, ground.database, ground.clock, ground.token
    to_discord = GatewaySettings(token, settings.discord_api_url, settings.shard_ids, settings.shard_count)

    async def shards() -> tuple[int, Sequence[ShardId]]:
        count = settings.shard_count or await recommended_shards(to_discord)
        return count, settings.shard_ids or [ShardId(number) for number in range(count)]

    def gateway(sink: ObservationSink, count: int, shard_ids: Sequence[ShardId], sessions: Sequence[GatewaySession]) -> Gateway:
        to_shards = GatewaySettings(token, settings.discord_api_url, tuple(shard_ids), count)
        return Gateway(to_shards, sink, clock, listener, sessions)

    def permissions_changed(guild_ids: set[GuildId]) -> None:
        for guild_id in guild_ids:
            ground.lookup.forget(guild_id)

    provenances = Provenances(SqlProvenanceStore(database), clock)
    host = urlsplit(settings.discord_api_url).hostname or settings.discord_api_url
    stores = RecorderStores(
        SqlLeaseStore(database), SqlStreamStore(database), SqlJournalStore(database), SqlProjectionStore(database)
    )
    return Ownership(
        stores,
        clock,
        ground.ids,
        shards,
        gateway,
        ground.holder,
        ground.commands,
        ground.signing,
        permissions_changed,
        settings.journal_days,
        lambda: provenances.note_gateway(host),
        alone=settings.is_embedded and guards(settings.data_dir, settings.database_url),
    )
