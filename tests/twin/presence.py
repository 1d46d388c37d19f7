"""Where a member was in voice without a session, and a stretch of the past under one rule set: by the slow and plain fold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.twin.fold import Guild
from tests.twin.rules import Rules, digest
from tests.twin.session import reckon
from tests.twin.trace import Line, read_line

Presence = tuple[int, int, int, str, bytes]


def why_unaccounted(guild: Guild, user: int) -> tuple[int, str, bytes] | None:
    """(channel, why, rules) of a member who is seen in voice and has no session."""
    state = guild.states.get(user)
    if guild.blind_since is not None or state is None or state.channel is None or state.bot or user in guild.sessions:
        return None
    if user in guild.opted_out:
        why = "opted_out"
    elif state.channel == guild.rules.afk_channel_id:
        why = "afk"
    else:
        why = "off" if guild.rules.mode == "off" else "untracked"
    return state.channel, why, digest(guild.rules)


def presence(guild: Guild, user: int, lines: Iterable[bytes], end: int) -> list[Presence]:
    """What holds after each line holds until the next one; equal neighbours are one."""
    samples = [(guild.last_at, why_unaccounted(guild, user))] if guild.last_at is not None else []
    for raw in lines:
        guild.apply(read_line(raw))
        assert guild.last_at is not None
        samples.append((guild.last_at, why_unaccounted(guild, user)))
    found: list[Presence] = []
    for (start, told), (until, _) in zip(samples, [*samples, (end, None)][1:], strict=True):
        if told is None or start >= until:
            continue
        if found and found[-1][1] == start and found[-1][2:] == told:
            found[-1] = (found[-1][0], until, *told)
        else:
            found.append((start, until, *told))
    return found


@dataclass
class Credit:
    credited_ms: int = 0
    sessions: int = 0


def credited_under(lines: Iterable[Line], guild: Guild, start: int, rules: Rules, end: int) -> dict[int, Credit]:
    """What each member is credited from ``start`` on if ``rules`` hold then, whatever the lines say."""
    pending = [line for line in lines if line.guild == guild.guild_id]
    if guild.last_at is not None:
        start = max(start, guild.last_at)
    while pending and pending[0].at < start:
        guild.apply(pending.pop(0))
    guild.apply(Line(start, "period_end", guild.guild_id))
    guild.apply(Line(start, "rules", guild.guild_id, (rules,)))
    guild.closed.clear()
    for line in pending:
        if line.type != "rules":
            guild.apply(line)
    assert guild.last_at is not None
    until = max(end, guild.last_at) if guild.blind_since is None else guild.blind_since
    still_open = [reckon(guild.guild_id, session, until, None) for session in guild.sessions.values()]
    found: dict[int, Credit] = {}
    for session in [*guild.closed, *(session for session in still_open if session.joined < until)]:
        credit = found.setdefault(session.user, Credit())
        credit.credited_ms += session.credited_ms
        credit.sessions += 1
    return found
