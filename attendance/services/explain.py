"""Explain my time: what a member's time in a range is made of, and the rule behind each stretch of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from attendance.core import presence_without_session
from attendance.domain.explain import (
    Rounded,
    RulesInForce,
    SessionAccount,
    Stretch,
    Unaccounted,
    left_over,
    reckoned_timeline,
    round_stretches,
    session_stretches,
    unaccounted_stretch,
)
from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.instants import MAX_INSTANT_MS
from attendance.domain.reporting import overlap_ms
from attendance.errors import InvalidInputError
from attendance.ports.clock import Clock
from attendance.ports.explaining import (
    CorrectionLine,
    ExplainSource,
    ExplainView,
    RulesVersion,
    RunningSession,
    TimedSession,
)
from attendance.ports.reports import BlindLine, Period
from attendance.services.attendance_lists import check_range
from attendance.services.leaderboards import seen_until

MAX_RANGE_DAYS = 366
MAX_STRETCHES = 10_000
_MAX_RANGE_MS = MAX_RANGE_DAYS * 86_400_000


@dataclass(frozen=True, slots=True)
class Explanation:
    """A member's time within ``[from_ms, to_ms)``, as far as the guild was seen (``as_of_ms``).

    Attributes:
        rounded: the stretches and their totals in seconds. ``rounded.credited`` is what leaderboards show for this time.
        channel_names: of every channel in it.
        setter_names: of everybody who set a rule in it; the id where the guild does not know them.
        blind: the blind intervals that touch the range, oldest first, each in full.
        blind_ms: how long they are within the range and up to ``as_of_ms``.
        corrections: what was corrected, beside its seconds in ``rounded.corrected``.
        late_corrections: what was corrected after the period's archive, and is in no total.
        journal_from_ms: since when time without a session is known; None where the range ends before the journal begins.
    """

    user_id: UserId
    display_name: str
    from_ms: int
    to_ms: int
    as_of_ms: int
    rounded: Rounded
    channel_names: dict[ChannelId, str]
    setter_names: dict[UserId, str]
    blind: Sequence[BlindLine]
    blind_ms: int
    corrections: Sequence[CorrectionLine]
    late_corrections: Sequence[CorrectionLine]
    journal_from_ms: int | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who and when. Without an end everything up to now is meant, whatever the clocks of two processes say."""

    guild_id: GuildId
    user_id: UserId
    from_ms: int
    to_ms: int | None
    now_ms: int

    @property
    def until_ms(self) -> int:
        return MAX_INSTANT_MS if self.to_ms is None else self.to_ms


@dataclass(frozen=True, slots=True)
class Explanations:
    """Explains members' time."""

    source: ExplainSource
    clock: Clock

    async def explain(
        self, guild_id: GuildId, user_id: UserId, from_ms: int | None, to_ms: int | None, *, for_themselves: bool
    ) -> Explanation:
        """Explain a range; by default the running period up to now, or its last 366 days.

        Time in voice while the member has opted out is told to nobody but themselves (``for_themselves``).

        Raises:
            InvalidInputError: the range ends before it begins, is longer than 366 days, or holds too many stretches.
            StateError: what is stored is damaged.
            UnavailableError: the database is away.
        """
        async with self.source.view() as view:
            now_ms = self.clock.now_ms()
            period = await view.running_period(guild_id) or Period(0, now_ms, None, "running", None)
            end_ms = now_ms if to_ms is None else to_ms
            if from_ms is None:
                from_ms = max(period.started_at_ms, end_ms - _MAX_RANGE_MS)
            check_range(from_ms, to_ms)
            if end_ms - from_ms > _MAX_RANGE_MS:
                raise InvalidInputError("the range is too long", details={"from": f"at most {MAX_RANGE_DAYS} days before to"})
            asked = _Asked(guild_id, user_id, from_ms, to_ms, now_ms)
            as_of_ms = await seen_until(view, guild_id, period, self.clock)
            versions = await view.rules_within(guild_id, from_ms, asked.until_ms)
            stretches = await self._of_sessions(view, asked, period, as_of_ms, versions)
            end_ms = max([end_ms, *(stretch.end_ms for stretch in stretches[-1:])])
            journal_from_ms, outside = await _without_session(view, asked, min(end_ms, as_of_ms), stretches, versions)
            stretches += [it for it in outside if for_themselves or it.status != "opted_out"]
            corrections = await view.member_corrections(guild_id, user_id, from_ms, asked.until_ms)
            in_sums = [line for line in corrections if not line.after_archive]
            blind = await view.blind_within(guild_id, from_ms, end_ms)
            setters = {stretch.rules[1] for stretch in stretches if stretch.rules is not None and stretch.rules[1] is not None}
            names = await view.member_names(guild_id, {user_id, *setters})
            rounded = await asyncio.to_thread(round_stretches, stretches, [line.delta_ms for line in in_sums])
            return Explanation(
                user_id=user_id,
                display_name=names[user_id],
                from_ms=from_ms,
                to_ms=end_ms,
                as_of_ms=as_of_ms,
                rounded=rounded,
                channel_names=await view.channel_names(guild_id, {stretch.channel_id for stretch in stretches}),
                setter_names=names,
                blind=blind,
                blind_ms=sum(blind_overlap_ms(line, from_ms, end_ms, now_ms) for line in blind),
                corrections=in_sums,
                late_corrections=[line for line in corrections if line.after_archive],
                journal_from_ms=journal_from_ms,
            )

    async def _of_sessions(
        self, view: ExplainView, asked: _Asked, period: Period, as_of_ms: int, versions: Sequence[RulesVersion]
    ) -> list[Stretch]:
        closed = await view.member_sessions(asked.guild_id, asked.user_id, asked.from_ms, asked.until_ms, MAX_STRETCHES + 1)
        accounts = [_closed_account(session, versions) for session in closed]
        running = await view.running_session(asked.guild_id, asked.user_id)
        if running is not None:
            if running.session.period_index != period.index:
                # A cut is just closing it: it belongs to the period that ended, and ends with it.
                ended = await view.period(asked.guild_id, running.session.period_index)
                as_of_ms = await seen_until(view, asked.guild_id, ended or period, self.clock)
            accounts.append(_open_account(running, as_of_ms, versions))
        return await asyncio.to_thread(_stretches, accounts, asked)


