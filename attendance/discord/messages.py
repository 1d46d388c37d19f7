"""Messages of log destinations, posted with hikari. See `attendance.ports.log_deliveries.LogChannels`.

hikari honours the buckets of each route and channel by their headers, and waits at most `PATIENCE_SECONDS`: what must wait for
longer is an answer, so that no busy channel holds up another. The limit over all routes has no headers: `Pace` keeps below it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import hikari
from hikari.api import RESTClient

from attendance.discord.failures import as_rollcall_error, bot_id_of
from attendance.discord.rest_client import open_rest
from attendance.domain.ids import ChannelId, UserId
from attendance.domain.log_messages import Embed
from attendance.ports.clock import Clock
from attendance.ports.log_deliveries import Answer, Outcome

PATIENCE_SECONDS = 1.0
REQUEST_SECONDS = 10.0
LOOKING_SECONDS = 20.0
# Discord's limit over all routes is 50 requests a second for the whole bot; the look-ups of the API need some of them too.
MOST_A_SECOND = 40.0
_LEAST_A_SECOND = 2.0
_PAGES = 10  # of 100 messages each, that are looked through for one that may be there
_MESSAGES_A_PAGE = 100

_UNKNOWN_CHANNEL, _UNKNOWN_GUILD, _MISSING_ACCESS, _NOT_TEXT, _MISSING_PERMISSIONS = 10_003, 10_004, 50_001, 50_008, 50_013
_GONE = {
    _UNKNOWN_CHANNEL: "the channel is gone",
    _UNKNOWN_GUILD: "the bot has left the server",
    _MISSING_ACCESS: "the bot cannot see the channel",
    _NOT_TEXT: "the channel has no messages",
    _MISSING_PERMISSIONS: "the bot may not post in the channel (it needs Send Messages and Embed Links)",
}
# What hikari raises where an answer is not what Discord says it is.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(slots=True)
class Pace:
    """Spreads requests over time: fewer after each refusal by the limit over all routes, slowly more after that."""

    clock: Clock
    a_second: float = MOST_A_SECOND
    _next: float = 0.0

    async def turn(self) -> None:
        """Wait for one's turn."""
        now = self.clock.monotonic()
        at = max(self._next, now)
        self._next = at + 1 / self.a_second
        self.a_second = min(MOST_A_SECOND, self.a_second * 1.005)
        if at > now:
            await asyncio.sleep(at - now)

    def slow_down(self) -> None:
        """Others of this bot use the limit as well: leave them room."""
        self.a_second = max(_LEAST_A_SECOND, self.a_second / 2)


class DiscordLogChannels:
    """Posts with hikari's REST client; see the port for the contract.

    Args:
        rest: a started client with the bot's token, that retries nothing by itself and waits `PATIENCE_SECONDS` at most.
        bot_id: the bot's own user id.
        pace: how fast to ask.
    """

    def __init__(self, rest: RESTClient, bot_id: UserId, pace: Pace) -> None:
        self._rest = rest
        self._bot_id = bot_id
        self._pace = pace

    async def post(self, channel_id: ChannelId, nonce: str, embeds: Sequence[Embed], text: str | None = None) -> Answer:
        """See the port."""
        shown = [_as_hikari(embed) for embed in embeds]
        await self._pace.turn()
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                # hikari sends enforce_nonce by itself, and allows no mentions but those that it is told to.
                await self._rest.create_message(
                    channel_id,
                    hikari.UNDEFINED if text is None else text,
                    embeds=shown,
                    nonce=nonce,
                    mentions_everyone=False,
                    user_mentions=False,
                    role_mentions=False,
                )
        except (TimeoutError, hikari.HikariError, *_UNREADABLE) as error:
            return self._answer(error)
        return Answer(Outcome.POSTED)

    async def holds(self, channel_id: ChannelId, marker: str, since_ms: int) -> bool | None:
        """See the port."""
        after = hikari.Snowflake.from_datetime(datetime.fromtimestamp(since_ms / 1000, UTC))
        try:
            async with asyncio.timeout(LOOKING_SECONDS):
                for _ in range(_PAGES):
                    page = await self._page(channel_id, after)
                    if any(int(message.author.id) == self._bot_id and _bears(message, marker) for message in page):
                        return True
                    if len(page) < _MESSAGES_A_PAGE:
                        break
                    after = max(message.id for message in page)
        except (hikari.NotFoundError, hikari.ForbiddenError):
            return False  # posting will be told the same, and acts on it
        except (TimeoutError, hikari.HikariError, *_UNREADABLE):
            return None
        return False

    async def _page(self, channel_id: ChannelId, after: hikari.Snowflake) -> Sequence[hikari.Message]:
        """The next messages, waiting for the channel's bucket as long as the caller has time."""
        while True:
            await self._pace.turn()
            try:
                return await self._rest.fetch_messages(channel_id, after=after).limit(_MESSAGES_A_PAGE)
            except hikari.RateLimitTooLongError as error:
                await asyncio.sleep(error.retry_after)

    def _answer(self, error: Exception) -> Answer:  # one table, one line each
        match error:
            case hikari.RateLimitTooLongError():
                if error.is_global:
                    self._pace.slow_down()
                return Answer(Outcome.LIMITED, retry_after_s=max(error.retry_after, 0.05), for_all=error.is_global)
            case hikari.ClientHTTPResponseError(code=int(code)) if code in _GONE:
                return Answer(Outcome.GONE, _GONE[code])
            case hikari.UnauthorizedError():
                return Answer(Outcome.UNKNOWN, "Discord refuses the bot token")
            case hikari.ClientHTTPResponseError(code=int(code)) if code:
                kind = Outcome.REFUSED if isinstance(error, hikari.BadRequestError) else Outcome.GONE
                return Answer(kind, f"Discord refuses with {int(error.status)} ({code}: {error.message})"[:500])
            case hikari.HTTPResponseError() | TimeoutError() | hikari.HikariError():
                return Answer(Outcome.UNKNOWN, as_rollcall_error(error).message)
            case _:
                return Answer(Outcome.UNKNOWN, "Discord's answer could not be understood")


def _as_hikari(embed: Embed) -> hikari.Embed:
    made = hikari.Embed(
        title=embed.title,
        description=embed.description,
        colour=embed.colour,
        timestamp=datetime.fromtimestamp(embed.at_ms / 1000, UTC),
    )
    for field in embed.fields:
        made.add_field(field.name, field.value, inline=field.inline)
    if embed.footer is not None:
        made.set_footer(embed.footer)
    return made


def _bears(message: hikari.Message, marker: str) -> bool:
    if message.nonce == marker:
        return True
    return any(embed.footer is not None and (embed.footer.text or "").endswith(marker) for embed in message.embeds)


@contextlib.asynccontextmanager
async def open_log_channels(token: str, rest_url: str | None, clock: Clock) -> AsyncIterator[DiscordLogChannels]:
    """Open the channels for as long as the block lasts.

    Args:
        token: the bot's token.
        rest_url: Discord's REST address with `/api/v10`; None is Discord's own.
        clock: monotonic time.

    Raises:
        ConfigError: the token has not the form of one.
    """
    bot_id = bot_id_of(token)
    async with open_rest(token, rest_url, patience_seconds=PATIENCE_SECONDS, retries=0) as rest:
        yield DiscordLogChannels(rest, bot_id, Pace(clock))
