"""A whole trace of many guilds through the fold, and what `rollcall replay` prints of it (section 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.twin.fold import Guild
from tests.twin.session import Session, compact, printed
from tests.twin.trace import MalformedError, read_line, split_lines


@dataclass
class Replay:
    """``closed`` is in the order of closing; ``malformed`` is the number of the line that stopped it, from 1."""

    guilds: dict[int, Guild] = field(default_factory=dict)
    closed: list[Session] = field(default_factory=list)
    lines_read: int = 0
    malformed: int | None = None
    what: str = ""

    def feed(self, data: bytes, after_line: Callable[[Guild], None] | None = None) -> None:
        """Apply whole lines up to the first malformed one; ``after_line`` sees the guild of each."""
        for raw in split_lines(data):
            self.lines_read += 1
            try:
                self.apply(raw, after_line)
            except MalformedError as error:
                self.malformed, self.what = self.lines_read, str(error)
                return

    def apply(self, raw: bytes, after_line: Callable[[Guild], None] | None) -> None:
        line = read_line(raw)
        guild = self.guilds.setdefault(line.guild, Guild(line.guild))
        before = len(guild.closed)
        guild.apply(line)
        self.closed += guild.closed[before:]
        if after_line is not None:
            after_line(guild)

    def still_open(self) -> list[Session]:
        """ "in ascending guild and user id"."""
        return [session for _, guild in sorted(self.guilds.items()) for session in guild.still_open()]

    def printed(self, *, include_open: bool = False) -> bytes:
        """A malformed line stops it: "what earlier lines closed has been printed, nothing more is"."""
        shown = list(self.closed)
        if include_open and self.malformed is None:
            shown += self.still_open()
        return b"".join(compact(printed(session)) + b"\n" for session in shown)


def as_bytes(lines: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(compact(line) + b"\n" for line in lines)


def run(lines: Sequence[Mapping[str, Any]]) -> Replay:
    """A trace of dicts, all well formed."""
    replay = Replay()
    replay.feed(as_bytes(lines))
    assert replay.malformed is None, replay.what
    return replay
