"""``/rollcall``: the settings and the state of a guild, for who manages it."""

from __future__ import annotations

from attendance.discord.interactions.answers import GOOD_COLOUR, WARNING_COLOUR, Answer, Button, embed
from attendance.discord.interactions.call import Call
from attendance.discord.interactions.handlers import Command
from attendance.discord.interactions.words import (
    channel_link,
    counted,
    duration,
    instant,
    month_name,
    weekday_name,
    yes_no,
)
from attendance.domain.display_names import markdown_name
from attendance.domain.schedule import Anchor, Interval, Schedule
from attendance.domain.settings import Fairness, TrackingMode
from attendance.errors import InvalidInputError
from attendance.services.access import Right
from attendance.services.overview import GuildOverview
from attendance.services.settings import ScheduleView
from attendance.services.verification import Verdict

_CHANNELS_SHOWN = 20
_MODES = {
    TrackingMode.ALL: "all channels",
    TrackingMode.ALLOWLIST: "only channels on the list",
    TrackingMode.DENYLIST: "all but channels on the list",
    TrackingMode.OFF: "off: nobody is recorded",
}
_VALID_MEANS = (
    "*Valid* means: this deployment recorded exactly this, and it has not been changed since. It does not say that a member "
    "was attentive, or that the deployment is honest: who holds the server's key can sign anything new."
)


async def status(call: Call) -> Answer:
    """What is recorded and signed, and what is missing. A locked key is a link, never a passphrase typed into Discord."""
    await call.authorise(Right.READ)
    services = call.services
    overview = await services.overviews.of(call.guild_id)
    tracked = await services.settings.tracked(call.guild_id, _CHANNELS_SHOWN, 0)
    presence = await services.channels.bot_presence(call.guild_id)
    listed = ", ".join(channel_link(line.channel_id) for line in tracked.channels)
    if tracked.total > _CHANNELS_SHOWN:
        listed += f" and {counted(tracked.total - _CHANNELS_SHOWN, 'more')}"
    missing = ", ".join(presence.missing_permissions)
    is_locked = overview.signing_configured and not overview.signing_unlocked
    fields = [
        ("Recorded", _MODES[overview.tracking_mode]),
        ("Channels on the list", listed or "none"),
        (
            "Now",
            f"{counted(overview.members_present, 'member')} in {counted(overview.channels_occupied, 'channel')}",
        ),
        ("Running period", _period_words(overview)),
        ("Signing", _signing_words(overview, call.services.public_url)),
        ("The bot lacks", f"{missing}: give its role these permissions" if missing else ""),
    ]
    buttons = [Button("Unlock signing", url=services.public_url)] if services.public_url and is_locked else []
    colour = WARNING_COLOUR if is_locked or missing or not overview.signing_configured else GOOD_COLOUR
    return Answer(embed=embed(f"Rollcall in {markdown_name(overview.name)}", fields=fields, colour=colour), buttons=buttons)


