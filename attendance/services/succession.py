"""A guild's keys over time: the first, the next, and the end of one that was lost or stolen (records, section 3).

A change of keys and the records that say so are one transaction, on the head that was read: whichever signer or admin comes
first wins, and the other looks again. So no position of the chain is ever without its key, nor has two.

* the first: ``key.activate`` at the head, by itself, before any draft that waits
* `rotate`: ``key.retire`` by the old key, ``key.activate`` by the new one
* `rotate`, lost: ``key.activate`` alone, naming the key that it ``replaces``
* `revoke` of the active key: ``key.activate`` and ``key.revoke`` by the new one; of an older key: ``key.revoke`` alone
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from attendance.core import SigningKey
from attendance.domain.audit import SYSTEM, Actor, AuditEntry
from attendance.domain.ids import GuildId
from attendance.domain.records import RecordType, key_activate_draft, key_retire_draft, key_revoke_draft
from attendance.domain.signing_keys import KeyState, RecordKey, active_key
from attendance.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.signing import ChainHead, KeyChange, KeyEnd, KeyStore, Wake
from attendance.services.continuation import Continuation
from attendance.services.keyring import require_active
from attendance.services.open_keys import OpenKeys
from attendance.services.passphrases import Passphrases, check_new

MAX_REASON_CHARACTERS = 500
# Losing this often to signers of the same guild means that something else is wrong.
_TRIES = 50

_log = structlog.get_logger("signing")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a change makes of the keys: the old one's end, the new one's row."""

    end: KeyEnd | None = None
    new: RecordKey | None = None


# Signs what a change says on the head of the moment, or raises because the keys are no longer as they were.
_Plan = Callable[[tuple[RecordKey, ...], Continuation], _Outcome]


