"""Erasing somebody from the dashboard: who they are, their sessions and roles. What servers hold, the tracker erases."""

from __future__ import annotations

from dataclasses import dataclass

from attendance.clock import Clock
from attendance.errors import NotFoundError
from dashboard.domain import rules
from dashboard.domain.activity import Action, Activity
from dashboard.domain.ids import NOBODY, UserId
from dashboard.domain.told import Note
from dashboard.ports import AccountErasure
from dashboard.services.accounts import Accounts, decide


@dataclass(frozen=True, slots=True)
class AccountErasures:
    """Erasing accounts; each is decided on a version of all accounts, like any change of who may do what."""

    store: AccountErasure
    accounts: Accounts
    clock: Clock

    async def erase(self, user_id: UserId) -> list[bytes]:
        """Erase somebody, for good; they may sign in again, as anybody may.

        The log has only that there was an erasure, and when.

        Returns:
            Discord's tokens of their sessions, sealed: to be given back.

        Raises:
            NotFoundError: nobody with this id is known.
            ConflictError: they are the last super admin; or others change accounts all the time.
        """
        given_back: list[bytes] = []

        async def attempt(version: int) -> bool:
            standing = await self.accounts.store.standing(user_id)
            if standing is None:
                raise NotFoundError("nobody with this id ever signed in")
            rules.may_erase(self.accounts.as_configured(standing), await self.accounts.super_admins_but(user_id))
            entry = Activity.of(NOBODY, Action.ACCOUNT_ERASED, Note("account"), None, self.clock.now_ms())
            sealed = await self.store.erase(version, user_id, entry)
            given_back.extend(sealed or ())
            return sealed is not None

        await decide(self.accounts.store, attempt)
        return given_back
