"""What delivering to log destinations needs from outside: the outbox, and Discord's channels.

Every method of the store is one transaction. All of them raise UnavailableError while the database is away; whether a failing
write was stored is then unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from uuid import UUID

from attendance.domain.ids import ChannelId, GuildId
from attendance.domain.log_contents import Told
from attendance.domain.log_messages import Embed


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is at work on a message, and until when (Unix milliseconds). ``claimed_by`` is new for each attempt."""

    claimed_by: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class LogMessage:
    """A message in somebody's hands.

    Attributes:
        attempts: how often it was tried before with an outcome that does not say that Discord has not stored it.
        created_at_ms: before its first attempt.
    """

    message_id: UUID
    destination_id: UUID
    guild_id: GuildId
    channel_id: ChannelId
    created_at_ms: int
    attempts: int
    claim: Claim


class LogDeliveryStore(Protocol):
    """The outbox of log destinations. What gathers for one is told in its order, one message at a time.

    A checkpoint is a message of its own from the start (`attendance.ports.checkpoint_posts`): it waits for nothing.
    """

    async def waiting(self, now_ms: int, gathered_before_ms: int, after: UUID | None, limit: int) -> list[UUID]:
        """Destinations beyond ``after``, in order, for which there is something to compose, or to throw away.

        That is: items wait, no message is under way, and it is time: the oldest item is from before ``gathered_before_ms`` for
        a destination that is told at once, or what is due next is due. A destination that is disabled or gone counts too.
        """
        ...

    async def compose(self, destination_id: UUID, message_id: UUID, claim: Claim, now_ms: int, limit: int) -> LogMessage | None:
        """Make a message of up to ``limit`` waiting items and claim it. None: somebody else has, or nothing waits.

        Where all that has gathered is in the message, what is due next moves on. What waits for a destination that is disabled
        or gone is deleted instead, some thousands at a time.
        """
        ...

    async def pass_over(self, now_ms: int, limit: int) -> int:
        """Move on what is due for destinations for which nothing has gathered; how many, at most ``limit``."""
        ...

    async def claim_due(self, claim: Claim, now_ms: int, limit: int) -> list[LogMessage]:
        """Claim up to ``limit`` messages whose next attempt is due and that nobody is at work on."""
        ...

    async def told(self, message: LogMessage) -> Sequence[Told] | None:
        """What the message is about, read now, without what was erased meanwhile. None: the bot has left the guild."""
        ...

    async def finish(self, message: LogMessage, now_ms: int) -> None:
        """The message is in the channel, whoever put it there: delete it and its items. Again: nothing happens."""
        ...

    async def drop(self, message: LogMessage, reason: str | None) -> None:
        """The message is not told after all: delete it and its items, and say why at the destination if there is a reason."""
        ...

    async def postpone(self, message: LogMessage, until_ms: int, *, reason: str | None, attempts: int) -> None:
        """Give the claim back, if it stands, until the next attempt; ``reason`` is shown at the destination if given."""
        ...

    async def disable(self, message: LogMessage, reason: str, now_ms: int) -> None:
        """Discord refuses the channel for good: disable the destination and delete all that waits for it. Audited.

        It happens only while the message is there: a destination that an admin has enabled again since then stays so.
        """
        ...


class Outcome(Enum):
    """What came of posting a message."""

    POSTED = "posted"
    LIMITED = "limited"  # a rate limit: not stored; try again after ``retry_after_s``
    UNKNOWN = "unknown"  # no answer, or one that does not say whether it was stored
    REFUSED = "refused"  # not stored, and this message never will be
    GONE = "gone"  # not stored: the channel is gone or forbidden


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome, with a sentence for admins where it is none of `Outcome.POSTED` and `Outcome.LIMITED`.

    ``for_all``: the limit is on everything that the bot asks, not on this channel.
    """

    outcome: Outcome
    reason: str = ""
    retry_after_s: float = 0.0
    for_all: bool = False


class LogChannels(Protocol):
    """Channels in Discord. Rate limits are honoured; waits are short, a longer one is an answer."""

    async def post(self, channel_id: ChannelId, nonce: str, embeds: Sequence[Embed], text: str | None = None) -> Answer:
        """Post a message that mentions nobody, with ``text`` above its embeds.

        The same ``nonce`` (25 characters at most) within minutes makes one message.
        """
        ...

    async def holds(self, channel_id: ChannelId, marker: str, since_ms: int) -> bool | None:
        """Whether the channel has a message of the bot with this marker, posted since then.

        None: it cannot be known now, because Discord does not answer. Where the bot may not read the
        channel's history the answer is False.
        """
        ...