def _stretches(accounts: Sequence[SessionAccount], asked: _Asked) -> list[Stretch]:
    stretches: list[Stretch] = []
    for account in accounts:
        stretches += session_stretches(account, asked.from_ms, asked.until_ms)
        if len(stretches) > MAX_STRETCHES:
            problem = {"from": f"a range with at most {MAX_STRETCHES} stretches"}
            raise InvalidInputError("the range holds too many stretches", details=problem)
    return stretches


def _closed_account(session: TimedSession, versions: Sequence[RulesVersion]) -> SessionAccount:
    return SessionAccount(
        channel_id=session.channel_id,
        timeline=session.timeline,
        below_minimum=session.below_minimum,
        rules=_in_force(versions, session.rules_sha256, session.joined_at_ms),
        session_id=session.session_id,
        state="signed" if session.signed else "pending",
        stay=session.stay,
        part=session.part,
        reason=session.reason,
    )


def _open_account(running: RunningSession, as_of_ms: int, versions: Sequence[RulesVersion]) -> SessionAccount:
    session = running.session
    counted = session.counted_ms + (max(0, as_of_ms - session.since_ms) if session.status == "counted" else 0)
    return SessionAccount(
        channel_id=session.channel_id,
        timeline=reckoned_timeline(session, as_of_ms),
        below_minimum=session.stay_counted_ms + counted < session.min_session_ms,
        rules=_version(versions[-1]) if versions else None,  # every change of the rules cuts it
        session_id=None,
        state="open",
        stay=running.stay,
        part=running.part,
        reason=None,
    )


def _version(row: RulesVersion) -> RulesInForce:
    return RulesInForce(row.version, row.actor_id, row.from_ms)


def _in_force(versions: Sequence[RulesVersion], rules_sha256: bytes, at_ms: int) -> RulesInForce | None:
    """The last version of these rules that began by then: the same rules may have been set, changed and set again."""
    for row in reversed(versions):
        if row.from_ms <= at_ms and row.rules_sha256 == rules_sha256:
            return _version(row)
    return None


async def _without_session(
    view: ExplainView, asked: _Asked, end_ms: int, taken: Sequence[Stretch], versions: Sequence[RulesVersion]
) -> tuple[int | None, list[Stretch]]:
    """Time in voice that opened no session, as far back as the journal tells it: (since when, stretches)."""
    start = await view.replay_start(asked.guild_id, asked.from_ms)
    if start is None or start.at_ms >= end_ms:
        return None, []
    lines = await view.lines_about(asked.guild_id, asked.user_id, start, end_ms)
    told = await asyncio.to_thread(presence_without_session, asked.guild_id, start.state, asked.user_id, lines, end_ms)
    stretches = []
    for presence in map(Unaccounted._make, told):
        from_ms = max(presence.start_ms, asked.from_ms)
        rules = _in_force(versions, presence.rules_sha256, presence.start_ms)
        # The journal may be a moment ahead of the stored sessions: what a session covers is the session's.
        stretches += [unaccounted_stretch(presence, *part, rules) for part in left_over(from_ms, presence.end_ms, taken)]
    return max(start.at_ms, asked.from_ms), stretches


def blind_overlap_ms(line: BlindLine, from_ms: int, to_ms: int, now_ms: int) -> int:
    """How much of a blind interval lies within ``[from_ms, to_ms)``; one that goes on lasts until now."""
    ended_at_ms = now_ms if line.ended_at_ms is None else line.ended_at_ms
    return overlap_ms(line.started_at_ms, ended_at_ms, from_ms, to_ms)
