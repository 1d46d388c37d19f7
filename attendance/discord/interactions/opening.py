"""Puts the parts that answer interactions together, for the wiring."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

from hikari.impl.rest import RESTClientImpl

from attendance.discord.dispatches import DispatchQueue
from attendance.discord.interactions.call import InteractionServices
from attendance.discord.interactions.desk import InteractionDesk
from attendance.discord.interactions.registry import keep_registered
from attendance.discord.interactions.rest import InteractionRest
from attendance.discord.rest_client import open_rest
from attendance.ports.dispatches import INTERACTION_CREATE


@dataclass(frozen=True, slots=True)
class Interactions:
    """What the service runs: the queue in which interactions arrive, and the registration of the commands."""

    queue: DispatchQueue
    register: Callable[[], Coroutine[Any, Any, None]]


@contextlib.asynccontextmanager
async def open_interactions(token: str, rest_url: str | None, services: InteractionServices) -> AsyncIterator[Interactions]:
    """Open them for as long as the block lasts; what is being answered at its end is given up.

    Args:
        token: the bot's token.
        rest_url: Discord's REST address with `/api/v10`; None is Discord's own.
        services: what the commands work with.
    """
    async with open_rest(token, rest_url) as rest:
        answers = InteractionRest(cast("RESTClientImpl", rest))
        desk = InteractionDesk(services, answers)
        try:
            yield Interactions(DispatchQueue({INTERACTION_CREATE}, desk.take), lambda: keep_registered(answers))
        finally:
            await desk.close()
