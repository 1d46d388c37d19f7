"""Signing in by Discord, and who is signed in."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
import structlog
from nacl.exceptions import CryptoError

from attendance.clock import Clock
from attendance.errors import RollcallError
from attendance.ids import IdSource
from dashboard.discord_oauth import DiscordOAuth, DiscordTokens, DiscordUser
from dashboard.domain.activity import Action, Activity
from dashboard.domain.ids import UserId, parse_user_id
from dashboard.domain.sessions import MOST_USER_AGENT_CHARACTERS, SEEN_MS, SESSION_MS, Session, SignedIn
from dashboard.domain.told import Note
from dashboard.domain.users import User
from dashboard.errors import BannedError, NotSignedInError, SignInRefusedError
from dashboard.ports import ActivityLog, SessionStore
from dashboard.security.auth_token import AuthTokens, key_of
from dashboard.security.keys import Keys

FLOW_MS = 600_000
CONFIRMED_MS = 600_000  # how long a confirmation holds

_log = structlog.get_logger("dashboard")


class Flow(msgspec.Struct, frozen=True):
    """A sign-in under way, kept by the browser, sealed. ``session_key``: whose session is being confirmed."""

    purpose: Literal["sign_in", "confirm"]
    state: str
    code_verifier: str
    return_url: str
    begun_at_ms: int
    session_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a sign-in comes from."""

    address: str | None
    user_agent: str | None
    token: str | None = None  # the cookie it has so far


