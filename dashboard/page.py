"""What a handler of a page is given: who looks, for which guild, the API in their name, and how to answer.

Handlers name a parameter ``page: AnyPage``, or ``page: InGuild`` below ``/guilds/{guild_id:str}``. CONTRIBUTING.md has the
recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import SkipValidation
from nacl.exceptions import CryptoError

from attendance.errors import InvalidInputError, NotFoundError
from dashboard.api_client import Asking, GuildApi
from dashboard.domain.ids import parse_user_id
from dashboard.domain.roles import Permission
from dashboard.domain.sessions import SignedIn
from dashboard.durations import duration_text, round_duration_text
from dashboard.errors import ApiRefused, NotSignedInError
from dashboard.navigation import guild_navigation
from dashboard.requests import client_address, request_id
from dashboard.security import csrf
from dashboard.security.cookies import FLASH_SECONDS, THEME
from dashboard.services import DashboardServices, services_of
from dashboard.services.guild_access import GuildView
from dashboard.viewers import auth_token_of, expect_signed_in, signed_in_of, was_looked_up

Tone = Literal["info", "good", "warn", "bad"]
Html = Response[str]
_THEMES = ("light", "dark")


class Flash(msgspec.Struct, frozen=True):
    """What the last write has to say: words by key, with values put in."""

    tone: Tone
    key: str
    values: dict[str, str | int] = {}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, as ``base.html`` shows them."""

    user_id: int
    name: str
    is_operator: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A page for anybody. ``signed_in`` is None for strangers."""

    request: Request[Any, Any, Any]
    services: DashboardServices
    signed_in: SignedIn | None

    @property
    def viewer(self) -> Viewer | None:
        """Who looks."""
        if self.signed_in is None:
            return None
        user, standing = self.signed_in.user, self.signed_in.standing
        return Viewer(user.user_id, user.shown_name, Permission.VIEW_ADMIN in standing.permissions)

    @property
    def session(self) -> SignedIn:
        """Who is signed in.

        Raises:
            NotSignedInError: nobody.
        """
        if self.signed_in is None:
            raise NotSignedInError(had_session=bool(auth_token_of(self.request)))
        return self.signed_in

    @property
    def user_id(self) -> int:
        """Their Discord id.

        Raises:
            NotSignedInError: nobody is signed in.
        """
        return self.session.user.user_id

    @property
    def is_confirmed(self) -> bool:
        """Whether Discord said within ten minutes who this is (see `dashboard.viewers.confirmed`)."""
        return self.services.sign_in.is_confirmed(self.session)

    def words(self, key: str, **values: Any) -> str:
        """Words of the catalogue, for the few that a handler needs itself."""
        return self.services.templates.words(key, **values)

    def duration(self, seconds: int) -> str:
        """A length of time in words, for charts."""
        return duration_text(seconds, self.words)

    def tick(self, seconds: int) -> str:
        """The same for the ticks of an axis."""
        return round_duration_text(seconds, self.words)

    def render(self, template: str, *, status: int = 200, **values: Any) -> Html:
        """A page: ``values`` are what the template names, besides what every page has (see ``base.html``)."""
        token, cookies = self._form_token()
        flashes, consumed = self._flashes()
        context = {
            "csrf_token": token,
            "theme": self._theme(),
            "verify_url": f"{self.services.settings.public_api_url}/verify",
            "flashes": flashes,
            "current_url": str(self.request.url.path),
            **self._frame(),
            **values,
        }
        content = self.services.templates.render(template, context)
        return Response(content, media_type=MediaType.HTML, status_code=status, cookies=[*cookies, *consumed])

    def redirect(self, path: str, flash: Flash | None = None, cookies: list[Cookie] | None = None) -> Html:
        """After a write: on to a page of ours (303), with something to say there."""
        kept = list(cookies or [])
        if flash is not None:
            sealed = self.services.keys.browser.encrypt(msgspec.json.encode(flash)).hex()
            kept.append(self.services.cookies.set(self.services.cookies.flash, sealed, seconds=FLASH_SECONDS))
        headers = {"Location": path}
        return Response("", media_type=MediaType.HTML, status_code=303, headers=headers, cookies=kept)

    def _frame(self) -> dict[str, Any]:
        return {"viewer": self.viewer}

    def _theme(self) -> str:
        theme = self.request.cookies.get(THEME, "")
        return theme if theme in _THEMES else "auto"

    def _form_token(self) -> tuple[str, list[Cookie]]:
        """The token of this page's forms, and the cookie where the browser has not got it yet."""
        key, session_key = self.services.keys.forms, None if self.signed_in is None else self.signed_in.session.key
        kept = self.request.cookies.get(self.services.cookies.csrf, "")
        if csrf.is_valid(key, session_key, kept):
            return kept, []
        made = csrf.make_token(key, session_key)
        return made, [self.services.cookies.set(self.services.cookies.csrf, made)]

    def _flashes(self) -> tuple[list[dict[str, str]], list[Cookie]]:
        name = self.services.cookies.flash
        sealed = self.request.cookies.get(name)
        if not sealed:
            return [], []
        try:
            opened = self.services.keys.browser.decrypt(bytes.fromhex(sealed))
            flash = msgspec.json.decode(opened, type=Flash)
        except (CryptoError, ValueError, msgspec.DecodeError):
            return [], [self.services.cookies.drop(name)]  # from before a change of the secret
        text = self.words(flash.key, **flash.values)
        return [{"tone": flash.tone, "text": text}], [self.services.cookies.drop(name)]


