"""Rules of verified roles, as those who manage a guild see and change them; `role_runs` carries them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from attendance.domain.audit import Actor
from attendance.domain.ids import ChannelId, GuildId, RoleId, UserId
from attendance.domain.role_rules import MAX_CHANNELS, MAX_RULES, MAX_THRESHOLD_SECONDS, Action, RoleRule, Scope
from attendance.errors import InvalidInputError, NotFoundError
from attendance.ports.clock import Clock
from attendance.ports.guild_roles import GuildRoles
from attendance.ports.ids import IdSource
from attendance.ports.panel_roles import PanelRoleSource
from attendance.ports.reports import ReportSource
from attendance.ports.role_rules import RoleRuleStore
from attendance.ports.role_runs import RoleRun, RoleRunStore


class JudgedMember(NamedTuple):
    """A member, the time that the rule counts, and what a run would do."""

    user_id: UserId
    display_name: str
    credited_ms: int
    action: Action


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a run would do now.

    Attributes:
        period_index: of the archived period that was looked at; None: all time, or no period yet.
        problem: why the role cannot be given at all, if so; a run would fail with it.
        keeps: how many have the role by the rule and keep it.
        members: a page of those for whom something changes, by user id.
        total: how many of them there are in all.
    """

    rule: RoleRule
    period_index: int | None
    problem: str | None
    grants: int
    removals: int
    keeps: int
    members: Sequence[JudgedMember]
    total: int


