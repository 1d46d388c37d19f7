"""What a command changed, in the words of the audit: only what is different now, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from attendance.domain.commands import CommandKind
from attendance.domain.settings import GuildSettings


class Change(NamedTuple):
    """One change, as `attendance.domain.audit.AuditEntry` tells it."""

    action: str
    target: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def changes_of(  # noqa: PLR0911  # one table, one line each
    kind: CommandKind, body: Mapping[str, Any], result: Mapping[str, Any], before: GuildSettings, after: GuildSettings
) -> list[Change]:
    """The changes that an applied command made, none where everything was so already."""
    match kind:
        case CommandKind.SETTINGS:
            mode = _differing({"tracking_mode": before.tracking_mode.value}, {"tracking_mode": after.tracking_mode.value})
            fairness = _differing(asdict(before.fairness), asdict(after.fairness))
            return _updates("tracking_mode.update", mode) + _updates("fairness.update", fairness)
        case CommandKind.SCHEDULE:
            return _updates("reset_interval.update", _differing(asdict(before.schedule), asdict(after.schedule)))
        case CommandKind.TRACK:
            channel = str(body["channel_id"])
            return [Change("tracked_channel.add", channel, None, {"channel_id": channel})] if result["created"] else []
        case CommandKind.UNTRACK:
            channel = str(body["channel_id"])
            return [Change("tracked_channel.remove", channel, {"channel_id": channel}, None)] if result["removed"] else []
        case CommandKind.RESET:
            return [Change("period.reset", str(result["period_index"]), None, dict(result))]
        case CommandKind.OPT_OUT:
            out = bool(body["out"])
            told = Change("opt_out.add" if out else "opt_out.remove", str(body["user_id"]), {"out": not out}, {"out": out})
            return [told] if result["changed"] else []
        case CommandKind.FORGET:
            return []  # the audit goes with the guild


def rules_change(before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    """Rules that changed without a command: the guild has another AFK channel."""
    was, now = _differing(before, after)
    return Change("rules.update", None, was, now)


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def _updates(action: str, differing: tuple[dict[str, Any], dict[str, Any]]) -> list[Change]:
    before, after = differing
    return [Change(action, None, before, after)] if after else []
