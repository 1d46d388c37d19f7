"""``/attendance leaderboard``: a page of ten as a picture, and the same as text for whoever does not see it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from attendance.discord.interactions.answers import Answer, File, embed
from attendance.discord.interactions.call import Call
from attendance.discord.interactions.handlers import Command
from attendance.discord.interactions.payloads import Interaction
from attendance.discord.interactions.words import bold_name, counted, duration, local_date, local_time
from attendance.domain.display_names import markdown_name, plain_name
from attendance.errors import InvalidInputError, NotFoundError
from attendance.pictures.leaderboard import LeaderboardPicture, PictureLine, draw_leaderboard
from attendance.services.access import Right
from attendance.services.leaderboards import LeaderboardLine, LeaderboardQuery

PAGE = 10
_PICTURE = "leaderboard.png"
_UNNAMED = "A member"


async def leaderboard(call: Call) -> Answer:
    """A page of a leaderboard as a picture, with the same as text.

    Whoever may use the command may see it: who that is, is for the server's admins to say, in Discord's own settings.
    """
    page, index, channel_id = call.number("page") or 1, call.number("period"), call.channel()
    await call.authorise(Right.PRESENCE)
    offset = (page - 1) * PAGE
    query = LeaderboardQuery(guild_id=call.guild_id, period_index=index, channel_id=channel_id, limit=PAGE, offset=offset)
    found = await call.services.leaderboards.page(query)
    if offset and not found.lines:
        last = max(1, -(-found.total // PAGE))
        raise InvalidInputError("there is no such page", details={"page": f"1 to {last}"})
    lines = await _as_shown(call, found.lines)
    first = lines[0] if lines and not offset else await _first(call, query)
    longest_ms = max(1, first.credited_ms if first else 1)
    timezone = await call.timezone()
    overview = await call.services.overviews.of(call.guild_id)
    when = await _period_words(call, index, timezone)
    where = "" if channel_id is None else await _channel_name(call, channel_id)
    names = [plain_name(line.display_name or "", fallback="Erased member") for line in lines]
    subtitle = " · ".join(part for part in (when, where, counted(found.total, "member")) if part)
    picture = LeaderboardPicture(
        overview.name,
        subtitle,
        [
            PictureLine(line.rank, name, duration(line.credited_ms // 1000), line.credited_ms / longest_ms, line.live)
            for line, name in zip(lines, names, strict=True)
        ],
        f"As of {local_time(call.now_ms, timezone)}, {timezone}",
    )
    content = await asyncio.to_thread(draw_leaderboard, picture)
    text = "\n".join(_leaderboard_line(line) for line in lines) or "Nobody has any time yet."
    pages = max(1, -(-found.total // PAGE))
    shown = embed(
        f"Leaderboard of {markdown_name(overview.name)}",
        f"{markdown_name(subtitle, limit=200)}\n\n{text}",
        footer=f"Page {page} of {pages}" + (" · 🟢 in voice now" if any(line.live for line in lines) else ""),
        image=_PICTURE,
    )
    alt = f"Leaderboard, {subtitle}. " + "; ".join(
        f"{line.rank}. {name}, {duration(line.credited_ms // 1000)}" for line, name in zip(lines, names, strict=True)
    )
    return Answer(embed=shown, files=[File(_PICTURE, content, alt)])


async def _as_shown(call: Call, lines: Sequence[LeaderboardLine]) -> Sequence[LeaderboardLine]:
    """Without names where the guild does not want them shown: what is posted is for everybody in the channel."""
    if (await call.services.preferences.of(call.guild_id)).preferences.names_shown:
        return lines
    return [line._replace(display_name=line.display_name and _UNNAMED) for line in lines]


async def _first(call: Call, query: LeaderboardQuery) -> LeaderboardLine | None:
    """The line at the top: bars of all pages have one scale."""
    top = LeaderboardQuery(
        guild_id=call.guild_id, period_index=query.period_index, channel_id=query.channel_id, limit=1, offset=0
    )
    lines = (await call.services.leaderboards.page(top)).lines
    return lines[0] if lines else None


def _leaderboard_line(line: LeaderboardLine) -> str:
    name = bold_name(line.display_name) if line.display_name else "*erased member*"
    live = " 🟢" if line.live else ""
    return f"`{line.rank:>3}.` {name} · {duration(line.credited_ms // 1000)} · {counted(line.session_count, 'session')}{live}"


async def _period_words(call: Call, index: int | None, timezone: str) -> str:
    if index is None:
        overview = await call.services.overviews.of(call.guild_id)
        began = overview.period
        return "No period yet" if began is None else f"This period, since {local_date(began.started_at_ms, timezone)}"
    history, total = await call.services.keyring.history(call.guild_id, 1, 0)
    if total and history[0].period_index >= index:
        line = (await call.services.keyring.history(call.guild_id, 1, history[0].period_index - index))[0]
        if line and line[0].period_index == index and line[0].ended_at_ms is not None:
            began_ms, ended_ms = line[0].started_at_ms, line[0].ended_at_ms
            return f"Period {index}, {local_date(began_ms, timezone)} to {local_date(ended_ms - 1, timezone)}"
    return f"Period {index}"


async def _channel_name(call: Call, channel_id: int) -> str:
    channels, _ = await call.services.channels.page(call.guild_id, 1_000, 0)
    name = next((line.name for line in channels if line.channel_id == channel_id), None)
    if name is None:
        raise NotFoundError("this channel is not one that Rollcall knows")
    return plain_name(name)


def _leaderboard_is_private(interaction: Interaction) -> bool:
    return interaction.options.get("private") is True


COMMANDS: dict[tuple[str, ...], Command] = {("attendance", "leaderboard"): Command(leaderboard, _leaderboard_is_private)}