@dataclass(frozen=True, slots=True)
class Finished:
    """A sign-in that is done: where to go, and the new cookie (None: a confirmation keeps the session)."""

    return_url: str
    token: str | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """``operators`` are ``ADMIN_USER_IDS``: a ban does not keep them out."""

    sessions: SessionStore
    activity: ActivityLog
    discord: DiscordOAuth
    tokens: AuthTokens
    keys: Keys
    clock: Clock
    ids: IdSource
    operators: AbstractSet[int]

    async def find(self, token: str) -> SignedIn | None:
        """Who a token signs in now; None if nobody. The use is written down, to the minute.

        Raises:
            UnavailableError: the database is away.
        """
        named = self.tokens.read(token)
        if named is None:
            return None
        now_ms = self.clock.now_ms()
        found = await self.sessions.find(named.session_key, now_ms)
        # Who can write to the table could give their own session to somebody else: the token says whose it was.
        if found is None or str(found.user.user_id) != named.user_id:
            return None
        found = replace(found, standing=replace(found.standing, is_configured=found.user.user_id in self.operators))
        if found.standing.is_banned:
            return None
        if found.session.last_seen_at_ms <= now_ms - SEEN_MS:
            await self.sessions.note_seen(named.session_key, now_ms)
        return found

    def begin(self, return_url: str, *, confirms: SignedIn | None = None, chooses: bool = False) -> tuple[str, Flow]:
        """Where to send the browser, and what it has to bring back.

        Args:
            return_url: where it ends; checked before.
            confirms: whose presence is to be confirmed, in their session.
            chooses: the page of consent is shown, with its choice of account, even to who has consented before.
        """
        flow = Flow(
            purpose="sign_in" if confirms is None else "confirm",
            state=self.ids.salt().hex(),
            code_verifier=self.ids.salt(2).hex(),  # 64 characters (RFC 7636: 43 to 128)
            return_url=return_url,
            begun_at_ms=self.clock.now_ms(),
            session_key=None if confirms is None else confirms.session.key,
        )
        asks_again = confirms is not None or chooses
        return self.discord.consent_url(flow.state, flow.code_verifier, asks_again=asks_again), flow

    def seal(self, flow: Flow) -> str:
        """A flow as a browser keeps it."""
        return self.keys.browser.encrypt(msgspec.msgpack.encode(flow)).hex()

    def open(self, sealed: str | None, state: str | None) -> Flow:
        """The flow that a browser brought back, if it is this state's and not too old.

        Raises:
            SignInRefusedError: it is not.
        """
        try:
            flow = msgspec.msgpack.decode(self.keys.browser.decrypt(bytes.fromhex(sealed or "")), type=Flow)
        except (CryptoError, ValueError, msgspec.DecodeError):
            raise SignInRefusedError("stale") from None
        age_ms = self.clock.now_ms() - flow.begun_at_ms
        if flow.state != state or not 0 <= age_ms <= FLOW_MS:
            raise SignInRefusedError("stale")
        return flow

    async def finish(self, flow: Flow, code: str, browser: Browser) -> Finished:
        """Ask Discord who it is, and begin a session, or confirm the one that there is.

        Raises:
            SignInRefusedError: Discord does not take the code, or a confirmation came from somebody else.
            BannedError: the operators keep them out.
            DiscordAwayError: Discord does not answer.
            UnavailableError: the database is away.
        """
        tokens = await self.discord.exchange(code, flow.code_verifier)
        described = await self.discord.user(tokens)
        if flow.purpose == "confirm":
            await self._confirm(flow, described, tokens, browser)
            return Finished(flow.return_url, None)
        return Finished(flow.return_url, await self._sign_in(described, tokens, browser))

    async def sign_out(self, signed_in: SignedIn, address: str | None) -> None:
        """End a session, and give Discord's tokens back as far as Discord answers."""
        sealed = await self.sessions.token(signed_in.session.key)
        user_id, now_ms = signed_in.user.user_id, self.clock.now_ms()
        entry = Activity.of(user_id, Action.LOGOUT, Note("signed-out"), address, now_ms)
        await self.sessions.revoke(user_id, signed_in.session.key, entry)
        if sealed is not None:
            await self.give_back(sealed)

    async def give_back(self, sealed: bytes) -> None:
        """Give Discord's tokens of a session that is over back, as far as Discord answers."""
        tokens = self.opened_tokens(sealed)
        if tokens is None:
            return
        try:
            await self.discord.revoke(tokens)
        except RollcallError as error:  # they expire by themselves, and nothing of ours has them any more
            _log.warning("Discord did not take tokens back", reason=error.message)

    def is_confirmed(self, signed_in: SignedIn) -> bool:
        """Whether Discord said within the last ten minutes who this is."""
        return 0 <= self.clock.now_ms() - signed_in.session.authenticated_at_ms < CONFIRMED_MS

    def sealed_tokens(self, tokens: DiscordTokens) -> bytes:
        """Discord's tokens as the table keeps them."""
        return bytes(self.keys.tokens.encrypt(msgspec.msgpack.encode(tokens)))

    def opened_tokens(self, sealed: bytes) -> DiscordTokens | None:
        """The same, opened; None where the deployment's secret was changed meanwhile."""
        try:
            return msgspec.msgpack.decode(self.keys.tokens.decrypt(sealed), type=DiscordTokens)
        except (CryptoError, ValueError, msgspec.DecodeError):
            _log.warning("Discord's tokens of a session do not open: ROLLCALL_DASHBOARD_SECRET has changed")
            return None

    async def _sign_in(self, described: DiscordUser, tokens: DiscordTokens, browser: Browser) -> str:
        now_ms, user_id = self.clock.now_ms(), parse_user_id(described.id)
        secret = self.ids.salt(2)  # a new one at each sign-in: what anybody planted before is worth nothing
        user = User(user_id, described.username, described.global_name, described.avatar, now_ms, now_ms)
        session = Session(
            key=key_of(secret),
            user_id=user_id,
            created_at_ms=now_ms,
            last_seen_at_ms=now_ms,
            expires_at_ms=now_ms + SESSION_MS,
            authenticated_at_ms=now_ms,
            address=browser.address,
            user_agent=None if browser.user_agent is None else browser.user_agent[:MOST_USER_AGENT_CHARACTERS],
        )
        ban = await self.sessions.begin(
            user,
            session,
            self.sealed_tokens(tokens),
            Activity.of(user_id, Action.LOGIN, Note("discord"), browser.address, now_ms),
            replaces=None if browser.token is None else self.tokens.session_key(browser.token),
            ban_holds=user_id not in self.operators,
        )
        if ban is not None:
            await self.activity.add(Activity.of(user_id, Action.LOGIN_REFUSED, Note("banned"), browser.address, now_ms))
            raise BannedError(ban.reason)
        return self.tokens.make(secret, user_id, session.expires_at_ms)

    async def _confirm(self, flow: Flow, described: DiscordUser, tokens: DiscordTokens, browser: Browser) -> None:
        signed_in = None if browser.token is None else await self.find(browser.token)
        if signed_in is None or signed_in.session.key != flow.session_key:
            raise NotSignedInError(had_session=True)
        user_id, now_ms = signed_in.user.user_id, self.clock.now_ms()
        if UserId(int(described.id)) != user_id:
            refused = Activity.of(user_id, Action.LOGIN_REFUSED, Note("mismatch"), browser.address, now_ms)
            await self.activity.add(refused)
            raise SignInRefusedError("mismatch")
        entry = Activity.of(user_id, Action.REAUTHENTICATED, Note("confirmed"), browser.address, now_ms)
        if not await self.sessions.note_authenticated(signed_in.session.key, self.sealed_tokens(tokens), entry):
            raise NotSignedInError(had_session=True)
