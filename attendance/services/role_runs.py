"""Carries out runs of verified roles: judges once, then asks Discord about a few members at a time.

What happens if we die here: after `claim`, nothing; the claim runs out. After `list_changes`, the changes stand and wait.
Between `intend` and `settle`, Discord may know more than we do: the changes still wait, and giving or taking a role twice is
giving or taking it once. So every step may be done again, and none is left out.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog

from attendance.domain.role_rules import Action, RoleRule
from attendance.domain.subscriptions import Feature
from attendance.errors import ForbiddenError, OwnershipLostError, UnavailableError
from attendance.ports.clock import Clock
from attendance.ports.guild_roles import GuildRoles
from attendance.ports.ids import IdSource
from attendance.ports.role_runs import RoleRunStore, RunClaim, RunState
from attendance.services.role_steps import DiscordAwayError, RoleStep, asked
from attendance.services.subscriptions import Subscriptions, needs_pro

# Discord lets about ten members of a guild get or lose roles in ten seconds.
MEMBERS_A_STEP = 10
# A step stops asking after this long and takes the rest up next time; its last question may take its client's patience.
STEP_SECONDS = 15.0
CLAIM_MS = 60_000
# After Discord failed: an outage is not made shorter by asking.
RETRY_MS = 30_000
# Runs that wait for Discord at once. Each guild has its own limit there, so that they hold up nobody; 32 of them at a role
# a second stay below the 50 requests a second that Discord lets a bot make in all.
RUNS_AT_ONCE = 32
LOOK_SECONDS = 1.0
KEPT_MS = 90 * 86_400_000
_TRIMMED_A_STEP = 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RoleRuns:
    """Works on runs. Any number of processes may: each run is in one worker's hands at a time.

    Attributes:
        holder: names this process in claims, for people who look; at most 40 characters of it are kept.
    """

    store: RoleRunStore
    discord: GuildRoles
    subscriptions: Subscriptions
    clock: Clock
    ids: IdSource
    holder: str

    async def work(self) -> int:
        """Carry out what is due until nothing is; how many steps that took. Looks for more while it waits for Discord.

        Raises:
            UnavailableError: the database is away; what was under way is taken up again later.
        """
        steps = 0
        running: dict[asyncio.Task[bool], UUID] = {}
        try:
            while True:
                room = RUNS_AT_ONCE - len(running)
                due = await self.store.due(self.clock.now_ms(), room) if room else []
                running |= {asyncio.create_task(self.step(run_id)): run_id for run_id in due if run_id not in running.values()}
                if not running:
                    return steps
                done, _ = await asyncio.wait(running, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del running[task]
                    steps += task.result()
                if due and not any(task.result() for task in done) and not running:
                    return steps  # every one was taken by another process
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def step(self, run_id: UUID) -> bool:
        """Do one step of a run: judge it, and a few of its members. Whether it was ours to do."""
        now_ms = self.clock.now_ms()
        claimed_by = f"{self.holder[:40]}/{self.ids.salt()[:8].hex()}"
        claim = await self.store.claim(run_id, claimed_by, now_ms, now_ms + CLAIM_MS)
        if claim is None:
            return False
        try:
            await self._step(claim)
        except OwnershipLostError:
            return False  # the rule was changed, or we were slow: whoever has it now goes on
        except (UnavailableError, asyncio.CancelledError) as error:
            with suppress(UnavailableError):  # then the claim runs out by itself
                await self.store.release(claim, self.clock.now_ms() + (RETRY_MS if isinstance(error, UnavailableError) else 0))
            raise
        return True

    async def trim(self) -> int:
        """Delete runs that ended more than 90 days ago; how many."""
        before_ms = self.clock.now_ms() - KEPT_MS
        trimmed = 0
        while step := await self.store.trim(before_ms, _TRIMMED_A_STEP):
            trimmed += step
        return trimmed

    async def _step(self, claim: RunClaim) -> None:
        rule = claim.rule
        try:
            refusal = await self._refusal(rule)
            if refusal is not None:
                await self._fail(claim, refusal)
                return
            if claim.state is RunState.DUE:
                if await self.store.is_superseded(claim):
                    await self.store.end(claim, self.clock.now_ms(), "a later run says all that this one would", failed=False)
                    return
                judgement = await self.store.judgement(rule, claim.period_index)
                await self.store.list_changes(claim, judgement.changes, self.clock.now_ms() + CLAIM_MS)
            await self._some_members(claim)
        except DiscordAwayError as error:
            _log.warning("a role run waits", guild_id=rule.guild_id, run_id=str(claim.run_id), reason=error.message)
            await self.store.release(claim, self.clock.now_ms() + RETRY_MS)

    async def _refusal(self, rule: RoleRule) -> str | None:
        """Why the rule cannot be carried out at all, if so. Asked at every step: it may have changed since the last."""
        if not await self.subscriptions.allows(rule.guild_id, Feature.VERIFIED_ROLES):
            return needs_pro(Feature.VERIFIED_ROLES)
        return await asked(self.discord.problem(rule.guild_id, rule.role_id))

    async def _fail(self, claim: RunClaim, reason: str) -> None:
        _log.warning("a role run failed", guild_id=claim.rule.guild_id, run_id=str(claim.run_id), reason=reason)
        await self.store.end(claim, self.clock.now_ms(), reason, failed=True)

    async def _some_members(self, claim: RunClaim) -> None:
        waiting = await self.store.waiting(claim, self.clock.now_ms() + CLAIM_MS, MEMBERS_A_STEP)
        step = RoleStep(self.discord, claim.rule, self.clock, self.clock.monotonic() + STEP_SECONDS)
        pause_ms, refusal = 0, None
        try:
            lacking = await step.look_at([change for change in waiting if change.action is not Action.REMOVE])
            if lacking:
                await self.store.intend(claim, [change.user_id for change in lacking], self.clock.now_ms())
            await step.give(lacking)
            await step.take([change for change in waiting if change.action is Action.REMOVE])
        except DiscordAwayError as error:
            _log.warning("a role run waits", guild_id=claim.rule.guild_id, run_id=str(claim.run_id), reason=error.message)
            pause_ms = RETRY_MS
        except ForbiddenError as error:
            refusal = error.message
            _log.warning("a role run failed", guild_id=claim.rule.guild_id, run_id=str(claim.run_id), reason=refusal)
        now_ms = self.clock.now_ms()
        await self.store.settle(claim, step.outcomes, now_ms, now_ms + pause_ms, refusal)
