"""``/events``: what happens, as it happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, TypeAlias

from litestar import get
from litestar.params import HeaderParameter
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.live_stream import LiveStream, read_position
from api.parameters import Guild, Services, Who
from api.routes import GUILD
from attendance.services.access import Right

LastEventId: TypeAlias = Annotated[
    str | None,
    HeaderParameter(name="Last-Event-ID", max_length=64, description="The last event's id: what ended since comes first"),
]

_EXAMPLE = """retry: 3000

id: 1041-3
event: occupancy
data: {"as_of":"2027-01-15T08:00:00.000Z","members":0,"channels":[]}

id: 1041-3
event: occupancy-change
data: {"as_of":"2027-01-15T08:00:05.000Z","members":1,"present":[{"user_id":"81384788765712384","display_name":"Ada",\
"channel_id":"81384788765712385","channel_name":"Lobby","joined_at":"2027-01-15T08:00:04.120Z","status":"counted"}],"gone":[]}

"""


@get(
    f"{GUILD}/events",
    operation_id="getEvents",
    summary="What happens, as it happens",
    description="Server-sent events. `occupancy`: everybody in voice, at the beginning; `occupancy-change`: who came, moved, "
    "changed status or left; `session`: a session that ended; `reset`: a period that is over; `skipped`: too many sessions "
    "ended to tell each; `end`: the last one, with the reason. The permission is judged anew every 30 seconds, and a stream "
    "ends after 15 minutes: come back with `Last-Event-ID`, and nothing is missed. Comments keep the connection alive.",
    tags=["attendance"],
    guards=[requires(Right.READ)],
    media_type="text/event-stream",
    responses=guild_errors(),
    text_example=_EXAMPLE,
)
async def get_events(services: Services, guild: Guild, caller: Who, last_event_id: LastEventId = None) -> Stream:
    """The stream."""
    judge = partial(services.access.authorise_again, caller, guild, Right.READ)
    stream = LiveStream(services.live_events, services.clock, judge, services.options.stream_seconds)
    chunks = stream.chunks(guild, read_position(last_event_id))
    # The first chunk comes before the status is sent: without a database there is no stream but a 503.
    first = await anext(chunks)

    async def all_chunks() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    # Proxies must not collect it.
    return Stream(all_chunks(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


ROUTES: list[ControllerRouterHandler] = [get_events]
