"""The settings history on the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from api.schemas import history as body
from attendance.domain.audit import AuditEntry
from attendance.domain.instants import to_rfc3339
from attendance.domain.records import b64url
from attendance.ports.rules import RulesLine
from attendance.services.settings_history import ChangeNames


def audit_entry(entry: AuditEntry, names: ChangeNames) -> body.AuditEntryBody:
    """A change; ``names`` has everybody who made one, and what it is about."""
    actor_id = entry.actor.user_id
    before = None if entry.before is None else dict(entry.before)
    after = None if entry.after is None else dict(entry.after)
    return body.AuditEntryBody(
        **_who(entry),
        actor_name=None if actor_id is None else names.members[actor_id],
        target_name=names.target(entry),
        before=before,
        after=after,
    )


def audit_row(entry: AuditEntry) -> body.AuditRowBody:
    """A change as a line of a table."""
    return body.AuditRowBody(**_who(entry), before=_text(entry.before), after=_text(entry.after))


def rules_version(line: RulesLine) -> body.RulesVersionBody:
    """A version of the rules."""
    return body.RulesVersionBody(**_use(line), rules_sha256=b64url(line.rules_sha256), rules=line.rules.decode())


def rules_body(lines: Sequence[RulesLine]) -> body.RulesBody:
    """Rules and when they were in force; ``lines`` all have the same, and there is one at least."""
    versions = [body.RulesUseBody(**_use(line)) for line in lines]
    return body.RulesBody(rules_sha256=b64url(lines[0].rules_sha256), rules=lines[0].rules.decode(), versions=versions)


def _use(line: RulesLine) -> dict[str, Any]:
    return {"version": line.version, "from_": to_rfc3339(line.from_ms), "actor_id": _id(line.actor_id)}


def _who(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": to_rfc3339(entry.at_ms),
        "action": entry.action,
        "target": entry.target,
        "actor_id": _id(entry.actor.user_id),
        "via": entry.actor.via.value,
        "token_id": None if entry.actor.token_id is None else str(entry.actor.token_id),
        "address": entry.actor.address,
    }


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)