@dataclass(frozen=True, slots=True)
class ErrorPage(Page):
    """A page about an error.

    It may come before anybody was looked up, for an address that is none: who has nothing to sign them in with is offered to
    sign in; for others the bar leads home, where they are known.
    """

    def _form_token(self) -> tuple[str, list[Cookie]]:
        """What the browser has, unread: whose session it is for, is not known here."""
        kept = self.request.cookies.get(self.services.cookies.csrf, "")
        return (kept, []) if kept else Page._form_token(self)  # noqa: SLF001  # `super()` does not know a class with slots

    def _frame(self) -> dict[str, Any]:
        is_unknown = not was_looked_up(self.request) and bool(auth_token_of(self.request))
        return {} if is_unknown else {"viewer": self.viewer}


@dataclass(frozen=True, slots=True)
class GuildPage(Page):
    """A page of a guild.

    Attributes:
        guild: the guild as this viewer sees it: ``guild.rights`` has what they may do, ``guild.zone`` its time zone.
        api: the API of this guild, in the viewer's name.
    """

    guild: GuildView
    api: GuildApi
    banners: list[dict[str, Any]] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The address of the guild's pages, without a slash at the end."""
        return f"/guilds/{self.guild.guild_id}"

    def may(self, right: str) -> bool:
        """Whether the API lets them: ``read``, ``write``, ``keys`` and so on."""
        return right in self.guild.rights

    def expect(self, right: str) -> None:
        """Refuse a page that would have nothing to show.

        Raises:
            ApiRefused: 403, in the words for it.
        """
        if not self.may(right):
            raise ApiRefused(403, self.words("error-needs-right"))

    def forget(self) -> None:
        """After a change of the time zone, or of who may what: the next page asks the API anew."""
        self.services.guilds.forget(self.session, self.guild.guild_id)

    def _frame(self) -> dict[str, Any]:
        banners = list(self.banners)
        if not self.guild.present:
            banners.append({"kind": "absent", "href": invite_url(self.services, self.guild.guild_id)})
        return {
            "viewer": self.viewer,
            "guild": self.guild,
            "navigation": guild_navigation(self.guild.guild_id, self.user_id, self.guild.may),
            "zone": self.guild.zone,
            "base": self.base,
            "banners": banners,
            "may": self.guild.rights,
        }


# In handlers: `page: AnyPage`, or `page: InGuild` where the path has `{guild_id:str}`.
AnyPage: TypeAlias = NamedDependency[SkipValidation[Page]]
InGuild: TypeAlias = NamedDependency[SkipValidation[GuildPage]]


async def provide_page(request: Request[Any, Any, Any]) -> Page:
    """Dependency ``page``: of the guild that the path names, or of none.

    Raises:
        NotSignedInError: a guild's page is asked for, and nobody is signed in.
        NotFoundError: the guild is not one of theirs.
    """
    services = services_of(request.app)
    if "guild_id" not in request.path_params:
        return Page(request, services, await signed_in_of(request))
    signed_in = await expect_signed_in(request)
    try:
        guild_id = parse_user_id(str(request.path_params["guild_id"]))
    except InvalidInputError:
        raise NotFoundError("there is no such server among yours") from None
    asking = Asking(signed_in.user.user_id, client_address(request), request_id(request.scope))
    guild = await services.guilds.view(signed_in, asking, guild_id)
    banners: list[dict[str, Any]] = []
    if guild.present and "read" in guild.rights and not request.url.path.endswith("/events"):
        banners = await services.guilds.banners(asking, guild_id)
        if request.method != "GET":
            services.guilds.forget_banners(guild_id)  # it may change them: the page after it asks anew
    return GuildPage(request, services, signed_in, guild, services.api.guild(asking, guild_id), banners)


def invite_url(services: DashboardServices, guild_id: int) -> str:
    """Discord's page that adds the bot to a guild."""
    return services.settings.invite_url(guild_id)


async def form_of(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """The fields of a form, those that came once; files and the token of the form are left out."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str) and name != csrf.FIELD}
