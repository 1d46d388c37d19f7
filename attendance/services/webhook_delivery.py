"""Delivers webhooks: takes what is due, tells it, and stores what came of it.

What happens if we die here: after the claim, the attempt is counted and lost, and the delivery is due again when the claim
runs out; after the request and before `finish`, the receiver gets it once more under the same ``webhook-id``. A process that
was only slow finds its claim gone, and stores nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from attendance.domain.addresses import Network, target_of
from attendance.domain.ids import GuildId
from attendance.domain.subscriptions import Feature
from attendance.domain.webhook_payloads import payload
from attendance.domain.webhook_signature import signed_headers
from attendance.domain.webhooks import KEPT_MS, Attempt, DeliveryState, Reply, outcome_of
from attendance.errors import InvalidInputError, KeyOpenError, UnavailableError
from attendance.metrics import WEBHOOK_ATTEMPTS
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.webhooks import DeliveryStore, Due, Receiver, SecretSealing, WebhookSender
from attendance.services.subscriptions import Subscriptions, needs_pro

# Longer than an attempt may take (the sender's 15 s) and its two transactions on a busy machine.
CLAIM_MS = 60_000
MOST_AT_ONCE = 64
MOST_FAILING_AT_ONCE = 32  # receivers that are away, each waited for until its time-out, leave the other half to the rest
MOST_A_HOST = 16
MOST_A_GUILD = 4
MOST_A_FAILING_GUILD = 1
# While something is on its way, others may become due.
LOOK_AGAIN_SECONDS = 1.0
_FORGOTTEN_AT_ONCE = 500
_SALT_BITS = 128

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Running:
    guild_id: GuildId
    host: str
    failing: bool


@dataclass(slots=True)
class WebhookDeliveries:
    """Delivers. Any number of processes may run one: an attempt is made by one of them.

    Attributes:
        holder: names this process in claims; at most 40 characters of it are kept.
        allowed: the operator's own networks (``ROLLCALL_WEBHOOK_ALLOW``).
        subscriptions: a guild without the feature is told nothing: as to a receiver that is away, until it has it again.
    """

    store: DeliveryStore
    sender: WebhookSender
    sealing: SecretSealing
    clock: Clock
    ids: IdSource
    holder: str
    allowed: Sequence[Network] = ()
    subscriptions: Subscriptions = field(kw_only=True)
    _after: GuildId = field(default=GuildId(-1), init=False)

    async def deliver_due(self) -> int:
        """Deliver until nothing is due and nothing is on its way; how many attempts were made.

        A slow receiver keeps nobody else waiting, and one guild or host takes only its share.

        Raises:
            UnavailableError: the database is away; what is on its way was still awaited.
        """
        running: dict[asyncio.Task[None], _Running] = {}
        made, problems = 0, list[BaseException]()
        try:
            while True:
                if not problems:
                    try:
                        made += await self._start(running)
                    except UnavailableError as error:
                        problems.append(error)  # raised below: what is on its way ends first
                if not running:
                    break
                ended, _ = await asyncio.wait(running, timeout=LOOK_AGAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    del running[task]
                    problems += filter(None, [task.exception()])
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        if problems:
            raise problems[0]
        return made

    async def forget_old(self) -> int:
        """Delete from the log what is older than 30 days; how many deliveries."""
        forgotten = 0
        while count := await self.store.forget(self.clock.now_ms() - KEPT_MS, _FORGOTTEN_AT_ONCE):
            forgotten += count
        return forgotten

    async def _start(self, running: dict[asyncio.Task[None], _Running]) -> int:
        """Begin as many attempts as there is room for; how many."""
        free = MOST_AT_ONCE - len(running)
        if free <= 0:
            return 0
        guilds, hosts = Counter(one.guild_id for one in running.values()), Counter(one.host for one in running.values())
        failing = sum(one.failing for one in running.values())
        started = 0
        for receiver in await self._receivers(free, running):
            host = self._host(receiver.url)
            room = min(free - started, _most(failing=receiver.failing) - guilds[receiver.guild_id], MOST_A_HOST - hosts[host])
            if room <= 0 or (receiver.failing and failing >= MOST_FAILING_AT_ONCE):
                continue
            now_ms = self.clock.now_ms()
            token = f"{self.holder[:40]}/{self.ids.salt()[:8].hex()}"
            for due in await self.store.claim(receiver.guild_id, token, now_ms, now_ms + CLAIM_MS, room):
                task = asyncio.create_task(self._attempt(receiver, due), name=f"webhook {due.delivery_id}")
                running[task] = _Running(receiver.guild_id, host, receiver.failing)
                hosts[host] += 1
                failing += receiver.failing
                started += 1
        return started

    async def _receivers(self, limit: int, running: Mapping[asyncio.Task[None], _Running]) -> Sequence[Receiver]:
        """The next guilds in a circle, so that nobody is always the last; without those that have their share."""
        now_ms = self.clock.now_ms()
        counts = Counter((one.guild_id, one.failing) for one in running.values())
        full = [guild_id for (guild_id, failing), count in counts.items() if count >= _most(failing=failing)]
        with_failing = sum(one.failing for one in running.values()) < MOST_FAILING_AT_ONCE
        found = await self.store.receivers(now_ms, self._after, limit, full, with_failing=with_failing)
        if len(found) < limit and self._after >= 0:
            seen = [*full, *(one.guild_id for one in found)]
            first = GuildId(-1)
            found += await self.store.receivers(now_ms, first, limit - len(found), seen, with_failing=with_failing)
        self._after = found[-1].guild_id if found else GuildId(-1)
        return found

    def _host(self, url: str) -> str:
        try:
            return target_of(url, self.allowed).host
        except InvalidInputError:
            return ""

    async def _attempt(self, receiver: Receiver, due: Due) -> None:
        told = await self.store.told(due)
        if told is None:
            await self.store.drop(due)
            return
        at_ms, began = self.clock.now_ms(), self.clock.monotonic()
        reply = await self._send(receiver, due, payload(due.event, due.created_at_ms, told), at_ms)
        duration_ms = max(0, round((self.clock.monotonic() - began) * 1000))
        outcome = outcome_of(
            reply,
            attempt=due.attempt,
            created_at_ms=due.created_at_ms,
            now_ms=at_ms + duration_ms,
            chance=int.from_bytes(self.ids.salt(), "big") / 2**_SALT_BITS,
        )
        WEBHOOK_ATTEMPTS.labels(outcome="delivered" if outcome.state is DeliveryState.DELIVERED else "failed").inc()
        attempt = Attempt(due.attempt, at_ms, duration_ms, reply.status, reply.problem)
        reason = await self.store.finish(due, receiver.url, attempt, reply, outcome)
        if reason is not None:
            _log.warning("a webhook was switched off", guild_id=receiver.guild_id, reason=reason)

    async def _send(self, receiver: Receiver, due: Due, body: bytes, at_ms: int) -> Reply:
        if not await self.subscriptions.allows(receiver.guild_id, Feature.WEBHOOKS):
            return Reply(None, needs_pro(Feature.WEBHOOKS))
        try:
            target_of(receiver.url, self.allowed)  # the operator's networks may be others by now
            secrets = [] if receiver.sealed is None else self.sealing.open(receiver.guild_id, receiver.sealed)
        except InvalidInputError as error:
            return Reply(None, f"{error.message}: {error.details.get('url', '')}")
        except KeyOpenError:
            return Reply(None, "the webhook's secret does not open under this deployment's master key: rotate it")
        keys = [one.key for one in secrets if one.until_ms is None or one.until_ms > at_ms]
        if not keys:
            return Reply(None, "the webhook has no secret: rotate it")
        headers = signed_headers(keys, str(due.delivery_id), at_ms // 1000, body)
        return await self.sender.send(receiver.url, headers, body)


def _most(*, failing: bool) -> int:
    return MOST_A_FAILING_GUILD if failing else MOST_A_GUILD
