"""Leaderboards: stored lines in their order, merged with those of members who are there right now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from attendance.domain.ids import UserId
from attendance.domain.reporting import LiveSession, credited_as_closed

# One line before it has its rank: negated_ms, user_id, session_count, live. It compares in a leaderboard's order: most time
# first, then the lower id. A plain tuple, because a page is cut from thousands.
Contender: TypeAlias = tuple[int, UserId, int, bool]


class Ranked(NamedTuple):
    """One line of a leaderboard; equal times share a rank (1, 2, 2, 4). ``user_id`` is None after an erasure."""

    rank: int
    user_id: UserId | None
    credited_ms: int
    session_count: int
    live: bool


@dataclass(frozen=True, slots=True)
class LiveLines:
    """The members who are there now: their lines with the open session, in order, and the stored lines they replace."""

    now: Sequence[Contender]
    replaced: Sequence[tuple[int, int]]  # (negated_ms, user_id), ascending

    @property
    def new_count(self) -> int:
        """How many of them have no closed session yet."""
        return len(self.now) - len(self.replaced)


def live_lines(
    sessions: Iterable[LiveSession], stored_of: Callable[[UserId], tuple[int, int] | None], as_of_ms: int
) -> LiveLines:
    """Reckon open sessions up to ``as_of_ms``.

    ``stored_of`` gives a member's credited milliseconds and number of sessions without the open one, None without any.
    """
    now: list[Contender] = []
    replaced: list[tuple[int, int]] = []
    for user_id, joined_at_ms, status, since_ms, counted_ms, stay_counted_ms, min_session_ms in sessions:
        credited_ms, session_count = credited_as_closed(
            as_of_ms, joined_at_ms, status, since_ms, counted_ms, stay_counted_ms, min_session_ms
        )
        stored = stored_of(user_id)
        if stored is not None:
            replaced.append((-stored[0], user_id))
            credited_ms += stored[0]
            session_count += stored[1]
        now.append((-credited_ms, user_id, session_count, True))
    now.sort()
    replaced.sort()
    return LiveLines(now, replaced)


def window_for(offset: int, limit: int, live: LiveLines) -> tuple[int, int]:
    """Which stored lines can matter for a page of the merged leaderboard: (how many to skip, how many to read).

    Of the merged lines before the page at most all the live ones are live, so the stored ones from there on (and one more,
    to see whether the page begins within a tie) are enough; of those read at most the replaced ones are struck out.
    """
    skip = max(0, offset - len(live.now) - 1)
    return skip, offset + limit + len(live.replaced) - skip


@dataclass(frozen=True, slots=True)
class MergedPage:
    """Lines of a merged leaderboard, how many stand before them, and the one right before (None if there is none)."""

    lines: Sequence[Contender]
    position: int
    before: Contender | None


def merged_page(stored: Sequence[Contender], skipped: int, live: LiveLines, offset: int, limit: int) -> MergedPage:
    """A page of stored lines and live ones in one order, without sorting all that is stored.

    Args:
        stored: the lines that `window_for` named, in order, replaced ones among them.
        skipped: how many stored lines come before them.
        live: every live member.
        offset: where the page begins in the merged order.
        limit: how long it is.
    """
    struck = {user_id for _, user_id in live.replaced}
    kept = [line for line in stored if line[1] not in struck]
    if stored:
        first = stored[0][:2]
        skipped -= sum(1 for line in live.replaced if line < first)
    merged = sorted([*kept, *live.now])  # two sorted runs: timsort only merges them
    # All skipped lines stand before whatever has at least `offset - 1` lines before it: window_for reached back for that.
    start = offset - skipped
    return MergedPage(merged[start : start + limit], offset, merged[start - 1] if 0 < start <= len(merged) else None)


def begins_in_tie(page: MergedPage) -> bool:
    """Whether the first line shares its time with the one before: then its rank must be counted."""
    return bool(page.lines) and page.before is not None and page.before[0] == page.lines[0][0]


def live_above(live: LiveLines, credited_ms: int) -> int:
    """By how much the live members change the number of lines with more time than ``credited_ms``."""
    added = sum(1 for line in live.now if line[0] < -credited_ms)
    return added - sum(1 for negated_ms, _ in live.replaced if negated_ms < -credited_ms)


def ranked(page: MergedPage, above_first: int) -> list[Ranked]:
    """Give ranks to a page of whose first line ``above_first`` others have more time."""
    lines: list[Ranked] = []
    for index, (negated_ms, user_id, session_count, live) in enumerate(page.lines):
        if index == 0:
            rank = above_first + 1
        elif negated_ms == page.lines[index - 1][0]:
            rank = lines[-1].rank
        else:
            rank = page.position + index + 1
        lines.append(Ranked(rank, user_id, -negated_ms, session_count, live))
    return lines
