"""The one table from what hikari raises to our errors."""

from __future__ import annotations

import hikari
from hikari.applications import get_token_id

from attendance.domain.ids import UserId
from attendance.errors import ConfigError, RollcallError, UnavailableError

FATAL_CLOSE_CODES = {
    4004: "Discord refuses the bot token",
    4010: "a shard id is outside the shard count",
    4011: "the shard count is too small for this bot",
    4012: "Discord speaks this gateway version no more",
    4013: "the intents are invalid",
    4014: "the intents are not granted to this bot",
}
"""Close codes after which trying again cannot help; hikari gives up for good on several others, which do pass."""


def as_rollcall_error(error: BaseException) -> RollcallError:  # noqa: PLR0911 - one table, one line each
    """Say in our terms what went wrong: `ConfigError` if trying again is of no use, `UnavailableError` otherwise."""
    match error:
        case RollcallError():
            return error
        case hikari.UnauthorizedError():
            return ConfigError("Discord refuses the bot token")
        case hikari.GatewayServerClosedConnectionError(code=int(code)) if code in FATAL_CLOSE_CODES:
            return ConfigError(f"{FATAL_CLOSE_CODES[code]} (gateway closed with {int(code)})")
        case hikari.RateLimitTooLongError():
            return UnavailableError("Discord limits our requests")
        case hikari.HTTPResponseError():
            return UnavailableError(f"Discord answered {int(error.status)}")
        case TimeoutError() | hikari.HikariError() | OSError():
            return UnavailableError("Discord does not answer")
        case RuntimeError():
            return UnavailableError(str(error))  # hikari's own words: no session starts left today, a shard ended
        case _:
            return UnavailableError(f"Discord could not be understood: {type(error).__name__}")


def bot_id_of(token: str) -> UserId:
    """Read the bot's user id from the first part of its token.

    Raises:
        ConfigError: the token has not the form of a bot token.
    """
    try:
        return UserId(int(get_token_id(token.strip())))
    except ValueError:
        raise ConfigError("the bot token does not have the form of one") from None
