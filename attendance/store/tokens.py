"""API tokens. Who can read this table learns no secret; who can write to it can let a secret of their own in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from attendance.domain.audit import AuditEntry
from attendance.domain.ids import GuildId, UserId
from attendance.domain.tokens import ApiToken, Scope
from attendance.store.audit import record_audit
from attendance.store.database import Database
from attendance.store.schema import api_token, guild

_COLUMNS = tuple(api_token.c[name] for name in ApiToken.__slots__)


@dataclass(frozen=True, slots=True)
class SqlTokenStore:
    """`TokenStore` over the `api_token` table."""

    database: Database

    async def add(self, token: ApiToken, token_sha256: bytes, most: int, audit: AuditEntry) -> bool:
        """Store a token, if there is room for one more."""
        count = select(func.count()).select_from(api_token).where(_live(api_token.c.guild_id == token.guild_id))
        # The guild's row is what two who add at once wait for.
        held = select(guild.c.guild_id).where(guild.c.guild_id == token.guild_id).with_for_update()
        async with self.database.transaction() as connection:
            await connection.execute(held)
            if (await connection.execute(count)).scalar_one() >= most:
                return False
            await connection.execute(
                insert(api_token).values(
                    token_id=token.token_id,
                    guild_id=token.guild_id,
                    name=token.name,
                    token_sha256=token_sha256,
                    scopes=json.dumps(sorted(token.scopes)),
                    created_by=token.created_by,
                    created_at_ms=token.created_at_ms,
                    expires_at_ms=token.expires_at_ms,
                )
            )
            await record_audit(connection, audit)
        return True

    async def find(self, token_sha256: bytes) -> ApiToken | None:
        """The token of this secret."""
        return await self._one(api_token.c.token_sha256 == token_sha256)

    async def get(self, token_id: UUID) -> ApiToken | None:
        """The token of this id."""
        return await self._one(api_token.c.token_id == token_id)

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[ApiToken], int]:
        """A guild's tokens."""
        live = _live(api_token.c.guild_id == guild_id)
        query = select(*_COLUMNS).where(live).order_by(api_token.c.created_at_ms.desc(), api_token.c.token_id)
        async with self.database.snapshot() as connection:
            rows = (await connection.execute(query.limit(limit).offset(offset))).all()
            total = (await connection.execute(select(func.count()).select_from(api_token).where(live))).scalar_one()
        return [_token(row) for row in rows], total

    async def revoke(self, guild_id: GuildId, token_id: UUID, now_ms: int, audit: AuditEntry) -> bool:
        """Revoke a token."""
        ours = _live(api_token.c.guild_id == guild_id) & (api_token.c.token_id == token_id)
        async with self.database.transaction() as connection:
            if (await connection.execute(update(api_token).where(ours).values(revoked_at_ms=now_ms))).rowcount != 1:
                return False
            await record_audit(connection, audit)
        return True

    async def note_use(self, token_id: UUID, at_ms: int) -> None:
        """Move the last use on; never back."""
        used = api_token.c.last_used_at_ms
        earlier = (api_token.c.token_id == token_id) & or_(used.is_(None), used < at_ms)
        async with self.database.transaction() as connection:
            await connection.execute(update(api_token).where(earlier).values(last_used_at_ms=at_ms))

    async def _one(self, condition: ColumnElement[bool]) -> ApiToken | None:
        async with self.database.snapshot() as connection:
            row = (await connection.execute(select(*_COLUMNS).where(_live(condition)))).first()
        return None if row is None else _token(row)


def _live(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return condition & api_token.c.revoked_at_ms.is_(None)


def _token(row: Any) -> ApiToken:
    scopes = frozenset(Scope(name) for name in json.loads(row.scopes))
    return ApiToken(
        row.token_id,
        GuildId(row.guild_id),
        row.name,
        scopes,
        UserId(row.created_by),
        row.created_at_ms,
        row.expires_at_ms,
        row.last_used_at_ms,
    )
