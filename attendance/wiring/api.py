"""The API and the signer behind it."""

from __future__ import annotations

import asyncio

import uvicorn

from api.app import create_app
from api.services import ApiOptions, ApiServices
from api.wiring import ApiParts
from attendance import __version__
from attendance.config import Settings
from attendance.discord.roles import open_guild_roles
from attendance.domain.records import Software
from attendance.keys.api_secret import api_secret
from attendance.keys.master import master_key
from attendance.keys.passphrase import SodiumDerivation
from attendance.keys.sealing import SecretSealer
from attendance.services.checkpoint_posts import CheckpointPosts
from attendance.services.log_reading import PublicLog
from attendance.services.open_keys import OpenKeys
from attendance.services.passphrases import Attempts, Passphrases
from attendance.services.signed_batches import BatchSigner
from attendance.services.signing import Signer
from attendance.services.transparency_log import TransparencyLog
from attendance.store.checkpoint_posts import SqlCheckpointPosts
from attendance.store.export_folder import ExportFolder
from attendance.store.log_folder import LogFolder
from attendance.store.records import SqlSigningStore
from attendance.store.signing_keys import SqlKeyStore
from attendance.store.transparency_log import SqlLogStore
from attendance.wiring.ground import Ground
from attendance.wiring.http import HTTP, HttpServer, listen, url_of
from scheduler.app import Scheduler
from scheduler.jobs import Job


async def api_parts(ground: Ground) -> ApiParts:
    """What the API's services are built of; slash commands are answered by the same."""
    settings, database, clock = ground.settings, ground.database, ground.clock
    key = master_key(settings.master_key_file, settings.data_dir)
    keys = SqlKeyStore(database)
    return ApiParts(
        options=_api_options(settings),
        database=database,
        clock=clock,
        ids=ground.ids,
        lookup=ground.lookup,
        operators=settings.admin_user_ids,
        keys=keys,
        open_keys=OpenKeys(keys, clock, key),
        passphrases=Passphrases(SodiumDerivation(), Attempts(clock), ground.ids),
        sealing=SecretSealer(key),
        log_files=LogFolder(settings.data_dir / "log"),
        export_files=ExportFolder(settings.data_dir / "exports"),
        signing=ground.signing,
        commands=ground.commands,
        guild_roles=await ground.resources.enter_async_context(open_guild_roles(ground.token, settings.discord_api_url)),
        billing=ground.billing,
    )


def add_signer(ground: Ground, parts: ApiParts) -> None:
    """What holds open keys: the signer, the transparency log behind it, and what passes its checkpoints on."""
    database, clock, sequencing = ground.database, ground.clock, asyncio.Event()
    transparency = TransparencyLog(
        SqlLogStore(database), parts.log_files, clock, parts.open_keys.master_key, ground.settings.public_url, sequencing
    )
    records = SqlSigningStore(database)
    batches = BatchSigner(records, clock, ground.ids, Software("rollcall", __version__))
    signer = Signer(records, batches, parts.open_keys, clock, ground.signing, transparency.may_sign, sequencing)
    ground.service.add("signer", signer.run)
    ground.service.add("transparency log", transparency.run)
    posts = CheckpointPosts(SqlCheckpointPosts(database), PublicLog(parts.log_files), clock, ground.ids)
    ground.service.add("checkpoint posts", Scheduler([Job("checkpoint posts", 15, posts.look)], clock).run)


def add_api(ground: Ground, services: ApiServices) -> None:
    """The API over its services, on a port that is bound here."""
    listener = listen(ground.settings.api_host, ground.settings.api_port)
    ground.resources.callback(listener.close)
    service = ground.service
    service.api_url = url_of(listener)
    server = HttpServer(uvicorn.Config(create_app(services), **HTTP))
    service.add("cached exports", services.exports.run)
    service.stops.append(services.live_events.stop)  # before the API waits for its running requests
    service.add("api", lambda: server.serve(sockets=[listener]), server.ask_to_stop)


def _api_options(settings: Settings) -> ApiOptions:
    return ApiOptions(
        secrets=_api_secrets(settings),
        trusted_proxies=settings.trusted_proxies,
        requests_per_minute_user=settings.rate_limit_user,
        requests_per_minute_ip=settings.rate_limit_ip,
        requests_per_minute_dashboard=settings.rate_limit_dashboard,
        webhook_secret=None if settings.webhook_secret is None else settings.webhook_secret.encode(),
        webhook_allow=settings.webhook_allow,
    )


def _api_secrets(settings: Settings) -> tuple[bytes, ...]:
    current = api_secret(settings.api_internal_secret, settings.data_dir)
    previous = settings.api_internal_secret_previous
    return (current.encode(), previous.encode()) if previous else (current.encode(),)
