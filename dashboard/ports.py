"""What signing in and the pages need from outside, as protocols whose docstrings are the contract.

`dashboard.store` fulfils them over SQL. Instants are Unix milliseconds. Any method raises `UnavailableError` while the
database is away.
"""

from __future__ import annotations

from typing import Protocol

from dashboard.domain.activity import Action, Activity, LoggedActivity
from dashboard.domain.ids import RoleId, UserId
from dashboard.domain.roles import Role
from dashboard.domain.sessions import Session, SignedIn
from dashboard.domain.users import Ban, ListedUser, Standing, User


class SessionStore(Protocol):
    """Sessions, whom they belong to, and the sealed tokens of Discord that came with them."""

    async def begin(
        self, user: User, new: Session, sealed_token: bytes, entry: Activity, *, replaces: bytes | None, ban_holds: bool
    ) -> Ban | None:
        """Sign somebody in: write down who they are and a new session, and end the one that the browser had before.

        One transaction. ``created_at_ms`` of the user counts only at the first sign-in. ``replaces`` is the key of the
        browser's session so far, whoever's it was. With ``ban_holds`` false (whom the settings name) a ban keeps nobody out.

        Returns:
            The ban that keeps them out: then there is no session and no entry. None: they are in.
        """
        ...

    async def find(self, key: bytes, now_ms: int) -> SignedIn | None:
        """The live session of this key, whose it is and how high they stand, without what the settings say."""
        ...

    async def note_seen(self, key: bytes, now_ms: int) -> None:
        """Move the last use on, to the minute; never back, and not of a session that has ended."""
        ...

    async def note_authenticated(self, key: bytes, sealed_token: bytes, entry: Activity) -> bool:
        """Discord has said again who this is: moves `Session.authenticated_at_ms`. False: the session has ended meanwhile."""
        ...

    async def revoke(self, user_id: UserId, key: bytes, entry: Activity) -> bool:
        """End a session of this user, and forget its tokens. False: there is no open one of this key."""
        ...

    async def of_user(self, user_id: UserId) -> list[Session]:
        """Every session of a user that was not deleted yet, the newest first."""
        ...

    async def token(self, key: bytes) -> bytes | None:
        """Discord's sealed tokens of a session; None once it has ended."""
        ...

    async def replace_token(self, key: bytes, before: bytes, after: bytes) -> bool:
        """Keep refreshed tokens. False: the session has ended, or somebody else refreshed them first."""
        ...


class ActivityLog(Protocol):
    """What happened to accounts."""

    async def add(self, entry: Activity) -> None:
        """Write down something that changes nothing else (a refused sign-in)."""
        ...


class AccountActivity(ActivityLog, Protocol):
    """The same, for who may read it."""

    async def page(
        self, user_id: UserId | None, action: Action | None, limit: int, offset: int
    ) -> tuple[list[LoggedActivity], int]:
        """Entries, newest first, of this user and of this kind where asked, and how many there are."""
        ...


class AgedRows(Protocol):
    """Rows that are kept for a while."""

    async def delete_before(self, at_ms: int, most: int) -> int:
        """Delete those from before an instant, ``most`` of them at once; how many there were."""
        ...


class AccountStore(Protocol):
    """Roles, bans and who holds what.

    Each write names the version of all accounts that it was decided on, writes its entry of the log in the same transaction,
    and returns whether it was done. False: something changed since, and nothing was written. Read the version first. What the
    version does not cover does not change: users are deleted only by `AccountErasure`, which moves the version.
    """

    async def version(self) -> int:
        """The version of everybody's roles and bans."""
        ...

    async def standing(self, user_id: UserId) -> Standing | None:
        """Somebody's standing, without what the settings say; None if they never signed in."""
        ...

    async def roles(self) -> list[Role]:
        """Every role, highest first."""
        ...

    async def role(self, role_id: RoleId) -> Role | None:
        """One role."""
        ...

    async def holders(self, role_id: RoleId, rank: int) -> list[Standing]:
        """Those holders of a role who also hold one of this priority or a higher one."""
        ...

    async def users(self, search: str | None, limit: int, offset: int) -> tuple[list[ListedUser], int]:
        """Users whose name contains ``search`` or whose id it is, the latest sign-in first, and how many there are."""
        ...

    async def user(self, user_id: UserId) -> ListedUser | None:
        """One user."""
        ...

    async def ban(self, version: int, user_id: UserId, why: Ban, entry: Activity) -> bool:
        """Ban somebody who is not banned, and end their sessions."""
        ...

    async def unban(self, version: int, user_id: UserId, entry: Activity) -> bool:
        """Lift a ban. Ended sessions stay ended."""
        ...

    async def create_role(self, version: int, new: Role, entry: Activity) -> bool:
        """Add a role whose id is free."""
        ...

    async def change_role(self, version: int, after: Role, entry: Activity) -> bool:
        """Change everything of a role but its id."""
        ...

    async def delete_role(self, version: int, role_id: RoleId, entry: Activity) -> bool:
        """Delete a role, which takes it from everybody."""
        ...

    async def assign(self, version: int, user_id: UserId, role_id: RoleId, entry: Activity) -> bool:
        """Give somebody a role that they do not have."""
        ...

    async def remove(self, version: int, user_id: UserId, role_id: RoleId, entry: Activity) -> bool:
        """Take a role from somebody."""
        ...


class AccountErasure(Protocol):
    """Taking somebody out."""

    async def erase(self, version: int, user_id: UserId, entry: Activity) -> list[bytes] | None:
        """Erase somebody who signed in at least once, as decided on this version of all accounts. One transaction.

        Their sessions with Discord's tokens, their roles and what describes them go, and so do their entries of the log that
        concern only themselves. What they did to others stays, with their bare id and without an address; what others did to
        them stays without their id. Of who is banned, the id and the ban stay.

        Returns:
            Discord's tokens as they were sealed. None: something changed since, and nothing was erased.
        """
        ...
