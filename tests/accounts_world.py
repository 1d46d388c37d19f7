"""People of a dashboard, for tests: values, and how they come into its database."""

from __future__ import annotations

import hashlib

from dashboard.domain.activity import Action, Activity
from dashboard.domain.ids import RoleId, UserId
from dashboard.domain.roles import Permission, Role
from dashboard.domain.sessions import SESSION_MS, Session
from dashboard.domain.users import Ban, User
from dashboard.store.accounts import SqlAccountStore
from dashboard.store.sessions import SqlSessionStore

NOW = 1_800_000_000_000
ROOT, ANNA, BEN, CARL = UserId(1), UserId(11), UserId(12), UserId(13)


def make_user(user_id: UserId, username: str = "", *, global_name: str | None = None, at_ms: int = NOW) -> User:
    return User(user_id, username or f"user{user_id}", global_name, None, at_ms, at_ms)


def make_role(role_id: str, priority: int, *permissions: Permission) -> Role:
    return Role(RoleId(role_id), role_id.title(), "#2196F3", priority, frozenset(permissions))


def key_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def make_session(user_id: UserId, secret: str, at_ms: int = NOW) -> Session:
    return Session(key_of(secret), user_id, at_ms, at_ms, at_ms + SESSION_MS, at_ms, "192.0.2.1", "a browser")


def entry(user_id: UserId, action: Action, at_ms: int = NOW, subject_id: UserId | None = None, details: str = "") -> Activity:
    return Activity(user_id, action, details or action.value, "192.0.2.1", at_ms, subject_id)


async def sign_in(
    sessions: SqlSessionStore, user_id: UserId, secret: str = "", *, username: str = "", at_ms: int = NOW
) -> Session:
    """Somebody comes in; ``secret`` is what their cookie holds."""
    new = make_session(user_id, secret or f"session of {user_id} at {at_ms}", at_ms)
    user = make_user(user_id, username, at_ms=at_ms)
    login = entry(user_id, Action.LOGIN, at_ms)
    assert await sessions.begin(user, new, b"sealed", login, replaces=None, ban_holds=True) is None
    return new


async def give(accounts: SqlAccountStore, user_id: UserId, *roles: Role) -> None:
    """Let somebody hold these roles, whatever the rules say; roles that are not there yet are made."""
    for role in roles:
        if await accounts.role(role.role_id) is None:
            assert await accounts.create_role(await accounts.version(), role, entry(ROOT, Action.ROLE_CREATED))
        assert await accounts.assign(await accounts.version(), user_id, role.role_id, entry(ROOT, Action.ROLE_ASSIGNED))


async def shut_out(accounts: SqlAccountStore, user_id: UserId, at_ms: int = NOW) -> None:
    """Ban somebody, whatever the rules say."""
    why = Ban("spam", ROOT, at_ms)
    assert await accounts.ban(await accounts.version(), user_id, why, entry(ROOT, Action.BAN, at_ms, user_id))
