"""Which guilds a viewer may see, and what they may do in one: by Discord's list, then by the API's word.

Nothing is decided by what is kept here: the API judges every call again. It decides what a page offers, and that whoever is
not in a guild gets the same answer as for one that is not there.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec
import structlog

from attendance.clock import Clock
from attendance.errors import NotFoundError, UnavailableError
from dashboard.api_client import ApiClient, Asking
from dashboard.discord_oauth import DiscordGuild, DiscordOAuth, DiscordTokens
from dashboard.domain.sessions import SignedIn
from dashboard.errors import ApiRefused, DiscordAwayError, NotSignedInError, SignInRefusedError
from dashboard.guild_state import Banner, BotPresence, ask_banners
from dashboard.navigation import Need
from dashboard.ports import SessionStore
from dashboard.services.sign_in import SignIn

GUILDS_MS = 60_000
STALE_GUILDS_MS = 15 * 60_000  # shown while Discord is away
ACCESS_MS = 15_000
BANNERS_MS = 15_000
PRESENCE_MS = 60_000
MOST_KEPT = 10_000
_REFRESH_BEFORE_MS = 60_000
_NOT_ALLOWED = (401, 403, 404)
_ADMINISTRATOR, _MANAGE_GUILD = 1 << 3, 1 << 5

K = TypeVar("K")
V = TypeVar("V")
_log = structlog.get_logger("dashboard")


class Access(msgspec.Struct, frozen=True):
    """``GET /access`` of the API."""

    present: bool
    name: str | None
    timezone: str
    rights: frozenset[str]


@dataclass(frozen=True, slots=True)
class ListedGuild:
    """A guild in the picker. ``manages``: by Discord's list, they may invite the bot and set things."""

    guild_id: int
    name: str
    icon_url: str | None
    manages: bool


@dataclass(frozen=True, slots=True)
class GuildView:
    """One guild, as one viewer sees it.

    Attributes:
        present: whether the bot is there.
        zone: the guild's time zone (IANA).
        rights: the API's names of rights (``Right`` of attendance/services/access.py) about anybody.
        may: the same for the navigation.
        is_member: whether Discord lists them in it; operators see guilds that they are not in.
    """

    guild_id: int
    name: str
    icon_url: str | None
    present: bool
    zone: str
    rights: frozenset[str]
    manages: bool
    is_member: bool

    @property
    def id(self) -> int:
        """The same under the templates' name."""
        return self.guild_id

    @property
    def may(self) -> frozenset[Need]:
        """Which kinds of pages are offered."""
        needs: set[Need] = {"self"} if self.is_member else set()
        if "read" in self.rights:
            needs.add("read")
        if "keys" in self.rights:
            needs.add("manage")
        return frozenset(needs)


@dataclass(slots=True)
class Kept(Generic[K, V]):
    """Answers by key, the newest `MOST_KEPT`, with their instants. Who asks while one is under way waits for that one."""

    clock: Clock
    _answers: OrderedDict[K, tuple[int, V]] = field(default_factory=OrderedDict)
    _asked: dict[K, asyncio.Task[V]] = field(default_factory=dict)

    def get(self, key: K, max_age_ms: int) -> V | None:
        """An answer that is young enough."""
        found = self._answers.get(key)
        return found[1] if found is not None and 0 <= self.clock.now_ms() - found[0] < max_age_ms else None

    def forget(self, key: K) -> None:
        """Ask anew the next time."""
        self._answers.pop(key, None)

    async def ask(self, key: K, question: Callable[[], Awaitable[V]]) -> V:
        """Ask, and keep the answer."""
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(self._answer(key, question))
            task.add_done_callback(lambda done: self._asked_no_more(key, done))
        return await asyncio.shield(task)

    def _asked_no_more(self, key: K, task: asyncio.Task[V]) -> None:
        self._asked.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever asked has it, or has gone

    async def _answer(self, key: K, question: Callable[[], Awaitable[V]]) -> V:
        answer = await question()
        self._answers[key] = (self.clock.now_ms(), answer)
        self._answers.move_to_end(key)
        if len(self._answers) > MOST_KEPT:
            self._answers.popitem(last=False)
        return answer


