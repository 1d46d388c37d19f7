"""The last week under other rules: the journal folded twice, once under the rules in force, once under others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from attendance.core import RulesComparison
from attendance.domain.ids import ChannelId, GuildId, UserId
from attendance.domain.settings import GuildSettings, TrackingMode, rules_of
from attendance.domain.stream.lines import rules_text
from attendance.errors import InvalidInputError
from attendance.ports.clock import Clock
from attendance.ports.explaining import ExplainSource, ExplainView, ReplayStart
from attendance.services.explain import blind_overlap_ms

PREVIEW_DAYS = 7
_WEEK_MS = PREVIEW_DAYS * 86_400_000
_LINES = 5_000  # in one go: about 10 ms of a thread


@dataclass(frozen=True, slots=True)
class OtherRules:
    """What to change: names of `Fairness` with their values; the mode and the list where they are given."""

    fairness: dict[str, Any]
    mode: str | None = None
    channels: frozenset[ChannelId] | None = None


class MemberPreview(NamedTuple):
    """A member's credited time and number of sessions under the rules in force and under the others."""

    user_id: UserId
    now_ms: int
    now_sessions: int
    then_ms: int
    then_sessions: int

    @property
    def difference_ms(self) -> int:
        """What the others would give more."""
        return self.then_ms - self.now_ms


@dataclass(frozen=True, slots=True)
class FairnessPreview:
    """The comparison of ``[from_ms, to_ms)``.

    Attributes:
        wanted_from_ms: a week before now; where ``from_ms`` is later, ``is_trimmed`` says whether the journal was trimmed; if
            not, the guild was not recorded before.
        settings: in force now; others: what was asked for.
        blind_ms: how much of the range nobody watched.
        members: everyone with a session on either side, the largest difference first.
        names: of the members on the page.
    """

    wanted_from_ms: int
    from_ms: int
    to_ms: int
    is_trimmed: bool
    settings: GuildSettings
    others: GuildSettings
    blind_ms: int
    members: Sequence[MemberPreview]
    names: dict[UserId, str]


@dataclass(frozen=True, slots=True)
class FairnessPreviews:
    """Previews. One at a time in this process: each keeps a core busy, and recording comes first."""

    source: ExplainSource
    clock: Clock
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def preview(self, guild_id: GuildId, asked: OtherRules, limit: int, offset: int) -> FairnessPreview:
        """Compare the last week, or as much of it as the journal holds. Nothing is written.

        Both sides have one rule set for the whole time, whatever was in force on each day, and are cut alike where it begins:
        they differ by the rules alone.

        Raises:
            InvalidInputError: there is no such mode, or a channel is not the guild's.
            UnavailableError: the database is away.
        """
        async with self.turn, self.source.view() as view:
            settings = await view.settings(guild_id)
            others = await _changed(view, guild_id, settings, asked)
            now_ms = self.clock.now_ms()
            to_ms = (await view.watch(guild_id)).seen_until(now_ms)
            wanted_from_ms = now_ms - _WEEK_MS
            start = await view.replay_start(guild_id, wanted_from_ms)
            from_ms, members = to_ms, list[MemberPreview]()
            if start is not None and start.at_ms < to_ms:
                from_ms = max(wanted_from_ms, start.at_ms)
                members = await _compare(view, guild_id, start, from_ms, to_ms, (settings, others))
                members.sort(key=lambda member: (-abs(member.difference_ms), member.user_id))
            blind = await view.blind_within(guild_id, from_ms, to_ms)
            return FairnessPreview(
                wanted_from_ms=wanted_from_ms,
                from_ms=from_ms,
                to_ms=to_ms,
                is_trimmed=start is not None and start.state is not None,
                settings=settings,
                others=others,
                blind_ms=sum(blind_overlap_ms(line, from_ms, to_ms, now_ms) for line in blind),
                members=members,
                names=await view.member_names(guild_id, [it.user_id for it in members[offset : offset + limit]]),
            )


async def _changed(view: ExplainView, guild_id: GuildId, settings: GuildSettings, asked: OtherRules) -> GuildSettings:
    changed = replace(settings, fairness=replace(settings.fairness, **asked.fairness))
    if asked.mode is not None:
        try:
            changed = replace(changed, tracking_mode=TrackingMode(asked.mode.lower()))
        except ValueError:
            allowed = ", ".join(known.value.capitalize() for known in TrackingMode)
            raise InvalidInputError("there is no such mode", details={"tracking_mode": f"one of {allowed}"}) from None
    if asked.channels is not None:
        known = {line.channel_id for line in await view.channels(guild_id, sorted(asked.channels))} | settings.tracked_channels
        if not asked.channels <= known:
            details = {"tracked_channels": "voice channels, stages and categories of this guild"}
            raise InvalidInputError("the guild has no such channel", details=details)
        changed = replace(changed, tracked_channels=asked.channels)
    return changed


async def _compare(  # noqa: PLR0917  # one call
    view: ExplainView,
    guild_id: GuildId,
    start: ReplayStart,
    from_ms: int,
    to_ms: int,
    sides: tuple[GuildSettings, GuildSettings],
) -> list[MemberPreview]:
    """Fold the journal on both sides, in threads, a few thousand lines at a time."""
    afk = await view.afk_channel(guild_id)
    rules = [rules_text(from_ms, guild_id, rules_of(side, afk)) for side in sides]
    comparison = await asyncio.to_thread(RulesComparison, guild_id, start.state, from_ms, *rules)
    async for lines in view.lines_from(guild_id, start.seq, _LINES):
        await asyncio.to_thread(comparison.feed, lines)
    return [MemberPreview._make(row) for row in await asyncio.to_thread(comparison.finish, to_ms)]
