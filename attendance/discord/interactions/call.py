"""A command in use: who asks for what, with which services, and what they may."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from attendance.discord.interactions.payloads import Interaction
from attendance.domain.audit import Actor, Via
from attendance.domain.ids import ChannelId, GuildId, RoleId, UserId
from attendance.errors import InvalidInputError
from attendance.ports.clock import Clock
from attendance.ports.directory import GuildDirectory
from attendance.ports.member_lookup import MemberLookup
from attendance.services.access import Access, Caller, Right
from attendance.services.attendance_lists import AttendanceLists
from attendance.services.channels import Channels
from attendance.services.commands import Request
from attendance.services.erasure import Erasures
from attendance.services.explain import Explanations
from attendance.services.keyring import Keyring
from attendance.services.leaderboards import Leaderboards
from attendance.services.opt_outs import OptOuts
from attendance.services.overview import Overviews
from attendance.services.preferences import PreferencesService
from attendance.services.receipts import Receipts
from attendance.services.settings import SettingsService
from attendance.services.statistics import Statistics
from attendance.services.verification import Verification

ADMINISTRATOR, MANAGE_GUILD = 1 << 3, 1 << 5


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionServices:
    """The services behind the commands: the API's own. ``public_url`` is where others reach this deployment, if anywhere."""

    clock: Clock
    access: Access
    directory: GuildDirectory
    overviews: Overviews
    leaderboards: Leaderboards
    statistics: Statistics
    explanations: Explanations
    lists: AttendanceLists
    settings: SettingsService
    channels: Channels
    keyring: Keyring
    verification: Verification
    receipts: Receipts
    opt_outs: OptOuts
    erasures: Erasures
    preferences: PreferencesService
    public_url: str | None


@dataclass(frozen=True, slots=True)
class InvokersWord:
    """`MemberLookup` that knows the member who asks from the interaction itself.

    Discord judged that member at this very moment, time-outs included, and told us over our own gateway connection: that is
    newer than any look-up and costs no request. Of everyone else Discord is asked as ever.
    """

    interaction: Interaction
    lookup: MemberLookup

    async def may_manage(self, guild_id: GuildId, user_id: UserId) -> bool:
        """See the port. An owner and an administrator have every bit set."""
        if (guild_id, user_id) != (self.interaction.guild_id, self.interaction.user_id):
            return await self.lookup.may_manage(guild_id, user_id)
        return bool(self.interaction.permissions & (ADMINISTRATOR | MANAGE_GUILD))

    async def member_roles(self, guild_id: GuildId, user_id: UserId) -> frozenset[RoleId] | None:
        """See the port."""
        if (guild_id, user_id) != (self.interaction.guild_id, self.interaction.user_id):
            return await self.lookup.member_roles(guild_id, user_id)
        return self.interaction.role_ids | {RoleId(guild_id)}


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a command in a guild."""

    services: InteractionServices
    interaction: Interaction
    guild_id: GuildId

    @property
    def user_id(self) -> UserId:
        """Who asks."""
        return self.interaction.user_id

    @property
    def now_ms(self) -> int:
        """The time."""
        return self.services.clock.now_ms()

    async def authorise(self, right: Right, *, subject: UserId | None = None) -> None:
        """Go on only if who asks has the right, by the same table as the API.

        Raises:
            ForbiddenError, NotFoundError, UnavailableError: see `Access.authorise`.
        """
        access = self.services.access
        judged = replace(access, lookup=InvokersWord(self.interaction, access.lookup))
        await judged.authorise(Caller(self.user_id, self.guild_id, self._actor), self.guild_id, right, subject=subject)

    @property
    def request(self) -> Request:
        """The same to the guild's owner; delivered twice it is applied once."""
        return Request(self.guild_id, self._actor, f"interaction-{self.interaction.id}")

    @property
    def _actor(self) -> Actor:
        return Actor(self.user_id, Via.SLASH)

    def text(self, name: str) -> str | None:
        """A text that was given."""
        value = self.interaction.options.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        """An integer that was given."""
        value = self.interaction.options.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def switch(self, name: str) -> bool | None:
        """A switch that was given."""
        value = self.interaction.options.get(name)
        return value if isinstance(value, bool) else None

    def member(self) -> UserId:
        """The member whom it is about: the one given, or who asks."""
        given = self._id("member")
        return self.user_id if given is None else UserId(given)

    def channel(self, name: str = "channel") -> ChannelId | None:
        """A channel that was given."""
        given = self._id(name)
        return None if given is None else ChannelId(given)

    def session_id(self) -> UUID:
        """The session that was given.

        Raises:
            InvalidInputError: it is none.
        """
        text = self.text("session") or ""
        try:
            if text.isascii():
                return UUID(text.strip())
        except ValueError:
            pass
        details = {"session": "such as 01890a5d-ac96-774b-bcce-b302099a8057"}
        raise InvalidInputError("this is not a session's id", details=details)

    def _id(self, name: str) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 1 << 63):  # noqa: PLR2004 - 63 bits
            raise InvalidInputError(f"choose the {name} from the list", details={name: "one of those offered"})
        return int(text)

    async def timezone(self) -> str:
        """The guild's time zone."""
        return (await self.services.settings.schedule(self.guild_id)).schedule.timezone
