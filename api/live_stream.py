"""Server-sent events: how live events look on the wire, and how long one stream goes on.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import msgspec

from api.schemas import events as body
from api.schemas.reports import OccupancyBody, OccupantBody, OccupiedChannelBody
from api.shapes import session_body
from attendance.domain.ids import GuildId
from attendance.domain.instants import to_rfc3339
from attendance.errors import ForbiddenError, NotFoundError, UnavailableError
from attendance.ports.clock import Clock
from attendance.services.live_events import (
    LiveEvent,
    LiveEvents,
    OccupancyChanged,
    OccupancySeen,
    PeriodReset,
    Position,
    Presence,
    SessionEnded,
)

JUDGED_EVERY_SECONDS = 30
# Below the idle time-outs of proxies, most of which are a minute.
HEARTBEAT_SECONDS = 15
RETRY_MS = 3_000

# No number that a database would not take.
_EVENT_ID = re.compile(r"[0-9]{1,18}-[0-9]{1,9}")

_HEARTBEAT = b":\n\n"


def encode(event: LiveEvent, position: Position) -> bytes:
    """One event; its id says where to go on after it."""
    name, data = _named_body(event)
    return f"id: {position.ordinal}-{position.period_index}\nevent: {name}\ndata: ".encode() + data + b"\n\n"


def read_position(event_id: str | None) -> Position | None:
    """Where the caller was, from ``Last-Event-ID``; None begins anew, as does what is no id of ours."""
    if event_id is None or not _EVENT_ID.fullmatch(event_id):
        return None
    ordinal, _, period_index = event_id.partition("-")
    return Position(int(ordinal), int(period_index))


@dataclass(frozen=True, slots=True)
class LiveStream:
    """One caller's stream. ``judge`` says again whether they may have it, by raising."""

    live: LiveEvents
    clock: Clock
    judge: Callable[[], Awaitable[object]]
    lifetime_seconds: float

    async def chunks(self, guild_id: GuildId, after: Position | None) -> AsyncIterator[bytes]:
        """What is sent, until there is a reason to end.

        Raises:
            UnavailableError: before anything was sent: there can be no stream now.
        """
        began = judged = self.clock.monotonic()
        async with self.live.listen(guild_id, after) as listener:
            yield b"retry: %d\n\n" % RETRY_MS
            while True:
                spoken = self.clock.monotonic()
                until = min(began + self.lifetime_seconds, judged + JUDGED_EVERY_SECONDS, spoken + HEARTBEAT_SECONDS)
                chunk = await listener.next(until - spoken)
                now = self.clock.monotonic()
                # Before anything is said: who lost the right hears nothing more.
                if now >= judged + JUDGED_EVERY_SECONDS:
                    refusal = await self._refusal()
                    if refusal is not None:
                        yield _end(refusal)
                        return
                    judged = now
                if chunk is not None:
                    yield chunk
                if now >= began + self.lifetime_seconds:
                    yield _end("time")
                    return
                if chunk is None and listener.ended is not None:
                    yield _end(listener.ended)
                    return
                if chunk is None:
                    yield _HEARTBEAT

    async def _refusal(self) -> str | None:
        try:
            await self.judge()
        except (ForbiddenError, NotFoundError):
            return "forbidden"
        except UnavailableError:
            return "unavailable"  # never an allow
        return None


def _end(reason: str) -> bytes:
    return b"event: end\ndata: " + msgspec.json.encode(body.EndBody(reason=reason)) + b"\n\n"


def _named_body(event: LiveEvent) -> tuple[str, bytes]:
    if isinstance(event, OccupancySeen):
        return "occupancy", msgspec.json.encode(_occupancy(event))
    if isinstance(event, OccupancyChanged):
        change = body.OccupancyChangeBody(
            as_of=to_rfc3339(event.as_of_ms),
            members=event.members,
            present=[_presence(presence) for presence in event.present],
            gone=[str(user_id) for user_id in event.gone],
        )
        return "occupancy-change", msgspec.json.encode(change)
    if isinstance(event, SessionEnded):
        return "session", msgspec.json.encode(session_body(event.named))
    if isinstance(event, PeriodReset):
        period = event.period
        assert period.ended_at_ms is not None  # noqa: S101  # it is over
        reset = body.ResetBody(
            period_index=period.index,
            started_at=to_rfc3339(period.started_at_ms),
            ended_at=to_rfc3339(period.ended_at_ms),
        )
        return "reset", msgspec.json.encode(reset)
    return "skipped", msgspec.json.encode(body.SkippedBody(sessions=event.sessions))


def _presence(presence: Presence) -> body.PresenceBody:
    return body.PresenceBody(
        user_id=str(presence.user_id),
        display_name=presence.display_name,
        channel_id=str(presence.channel_id),
        channel_name=presence.channel_name,
        joined_at=to_rfc3339(presence.joined_at_ms),
        status=presence.status,
    )


def _occupancy(event: OccupancySeen) -> OccupancyBody:
    channels: dict[int, OccupiedChannelBody] = {}
    for presence in sorted(event.present, key=lambda one: (one.channel_id, one.joined_at_ms, one.user_id)):
        channel = channels.setdefault(
            presence.channel_id,
            OccupiedChannelBody(channel_id=str(presence.channel_id), name=presence.channel_name, members=[]),
        )
        occupant = OccupantBody(
            user_id=str(presence.user_id),
            display_name=presence.display_name,
            joined_at=to_rfc3339(presence.joined_at_ms),
            status=presence.status,
        )
        channel.members.append(occupant)
    return OccupancyBody(as_of=to_rfc3339(event.as_of_ms), members=len(event.present), channels=list(channels.values()))
