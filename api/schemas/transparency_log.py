"""Bodies of the transparency log's routes."""

from __future__ import annotations

import msgspec


class ConsistencyBody(msgspec.Struct, frozen=True, kw_only=True, rename={"from_size": "from", "to_size": "to"}):
    """A consistency proof: hashes in standard base64, in RFC 6962's order."""

    from_size: int
    to_size: int
    proof: list[str]
