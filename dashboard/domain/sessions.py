"""Sessions of the dashboard: who is signed in, from where, for how long."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.domain.ids import UserId
from dashboard.domain.users import Standing, User

SESSION_MS = 7 * 24 * 3_600_000  # from the sign-in, however much it is used
IDLE_MS = 24 * 3_600_000  # from the last use
SEEN_MS = 60_000  # a use is written down at most this often
# Ended sessions are kept this long for the owner's and the operator's list, then deleted.
KEPT_MS = 30 * 24 * 3_600_000
MOST_USER_AGENT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in in one browser. Instants in Unix milliseconds.

    ``key`` is the SHA-256 of the secret id in the cookie: who reads the table can use no session.
    """

    key: bytes
    user_id: UserId
    created_at_ms: int
    last_seen_at_ms: int
    expires_at_ms: int
    authenticated_at_ms: int  # when Discord last said who this is; younger than the session after a re-authentication
    address: str | None
    user_agent: str | None
    revoked_at_ms: int | None = None

    def is_live(self, now_ms: int) -> bool:
        """Whether it may be used: not revoked, not too old, not idle for too long."""
        return self.revoked_at_ms is None and now_ms < min(self.expires_at_ms, self.last_seen_at_ms + IDLE_MS)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session, whose it is, and how high they stand."""

    session: Session
    user: User
    standing: Standing
