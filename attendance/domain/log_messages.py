"""What a log destination is told, as embeds: plain data within Discord's limits, names made harmless.

A few things are told one embed each. Many become one embed for each kind of thing, with sums and the first lines: however
much has gathered, it is one message. Limits: Discord's documentation of messages (embed limits); characters are counted as
UTF-16 code units, which is never less than Discord counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from attendance.domain.display_names import markdown_name
from attendance.domain.ids import UserId
from attendance.domain.log_contents import CheckpointTold, PeriodTold, SessionTold, SigningTold, Told

MAX_EMBEDS = 10
MAX_CHARACTERS = 6_000  # of all embeds of a message together
MAX_DESCRIPTION = 4_096
_SUMMARY_CHARACTERS = 1_000  # three of them and one whole leaderboard, with titles and the footer, are within the limit
_SUMMARY_LINES = 15
_MAX_LINK = 200  # a longer public address would leave no room for anything else

_GREEN, _BLUE, _GOLD, _GREY, _RED = 0x2E8B57, 0x3B6EA8, 0xC9A227, 0x6E7781, 0xB3261E

_SESSION_REASONS = {
    "leave": "left the channel",
    "move": "moved to another channel",
    "rules": "the rules changed",
    "untracked": "the channel is not tracked any more",
    "period": "the period ended",
    "opted_out": "opted out of attendance",
    "channel_deleted": "the channel was deleted",
    "guild_left": "Rollcall left the server",
    "gap": "Rollcall lost sight of the channel",
}
_PERIOD_REASONS = {"schedule": "by its schedule", "manual": "by hand"}
_LOCK_REASONS = {
    "lock": "An admin locked the key",
    "lost": "The process that held the key open has ended, and the passphrase is needed again",
}
_KEY_CHANGES = {
    "generate": "The first signing key was made",
    "rotate": "A new signing key took over",
    "revoke": "A signing key was revoked",
    "change_passphrase": "The signing key has another passphrase",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A name and a value of an embed."""

    name: str
    value: str
    inline: bool = True


@dataclass(frozen=True, slots=True)
class Embed:
    """An embed. ``at_ms`` is shown as its time; texts are markdown but for ``footer``."""

    title: str
    description: str
    colour: int
    at_ms: int
    fields: tuple[Field, ...] = ()
    footer: str | None = None

    @property
    def characters(self) -> int:
        """How much it takes of `MAX_CHARACTERS`."""
        texts = [self.title, self.description, self.footer or "", *(field.name + field.value for field in self.fields)]
        return sum(map(_length, texts))


def compose(told: Sequence[Told], marker: str, public_url: str | None) -> tuple[Embed, ...]:
    """The embeds of one message about what is ``told``, in that order; none for nothing.

    Args:
        told: at least what happened; any number.
        marker: a short text that recognises the message among others of its channel; the footer of its last embed.
        public_url: where others reach this deployment, without a slash at the end; sessions are linked to their verification.
    """
    if not told:
        return ()
    footer = f"Rollcall · {marker}"
    embeds = [_one(thing, public_url) for thing in told] if len(told) <= MAX_EMBEDS else []
    if not embeds or sum(embed.characters for embed in embeds) + _length(footer) > MAX_CHARACTERS:
        embeds = _summaries(told, public_url)
    embeds[-1] = replace(embeds[-1], footer=footer)
    return tuple(embeds)


def text_of(told: Sequence[Told]) -> str | None:
    """What stands above the embeds, for people to copy: a checkpoint's note in a code block, every byte of it.

    It is the message's text because telephones copy that and no embeds. None: nothing.
    """
    notes = [thing.note for thing in told if isinstance(thing, CheckpointTold)]
    return f"```\n{notes[-1]}```" if notes else None


def duration(ms: int) -> str:
    """Whole seconds as people say them: ``1 h 02 min``, ``4 min 05 s``, ``12 s``."""
    seconds = ms // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds % 60:02} s" if minutes else f"{seconds} s"


