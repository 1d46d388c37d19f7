"""What all query classes share: the connection of one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, BindParameter, Select, bindparam
from sqlalchemy.ext.asyncio import AsyncConnection

Query: TypeAlias = Select[*tuple[Any, ...]]

GUILD: BindParameter[int] = bindparam("guild_id", type_=BigInteger)
USER: BindParameter[int] = bindparam("user_id", type_=BigInteger)
PERIOD: BindParameter[int] = bindparam("period_index", type_=BigInteger)


@dataclass(frozen=True, slots=True)
class Connected:
    """Queries over one open transaction."""

    connection: AsyncConnection
