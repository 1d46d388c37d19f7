"""Messages that bots posted: kept for GET, and recognised again by their nonce."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from simulator.entities import User
from simulator.snowflakes import snowflake_at

_NONCE_REMEMBERED_MS = 300_000
_KEPT_A_CHANNEL = 1_000


class DirectChannels:
    """The bot's direct message channels, by user. ``closed`` are users who take no messages from it."""

    def __init__(self) -> None:
        self._of_user: dict[int, int] = {}
        self._users: dict[int, int] = {}
        self.closed: set[int] = set()

    def open(self, user_id: int, now_ms: int) -> int:
        """Return the id of the channel with a user: always the same one."""
        if user_id not in self._of_user:
            channel_id = snowflake_at(now_ms, len(self._of_user))
            self._of_user[user_id], self._users[channel_id] = channel_id, user_id
        return self._of_user[user_id]

    def user_of(self, channel_id: int) -> int | None:
        """Return whom a channel is with; None for any other channel."""
        return self._users.get(channel_id)


class MessageBoard:
    """Messages by channel, oldest first, the last 1,000 of each."""

    def __init__(self) -> None:
        self._by_channel: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        self._by_nonce: dict[tuple[int, str], tuple[int, dict[str, Any]]] = {}
        self._posted = 0

    def post(self, channel_id: int, author: User, body: dict[str, Any], now_ms: int) -> dict[str, Any]:
        """Keep a message and return its object.

        With ``enforce_nonce`` a nonce seen in the last five minutes returns the message that it made then and makes
        no other (Discord says "the past few minutes"). Without it the nonce is only echoed.
        """
        nonce = body.get("nonce")
        key = (author.id, str(nonce))
        if nonce is not None and body.get("enforce_nonce"):
            posted_at_ms, known = self._by_nonce.get(key, (0, None))
            if known is not None and now_ms - posted_at_ms <= _NONCE_REMEMBERED_MS:
                return known
        self._posted += 1
        message = _message(snowflake_at(now_ms, self._posted), channel_id, author, body, now_ms)
        if nonce is not None:
            message["nonce"] = nonce
            self._by_nonce[key] = (now_ms, message)
        kept = self._by_channel[channel_id]
        kept.append(message)
        del kept[:-_KEPT_A_CHANNEL]
        return message

    def newest(self, channel_id: int, limit: int) -> list[dict[str, Any]]:
        """Return up to ``limit`` messages of a channel, newest first."""
        return self.page(channel_id, limit)

    def page(self, channel_id: int, limit: int, *, after: int | None = None, before: int | None = None) -> list[dict[str, Any]]:
        """Return up to ``limit`` messages, newest first: the oldest ``after`` an id, or else the newest ``before`` one.

        They come without their nonces: only who posts is told those.
        """
        kept = self._by_channel[channel_id]
        if after is not None:
            chosen = [message for message in kept if int(message["id"]) > after][:limit]
        else:
            chosen = [message for message in kept if before is None or int(message["id"]) < before][-limit:]
        return [{name: value for name, value in message.items() if name != "nonce"} for message in reversed(chosen)]

    def forget_nonces(self) -> None:
        """Let the minutes pass in which a nonce is recognised."""
        self._by_nonce.clear()


def _message(message_id: int, channel_id: int, author: User, body: dict[str, Any], now_ms: int) -> dict[str, Any]:
    posted_at = dt.datetime.fromtimestamp(now_ms / 1_000, dt.UTC)
    return {
        "id": str(message_id),
        "type": 0,
        "channel_id": str(channel_id),
        "author": author.payload(),
        "content": body.get("content") or "",
        "timestamp": posted_at.isoformat(timespec="microseconds"),
        "edited_timestamp": None,
        "tts": bool(body.get("tts")),
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": body.get("embeds") or [],
        "components": body.get("components") or [],
        "pinned": False,
        "flags": body.get("flags") or 0,
    }
