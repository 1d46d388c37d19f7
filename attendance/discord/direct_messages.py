"""Direct messages by Discord's REST API. Implements `attendance.ports.privacy.DirectMessages`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import hikari
from hikari.api import RESTClient

from attendance.discord.failures import as_rollcall_error
from attendance.discord.rest_client import open_rest
from attendance.domain.ids import UserId
from attendance.errors import UnavailableError

PATIENCE_SECONDS = 15.0
_WHY = {
    50_007: "their direct messages are closed to the bot",
    50_278: "the bot shares no server with them any more",
    10_013: "there is no such user any more",
    50_033: "this is no user who can be written to",
}


@dataclass(frozen=True, slots=True)
class DiscordDirectMessages:
    """Sends with hikari's REST client; see the port for the contract."""

    rest: RESTClient
    patience_seconds: float = PATIENCE_SECONDS

    async def send(self, user_id: UserId, text: str, nonce: str) -> str | None:
        """See the port."""
        try:
            async with asyncio.timeout(self.patience_seconds):
                channel = await self.rest.create_dm_channel(user_id)
                # hikari sends enforce_nonce by itself.
                await self.rest.create_message(
                    channel.id, text, nonce=nonce, mentions_everyone=False, user_mentions=False, role_mentions=False
                )
        except (hikari.BadRequestError, hikari.ForbiddenError, hikari.NotFoundError) as error:
            return _WHY.get(int(error.code), f"Discord refuses with {int(error.status)} ({error.code}: {error.message})"[:500])
        except (TimeoutError, LookupError, TypeError, ValueError, AttributeError, hikari.HikariError) as error:
            raise UnavailableError(as_rollcall_error(error).message) from error
        return None


@contextlib.asynccontextmanager
async def open_direct_messages(token: str, rest_url: str | None) -> AsyncIterator[DiscordDirectMessages]:
    """Open a client for direct messages, for as long as the block lasts.

    Args:
        token: the bot's token.
        rest_url: Discord's REST address with `/api/v10`; None is Discord's own.
    """
    async with open_rest(token, rest_url, patience_seconds=PATIENCE_SECONDS) as rest:
        yield DiscordDirectMessages(rest)
