"""Asks a guild's owner for something and waits a little for the answer."""

from __future__ import annotations

import json
from asyncio import sleep
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from attendance.domain.audit import Actor
from attendance.domain.commands import ANSWERED_WITHIN_MS, CommandKind
from attendance.domain.ids import GuildId
from attendance.errors import ConflictError, InvalidInputError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.commands import CommandInbox, NewCommand, StoredCommand

PATIENCE_SECONDS = ANSWERED_WITHIN_MS / 1000
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for what in which guild. The same idempotency key is one request, however often it is sent."""

    guild_id: GuildId
    actor: Actor
    idempotency_key: str | None = None


def _nobody_to_wake() -> None:
    """The owner is another process: it looks by itself."""


@dataclass(frozen=True, slots=True)
class Commands:
    """The asking side of the command inbox.

    Attributes:
        inbox: where commands wait.
        clock: measures the patience.
        wake: called after a command was stored, so that an owner in this process looks at once.
        patience_seconds: how long to wait for the owner.
        pause: waits for so many seconds.
    """

    inbox: CommandInbox
    clock: Clock
    wake: Callable[[], None] = _nobody_to_wake
    patience_seconds: float = PATIENCE_SECONDS
    pause: Callable[[float], Awaitable[None]] = sleep

    async def apply(self, request: Request, kind: CommandKind, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have the guild's owner apply a command; returns its result.

        Raises:
            ConflictError: the idempotency key was used for something else.
            InvalidInputError: the owner refused it.
            UnavailableError: nobody has applied it in time. It stays in the inbox: sending it again with the same idempotency
                key (or any write that sets the same values, or a reset without a key) does nothing twice.
        """
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        new = NewCommand(request.guild_id, kind, text, request.actor, request.idempotency_key)
        stored = await self.inbox.submit(new, self.clock.now_ms())
        if (stored.kind, stored.body) != (kind.value, text):
            raise ConflictError("this Idempotency-Key was used for another request")
        if stored.result is None:
            self.wake()
            stored = await self._applied(stored)
        return _result(stored)

    async def _applied(self, stored: StoredCommand) -> StoredCommand:
        deadline = self.clock.monotonic() + self.patience_seconds
        pause = _FIRST_PAUSE_SECONDS
        while self.clock.monotonic() < deadline:
            await self.pause(pause)
            now = await self.inbox.look(stored.id)
            if now is None:
                break
            if now.result is not None:
                return now
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
        raise UnavailableError("the guild's recorder has not answered in time; the request still waits for it")


def _result(stored: StoredCommand) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(stored.result or "{}")
    if "error" in result:
        raise InvalidInputError(str(result["error"]))
    return result