@dataclass(frozen=True, slots=True)
class VerifiedRoles:
    """The rules of guilds."""

    rules: RoleRuleStore
    runs: RoleRunStore
    reports: ReportSource
    discord: GuildRoles
    panel: PanelRoleSource
    clock: Clock
    ids: IdSource

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[Sequence[RoleRule], int]:
        """Rules in the order in which they were made, and how many there are in all.

        Raises:
            UnavailableError: the database is away.
        """
        return await self.rules.page(guild_id, limit, offset)

    async def create(self, actor: Actor, guild_id: GuildId, terms: Mapping[str, Any]) -> tuple[RoleRule, bool]:
        """Make a rule, unless the guild has the same; returns it, and whether it is new.

        Args:
            actor: who asks.
            guild_id: whose.
            terms: ``role_id`` and ``threshold_seconds``, and what else is not as by default, named as in `RoleRule`.

        Raises:
            InvalidInputError: a term is missing or out of range, a channel is not the guild's, or the bot cannot give the role.
            ConflictError: the guild has as many rules as it may.
            UnavailableError: Discord or the database is away.
        """
        missing = {name: "required" for name in ("role_id", "threshold_seconds") if name not in terms}
        if missing:
            raise InvalidInputError("the rule is not complete", details=missing)
        now_ms = self.clock.now_ms()
        assert actor.user_id is not None  # noqa: S101  # Rollcall makes no rules by itself
        rule = RoleRule(
            rule_id=self.ids.session_id(now_ms),
            guild_id=guild_id,
            role_id=RoleId(terms["role_id"]),
            threshold_seconds=terms["threshold_seconds"],
            scope=terms.get("scope", Scope.PERIOD),
            channel_ids=terms.get("channel_ids", ()),
            remove_below=terms.get("remove_below", False),
            last_error=None,
            created_by=actor.user_id,
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
        )
        await self._check(guild_id, {**terms, "role_id": rule.role_id}, known=())
        stored = await self.rules.add(rule, actor, MAX_RULES)
        return stored, stored.rule_id == rule.rule_id

    async def change(self, actor: Actor, guild_id: GuildId, rule_id: UUID, terms: Mapping[str, Any]) -> RoleRule:
        """Change the terms given.

        Raises:
            NotFoundError: the guild has no such rule.
            InvalidInputError: a term is out of range, a channel is not the guild's, or the bot cannot give the role.
            UnavailableError: Discord or the database is away.
        """
        rule = await self._rule(guild_id, rule_id)
        await self._check(guild_id, terms, known=rule.channel_ids)
        changed = await self.rules.change(guild_id, rule_id, terms, actor, self.clock.now_ms())
        if changed is None:
            raise NotFoundError("the guild has no such rule")
        return changed

    async def remove(self, actor: Actor, guild_id: GuildId, rule_id: UUID) -> None:
        """Remove a rule. Members keep the role.

        Raises:
            NotFoundError: the guild has no such rule.
            UnavailableError: the database is away.
        """
        if not await self.rules.remove(guild_id, rule_id, actor, self.clock.now_ms()):
            raise NotFoundError("the guild has no such rule")

    async def dry_run(self, guild_id: GuildId, rule_id: UUID, limit: int, offset: int) -> DryRun:
        """What a run would do now; nothing is changed.

        Raises:
            NotFoundError: the guild has no such rule.
            UnavailableError: Discord or the database is away.
        """
        rule = await self._rule(guild_id, rule_id)
        problem = await self.discord.problem(guild_id, rule.role_id)
        judgement = await self.runs.judgement(rule, None)
        changed = [change for change in judgement.changes if change.action is not Action.KEEP]
        page = changed[offset : offset + limit]
        user_ids = [change.user_id for change in page]
        credited = await self.runs.credited(rule, judgement.period_index, user_ids)
        async with self.reports.view() as view:
            names = await view.member_names(guild_id, set(user_ids))
        grants = sum(change.action is Action.GRANT for change in changed)
        return DryRun(
            rule=rule,
            period_index=judgement.period_index,
            problem=problem,
            grants=grants,
            removals=len(changed) - grants,
            keeps=len(judgement.changes) - len(changed),
            members=[JudgedMember(user, names[user], max(0, credited.get(user, 0)), action) for user, action in page],
            total=len(changed),
        )

    async def run(self, actor: Actor, guild_id: GuildId, rule_id: UUID) -> tuple[RoleRun, bool]:
        """Have the rule judged and carried out now; the run, and whether it is new. One that is not done yet is not doubled.

        Raises:
            NotFoundError: the guild has no such rule.
            UnavailableError: the database is away.
        """
        now_ms = self.clock.now_ms()
        return await self.runs.ask(await self._rule(guild_id, rule_id), self.ids.session_id(now_ms), actor, now_ms)

    async def run_page(self, guild_id: GuildId, rule_id: UUID, limit: int, offset: int) -> tuple[Sequence[RoleRun], int]:
        """Runs of a rule, newest first, and how many there are in all.

        Raises:
            NotFoundError: the guild has no such rule.
            UnavailableError: the database is away.
        """
        await self._rule(guild_id, rule_id)
        return await self.runs.page(guild_id, rule_id, limit, offset)

    async def _rule(self, guild_id: GuildId, rule_id: UUID) -> RoleRule:
        rule = await self.rules.rule(guild_id, rule_id)
        if rule is None:
            raise NotFoundError("the guild has no such rule")
        return rule

    async def _check(self, guild_id: GuildId, terms: Mapping[str, Any], *, known: Sequence[ChannelId]) -> None:
        """Refuse terms that cannot be; ``known`` channels may be deleted meanwhile."""
        problems = {}
        if not 1 <= terms.get("threshold_seconds", 1) <= MAX_THRESHOLD_SECONDS:
            problems["threshold_seconds"] = f"1 to {MAX_THRESHOLD_SECONDS}"
        channel_ids: Sequence[ChannelId] = terms.get("channel_ids", ())
        if len(channel_ids) > MAX_CHANNELS:
            problems["channel_ids"] = f"at most {MAX_CHANNELS}"
        elif foreign := await self._foreign(guild_id, set(channel_ids) - set(known)):
            problems["channel_ids"] = f"voice channels, stages or categories of this guild; not {foreign}"
        if problems:
            raise InvalidInputError("the rule is not valid", details=problems)
        if "role_id" in terms:
            problem = await self.discord.problem(guild_id, terms["role_id"]) or await self._panel_problem(
                guild_id, terms["role_id"]
            )
            if problem is not None:
                raise InvalidInputError(f"the bot cannot give this role: {problem}", details={"role_id": problem})

    async def _panel_problem(self, guild_id: GuildId, role_id: RoleId) -> str | None:
        """Who may write rules may not let others in by them."""
        panel = await self.panel.panel_roles(guild_id)
        return "it lets members into the panel, which time in voice must not" if role_id in panel.read | panel.write else None

    async def _foreign(self, guild_id: GuildId, channel_ids: set[ChannelId]) -> str:
        if not channel_ids:
            return ""
        async with self.reports.view() as view:
            present = {line.channel_id for line in await view.channels(guild_id, sorted(channel_ids)) if not line.deleted}
        return ", ".join(str(channel_id) for channel_id in sorted(channel_ids - present))
