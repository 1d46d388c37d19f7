"""The connection to Discord's gateway, as its owner starts and stops it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from attendance.domain.ids import ShardId
from attendance.ports.observing import ObservationSink


@dataclass(frozen=True, slots=True)
class GatewaySession:
    """A shard's session with Discord that was left so that another process may resume it.

    Attributes:
        session_id: Discord's name of it; worth nothing without the bot's token.
        sequence: of the last event that was put into the sink. What came after it is replayed.
        resume_url: where Discord wants it resumed.
        intents: what it was identified with: a session says for ever what its intents let it say.
    """

    shard_id: ShardId
    session_id: str = field(repr=False)
    sequence: int
    resume_url: str
    intents: int


class GatewayConnection(Protocol):
    """Shards that feed a sink."""

    async def start(self) -> None:
        """Begin connecting and return.

        Raises:
            ConfigError: Discord refuses the token or the intents.
            UnavailableError: Discord is away.
        """
        ...

    async def join(self) -> None:
        """Wait until the connection has ended.

        Raises:
            ConfigError, UnavailableError: it ended by itself, and why.
        """
        ...

    async def stop(self) -> Sequence[GatewaySession]:
        """Close the shards. Nothing is put into the sink afterwards.

        Returns:
            The sessions of the shards that saw everything up to now. Everything that they had read is in the sink.
        """
        ...


# Builds a connection for these shards: sink, shard count, shard ids, and the sessions that may be resumed.
GatewayFactory = Callable[[ObservationSink, int, Sequence[ShardId], Sequence[GatewaySession]], GatewayConnection]
