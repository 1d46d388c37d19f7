"""Every table, one module a group: each says who writes it.

Times are integer Unix milliseconds (UTC) in columns that end in ``_ms``.
"""

from __future__ import annotations

from attendance.store.schema.accounting import (
    blind_interval,
    channel_quarter,
    member_quarter,
    open_session,
    period_channel,
    period_member,
    session,
)
from attendance.store.schema.audit import api_token, audit, correction
from attendance.store.schema.columns import metadata
from attendance.store.schema.deliveries import (
    external_attendance,
    log_destination,
    log_item,
    log_message,
    webhook,
    webhook_attempt,
    webhook_delivery,
)
from attendance.store.schema.directory import channel, guild, member
from attendance.store.schema.ownership import deployment, gateway_session, provenance, shard_lease
from attendance.store.schema.periods import period, period_entry
from attendance.store.schema.privacy import erasure, guild_preferences
from attendance.store.schema.records import chain_head, record, record_queue, signing_key
from attendance.store.schema.roles import entitlement, role_change, role_grant, role_rule, role_run, subscription
from attendance.store.schema.settings import guild_settings, opt_out, rules_version, tracked_channel
from attendance.store.schema.stream import checkpoint, command, journal, milestone, stream
from attendance.store.schema.transparency import deployment_key, log_entry, log_head

__all__ = [
    "api_token",
    "audit",
    "blind_interval",
    "chain_head",
    "channel",
    "channel_quarter",
    "checkpoint",
    "command",
    "correction",
    "deployment",
    "deployment_key",
    "entitlement",
    "erasure",
    "external_attendance",
    "gateway_session",
    "guild",
    "guild_preferences",
    "guild_settings",
    "journal",
    "log_destination",
    "log_entry",
    "log_head",
    "log_item",
    "log_message",
    "member",
    "member_quarter",
    "metadata",
    "milestone",
    "open_session",
    "opt_out",
    "period",
    "period_channel",
    "period_entry",
    "period_member",
    "provenance",
    "record",
    "record_queue",
    "role_change",
    "role_grant",
    "role_rule",
    "role_run",
    "rules_version",
    "session",
    "shard_lease",
    "signing_key",
    "stream",
    "subscription",
    "tracked_channel",
    "webhook",
    "webhook_attempt",
    "webhook_delivery",
]