def _one(told: Told, public_url: str | None) -> Embed:
    if isinstance(told, SessionTold):
        return _session(told, public_url)
    if isinstance(told, CheckpointTold):
        return _checkpoint(told)
    return _period(told) if isinstance(told, PeriodTold) else _signing(told)


def _session(session: SessionTold, public_url: str | None) -> Embed:
    paused = _paused(session)
    counted = f"**{duration(session.credited_ms)}**"
    if session.below_minimum:
        counted += " (too short to count)"
    return Embed(
        title="Session ended",
        description=f"{_who(session.user_id, session.member)} was in {_where(session)} for "
        f"{duration(session.left_ms - session.joined_ms)}",
        colour=_GREEN,
        at_ms=session.left_ms,
        fields=(
            Field("Counted", counted),
            Field("From", _time(session.joined_ms)),
            Field("To", _time(session.left_ms)),
            *((Field("Not counted", paused),) if paused else ()),
            Field("Ended because", _SESSION_REASONS.get(session.reason, session.reason)),
            Field("Session to verify", _session_link(session.session_id, public_url), inline=False),
        ),
    )


def _paused(session: SessionTold) -> str:
    parts = (
        (session.deafened_ms, "deafened"),
        (session.muted_ms, "muted"),
        (session.solo_ms, "alone"),
        (session.unwitnessed_ms, "not witnessed"),
    )
    return ", ".join(f"{duration(ms)} {why}" for ms, why in parts if ms)


def _period(period: PeriodTold) -> Embed:
    span = f"{_time(period.started_ms)} to {_time(period.ended_ms)}"
    if not period.is_archive:
        how = _PERIOD_REASONS.get(period.reason or "", "")
        text = f"Period {period.number} ended{' ' + how if how else ''}: {span}. The next one is running."
        return Embed("Period ended", text, _BLUE, period.ended_ms)
    lines = [f"{span}, {_count(period.entry_count, 'member')}"]
    lines += [
        f"**{entry.rank}.** {_who(entry.user_id, entry.member)} · {duration(entry.credited_ms)}" for entry in period.entries
    ]
    more = period.entry_count - len(period.entries)
    if more > 0:
        lines.append(f"… and {more:,} more")
    return Embed(f"Leaderboard of period {period.number}", "\n".join(lines), _GOLD, period.ended_ms)


def _signing(told: SigningTold) -> Embed:
    fields = (Field("Key", f"`{told.kid}`", inline=False),)
    if told.change is not None:
        return Embed("Signing key changed", _key_change(told.change), _GREY, told.at_ms, fields)
    if told.reason is not None:
        reason = _LOCK_REASONS.get(told.reason, told.reason)
        text = f"{reason}. Attendance is still recorded; it is signed once the key is unlocked."
        return Embed("Signing is locked", text, _RED, told.at_ms, fields)
    return Embed("Signing is unlocked", "What waited is being signed.", _GREEN, told.at_ms, fields)


def _checkpoint(told: CheckpointTold) -> Embed:
    text = (
        f"The transparency log had {_count_entries(told.size)}. Keep a copy of the text above where this server's admins and "
        "Rollcall's operators cannot change it. `rollcall log check --against FILE` holds it against the log later: whatever "
        "was recorded before it cannot be changed or left out without being seen."
    )
    return Embed("Today's checkpoint", text, _BLUE, told.at_ms)


def _count_entries(size: int) -> str:
    return "1 entry" if size == 1 else f"{size:,} entries"


