"""``/attendance receipt``: the file that proves one session."""

from __future__ import annotations

from attendance.discord.interactions.answers import GOOD_COLOUR, Answer, File, embed
from attendance.discord.interactions.call import Call
from attendance.discord.interactions.handlers import Command
from attendance.domain.receipts import file_name
from attendance.services.access import Right

_WHAT = (
    "Whoever has the file can check that this server's record of the session has not changed, with no word from us: "
    "`rollcall verify` does it without a network. It shows this session and nothing of other members. "
    "It does not say that anyone was attentive."
)


async def receipt(call: Call) -> Answer:
    """A session's receipt, as a file."""
    session_id = call.session_id()
    receipts = call.services.receipts
    await call.authorise(Right.OWN_STATS, subject=await receipts.subject(call.guild_id, session_id))
    content = await receipts.receipt(call.guild_id, session_id)
    file = File(file_name(session_id), content, f"The receipt of session {session_id}")
    return Answer(embed=embed("Receipt", _WHAT, [("Session", f"`{session_id}`")], colour=GOOD_COLOUR), files=[file])


COMMANDS: dict[tuple[str, ...], Command] = {("attendance", "receipt"): Command(receipt)}
