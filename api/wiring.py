"""Builds the API's services over a database. Called by `attendance.wiring`, and by tests."""

from __future__ import annotations

from asyncio import Event
from collections.abc import Iterable
from dataclasses import dataclass

from api.live_stream import encode
from api.services import ApiOptions, ApiServices
from attendance.domain.ids import UserId
from attendance.domain.subscriptions import Billing
from attendance.ports.clock import Clock
from attendance.ports.discord_lookup import DiscordLookup
from attendance.ports.exporting import ExportFiles
from attendance.ports.guild_roles import GuildRoles
from attendance.ports.ids import IdSource
from attendance.ports.signing import KeyStore
from attendance.ports.transparency_log import LogFiles
from attendance.ports.webhooks import SecretSealing
from attendance.services.access import Access
from attendance.services.analytics import Analytics
from attendance.services.attendance_lists import AttendanceLists
from attendance.services.breakdowns import Breakdowns
from attendance.services.channel_statistics import ChannelReports
from attendance.services.channels import Channels
from attendance.services.commands import Commands
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
from attendance.services.open_keys import OpenKeys
from attendance.services.opt_outs import OptOuts
from attendance.services.overview import Overviews
from attendance.services.passphrases import Passphrases
from attendance.services.period_exports import PeriodExports
from attendance.services.preferences import PreferencesService
from attendance.services.receipts import Receipts
from attendance.services.resets import Resets
from attendance.services.settings import SettingsService
from attendance.services.settings_history import SettingsHistory
from attendance.services.standings_cache import StandingsCache
from attendance.services.statistics import Statistics
from attendance.services.subscriptions import Subscriptions
from attendance.services.succession import Succession
from attendance.services.tokens import ApiTokens
from attendance.services.verification import Verification
from attendance.services.verified_roles import VerifiedRoles
from attendance.services.webhooks import Webhooks
from attendance.store.audit_log import SqlAuditLog
from attendance.store.commands import SqlCommandInbox
from attendance.store.corrections import SqlCorrectionStore
from attendance.store.database import Database
from attendance.store.directory import SqlGuildDirectory
from attendance.store.erasure_requests import SqlErasureRequests
from attendance.store.evidence import SqlEvidenceStore
from attendance.store.explain import SqlExplainSource
from attendance.store.exporting import SqlExportStore
from attendance.store.external_attendance import SqlExternalAttendanceStore
from attendance.store.health import SqlHealthSource
from attendance.store.log_destinations import SqlLogDestinationStore
from attendance.store.member_data import SqlMemberDataSource
from attendance.store.opt_outs import SqlOptOutSource
from attendance.store.panel_roles import SqlPanelRoles
from attendance.store.preferences import SqlGuildPreferences
from attendance.store.receipts import SqlReceiptStore
from attendance.store.reports import SqlReportSource
from attendance.store.role_rules import SqlRoleRuleStore
from attendance.store.role_runs import SqlRoleRunStore
from attendance.store.rules import SqlRulesHistory
from attendance.store.subscriptions import SqlSubscriptionStore
from attendance.store.tokens import SqlTokenStore
from attendance.store.webhooks import SqlWebhookStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParts:
    """What the services are built from.

    Attributes:
        options: the edge's settings.
        database: where everything is read, and where commands are put.
        clock: the time.
        ids: where unpredictable values come from.
        lookup: Discord's answers.
        operators: ``ADMIN_USER_IDS``.
        keys: the keys of all guilds.
        open_keys: those that this process holds open.
        passphrases: derives and slows down.
        sealing: of webhooks' secrets at rest.
        log_files: the transparency log as the world reads it.
        export_files: where built exports are kept.
        signing: set when the signer may have something to do.
        commands: set when a command was put; an owner in another process looks by itself.
        guild_roles: gives and takes roles in Discord.
        billing: whether tiers count.
    """

    options: ApiOptions
    database: Database
    clock: Clock
    ids: IdSource
    lookup: DiscordLookup
    operators: Iterable[int]
    keys: KeyStore
    open_keys: OpenKeys
    passphrases: Passphrases
    sealing: SecretSealing
    log_files: LogFiles
    export_files: ExportFiles
    signing: Event
    commands: Event
    guild_roles: GuildRoles
    billing: Billing = Billing()  # noqa: RUF009  # frozen


def build_api_services(parts: ApiParts) -> ApiServices:
    """Every service of the API."""
    database, clock, ids, lookup = parts.database, parts.clock, parts.ids, parts.lookup
    keys, open_keys, passphrases, signing = parts.keys, parts.open_keys, parts.passphrases, parts.signing
    reports = SqlReportSource(database)
    directory = SqlGuildDirectory(database)
    standings = StandingsCache()
    leaderboards = Leaderboards(reports, clock, standings)
    keyring = Keyring(keys, open_keys, passphrases, clock, signing)
    operators = frozenset(UserId(operator) for operator in parts.operators)
    tokens = ApiTokens(SqlTokenStore(database), clock, ids)
    inbox = Commands(SqlCommandInbox(database), clock, parts.commands.set)
    settings = SettingsService(reports, inbox)
    subscriptions = Subscriptions(SqlSubscriptionStore(database), clock, parts.billing)
    panel = SqlPanelRoles(database)
    log = PublicLog(parts.log_files)
    role_rules, role_runs = SqlRoleRuleStore(database), SqlRoleRunStore(database)
    return ApiServices(
        options=parts.options,
        clock=clock,
        ids=ids,
        access=Access(lookup, directory, operators, panel, tokens),
        directory=directory,
        health=Health(SqlHealthSource(database), clock),
        overviews=Overviews(reports, directory, keyring, clock, standings, subscriptions),
        leaderboards=leaderboards,
        statistics=Statistics(reports, leaderboards, clock),
        explanations=Explanations(SqlExplainSource(database), clock),
        previews=FairnessPreviews(SqlExplainSource(database), clock),
        channel_reports=ChannelReports(reports, clock),
        analytics=Analytics(reports, clock),
        breakdowns=Breakdowns(reports, clock),
        lists=AttendanceLists(reports, clock),
        live_events=LiveEvents(reports, clock, encode),
        settings=settings,
        opt_outs=OptOuts(SqlOptOutSource(database), inbox),
        erasures=Erasures(SqlErasureRequests(database), clock, ids),
        member_data=MemberData(SqlMemberDataSource(database), clock),
        preferences=PreferencesService(SqlGuildPreferences(database), settings, lookup, clock),
        resets=Resets(reports, inbox),
        channels=Channels(reports, directory, lookup),
        log_destinations=LogDestinations(SqlLogDestinationStore(database), lookup, clock, ids),
        keyring=keyring,
        succession=Succession(keys, open_keys, passphrases, clock, ids, signing),
        verification=Verification(SqlEvidenceStore(database), clock),
        receipts=Receipts(SqlReceiptStore(database), PublicLog(parts.log_files)),
        log=log,
        exports=PeriodExports(SqlExportStore(database), parts.export_files, log, clock, open_keys.master_key),
        webhooks=Webhooks(SqlWebhookStore(database), parts.sealing, clock, ids, parts.options.webhook_allow),
        external_reports=ExternalReports(SqlExternalAttendanceStore(database), directory, clock, signing),
        subscriptions=subscriptions,
        verified_roles=VerifiedRoles(role_rules, role_runs, reports, parts.guild_roles, panel, clock, ids),
        tokens=tokens,
        corrections=Corrections(SqlCorrectionStore(database), clock, ids, signing),
        history=SettingsHistory(SqlAuditLog(database), SqlRulesHistory(database), reports),
    )