@dataclass(frozen=True, slots=True)
class GuildAccess:
    """Asks Discord for the list, and the API what the viewer may do."""

    sessions: SessionStore
    discord: DiscordOAuth
    sign_in: SignIn
    api: ApiClient
    clock: Clock
    operators: AbstractSet[int]
    _lists: Kept[bytes, list[DiscordGuild]] = field(init=False)
    _access: Kept[tuple[int, int], Access] = field(init=False)
    _banners: Kept[int, list[Banner]] = field(init=False)
    _presence: Kept[int, bool] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_lists", Kept(self.clock))
        object.__setattr__(self, "_access", Kept(self.clock))
        object.__setattr__(self, "_banners", Kept(self.clock))
        object.__setattr__(self, "_presence", Kept(self.clock))

    async def listed(self, signed_in: SignedIn) -> list[ListedGuild]:
        """The viewer's guilds, those they manage first, then by name.

        Raises:
            NotSignedInError: Discord's tokens hold no more: they have to sign in again.
            DiscordAwayError: Discord does not answer, and did not for a quarter of an hour.
        """
        found = [_listed(guild) for guild in await self._guilds(signed_in)]
        return sorted(found, key=lambda guild: (not guild.manages, guild.name.casefold(), guild.guild_id))

    async def view(self, signed_in: SignedIn, asking: Asking, guild_id: int) -> GuildView:
        """One guild.

        Raises:
            NotFoundError: they are not in it, or there is none (operators see every guild that the bot knows).
            NotSignedInError, DiscordAwayError: as of `listed`.
            ApiAwayError, ApiRefused: the API does not say.
        """
        is_operator = asking.user_id in self.operators
        try:
            listed = next((guild for guild in await self.listed(signed_in) if guild.guild_id == guild_id), None)
        except DiscordAwayError:
            if not is_operator:
                raise
            listed = None
        if listed is None and not is_operator:
            raise NotFoundError("there is no such server among yours")
        access = await self._access_in(asking, guild_id)
        if listed is None and access.name is None:
            raise NotFoundError("there is no such server among yours")
        return GuildView(
            guild_id=guild_id,
            name=access.name or (listed.name if listed else str(guild_id)),
            icon_url=listed.icon_url if listed else None,
            present=access.present,
            zone=access.timezone,
            rights=access.rights,
            manages=listed is not None and listed.manages,
            is_member=listed is not None,
        )

    def forget(self, signed_in: SignedIn, guild_id: int) -> None:
        """After a change of who may what, or of the time zone: ask anew."""
        self._access.forget((signed_in.user.user_id, guild_id))

    async def may_still_read(self, token: str, asking: Asking, guild_id: int) -> bool:
        """Whether a session still holds, and the API still lets its user read of a guild: asked anew, never kept.

        Several viewers of one user share the question that is under way.

        Raises:
            UnavailableError: nobody can say.
        """
        signed_in = await self.sign_in.find(token)
        if signed_in is None or signed_in.user.user_id != asking.user_id:
            return False
        try:
            access = await self._ask_access(asking, guild_id)
        except ApiRefused as refusal:
            if refusal.status in _NOT_ALLOWED:
                return False
            raise UnavailableError("the API does not say who may look") from refusal
        return "read" in access.rights

    async def banners(self, asking: Asking, guild_id: int) -> list[Banner]:
        """The states to be told above a guild's pages, to a viewer who may read of it; kept for a moment, for all of them."""
        kept = self._banners.get(guild_id, BANNERS_MS)
        return (
            kept
            if kept is not None
            else await self._banners.ask(guild_id, lambda: ask_banners(self.api.guild(asking, guild_id)))
        )

    def forget_banners(self, guild_id: int) -> None:
        """After a write."""
        self._banners.forget(guild_id)

    async def is_present(self, asking: Asking, guild_id: int) -> bool | None:
        """Whether the bot is in a guild of the viewer's; None where the API does not say."""
        kept = self._presence.get(guild_id, PRESENCE_MS)
        try:
            return (
                kept if kept is not None else await self._presence.ask(guild_id, lambda: self._ask_presence(asking, guild_id))
            )
        except (ApiRefused, UnavailableError):
            return None

    async def _ask_presence(self, asking: Asking, guild_id: int) -> bool:
        return (await self.api.guild(asking, guild_id).get("/bot-present", BotPresence)).present

    async def _access_in(self, asking: Asking, guild_id: int) -> Access:
        key = (asking.user_id, guild_id)
        kept = self._access.get(key, ACCESS_MS)
        return kept if kept is not None else await self._ask_access(asking, guild_id)

    async def _ask_access(self, asking: Asking, guild_id: int) -> Access:
        key = (asking.user_id, guild_id)
        return await self._access.ask(key, lambda: self.api.guild(asking, guild_id).get("/access", Access))

    async def _guilds(self, signed_in: SignedIn) -> list[DiscordGuild]:
        key = signed_in.session.key
        kept = self._lists.get(key, GUILDS_MS)
        if kept is not None:
            return kept
        try:
            return await self._lists.ask(key, lambda: self._ask_discord(key))
        except DiscordAwayError:
            stale = self._lists.get(key, STALE_GUILDS_MS)
            if stale is None:
                raise
            return stale

    async def _ask_discord(self, key: bytes) -> list[DiscordGuild]:
        try:
            return await self.discord.guilds(await self._tokens(key))
        except SignInRefusedError:
            raise NotSignedInError(had_session=True) from None

    async def _tokens(self, key: bytes) -> DiscordTokens:
        """The session's tokens, refreshed where they are about to expire."""
        sealed = await self.sessions.token(key)
        tokens = None if sealed is None else self.sign_in.opened_tokens(sealed)
        if sealed is None or tokens is None:
            raise NotSignedInError(had_session=True)
        if tokens.expires_at_ms - _REFRESH_BEFORE_MS > self.clock.now_ms():
            return tokens
        fresh = await self.discord.refresh(tokens)
        if not await self.sessions.replace_token(key, sealed, self.sign_in.sealed_tokens(fresh)):
            _log.info("a session ended while its tokens were refreshed, or another process was first")
        return fresh


def _listed(guild: DiscordGuild) -> ListedGuild:
    bits = int(guild.permissions) if guild.permissions.isascii() and guild.permissions.isdigit() else 0
    icon = None if guild.icon is None else f"https://cdn.discordapp.com/icons/{int(guild.id)}/{guild.icon}.webp?size=64"
    return ListedGuild(int(guild.id), guild.name, icon, guild.owner or bool(bits & (_ADMINISTRATOR | _MANAGE_GUILD)))
