"""Where the gateway puts what it saw."""

from __future__ import annotations

from typing import Protocol

from attendance.domain.ids import ShardId
from attendance.domain.observations import Observation


class ObservationSink(Protocol):
    """The recorder's inlet. Thread-safe, never blocks, keeps the order in which it was called."""

    def put(self, observation: Observation) -> bool:
        """Take one observation.

        Returns:
            False if the queue was full: the observation was NOT taken and nothing more of this shard is taken until it has
            identified anew (the sink has noted the shard's blindness itself, cause OVERFLOW). The gateway then closes
            the shard's connection without resuming, waits for `has_room`, and identifies.
        """
        ...

    def has_room(self, shard_id: ShardId) -> bool:
        """Whether a shard that was refused may identify again (the queue has drained to under half)."""
        ...
