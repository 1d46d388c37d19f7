"""Sessions and the sealed Discord tokens that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from attendance.sql.database import Database
from dashboard.domain.activity import Activity
from dashboard.domain.ids import UserId
from dashboard.domain.sessions import SEEN_MS, Session, SignedIn
from dashboard.domain.users import Ban, User
from dashboard.gathered import Gathered
from dashboard.store.accounts import folded
from dashboard.store.activity import record_activity
from dashboard.store.schema import account, discord_token, session
from dashboard.store.standings import read_bans, read_standings


@dataclass(frozen=True, slots=True)
class SqlSessionStore:
    """`SessionStore` over the dashboard's database.

    What every request asks is asked together with whoever asks at the same time: 500 browsers that come back at once, after a
    restart, would otherwise queue for connections until most of them are refused.
    """

    database: Database
    _finds: Gathered[tuple[bytes, int], SignedIn] = field(init=False, repr=False, compare=False)
    _seen: Gathered[tuple[bytes, int], None] = field(init=False, repr=False, compare=False)
    _tokens: Gathered[bytes, bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_finds", Gathered(self._find_all))
        object.__setattr__(self, "_seen", Gathered(self._note_all_seen))
        object.__setattr__(self, "_tokens", Gathered(self._all_tokens))

    async def begin(
        self, user: User, new: Session, sealed_token: bytes, entry: Activity, *, replaces: bytes | None, ban_holds: bool
    ) -> Ban | None:
        """Sign somebody in: write down who they are and a new session, and end the one that the browser had before.

        Args:
            user: as Discord describes them; ``created_at_ms`` counts only at the first sign-in.
            new: the session, whose user this is.
            sealed_token: Discord's tokens, sealed.
            entry: what is written into the log.
            replaces: the key of the browser's session so far, whoever's it was.
            ban_holds: False for whom the settings name: a ban does not keep them out.

        Returns:
            The ban that keeps them out, and then there is no session and no entry. None: they are in.
        """
        async with self.database.transaction() as connection:
            await _describe(connection, user)  # holds the row: a ban comes before this or after all of it
            bans = await read_bans(connection, [user.user_id])
            if ban_holds and user.user_id in bans:
                return bans[user.user_id]
            if replaces is not None:
                await _end(connection, session.c.session_sha256 == replaces, entry.at_ms)
            await connection.execute(insert(session).values(_columns(new)))
            await connection.execute(insert(discord_token).values(session_sha256=new.key, sealed=sealed_token))
            await record_activity(connection, entry)
        return None

    async def find(self, key: bytes, now_ms: int) -> SignedIn | None:
        """The live session of this key, whose it is and how high they stand, without what the settings say."""
        return await self._finds.ask((key, now_ms))

    async def note_seen(self, key: bytes, now_ms: int) -> None:
        """Move the last use on, to the minute; never back, and not of a session that has ended."""
        await self._seen.ask((key, now_ms))

    async def note_authenticated(self, key: bytes, sealed_token: bytes, entry: Activity) -> bool:
        """Discord has said again who this is. False: the session has ended meanwhile."""
        now_ms = entry.at_ms
        ours = update(session).where(session.c.session_sha256 == key, session.c.user_id == entry.user_id, _open())
        async with self.database.transaction() as connection:
            renewed = await connection.execute(ours.values(authenticated_at_ms=now_ms, last_seen_at_ms=now_ms))
            if renewed.rowcount != 1:
                return False
            await connection.execute(
                update(discord_token).where(discord_token.c.session_sha256 == key).values(sealed=sealed_token)
            )
            await record_activity(connection, entry)
        return True

    async def revoke(self, user_id: UserId, key: bytes, entry: Activity) -> bool:
        """End a session of this user. False: there is no open one of this key."""
        async with self.database.transaction() as connection:
            ours = (session.c.session_sha256 == key) & (session.c.user_id == user_id)
            if await _end(connection, ours, entry.at_ms) != 1:
                return False
            await record_activity(connection, entry)
        return True

    async def of_user(self, user_id: UserId) -> list[Session]:
        """Every session of a user that was not deleted yet, the newest first."""
        query = select(session).where(session.c.user_id == user_id)
        order = session.c.created_at_ms.desc(), session.c.session_sha256
        async with self.database.snapshot() as connection:
            return [_session(row) for row in await connection.execute(query.order_by(*order))]

    async def token(self, key: bytes) -> bytes | None:
        """Discord's sealed tokens of a session; None once it has ended."""
        return await self._tokens.ask(key)

    async def replace_token(self, key: bytes, before: bytes, after: bytes) -> bool:
        """Keep refreshed tokens. False: the session has ended, or somebody else refreshed them first."""
        same = (discord_token.c.session_sha256 == key) & (discord_token.c.sealed == before)
        async with self.database.transaction() as connection:
            return (await connection.execute(update(discord_token).where(same).values(sealed=after))).rowcount == 1

    async def delete_before(self, at_ms: int, most: int) -> int:
        """Delete sessions that expired before an instant, ``most`` of them at once; how many there were."""
        old = select(session.c.session_sha256).where(session.c.expires_at_ms < at_ms).limit(most)
        async with self.database.transaction() as connection:
            return (await connection.execute(delete(session).where(session.c.session_sha256.in_(old)))).rowcount

    async def _find_all(self, asked: Sequence[tuple[bytes, int]]) -> Mapping[tuple[bytes, int], SignedIn]:
        columns = *session.c, account.c.username, account.c.global_name, account.c.avatar, account.c.signed_in_at_ms
        query = (
            select(*columns, account.c.created_at_ms.label("account_created_at_ms"))
            .join(account, account.c.user_id == session.c.user_id)
            .where(session.c.session_sha256.in_({key for key, _ in asked}))
        )
        async with self.database.snapshot() as connection:
            rows = {row.session_sha256: row for row in await connection.execute(query)}
            live = [one for one in asked if one[0] in rows and _session(rows[one[0]]).is_live(one[1])]
            standings = await read_standings(connection, list({UserId(rows[key].user_id) for key, _ in live})) if live else {}
        return {one: SignedIn(_session(row := rows[one[0]]), _user(row), standings[UserId(row.user_id)]) for one in live}

    async def _note_all_seen(self, asked: Sequence[tuple[bytes, int]]) -> Mapping[tuple[bytes, int], None]:
        now_ms = max(at_ms for _, at_ms in asked)
        keys = {key for key, _ in asked}
        stale = session.c.session_sha256.in_(keys) & (session.c.last_seen_at_ms <= now_ms - SEEN_MS)
        async with self.database.transaction() as connection:
            await connection.execute(update(session).where(stale, _open()).values(last_seen_at_ms=now_ms))
        return {}

    async def _all_tokens(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        query = select(discord_token).where(discord_token.c.session_sha256.in_(keys))
        async with self.database.snapshot() as connection:
            return {row.session_sha256: row.sealed for row in await connection.execute(query)}


async def _describe(connection: AsyncConnection, user: User) -> None:
    described = {
        "username": user.username,
        "global_name": user.global_name,
        "avatar": user.avatar,
        "search": folded(user.username, user.global_name),
        "signed_in_at_ms": user.signed_in_at_ms,
    }
    into = sqlite.insert(account) if connection.dialect.name == "sqlite" else postgresql.insert(account)
    new = into.values(user_id=user.user_id, created_at_ms=user.created_at_ms, **described)
    await connection.execute(new.on_conflict_do_update(index_elements=["user_id"], set_=described))


async def _end(connection: AsyncConnection, which: ColumnElement[bool], at_ms: int) -> int:
    keys = select(session.c.session_sha256).where(which)
    await connection.execute(delete(discord_token).where(discord_token.c.session_sha256.in_(keys)))
    return (await connection.execute(update(session).where(which, _open()).values(revoked_at_ms=at_ms))).rowcount


def _open() -> ColumnElement[bool]:
    return session.c.revoked_at_ms.is_(None)


def _columns(one: Session) -> dict[str, object]:
    return {
        "session_sha256": one.key,
        "user_id": one.user_id,
        "created_at_ms": one.created_at_ms,
        "last_seen_at_ms": one.last_seen_at_ms,
        "expires_at_ms": one.expires_at_ms,
        "authenticated_at_ms": one.authenticated_at_ms,
        "revoked_at_ms": one.revoked_at_ms,
        "address": one.address,
        "user_agent": one.user_agent,
    }


def _session(row: Any) -> Session:
    return Session(
        key=row.session_sha256,
        user_id=UserId(row.user_id),
        created_at_ms=row.created_at_ms,
        last_seen_at_ms=row.last_seen_at_ms,
        expires_at_ms=row.expires_at_ms,
        authenticated_at_ms=row.authenticated_at_ms,
        revoked_at_ms=row.revoked_at_ms,
        address=row.address,
        user_agent=row.user_agent,
    )


def _user(row: Any) -> User:
    return User(UserId(row.user_id), row.username, row.global_name, row.avatar, row.account_created_at_ms, row.signed_in_at_ms)
