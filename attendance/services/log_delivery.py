"""Delivers what has gathered for log destinations: at least once, and never twice to be seen.

For each destination: compose a message (its row and the items it tells are fixed in one transaction, already claimed), read
what it tells, post it, delete both. What happens if we die here:

* before or in composing: nothing, or the message stands, claimed; the claim runs out and another attempt takes it up
* between posting and deleting, or without an answer: the next attempt posts with the same nonce, which Discord recognises for
  some minutes and answers with the message that is there; after those it is looked for in the channel before it is posted again
* after deleting: done

So any number of processes may deliver, and one that was only slow does no harm: it stops when its claim runs out.
"""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

import structlog

from attendance.domain.log_messages import compose, text_of
from attendance.errors import UnavailableError
from attendance.metrics import LOG_MESSAGES
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.log_deliveries import Answer, Claim, LogChannels, LogDeliveryStore, LogMessage, Outcome

ITEMS_A_MESSAGE = 2_500
"""However many have gathered: a stage of 10,000 that ends is a handful of messages."""

# What happens within so much time is told together, where a destination is told at once.
GATHER_MS = 2_000
# Looking through a channel for 20 s and one request fit in; a dead deliverer's message waits for so long.
CLAIM_MS = 45_000
# No request is begun with less of the claim left: it could arrive after another deliverer's.
_LEFT_MS = 15_000
# Discord speaks of "the past few minutes".
NONCE_REMEMBERED_MS = 120_000
# A machine's clock may be ahead of Discord's.
_CLOCKS_DIFFER_MS = 120_000
_AT_ONCE = 16
_FIRST_RETRY_MS = 2_000
_LONGEST_RETRY_MS = 600_000
_PASSED_OVER_AT_ONCE = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LogDeliverer:
    """Delivers. ``holder`` names this process in claims, for people who look; at most 40 characters of it are kept."""

    store: LogDeliveryStore
    channels: LogChannels
    clock: Clock
    ids: IdSource
    holder: str
    public_url: str | None = None

    async def deliver_due(self) -> int:
        """Deliver until nothing is due; how many messages were ended (delivered, or refused for good).

        Raises:
            UnavailableError: the database is away; what was under way is taken up again later.
        """
        round_ = _Round(self)
        while await self.store.pass_over(self.clock.now_ms(), _PASSED_OVER_AT_ONCE) == _PASSED_OVER_AT_ONCE:
            pass
        return await round_.run()


class _Round:
    """One look: up to `_AT_ONCE` destinations at a time, one message of each."""

    def __init__(self, deliverer: LogDeliverer) -> None:
        self._parts = deliverer
        self._store, self._clock = deliverer.store, deliverer.clock
        self._after: UUID | None = None
        self._ended = 0
        self._limited = False

    async def run(self) -> int:
        running: set[asyncio.Task[None]] = set()
        failure: BaseException | None = None
        try:
            while True:
                if len(running) <= _AT_ONCE // 2 and not self._limited and not isinstance(failure, UnavailableError):
                    for message in await self._take(_AT_ONCE - len(running)):
                        running.add(asyncio.create_task(self._work(message), name=f"log message {message.message_id}"))
                if not running:
                    break
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                # One message that cannot be told does not hold up the others; its claim keeps it away for a while.
                failure = next((error for task in done if (error := task.exception()) is not None), failure)
        finally:
            # What was being posted is posted again with its nonce, once its claim has run out.
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        if failure is not None:
            raise failure
        return self._ended

    async def _take(self, limit: int) -> list[LogMessage]:
        """Messages that are due again, and new ones; destinations in turn, so that none waits for a busy one."""
        now_ms = self._clock.now_ms()
        taken = await self._store.claim_due(self._claim(), now_ms, limit)
        while len(taken) < limit:
            found = await self._store.waiting(now_ms, now_ms - GATHER_MS, self._after, limit - len(taken))
            for destination_id in found:
                message = await self._compose(destination_id)
                if message is not None:
                    taken.append(message)
            if found:
                self._after = found[-1]
            elif self._after is None:
                break
            else:
                self._after = None  # from the beginning again
                if taken:
                    break
        return taken

    async def _compose(self, destination_id: UUID) -> LogMessage | None:
        now_ms = self._clock.now_ms()
        message_id = self._parts.ids.session_id(now_ms)
        return await self._store.compose(destination_id, message_id, self._claim(), now_ms, ITEMS_A_MESSAGE)

    def _claim(self) -> Claim:
        unique = self._parts.ids.salt()[:8].hex()
        return Claim(f"{self._parts.holder[:40]}/{unique}", self._clock.now_ms() + CLAIM_MS)

    async def _work(self, message: LogMessage) -> None:
        told = await self._store.told(message)
        if told is None:
            await self._disable(message, "the bot has left the server")
            return
        nonce = nonce_of(message.message_id)
        embeds = compose(told, nonce, self._parts.public_url)
        if not embeds:
            await self._store.drop(message, None)  # all of it was erased meanwhile
            return
        if message.attempts and self._clock.now_ms() - message.created_at_ms > NONCE_REMEMBERED_MS:
            since_ms = message.created_at_ms - _CLOCKS_DIFFER_MS
            held = await self._parts.channels.holds(message.channel_id, nonce, since_ms)
            if held is None:
                await self._retry(message, "Discord does not answer")
                return
            if held:
                await self._finish(message)
                return
        if message.claim.until_ms - self._clock.now_ms() < _LEFT_MS:
            return  # we were stopped for long: whoever takes the message up posts it
        await self._act_on(message, await self._parts.channels.post(message.channel_id, nonce, embeds, text_of(told)))

    async def _act_on(self, message: LogMessage, answer: Answer) -> None:
        LOG_MESSAGES.labels(outcome=answer.outcome.value).inc()
        match answer.outcome:
            case Outcome.POSTED:
                await self._finish(message)
            case Outcome.LIMITED:
                self._limited = self._limited or answer.for_all
                until_ms = self._clock.now_ms() + round(1000 * answer.retry_after_s)
                await self._store.postpone(message, until_ms, reason=None, attempts=message.attempts)
            case Outcome.UNKNOWN:
                await self._retry(message, answer.reason)
            case Outcome.REFUSED:
                _log.error("Discord refuses a log message", destination_id=str(message.destination_id), reason=answer.reason)
                await self._store.drop(message, answer.reason)
                self._ended += 1
            case Outcome.GONE:
                await self._disable(message, answer.reason)

    async def _finish(self, message: LogMessage) -> None:
        await self._store.finish(message, self._clock.now_ms())
        self._ended += 1

    async def _retry(self, message: LogMessage, reason: str) -> None:
        """Twice as long after each attempt, and never all at once."""
        longest_ms = min(_FIRST_RETRY_MS << min(message.attempts, 16), _LONGEST_RETRY_MS)
        wait_ms = longest_ms // 2 + longest_ms // 2 * self._parts.ids.salt()[0] // 255
        until_ms = self._clock.now_ms() + wait_ms
        await self._store.postpone(message, until_ms, reason=f"{reason}; tried again", attempts=message.attempts + 1)

    async def _disable(self, message: LogMessage, reason: str) -> None:
        _log.warning(
            "a log destination was disabled",
            guild_id=message.guild_id,
            destination_id=str(message.destination_id),
            reason=reason,
        )
        await self._store.disable(message, reason, self._clock.now_ms())
        self._ended += 1


def nonce_of(message_id: UUID) -> str:
    """A message's nonce, which is its marker as well: 22 characters, the same at every attempt."""
    return urlsafe_b64encode(message_id.bytes).decode().rstrip("=")