def _period_words(overview: GuildOverview) -> str:
    period = overview.period
    if period is None:
        return "none yet"
    ends = "ends by hand only" if overview.ends_at_ms is None else f"ends {instant(overview.ends_at_ms, 'R')}"
    sums = (
        counted(overview.member_count, "member"),
        counted(overview.session_count, "session"),
        duration(overview.credited_ms // 1000),
    )
    lines = [f"period {period.index} since {instant(period.started_at_ms)}, {ends}", ", ".join(sums)]
    if overview.blind_ms:
        lines.append(f"nobody watched for {duration(overview.blind_ms // 1000)} of it")
    return "\n".join(lines)


def _signing_words(overview: GuildOverview, public_url: str | None) -> str:
    waiting = f", {counted(overview.signing_pending, 'record')} waiting" if overview.signing_pending else ""
    if not overview.signing_configured:
        return f"no key yet{waiting}: make one in the dashboard" + (f" at {public_url}" if public_url else "")
    if overview.signing_unlocked:
        return f"records are being signed{waiting}"
    where = f" at {public_url}" if public_url else ""
    return f"**locked**{waiting}: unlock it in the dashboard{where}. Nothing is lost meanwhile. Never type a passphrase here."


async def track(call: Call) -> Answer:
    """Put a channel on the list."""
    await call.authorise(Right.WRITE)
    channel_id = call.channel()
    if channel_id is None:
        raise InvalidInputError("name a channel", details={"channel": "one of those offered"})
    line, is_new = await call.services.settings.track(call.request, channel_id)
    word = "is on the list now" if is_new else "was on the list already"
    return Answer(embed=embed("Channels", f"{channel_link(line.channel_id)} {word}.{await _list_hint(call)}"))


async def untrack(call: Call) -> Answer:
    """Take a channel off the list."""
    await call.authorise(Right.WRITE)
    channel_id = call.channel()
    if channel_id is None:
        raise InvalidInputError("name a channel", details={"channel": "one of those offered"})
    await call.services.settings.untrack(call.request, channel_id)
    return Answer(embed=embed("Channels", f"{channel_link(channel_id)} is not on the list any more.{await _list_hint(call)}"))


async def _list_hint(call: Call) -> str:
    mode = (await call.services.overviews.of(call.guild_id)).tracking_mode
    if mode in {TrackingMode.ALLOWLIST, TrackingMode.DENYLIST}:
        return f"\nRecorded: {_MODES[mode]}."
    return f"\nThe list has no effect as it is: recorded are {_MODES[mode]} (`/rollcall mode` changes that)."


async def mode(call: Call) -> Answer:
    """Which channels count."""
    await call.authorise(Right.WRITE)
    changed = await call.services.settings.change_mode(call.request, call.text("mode") or "")
    return Answer(embed=embed("Mode", f"Recorded from now on: **{_MODES[changed]}**."))


async def fairness(call: Call) -> Answer:
    """The fairness settings, changed or as they are."""
    changes: dict[str, bool | int] = {}
    for name in Fairness.__dataclass_fields__:
        value = call.number(name) if name.endswith("_seconds") else call.switch(name)
        if value is not None:
            changes[name] = value
    await call.authorise(Right.WRITE if changes else Right.READ)
    if changes:
        now = await call.services.settings.change_fairness(call.request, changes)
    else:
        now = await call.services.settings.fairness(call.guild_id)
    shortest = "no minimum" if not now.min_session_seconds else duration(now.min_session_seconds)
    lines = [
        f"Pause when muted (`pause_on_mute`): **{yes_no(now.pause_on_mute)}**",
        f"Pause when deafened (`pause_on_deafen`): **{yes_no(now.pause_on_deafen)}**",
        f"Pause when alone (`pause_when_solo`): **{yes_no(now.pause_when_solo)}**",
        f"Leave the AFK channel out (`exclude_afk`): **{yes_no(now.exclude_afk)}**",
        f"Shortest stay that counts (`min_session_seconds`): **{shortest}**",
        f"Bridge unwatched gaps up to (`bridge_gap_seconds`): **{duration(now.bridge_gap_seconds)}**",
    ]
    footer = "In force from now on; what was recorded before stays as it was." if changes else ""
    return Answer(embed=embed("Fairness", "\n".join(lines), footer=footer))


async def period(call: Call) -> Answer:
    """The reset schedule, changed or as it is."""
    changes: dict[str, str | int] = {}
    for name in ("interval", "anchor", "timezone"):
        text = call.text(name)
        if text is not None:
            changes[name] = text
    for name in ("weekday", "day", "month", "hour"):
        number = call.number(name)
        if number is not None:
            changes[name] = number
    await call.authorise(Right.WRITE if changes else Right.READ)
    settings = call.services.settings
    view = await (settings.change_schedule(call.request, changes) if changes else settings.schedule(call.guild_id))
    return Answer(embed=embed("Periods", _schedule_words(view), footer=f"Time zone: {view.schedule.timezone}"))


def _schedule_words(view: ScheduleView) -> str:
    schedule = view.schedule
    if schedule.interval is Interval.OFF:
        return "Periods end by hand only (`interval` sets a schedule)."
    lines = [f"**{_interval_words(schedule)}**"]
    if view.next_resets_ms:
        lines += ["Next ends:", *(f"• {instant(at_ms)}" for at_ms in view.next_resets_ms)]
    return "\n".join(lines)


def _interval_words(schedule: Schedule) -> str:
    interval = schedule.interval.value.capitalize()
    if schedule.anchor is Anchor.ROLLING or schedule.interval is Interval.HOURLY:
        return f"{interval}, counted from the last end" if schedule.anchor is Anchor.ROLLING else interval
    day = {
        Interval.WEEKLY: f", on {weekday_name(schedule.weekday)}",
        Interval.MONTHLY: f", on day {schedule.day}",
        Interval.YEARLY: f", on {schedule.day} {month_name(schedule.month)}",
    }.get(schedule.interval, "")
    return f"{interval}{day} at {schedule.hour:02d}:00"


async def verify(call: Call) -> Answer:
    """Whether a record still is what was signed."""
    await call.authorise(Right.READ)
    session, index = call.text("session"), call.number("period")
    if (session is None) == (index is None):
        details = {"session": "a session's id, or", "period": "a period that is over, and not both"}
        raise InvalidInputError("say what to verify", details=details)
    if index is not None:
        verdict = await call.services.verification.period(call.guild_id, index)
        what = f"Period {index}"
    else:
        session_id = call.session_id()
        verdict = await call.services.verification.session(session_id)
        what = f"Session {session_id}"
    return _verdict_answer(what, verdict)


def _verdict_answer(what: str, verdict: Verdict) -> Answer:
    if verdict.valid:
        word, colour = "✅ Valid", GOOD_COLOUR
    elif verdict.state == "signed":
        word, colour = "❌ Not valid", WARNING_COLOUR
    else:
        word, colour = ("⏳ Not signed yet" if verdict.state == "pending" else "Erased"), WARNING_COLOUR
    lines = [f"**{word}**" + ("" if verdict.reason is None else f": {verdict.reason}")]
    if verdict.signed_at_ms is not None:
        lines.append(f"Signed {instant(verdict.signed_at_ms)} with the key `{verdict.kid}`")
    return Answer(embed=embed(what, "\n".join(lines), [("What this says", _VALID_MEANS)], colour=colour))


COMMANDS: dict[tuple[str, ...], Command] = {
    ("rollcall", "status"): Command(status),
    ("rollcall", "track"): Command(track),
    ("rollcall", "untrack"): Command(untrack),
    ("rollcall", "mode"): Command(mode),
    ("rollcall", "fairness"): Command(fairness),
    ("rollcall", "period"): Command(period),
    ("rollcall", "verify"): Command(verify),
}
