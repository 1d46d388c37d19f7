"""Checkpoints that people kept: what copying does to a note, and how it is undone.

A checkpoint is signed byte for byte, but people copy it out of a message, and editors, mail and Windows change ends of lines.
Nothing that can be undone here is covered by ambiguity: a note has no blanks at the ends of its lines, no carriage return, no
line of three backticks, and exactly one newline at its end, so there is one note that a copy can stand for. Its signature is
verified over that.
"""

from __future__ import annotations

MAX_COPY_BYTES = 65_536
"""A checkpoint has a few hundred bytes; so much may be around it."""

_FENCE = "```"


def note_of_copy(data: bytes) -> bytes:
    """The note that a copy stands for: ``data`` itself, where copying has done nothing.

    Undone are: a byte order mark; CRLF and CR for newlines; blanks at the ends of lines; empty lines before and after, or a
    missing last newline; a code fence (three backticks, with or without a language) and whatever stands around it. Everything
    else stays, for the signature to refuse. Bytes that are no UTF-8 stay as they are.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data
    # splitlines() would break lines at characters that a note may contain.
    lines = [line.rstrip(" \t\u00a0") for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    lines = _inside_fence(lines)
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return "".join(line + "\n" for line in lines).encode()


def _inside_fence(lines: list[str]) -> list[str]:
    """The lines of the first code block, or all of them where there is none. The block may end on its last line."""
    opening = next((at for at, line in enumerate(lines) if line.startswith(_FENCE)), None)
    if opening is None:
        return lines
    inside: list[str] = []
    for line in lines[opening + 1 :]:
        before, fence, _ = line.partition(_FENCE)
        if fence:
            return [*inside, before.rstrip(" \t")] if before else inside
        inside.append(line)
    return inside
