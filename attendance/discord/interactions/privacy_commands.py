"""``/attendance privacy``: what is kept of the member who asks, opting out, and erasing it all."""

from __future__ import annotations

from attendance.discord.interactions.answers import Answer, Button, embed
from attendance.discord.interactions.call import Call
from attendance.discord.interactions.handlers import Button as Press
from attendance.discord.interactions.handlers import Command
from attendance.discord.interactions.words import counted, instant
from attendance.domain.display_names import markdown_name
from attendance.domain.erasure import Erasure, ErasureState
from attendance.errors import NotFoundError
from attendance.ports.reports import SessionFilter
from attendance.services.access import Right

OPT_OUT, OPT_IN = "privacy:opt-out", "privacy:opt-in"
ERASE, KEEP = "privacy:erase", "privacy:keep"
_KEPT = (
    "Your name as this server shows it, and for each stay in a tracked voice channel: the channel, when you joined and left, "
    "when you were muted, deafened or alone, and what of it counted. Never what is said, and no messages.\n"
    "Finished sessions are signed, so that nobody can change them unnoticed."
)


async def privacy(call: Call) -> Answer:
    """What is kept, and the choice to opt out or in."""
    await call.authorise(Right.OWN_DATA, subject=call.user_id)
    return await _overview(call)


async def _overview(call: Call) -> Answer:
    services = call.services
    since_ms = await services.opt_outs.since(call.guild_id, call.user_id)
    sessions = await services.lists.sessions(SessionFilter(call.guild_id, user_id=call.user_id), 1, 0)
    stats = await services.statistics.member(call.guild_id, call.user_id)
    seen = ""
    if stats.first_seen_ms is not None and stats.last_seen_ms is not None:
        seen = f"from {instant(stats.first_seen_ms)} to {instant(stats.last_seen_ms)}"
    state = (
        "You are **opted in**: your time in tracked voice channels is recorded."
        if since_ms is None
        else f"You have been **opted out** since {instant(since_ms)}: no sessions of yours are recorded from then on. "
        "What was recorded before stays. For others you still count as company."
    )
    waiting = await _waiting_erasure(call)
    fields = [
        ("What is kept of members", _KEPT),
        ("Of you", " ".join(part for part in (counted(sessions.total, "finished session"), seen) if part)),
        ("Your name here", markdown_name(stats.display_name)),
        ("Now", state),
        ("Erasure", "" if waiting is None else _erasure_words(waiting)),
    ]
    buttons = [Button("Opt out", OPT_OUT, is_dangerous=True) if since_ms is None else Button("Opt in again", OPT_IN)]
    if waiting is None:
        buttons.append(Button("Erase everything", ERASE, is_dangerous=True))
    elif waiting.state is ErasureState.WAITING:
        buttons.append(Button("Do not erase", KEEP))
    return Answer(embed=embed("Your privacy on this server", fields=fields), buttons=buttons)


async def _waiting_erasure(call: Call) -> Erasure | None:
    """The erasure that stands, if any."""
    try:
        found = await call.services.erasures.state(call.guild_id, call.user_id)
    except NotFoundError:
        return None
    return found if found.state in (ErasureState.WAITING, ErasureState.RUNNING) else None


def _erasure_words(erasure: Erasure) -> str:
    if erasure.state is ErasureState.RUNNING:
        return "Everything that is kept of you is being erased. What is still recorded goes when you have left voice."
    return f"Everything that is kept of you will be erased {instant(erasure.due_at_ms, 'R')}, and cannot be brought back then."


async def opt_out(call: Call) -> Answer:
    """No sessions from now on."""
    return await _change(call, out=True)


async def erase(call: Call) -> Answer:
    """Ask for an erasure: it can be withdrawn for three days, so that one press destroys nothing."""
    await call.authorise(Right.ERASE, subject=call.user_id)
    await call.services.erasures.request(call.guild_id, call.user_id, call.request.actor)
    return await _overview(call)


async def keep(call: Call) -> Answer:
    """Withdraw an erasure, whoever asked for it."""
    await call.authorise(Right.ERASE, subject=call.user_id)
    await call.services.erasures.withdraw(call.guild_id, call.user_id, call.request.actor)
    return await _overview(call)


async def opt_in(call: Call) -> Answer:
    """Sessions again from now on."""
    return await _change(call, out=False)


async def _change(call: Call, *, out: bool) -> Answer:
    await call.authorise(Right.ERASE, subject=call.user_id)
    await call.services.opt_outs.change(call.request, call.user_id, out=out)
    return await _overview(call)


COMMANDS: dict[tuple[str, ...], Command] = {("attendance", "privacy"): Command(privacy)}
BUTTONS: dict[str, Press] = {OPT_OUT: opt_out, OPT_IN: opt_in, ERASE: erase, KEEP: keep}