def _summaries(told: Sequence[Told], public_url: str | None) -> list[Embed]:
    sessions = [thing for thing in told if isinstance(thing, SessionTold)]
    resets = [thing for thing in told if isinstance(thing, PeriodTold) and not thing.is_archive]
    boards = [thing for thing in told if isinstance(thing, PeriodTold) and thing.is_archive]
    signing = [thing for thing in told if isinstance(thing, SigningTold)]
    found: list[Embed] = []
    if len(sessions) > 1:
        found.append(_session_summary(sessions, public_url))
    if len(resets) > 1:
        text = _listed("", map(_reset_line, resets), len(resets))
        found.append(Embed(f"{len(resets):,} periods ended", text, _BLUE, resets[-1].ended_ms))
    if len(boards) > 1:
        text = _listed("", map(_board_line, boards), len(boards))
        found.append(Embed(f"{len(boards):,} leaderboards", text, _GOLD, boards[-1].ended_ms))
    if len(signing) > 1:
        text = _listed("", map(_signing_line, signing), len(signing))
        found.append(Embed(f"{len(signing):,} changes of signing", text, _GREY, signing[-1].at_ms))
    checkpoints = [thing for thing in told if isinstance(thing, CheckpointTold)][-1:]  # the newest says all of them
    groups: tuple[Sequence[Told], ...] = (sessions, resets, boards, signing, checkpoints)
    return found + [_one(group[0], public_url) for group in groups if len(group) == 1]


def _session_summary(sessions: Sequence[SessionTold], public_url: str | None) -> Embed:
    credited_ms = sum(session.credited_ms for session in sessions)
    members = len({session.user_id for session in sessions})
    reasons = Counter(session.reason for session in sessions).most_common()
    head = f"{_count(members, 'member')}, **{duration(credited_ms)}** counted\n"
    head += ", ".join(f"{_SESSION_REASONS.get(reason, reason)} ({count:,})" for reason, count in reasons)
    lines = (
        f"{_who(session.user_id, session.member)} · {_where(session)} · {duration(session.credited_ms)} · "
        f"{_session_link(session.session_id, public_url)}"
        for session in sessions
    )
    text = _listed(head + "\n", lines, len(sessions))
    return Embed(f"{len(sessions):,} sessions ended", text, _GREEN, sessions[-1].left_ms)


def _reset_line(period: PeriodTold) -> str:
    return f"Period {period.number}: {_time(period.started_ms)} to {_time(period.ended_ms)}"


def _board_line(period: PeriodTold) -> str:
    first = period.entries[0] if period.entries else None
    led = f" · first: {_who(first.user_id, first.member)}, {duration(first.credited_ms)}" if first else ""
    return f"Period {period.number} · {_count(period.entry_count, 'member')}{led}"


def _signing_line(told: SigningTold) -> str:
    what = (
        _key_change(told.change)
        if told.change
        else f"Locked: {_LOCK_REASONS.get(told.reason, told.reason)}"
        if told.reason
        else "Unlocked"
    )
    return f"{_time(told.at_ms)} · {what}"


def _listed(head: str, lines: Iterable[str], count: int) -> str:
    """The head and as many lines as fit, and how many more there are. Lines are made only as far as they are shown."""
    shown: list[str] = []
    room = _SUMMARY_CHARACTERS - _length(head)
    for line in lines:
        room -= _length(line) + 1
        if room < 0 or len(shown) == _SUMMARY_LINES:
            break
        shown.append(line)
    more = count - len(shown)
    return head + "\n".join([*shown, f"… and {more:,} more"] if more else shown)


def _key_change(change: str) -> str:
    return _KEY_CHANGES.get(change, "The signing key was changed")


def _who(user_id: UserId | None, member: str | None) -> str:
    if member is None:
        return "A member"
    return f"**{markdown_name(member)}**" + ("" if user_id is None else f" (<@{user_id}>)")


def _where(session: SessionTold) -> str:
    return f"{markdown_name(session.channel)} (<#{session.channel_id}>)"


def _session_link(session_id: UUID, public_url: str | None) -> str:
    if public_url is None or len(public_url) > _MAX_LINK:
        return f"`{session_id}`"
    return f"[`{session_id}`]({public_url}/verify/session/{session_id})"


def _time(at_ms: int) -> str:
    """Shown by Discord in each reader's own time zone."""
    return f"<t:{at_ms // 1000}:f>"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
