"""Everything of the dashboard, put together, top to bottom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from litestar import Litestar

from attendance.clock import Clock
from attendance.ids import IdSource
from attendance.rate_limits import RateLimiter
from attendance.sql.database import open_database
from dashboard.api_client import ApiClient, open_api_client
from dashboard.app import create_dashboard
from dashboard.discord_oauth import DiscordOAuth
from dashboard.domain.ids import UserId
from dashboard.pages.overview_live import OverviewSource
from dashboard.ports import AccountActivity, AccountErasure, AccountStore, SessionStore
from dashboard.rendering import Templates
from dashboard.security.auth_token import AuthTokens
from dashboard.security.cookies import Cookies
from dashboard.security.headers import content_security_policy
from dashboard.security.keys import derive_keys
from dashboard.services import DashboardServices
from dashboard.services.accounts import Accounts
from dashboard.services.erasure import AccountErasures
from dashboard.services.guild_access import GuildAccess
from dashboard.services.live import Live
from dashboard.services.offers import Offers
from dashboard.services.roles import Roles
from dashboard.services.sign_in import SignIn
from dashboard.services.upkeep import Upkeep, kept_up
from dashboard.settings import DashboardSettings, origin_of
from dashboard.static_files import StaticFiles, load_static_files
from dashboard.store.accounts import SqlAccountStore
from dashboard.store.activity import SqlActivityLog
from dashboard.store.erasure import SqlAccountErasure
from dashboard.store.sessions import SqlSessionStore
from dashboard.store.steps import STEPS
from dashboard.words import Words

# Twice through Discord is two requests here; a household or a school behind one address still gets in.
SIGN_INS_PER_MINUTE = 60


@asynccontextmanager
async def open_dashboard(settings: DashboardSettings, clock: Clock, ids: IdSource) -> AsyncIterator[Litestar]:
    """Open the dashboard's database and its way to the API; nothing listens yet.

    Raises:
        ConfigError: its styles are not built, or its database is not what it should be.
        UnavailableError: its database is away.
    """
    async with AsyncExitStack() as resources:
        static = load_static_files()
        database = open_database(settings.database_url)
        resources.push_async_callback(database.close)
        await STEPS.prepare(database)
        api = await resources.enter_async_context(open_api_client(settings.api_url, settings.api_secret, clock))
        sessions, activity = SqlSessionStore(database), SqlActivityLog(database)
        services = build_services(
            settings,
            clock,
            ids,
            static=static,
            api=api,
            sessions=sessions,
            activity=activity,
            store=SqlAccountStore(database),
            erasure=SqlAccountErasure(database),
        )
        resources.push_async_callback(services.live.close)
        await resources.enter_async_context(kept_up(Upkeep(activity, sessions, clock)))
        yield create_dashboard(services)


def build_services(
    settings: DashboardSettings,
    clock: Clock,
    ids: IdSource,
    *,
    static: StaticFiles,
    api: ApiClient,
    sessions: SessionStore,
    activity: AccountActivity,
    store: AccountStore,
    erasure: AccountErasure,
) -> DashboardServices:
    """The services over what was opened."""
    keys = derive_keys(settings.secret)
    discord = DiscordOAuth(
        settings.discord_api_url,
        settings.authorize_url,
        settings.redirect_uri,
        settings.client_id,
        settings.client_secret,
        clock,
    )
    tokens = AuthTokens(keys.cookie, clock)
    sign_in = SignIn(sessions, activity, discord, tokens, keys, clock, ids, settings.admin_user_ids)
    configured = frozenset(UserId(user_id) for user_id in settings.admin_user_ids)
    templates = Templates(Words("en"), static)
    accounts = Accounts(store=store, log=activity, clock=clock, configured=configured)
    return DashboardServices(
        settings=settings,
        clock=clock,
        ids=ids,
        keys=keys,
        cookies=Cookies(settings.is_https),
        auth_tokens=tokens,
        static=static,
        templates=templates,
        content_security_policy=content_security_policy(origin_of(settings.authorize_url)),
        api=api,
        sign_in=sign_in,
        guilds=GuildAccess(sessions, discord, sign_in, api, clock, settings.admin_user_ids),
        accounts=accounts,
        erasures=AccountErasures(erasure, accounts, clock),
        roles=Roles(accounts),
        offers=Offers(accounts),
        sign_in_limiter=RateLimiter(clock, SIGN_INS_PER_MINUTE),
        live=Live(OverviewSource(api, templates, settings.invite_url)),
    )
