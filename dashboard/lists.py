"""Lists of the API's that a page needs whole: a picker without half of the channels would take them off."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

import msgspec

from dashboard.api_client import GuildApi, Params

T = TypeVar("T")
AT_ONCE = 200  # the API's most
MOST = 2_000


class Listed(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list, and how many there are in all."""

    items: list[T]
    total: int


async def whole_list(api: GuildApi, path: str, kind: type[Listed[T]], params: Params | None = None) -> list[T]:
    """Every item, `MOST` at most."""
    asked = dict(params or {})
    first = await api.get(path, kind, {**asked, "limit": AT_ONCE})
    offsets = range(AT_ONCE, min(first.total, MOST), AT_ONCE)
    rest = await asyncio.gather(*(api.get(path, kind, {**asked, "limit": AT_ONCE, "offset": offset}) for offset in offsets))
    return [item for page in (first, *rest) for item in page.items]
