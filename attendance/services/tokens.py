"""Makes, shows, revokes and recognises API tokens. What a token may do is `attendance.services.access`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import structlog

from attendance.domain.audit import Actor, AuditEntry
from attendance.domain.ids import GuildId, UserId
from attendance.domain.instants import to_rfc3339
from attendance.domain.tokens import MAX_NAME_CHARACTERS, MAX_TOKENS, ApiToken, Scope, new_secret, secret_sha256
from attendance.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.ids import IdSource
from attendance.ports.tokens import TokenStore

_MINUTE_MS = 60_000
_RANDOM_SALTS = 2  # of 16 bytes: a secret's 32

_log = structlog.get_logger("tokens")


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is to be. ``expires_at_ms`` None: it lives until it is revoked."""

    guild_id: GuildId
    name: str
    scopes: Collection[Scope]
    expires_at_ms: int | None


@dataclass(frozen=True, slots=True)
class ApiTokens:
    """The tokens of every guild."""

    store: TokenStore
    clock: Clock
    ids: IdSource

    async def create(self, wanted: NewToken, actor: Actor) -> tuple[ApiToken, str]:
        """Make a token; its secret is told this once and kept nowhere.

        Raises:
            InvalidInputError: no name, no scope, or an expiry that has passed.
            ConflictError: the guild has as many as it may have.
        """
        now_ms = self.clock.now_ms()
        _check(wanted, now_ms)
        token = ApiToken(
            token_id=self.ids.session_id(now_ms),
            guild_id=wanted.guild_id,
            name=wanted.name,
            scopes=frozenset(wanted.scopes),
            created_by=_person(actor),
            created_at_ms=now_ms,
            expires_at_ms=wanted.expires_at_ms,
        )
        secret = new_secret(self.ids.salt(_RANDOM_SALTS))
        digest = secret_sha256(secret)
        assert digest is not None  # noqa: S101  # it was made a line above
        audit = self._audit("create", token, actor, after=_told(token))
        if not await self.store.add(token, digest, MAX_TOKENS, audit):
            raise ConflictError(f"a guild has at most {MAX_TOKENS} tokens; revoke one first")
        return token, secret

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[ApiToken], int]:
        """A guild's tokens, newest first, expired ones too, and how many there are."""
        return await self.store.page(guild_id, limit, offset)

    async def revoke(self, guild_id: GuildId, token_id: UUID, actor: Actor) -> None:
        """End a token at once.

        Raises:
            NotFoundError: the guild has no such token.
        """
        token = await self.store.get(token_id)
        if token is None or token.guild_id != guild_id:
            raise NotFoundError("the guild has no such token")
        audit = self._audit("revoke", token, actor, before=_told(token))
        if not await self.store.revoke(guild_id, token_id, self.clock.now_ms(), audit):
            raise NotFoundError("the guild has no such token")

    async def recognise(self, secret: str) -> ApiToken | None:
        """The token of a secret; None for what is none, or no longer.

        Raises:
            UnavailableError: the database is away.
        """
        digest = secret_sha256(secret)
        token = None if digest is None else await self.store.find(digest)
        if token is None or self._is_over(token):
            return None
        await self._note_use(token)
        return token

    async def still_good(self, token_id: UUID) -> bool:
        """Whether a token that was recognised a while ago would be now."""
        token = await self.store.get(token_id)
        return token is not None and not self._is_over(token)

    def _is_over(self, token: ApiToken) -> bool:
        return token.expires_at_ms is not None and token.expires_at_ms <= self.clock.now_ms()

    async def _note_use(self, token: ApiToken) -> None:
        minute_ms = self.clock.now_ms() // _MINUTE_MS * _MINUTE_MS
        if token.last_used_at_ms is not None and token.last_used_at_ms >= minute_ms:
            return
        try:
            await self.store.note_use(token.token_id, minute_ms)
        except UnavailableError as error:
            # A database that can be read but not written: the request may still be one that only reads.
            _log.warning("a token's use could not be noted", token_id=str(token.token_id), error=error.message)

    def _audit(
        self,
        verb: str,
        token: ApiToken,
        actor: Actor,
        *,
        before: dict[str, object] | None = None,
        after: dict[str, object] | None = None,
    ) -> AuditEntry:
        return AuditEntry(
            guild_id=token.guild_id,
            at_ms=self.clock.now_ms(),
            actor=actor,
            action=f"token.{verb}",
            target=str(token.token_id),
            before=before,
            after=after,
        )


def _check(wanted: NewToken, now_ms: int) -> None:
    problems = {}
    if not 0 < len(wanted.name.strip()) <= MAX_NAME_CHARACTERS:
        problems["name"] = f"1 to {MAX_NAME_CHARACTERS} characters"
    if not wanted.scopes:
        problems["scopes"] = f"at least one of {', '.join(Scope)}"
    if wanted.expires_at_ms is not None and wanted.expires_at_ms <= now_ms:
        problems["expires_at"] = "a time to come"
    if problems:
        raise InvalidInputError("the token cannot be made", details=problems)


def _person(actor: Actor) -> UserId:
    if actor.user_id is None:
        raise ValueError("a token needs a creator: it dies with their permission")
    return actor.user_id


def _told(token: ApiToken) -> dict[str, object]:
    expires_at = None if token.expires_at_ms is None else to_rfc3339(token.expires_at_ms)
    return {"name": token.name, "scopes": sorted(token.scopes), "expires_at": expires_at}
