"""How a guild's owner applies the commands of its inbox, in stream order (see `attendance.domain.commands`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from attendance.domain.audit import AuditEntry
from attendance.domain.commands import Command, CommandKind
from attendance.domain.ids import ChannelId, UserId, parse_snowflake
from attendance.domain.schedule import Anchor, Interval, next_reset, validate_schedule
from attendance.domain.settings import MAX_BRIDGE_GAP_SECONDS, MAX_MIN_SESSION_SECONDS, GuildSettings, TrackingMode
from attendance.domain.stream import lines
from attendance.domain.stream.batch import OptOutRow
from attendance.domain.stream.changes import changes_of
from attendance.domain.stream.guild_stream import GuildStream
from attendance.domain.stream.writer import StreamWriter
from attendance.errors import RollcallError

Body = dict[str, Any]
_FLAGS = ("pause_on_mute", "pause_on_deafen", "pause_when_solo", "exclude_afk")
_SECONDS = {"min_session_seconds": MAX_MIN_SESSION_SECONDS, "bridge_gap_seconds": MAX_BRIDGE_GAP_SECONDS}
_WHOLE_NUMBERS = ("weekday", "day", "month", "hour")


def apply_command(writer: StreamWriter, command: Command, now_ms: int) -> None:
    """Write what the command asks for and its answer into the writer's batch; a command that cannot be read is refused.

    The guild must be one of the writer's.
    """
    stream = writer.streams[command.guild_id]
    if command.kind == CommandKind.FORGET:
        _forget(writer, stream, command.id)
        return
    at_ms = writer.instant(stream, now_ms)
    before = stream.settings
    try:
        kind, body = CommandKind(command.kind), _object(command.body)
        result = _HANDLERS[kind](writer, stream, body, at_ms, command.actor.user_id)
    except (RollcallError, KeyError, TypeError, ValueError, RecursionError) as error:
        # Validated before it was inserted: only a newer or broken writer gets here. Nothing was put (handlers read first), and
        # nothing may be: a line that the fold refuses would end every start of the recorder.
        result = {"error": f"the command cannot be read: {error}"}
    else:
        writer.batch.audits += [
            AuditEntry(
                guild_id=command.guild_id,
                at_ms=at_ms,
                actor=command.actor,
                action=change.action,
                target=change.target,
                before=change.before,
                after=change.after,
            )
            for change in changes_of(kind, body, result, before, stream.settings)
        ]
    writer.batch.answers.append((command.id, json.dumps(result)))


def _forget(writer: StreamWriter, stream: GuildStream, command_id: int) -> None:
    """Drop a guild that the bot has left: its rows go with the batch. Nothing may have been put that would be folded after."""
    if stream.present or any(line.guild_id == stream.guild_id for line in writer.batch.lines):
        writer.batch.answers.append((command_id, json.dumps({"error": "the bot is in the guild, or something happens there"})))
        return
    del writer.streams[stream.guild_id]
    writer.batch.forgotten.add(stream.guild_id)


def _object(text: str) -> Body:
    body = json.loads(text)
    if type(body) is not dict:
        raise TypeError("not an object")
    return body


def _is_flag(value: object) -> bool:
    return type(value) is bool


def _is_whole(value: object, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _settings(writer: StreamWriter, stream: GuildStream, body: Body, at_ms: int, actor_id: UserId | None) -> Body:
    settings = stream.settings
    mode = TrackingMode(body.get("tracking_mode", settings.tracking_mode.value))
    wrong = [name for name in _FLAGS if name in body and not _is_flag(body[name])]
    wrong += [name for name, most in _SECONDS.items() if name in body and not _is_whole(body[name], most)]
    if wrong:
        raise TypeError(f"bad values for {', '.join(wrong)}")
    fairness = replace(settings.fairness, **{name: body[name] for name in (*_FLAGS, *_SECONDS) if name in body})
    writer.change_settings(stream, replace(settings, tracking_mode=mode, fairness=fairness), at_ms, actor_id)
    return {"tracking_mode": mode.value, **asdict(fairness)}


def _track(writer: StreamWriter, stream: GuildStream, body: Body, at_ms: int, actor_id: UserId | None) -> Body:
    channel_id = ChannelId(parse_snowflake(body["channel_id"], name="channel_id"))
    created = channel_id not in stream.settings.tracked_channels
    if created:
        channels = stream.settings.tracked_channels | {channel_id}
        writer.change_settings(stream, replace(stream.settings, tracked_channels=channels), at_ms, actor_id)
    return {"created": created}


def _untrack(writer: StreamWriter, stream: GuildStream, body: Body, at_ms: int, actor_id: UserId | None) -> Body:
    channel_id = ChannelId(parse_snowflake(body["channel_id"], name="channel_id"))
    removed = channel_id in stream.settings.tracked_channels
    if removed:
        channels = stream.settings.tracked_channels - {channel_id}
        writer.change_settings(stream, replace(stream.settings, tracked_channels=channels), at_ms, actor_id)
    return {"removed": removed}


def _schedule(writer: StreamWriter, stream: GuildStream, body: Body, at_ms: int, actor_id: UserId | None) -> Body:
    settings = stream.settings
    members: Body = dict(body)
    if "interval" in members:
        members["interval"] = Interval(members["interval"])
    if "anchor" in members:
        members["anchor"] = Anchor(members["anchor"])
    wrong = [name for name in _WHOLE_NUMBERS if name in members and not _is_whole(members[name], 31)]
    if wrong:
        raise TypeError(f"bad values for {', '.join(wrong)}")
    schedule = replace(settings.schedule, **members)
    validate_schedule(schedule)
    following = next_reset(schedule, at_ms, settings.last_reset_at_ms)
    changed: GuildSettings = replace(settings, schedule=schedule, next_reset_at_ms=following)
    writer.change_settings(stream, changed, at_ms, actor_id)
    return {**asdict(schedule), "next_reset_at_ms": following}


def _reset(writer: StreamWriter, stream: GuildStream, _body: Body, at_ms: int, _actor_id: UserId | None) -> Body:
    cut = writer.cut_period(stream, at_ms, at_ms, "manual")
    return {"period_index": cut.period_index, "ended_at_ms": cut.at_ms}


def _opt_out(writer: StreamWriter, stream: GuildStream, body: Body, at_ms: int, actor_id: UserId | None) -> Body:
    user_id = UserId(parse_snowflake(body["user_id"], name="user_id"))
    out, by_operator = body["out"], body.get("by_operator", False)
    if not _is_flag(out) or not _is_flag(by_operator):
        raise TypeError("out or by_operator is not a boolean")
    is_out, key = user_id in stream.opted_out, (stream.guild_id, user_id)
    if is_out and not out and not by_operator and actor_id != user_id and stream.opted_out[user_id] in (user_id, None):
        return {"changed": False, "refused": "own"}
    if out != is_out:
        text = lines.opt_out_text(at_ms, stream.guild_id, user_id, out=out)
        writer.append(stream, at_ms, "opt_out", text, user_id)
    if not out:
        stream.opted_out.pop(user_id, None)
        if is_out:
            writer.batch.opt_outs[key] = None
    elif not is_out:
        stream.opted_out[user_id] = actor_id
        writer.batch.opt_outs[key] = OptOutRow(at_ms, actor_id)
    elif actor_id == user_id and stream.opted_out[user_id] != user_id:
        # Somebody else has opted them out already: now they want it themselves, and nobody else undoes that.
        stream.opted_out[user_id] = actor_id
        before = writer.batch.opt_outs.get(key)
        writer.batch.opt_outs[key] = OptOutRow(None if before is None else before.since_ms, actor_id)
    return {"changed": out != is_out}


_HANDLERS: dict[CommandKind, Callable[[StreamWriter, GuildStream, Body, int, UserId | None], Body]] = {
    CommandKind.SETTINGS: _settings,
    CommandKind.TRACK: _track,
    CommandKind.UNTRACK: _untrack,
    CommandKind.SCHEDULE: _schedule,
    CommandKind.RESET: _reset,
    CommandKind.OPT_OUT: _opt_out,
}
