"""The fold: one guild, one line at a time, slow and plain. Quotes are from the accounting text, sections 4 to 6."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.twin.rules import Rules, is_tracked
from tests.twin.session import OpenSession, Session, Stay, close, reckon
from tests.twin.trace import Line, MalformedError, VoiceState

GOES_ON = ("rules", "period")


@dataclass
class Guild:
    """Everything that is known of one guild. ``states`` holds only those who are in a channel."""

    guild_id: int
    last_at: int | None = None
    rules: Rules = field(default_factory=Rules)
    parents: dict[int, int | None] = field(default_factory=dict)
    opted_out: set[int] = field(default_factory=set)
    period_index: int = 0
    next_stay: int = 0
    states: dict[int, VoiceState] = field(default_factory=dict)
    sessions: dict[int, OpenSession] = field(default_factory=dict)
    blind_since: int | None = None
    replays: list[VoiceState] = field(default_factory=list)
    closed: list[Session] = field(default_factory=list)

    def apply(self, line: Line) -> None:
        """ "`at` … lower than the guild's last" is malformed; equal instants apply in input order."""
        assert line.guild == self.guild_id
        if self.last_at is not None and line.at < self.last_at:
            raise MalformedError("`at` is lower than the guild's last")
        self.last_at = line.at
        EVENTS[line.type](self, line.at, *line.body)

    # Section 4: the status of an instant.

    def has_company(self, user: int) -> bool:
        channel = self.states[user].channel
        return any(other.channel == channel and not other.bot for id_, other in self.states.items() if id_ != user)

    def status_of(self, user: int) -> str:
        """ "in this order, the first that applies"."""
        state = self.states[user]
        if self.rules.pause_on_deafen and (state.self_deaf or state.deaf):
            return "deafened"
        if self.rules.pause_on_mute and (state.self_mute or state.mute):
            return "muted"
        if self.rules.pause_when_solo and not self.has_company(user):
            return "solo"
        return "counted"

    # The moves that every event is made of.

    def tracks(self, channel: int) -> bool:
        return is_tracked(self.rules, self.parents, channel)

    def set_state(self, state: VoiceState) -> None:
        if state.channel is None:
            self.states.pop(state.user, None)
        else:
            self.states[state.user] = state

    def channel_of(self, user: int) -> int | None:
        return self.states[user].channel if user in self.states else None

    def in_session(self, channel: int) -> list[int]:
        return [user for user, session in self.sessions.items() if session.channel == channel]

    def without_session(self) -> list[int]:
        """Who is in a tracked channel and has no session, "those who are no bots and have not opted out"."""
        return [
            user
            for user, state in self.states.items()
            if user not in self.sessions
            and user not in self.opted_out
            and not state.bot
            and state.channel is not None
            and self.tracks(state.channel)
        ]

    def close_sessions(self, users: Iterable[int], left: int, reason: Callable[[OpenSession], str]) -> dict[int, Stay]:
        """ "they close in ascending order of user id (as numbers)". Answers the stays that may go on."""
        going_on = {}
        for user in sorted(users):
            session = self.sessions.pop(user)
            why = reason(session)
            closed = close(self.guild_id, session, left, why)
            if closed is not None:
                self.closed.append(closed)
            if why in GOES_ON:
                going_on[user] = session.stay
        return going_on

    def open_sessions(self, at: int, going_on: dict[int, Stay]) -> None:
        """ "the openings … go in ascending user id as well"; "stays are numbered from 0 in the order they open"."""
        for user in sorted(self.without_session()):
            stay = going_on.get(user)
            if stay is None:
                stay = Stay(self.next_stay)
                self.next_stay += 1
            channel = self.channel_of(user)
            assert channel is not None
            self.sessions[user] = OpenSession(user, channel, self.period_index, stay, self.rules, at)

    def settle(self, at: int, going_on: dict[int, Stay] | None = None) -> None:
        """Open what is due, then write down everyone's status from `at` on. Only while watching."""
        assert self.blind_since is None
        self.open_sessions(at, going_on or {})
        for user, session in self.sessions.items():
            session.mark(at, self.status_of(user))

    def cut(self, users: Iterable[int], at: int, reason: Callable[[OpenSession], str]) -> None:
        """Close, and while watching open again; while blind "the sessions that it closes close at `b0`, with the reason
        of section 5, their stays end, and none opens before the interval ends".
        """
        if self.blind_since is not None:
            self.close_sessions(users, self.blind_since, reason)
        else:
            self.settle(at, self.close_sessions(users, at, reason))

    # Section 5.

    def on_voice_state(self, at: int, state: VoiceState) -> None:
        """ "Leaving voice closes it (`leave`); entering another channel, tracked or not, closes it (`move`)"."""
        if self.blind_since is not None:
            self.replays.append(state)
            return
        self.set_state(state)
        session = self.sessions.get(state.user)
        gone = [state.user] if session is not None and session.channel != state.channel else []
        self.cut(gone, at, lambda _: "leave" if state.channel is None else "move")

    def on_rules(self, at: int, rules: Rules) -> None:
        """ "every open session closes at `at`: with reason `rules` if its channel is still tracked …"."""
        if rules == self.rules:
            return
        self.rules = rules
        self.cut(list(self.sessions), at, lambda session: "rules" if self.tracks(session.channel) else "untracked")

    def on_period_end(self, at: int) -> None:
        """ "The period's index grows by one", also while blind, "at once"."""
        self.period_index += 1
        self.cut(list(self.sessions), at, lambda _: "period")

    def on_channel(self, at: int, channel: int, parent: int | None) -> None:
        """ "only if it is tracked now and was not, or the reverse"."""
        was_tracked = self.tracks(channel)
        self.parents[channel] = parent
        gone = self.in_session(channel) if was_tracked and not self.tracks(channel) else []
        self.cut(gone, at, lambda _: "untracked")

    def on_opt_out(self, at: int, user: int, out: bool) -> None:  # noqa: FBT001 (a line's body is positional)
        if out:
            self.opted_out.add(user)
        else:
            self.opted_out.discard(user)
        self.cut([user] if out and user in self.sessions else [], at, lambda _: "opted_out")

    def forget(self, states: Iterable[VoiceState]) -> None:
        for state in list(states):
            del self.states[state.user]

    def on_channel_deleted(self, at: int, channel: int) -> None:
        """ "Sessions in it close (`channel_deleted`); the states of the members in it are forgotten"."""
        self.forget(state for state in self.states.values() if state.channel == channel)
        self.cut(self.in_session(channel), at, lambda _: "channel_deleted")

    def on_guild_left(self, at: int) -> None:
        """ "All close (`guild_left`); all states of the guild are forgotten", and it "is not blind any more"."""
        self.forget(self.states.values())
        self.cut(list(self.sessions), at, lambda _: "guild_left")
        self.blind_since, self.replays = None, []

    # Section 6.

    def on_blind(self, at: int) -> None:
        """ "a second `blind` while blind changes nothing but forgets the replays seen since"."""
        self.replays = []
        if self.blind_since is None:
            self.blind_since = at

    def on_snapshot(self, at: int, states: tuple[VoiceState, ...]) -> None:
        """ "Replays are discarded; the snapshot is the truth"; while watching, "`b0 = b1 = at`"."""
        b0 = at if self.blind_since is None else self.blind_since
        self.states = {state.user: state for state in states}
        gone = [user for user, session in self.sessions.items() if self.channel_of(user) != session.channel]
        self.close_sessions(gone, b0, lambda _: "gap")
        self.end_blind(b0, at, uncertain=list(self.sessions))

    def on_resumed(self, at: int) -> None:
        """ "a replay took this member out of c: it closes at `b0` (`gap`), even if they are back"."""
        if self.blind_since is None:
            return
        touched, taken_out = self.apply_replays()
        gone = [user for user, session in self.sessions.items() if (user, session.channel) in taken_out]
        self.close_sessions(gone, self.blind_since, lambda _: "gap")
        uncertain = [user for user, session in self.sessions.items() if session.channel in touched]
        self.end_blind(self.blind_since, at, uncertain)

    def apply_replays(self) -> tuple[set[int | None], set[tuple[int, int | None]]]:
        """ "A channel is *touched* if it is the old or the new channel of any replay, old meaning the state after the
        replays before it". Answers the touched channels, and who was taken out of which channel.
        """
        touched, taken_out = set(), set()
        for replay in self.replays:
            old = self.channel_of(replay.user)
            touched |= {old, replay.channel}
            if old != replay.channel:
                taken_out.add((replay.user, old))
            self.set_state(replay)
        return touched, taken_out

    def end_blind(self, b0: int, b1: int, uncertain: list[int]) -> None:
        """`[b0, b1)` of those who are not in ``uncertain`` "simply keeps the status it had at `b0`"."""
        for user in uncertain:
            session = self.sessions[user]
            session.mark(b0, self.uncertain_status(session, b0, b1))
        self.blind_since, self.replays = None, []
        self.settle(b1)

    def uncertain_status(self, session: OpenSession, b0: int, b1: int) -> str:
        """ "`bridged` if `b1 - b0 <= bridge_gap_seconds * 1000` and the member's status was `counted` just before `b0`
        and is `counted` at `b1`; otherwise it is `unwitnessed`".
        """
        is_short = b1 - b0 <= self.rules.bridge_gap_seconds * 1000
        was_and_is_counted = session.status == "counted" and self.status_of(session.user) == "counted"
        return "bridged" if is_short and was_and_is_counted else "unwitnessed"

    # Section 9: the sessions still open at the end.

    def still_open(self) -> list[Session]:
        """ "reckoned to the last `at` of their guild, or to `b0` while it is blind"."""
        left = self.last_at if self.blind_since is None else self.blind_since
        return [reckon(self.guild_id, session, left or 0, None) for _, session in sorted(self.sessions.items())]


EVENTS: dict[str, Callable[..., None]] = {
    "rules": Guild.on_rules,
    "snapshot": Guild.on_snapshot,
    "voice_state": Guild.on_voice_state,
    "blind": Guild.on_blind,
    "resumed": Guild.on_resumed,
    "period_end": Guild.on_period_end,
    "channel": Guild.on_channel,
    "channel_deleted": Guild.on_channel_deleted,
    "opt_out": Guild.on_opt_out,
    "guild_left": Guild.on_guild_left,
}
