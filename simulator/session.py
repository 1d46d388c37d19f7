"""A gateway session: what one shard was told, in order, and can be told again after a lost socket."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from simulator.connection import Connection
from simulator.encoding import encode_dispatch
from simulator.intents import lets_through
from simulator.snowflakes import shard_of


@dataclass(slots=True, eq=False)
class Session:
    """Sequence numbers and a bounded buffer for RESUME. It outlives its connections."""

    id: str
    shard_id: int
    shard_count: int
    intents: int
    buffer_size: int
    connection: Connection | None = None
    sequence: int = 0
    _sent: deque[tuple[int, bytes]] = field(default_factory=deque)

    def sees(self, guild_id: int) -> bool:
        """Return whether a guild is one of this shard's."""
        return shard_of(guild_id, self.shard_count) == self.shard_id

    def wants(self, event: str) -> bool:
        """Return whether the session's intents let an event through."""
        return lets_through(self.intents, event)

    def dispatch(self, name: str, data: bytes) -> None:
        """Number an event, keep it for RESUME and send it if there is a socket."""
        self.sequence += 1
        payload = encode_dispatch(name, self.sequence, data)
        self._sent.append((self.sequence, payload))
        if len(self._sent) > self.buffer_size:
            self._sent.popleft()
        if self.connection is not None:
            self.connection.send(payload)

    def send_unnumbered(self, payload: bytes) -> None:
        """Send a payload that is not an event, if there is a socket."""
        if self.connection is not None:
            self.connection.send(payload)

    def can_replay_from(self, sequence: int) -> bool:
        """Return whether every event after ``sequence`` is still in the buffer."""
        return sequence == self.sequence or bool(self._sent and self._sent[0][0] <= sequence + 1)

    def replay_from(self, sequence: int) -> int:
        """Send every event after ``sequence`` again on the present socket; return how many there were."""
        missed = [payload for number, payload in self._sent if number > sequence]
        for payload in missed:
            self.send_unnumbered(payload)
        return len(missed)