@dataclass(frozen=True, slots=True, eq=False)
class Succession:
    """Makes and ends keys."""

    store: KeyStore
    open_keys: OpenKeys
    passphrases: Passphrases
    clock: Clock
    ids: IdSource
    wake: Wake

    async def generate(
        self, guild_id: GuildId, passphrase: str, *, auto_unlock: bool = True, actor: Actor = SYSTEM
    ) -> RecordKey:
        """Make a guild's first key.

        Raises:
            ConflictError: There is one.
            InvalidInputError: The passphrase is too short or too long.
        """
        check_new(passphrase)
        keys, _ = await self.store.guild_keys(guild_id)
        _expect_none(keys)  # before the second that Argon2id takes
        key, row = await self._new_key(guild_id, passphrase, auto_unlock=auto_unlock)

        def plan(keys: tuple[RecordKey, ...], chain: Continuation) -> _Outcome:
            _expect_none(keys)
            first = chain.sign(key, RecordType.KEY_ACTIVATE, key_activate_draft(key.x))
            return _Outcome(new=replace(row, first_guild_seq=first))

        made = self._audit(guild_id, actor, "generate", key.kid, after={"kid": key.kid, "auto_unlock": auto_unlock})
        return await self._carry_out(guild_id, plan, key, made)

    async def rotate(
        self,
        guild_id: GuildId,
        passphrase: str,
        *,
        current_passphrase: str | None = None,
        lost: bool = False,
        auto_unlock: bool | None = None,
        actor: Actor = SYSTEM,
    ) -> RecordKey:
        """Put a new key in the place of the active one.

        Args:
            guild_id: Whose.
            passphrase: The new key's.
            current_passphrase: The old key's, needed where it is locked or open in another process only.
            lost: The old key cannot sign any more; it will not be asked to.
            auto_unlock: Of the new key; by default as the old one's.
            actor: Who asks.

        Raises:
            NotFoundError: There is no key.
            ConflictError: The old key is locked and not said to be lost, or another change came first.
            InvalidInputError: A passphrase is wrong, too short or too long.
            ThrottledError: Too many were wrong.
        """
        check_new(passphrase)
        keys, _ = await self.store.guild_keys(guild_id)
        old_row = require_active(keys)
        old = None if lost else await self._open(old_row, current_passphrase)
        key, row = await self._new_key(guild_id, passphrase, auto_unlock=_or(auto_unlock, old_row))

        def plan(keys: tuple[RecordKey, ...], chain: Continuation) -> _Outcome:
            _expect_active(keys, old_row.kid)
            if old is None:
                activated = chain.sign(key, RecordType.KEY_ACTIVATE, key_activate_draft(key.x, replaces=old_row.kid))
                end = KeyEnd(old_row.kid, KeyState.LOST.value, activated - 1)
                return _Outcome(end, replace(row, first_guild_seq=activated))
            retired = chain.sign(old, RecordType.KEY_RETIRE, key_retire_draft(old.x))
            activated = chain.sign(key, RecordType.KEY_ACTIVATE, key_activate_draft(key.x))
            end = KeyEnd(old_row.kid, KeyState.RETIRED.value, retired)
            return _Outcome(end, replace(row, first_guild_seq=activated))

        after = {"kid": key.kid, "auto_unlock": row.auto_unlock, "lost": lost}
        rotated = self._audit(guild_id, actor, "rotate", key.kid, before={"kid": old_row.kid}, after=after)
        return await self._carry_out(guild_id, plan, key, rotated)

    async def revoke(
        self,
        guild_id: GuildId,
        *,
        reason: str,
        last_good_guild_seq: int,
        kid: str | None = None,
        passphrase: str | None = None,
        auto_unlock: bool | None = None,
        actor: Actor = SYSTEM,
    ) -> RecordKey:
        """Declare that a key's records after a position are not to be believed. Revoking again can only move it back.

        Args:
            guild_id: Whose.
            reason: For everyone who reads the chain, 1 to 500 characters.
            last_good_guild_seq: The last position that the key is good for; its first minus one: none.
            kid: The key; by default the active one.
            passphrase: Of the new key, needed where the active key is revoked: it signs the revocation.
            auto_unlock: Of the new key; by default as the old one's.
            actor: Who asks.

        Returns:
            The key that is active now.

        Raises:
            NotFoundError: There is no such key.
            ConflictError: The active key is locked and must sign, or another change came first.
            InvalidInputError: The position is not the key's, or the passphrase is missing, too short or too long.
        """
        if not 0 < len(reason) <= MAX_REASON_CHARACTERS:
            raise InvalidInputError("a reason is needed", details={"reason": f"1 to {MAX_REASON_CHARACTERS} characters"})
        keys, head = await self.store.guild_keys(guild_id)
        active = require_active(keys)
        target = active if kid is None else next((row for row in keys if row.kid == kid), None)
        if target is None:
            raise NotFoundError("the guild has no such key")
        _check_last_good(target, head, last_good_guild_seq)
        draft = key_revoke_draft(
            target.x,
            target.kid,
            reason=reason,
            last_good_guild_seq=last_good_guild_seq,
            last_good_leaf_index=await self.store.leaf_of(guild_id, last_good_guild_seq),
        )
        end = KeyEnd(target.kid, KeyState.REVOKED.value, last_good_guild_seq)
        before = {"state": target.state, "last_good_guild_seq": target.last_guild_seq}
        after = {"state": end.state, "last_good_guild_seq": last_good_guild_seq, "reason": reason}
        revoked = self._audit(guild_id, actor, "revoke", target.kid, before=before, after=after)
        if target.is_active:
            auto = _or(auto_unlock, active)
            return await self._revoke_active(active, end, draft, passphrase, revoked, auto_unlock=auto)
        signer = await self._open(active, None)

        def plan(keys: tuple[RecordKey, ...], chain: Continuation) -> _Outcome:
            _expect_active(keys, active.kid)
            chain.sign(signer, RecordType.KEY_REVOKE, draft)
            return _Outcome(end)

        return await self._carry_out(guild_id, plan, None, revoked)

    async def _revoke_active(
        self,
        active: RecordKey,
        end: KeyEnd,
        draft: bytes,
        passphrase: str | None,
        audit: AuditEntry,
        *,
        auto_unlock: bool,
    ) -> RecordKey:
        if passphrase is None:
            raise InvalidInputError("the new key needs a passphrase", details={"passphrase": "the new key's passphrase"})
        key, row = await self._new_key(active.guild_id, passphrase, auto_unlock=auto_unlock)

        def plan(keys: tuple[RecordKey, ...], chain: Continuation) -> _Outcome:
            _expect_active(keys, active.kid)
            activated = chain.sign(key, RecordType.KEY_ACTIVATE, key_activate_draft(key.x, replaces=active.kid))
            chain.sign(key, RecordType.KEY_REVOKE, draft)
            return _Outcome(end, replace(row, first_guild_seq=activated))

        return await self._carry_out(active.guild_id, plan, key, audit)

    async def _open(self, row: RecordKey, passphrase: str | None) -> SigningKey:
        key = self.open_keys.open(row)
        if key is not None:
            return key
        if passphrase is None:
            raise ConflictError("the active key is locked and must sign: unlock it first, or say that it is lost")
        return await self.passphrases.open(row, passphrase, named="current_passphrase")

    async def _new_key(self, guild_id: GuildId, passphrase: str, *, auto_unlock: bool) -> tuple[SigningKey, RecordKey]:
        key = SigningKey.generate()
        wrapped = await self.passphrases.seal(key, passphrase)
        return key, RecordKey(
            guild_id=guild_id,
            kid=key.kid,
            public_key=key.public_key,
            wrapped=wrapped,
            master_wrapped=self.open_keys.seal(key) if auto_unlock else None,
            auto_unlock=auto_unlock,
            state=KeyState.ACTIVE.value,
            created_at_ms=self.clock.now_ms(),
            first_guild_seq=None,
            last_guild_seq=None,
            unlocked_until_ms=self.open_keys.held_until_ms(),
        )

    def _audit(
        self,
        guild_id: GuildId,
        actor: Actor,
        verb: str,
        kid: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any],
    ) -> AuditEntry:
        at_ms, action = self.clock.now_ms(), f"signing_key.{verb}"
        return AuditEntry(guild_id=guild_id, at_ms=at_ms, actor=actor, action=action, target=kid, before=before, after=after)

    async def _carry_out(self, guild_id: GuildId, plan: _Plan, key: SigningKey | None, audit: AuditEntry) -> RecordKey:
        """Plan and store until no signer was faster; then hold the new key and wake the signer."""
        for _ in range(_TRIES):
            keys, head = await self.store.guild_keys(guild_id)
            chain = Continuation(guild_id, head, self.clock.now_ms(), self.ids)
            outcome = plan(keys, chain)
            change = KeyChange(guild_id, head, chain.signed_at_ms, chain.records, outcome.end, outcome.new, (audit,))
            if await self._store(change):
                break
        else:
            raise UnavailableError("the guild's chain is too busy to change keys; try again")
        now_active = outcome.new or require_active(keys)
        if key is not None:
            self.open_keys.hold(guild_id, key, by_passphrase=not now_active.auto_unlock)
        self.wake.set()
        _log.info("signing keys changed", guild_id=guild_id, kid=now_active.kid, records=[one.type for _, one in chain.records])
        return now_active

    async def _store(self, change: KeyChange) -> bool:
        try:
            return await self.store.change(change)
        except UnavailableError:
            # The commit may have been stored all the same: then the change is made, and saying otherwise would make the
            # admin try again with a key that exists.
            keys, head = await self.store.guild_keys(change.guild_id)
            if change.new is not None and any(row.kid == change.new.kid for row in keys):
                return True
            if head.head_sha256 == change.records[-1][1].sha256:
                return True
            raise


def _or(auto_unlock: bool | None, old: RecordKey) -> bool:  # noqa: FBT001  # a flag's default, not a switch
    return old.auto_unlock if auto_unlock is None else auto_unlock


def _expect_none(keys: tuple[RecordKey, ...]) -> None:
    if active_key(keys) is not None:
        raise ConflictError("the guild has a signing key; rotate it instead")


def _expect_active(keys: tuple[RecordKey, ...], kid: str) -> None:
    row = active_key(keys)
    if row is None or row.kid != kid:
        raise ConflictError("the guild's signing key was replaced meanwhile")


def _check_last_good(key: RecordKey, head: ChainHead, last_good: int) -> None:
    first = 0 if key.first_guild_seq is None else key.first_guild_seq
    last = head.next_guild_seq - 1 if key.last_guild_seq is None else key.last_guild_seq
    if key.state == KeyState.REVOKED and last_good >= last:
        raise ConflictError("the key is revoked already; only an earlier position can still be named")
    if not first - 1 <= last_good <= last:
        raise InvalidInputError(
            "the position is not one of the key's", details={"last_good_guild_seq": f"{first - 1} to {last}"}
        )
