"""A period's stored leaderboard held in memory: 48 bytes a member, kept in order while sessions close.

Beside it what was told of members who were asked for: those in voice, with each page.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import itemgetter
from typing import cast

from attendance.domain.ids import UserId
from attendance.domain.ranking import Contender

_NOT_LIVE = False
# Who is in voice is asked for with each page, and a dictionary answers ten times faster than a bisection.
_ASKED_AT_MOST = 20_000


class Standings:
    """Members with their credited time and number of sessions, by rank and by id.

    Plain arrays of 64-bit integers: a change moves memory (some 100 µs with 100,000 members), a question is a bisection.
    """

    def __init__(self, lines: Iterable[tuple[int, int, int]] = ()) -> None:
        """``lines`` are (negated_ms, user_id, session_count) in a leaderboard's order."""
        ordered = list(lines)
        self._keys = array("q", (line[0] for line in ordered))
        self._users = array("q", (line[1] for line in ordered))
        self._counts = array("q", (line[2] for line in ordered))
        ordered.sort(key=itemgetter(1))
        self._ids = array("q", (line[1] for line in ordered))
        self._credited = array("q", (-line[0] for line in ordered))
        self._sessions = array("q", (line[2] for line in ordered))
        self._credited_ms, self._session_count = sum(self._credited), sum(self._sessions)
        self._asked: dict[int, tuple[int, int] | None] = {}

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def totals(self) -> tuple[int, int]:
        """Credited milliseconds and number of sessions of all members."""
        return self._credited_ms, self._session_count

    def stored_of(self, user_id: UserId) -> tuple[int, int] | None:
        """A member's credited milliseconds and number of sessions."""
        try:
            return self._asked[user_id]
        except KeyError:
            pass
        if len(self._asked) >= _ASKED_AT_MOST:
            self._asked.clear()
        index = bisect_left(self._ids, user_id)
        found = index < len(self._ids) and self._ids[index] == user_id
        self._asked[user_id] = told = (self._credited[index], self._sessions[index]) if found else None
        return told

    def lines(self, limit: int, offset: int) -> list[Contender]:
        """Lines by rank."""
        part = slice(offset, offset + limit)
        users = cast("Sequence[UserId]", self._users[part])
        return list(zip(self._keys[part], users, self._counts[part], repeat(_NOT_LIVE)))  # repeat has no end

    def above(self, credited_ms: int) -> int:
        """How many have more."""
        return bisect_left(self._keys, -credited_ms)

    def put(self, lines: Sequence[tuple[int, int, int]]) -> None:
        """Write members (negated_ms, user_id, session_count) over what is known of them."""
        for key, user_id, count in lines:
            self._asked.pop(user_id, None)
            index = bisect_left(self._ids, user_id)
            if index < len(self._ids) and self._ids[index] == user_id:
                place = self._place(-self._credited[index], user_id)
                for column in (self._keys, self._users, self._counts):
                    del column[place]
                self._credited_ms -= self._credited[index]
                self._session_count -= self._sessions[index]
                self._credited[index], self._sessions[index] = -key, count
            else:
                self._ids.insert(index, user_id)
                self._credited.insert(index, -key)
                self._sessions.insert(index, count)
            place = self._place(key, user_id)
            self._keys.insert(place, key)
            self._users.insert(place, user_id)
            self._counts.insert(place, count)
            self._credited_ms -= key
            self._session_count += count

    def _place(self, key: int, user_id: int) -> int:
        first = bisect_left(self._keys, key)
        return bisect_left(self._users, user_id, first, bisect_left(self._keys, key + 1, first))
