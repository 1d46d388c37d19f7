"""What the API is given: every service it calls, and its options. Built by the wiring, never here."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from attendance.ports.clock import Clock
from attendance.ports.directory import GuildDirectory
from attendance.ports.ids import IdSource
from attendance.services.access import Access
from attendance.services.analytics import Analytics
from attendance.services.attendance_lists import AttendanceLists
from attendance.services.breakdowns import Breakdowns
from attendance.services.channel_statistics import ChannelReports
from attendance.services.channels import Channels
from attendance.services.corrections import Corrections
from attendance.services.erasure import Erasures
from attendance.services.explain import Explanations
from attendance.services.external_attendance import ExternalReports
from attendance.services.fairness_preview import FairnessPreviews
from attendance.services.health import Health
from attendance.services.keyring import Keyring
from attendance.services.leaderboards import Leaderboards
from attendance.services.live_events import LiveEvents
from attendance.services.log_destinations import LogDestinations
from attendance.services.log_reading import PublicLog
from attendance.services.member_data import MemberData
from attendance.services.opt_outs import OptOuts
from attendance.services.overview import Overviews
from attendance.services.period_exports import PeriodExports
from attendance.services.preferences import PreferencesService
from attendance.services.receipts import Receipts
from attendance.services.resets import Resets
from attendance.services.settings import SettingsService
from attendance.services.settings_history import SettingsHistory
from attendance.services.statistics import Statistics
from attendance.services.subscriptions import Subscriptions
from attendance.services.succession import Succession
from attendance.services.tokens import ApiTokens
from attendance.services.verification import Verification
from attendance.services.verified_roles import VerifiedRoles
from attendance.services.webhooks import Webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """The edge's settings.

    ``secrets`` are the JWT's, the current one first and then the one before it, 32 bytes at least each. ``webhook_secret`` is
    what attendance from elsewhere must carry; None takes none. ``webhook_allow`` are networks that webhooks may reach. A
    stream of events ends after ``stream_seconds``.
    """

    secrets: tuple[bytes, ...] = field(repr=False)
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    requests_per_minute_user: int = 120
    requests_per_minute_ip: int = 60
    requests_per_minute_dashboard: int = 1_200  # for a user, through our own dashboard: a page asks several times
    webhook_secret: bytes | None = field(default=None, repr=False)
    webhook_allow: tuple[IPv4Network | IPv6Network, ...] = ()
    stream_seconds: float = 15 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServices:
    """The services behind the routes."""

    options: ApiOptions
    clock: Clock
    ids: IdSource
    access: Access
    directory: GuildDirectory
    health: Health
    overviews: Overviews
    leaderboards: Leaderboards
    statistics: Statistics
    explanations: Explanations
    previews: FairnessPreviews
    channel_reports: ChannelReports
    analytics: Analytics
    breakdowns: Breakdowns
    lists: AttendanceLists
    live_events: LiveEvents
    settings: SettingsService
    preferences: PreferencesService
    opt_outs: OptOuts
    erasures: Erasures
    member_data: MemberData
    resets: Resets
    channels: Channels
    log_destinations: LogDestinations
    keyring: Keyring
    succession: Succession
    verification: Verification
    receipts: Receipts
    log: PublicLog
    exports: PeriodExports
    webhooks: Webhooks
    external_reports: ExternalReports
    subscriptions: Subscriptions
    verified_roles: VerifiedRoles
    tokens: ApiTokens
    corrections: Corrections
    history: SettingsHistory
