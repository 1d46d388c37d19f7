"""What a command and a button are to the desk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from attendance.discord.interactions.answers import Answer
from attendance.discord.interactions.call import Call
from attendance.discord.interactions.payloads import Interaction

Button = Callable[[Call], Awaitable[Answer]]
"""Answers a press with what its message shows from then on. Raises `RollcallError` with what to tell the member."""


def always(_interaction: Interaction) -> bool:
    """For commands whose answers are their caller's alone."""
    return True


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command.

    Attributes:
        run: makes the answer. Raises `RollcallError` with what to tell the member; it judges itself what who asks may.
        is_private: whether only who asks sees the answer.
    """

    run: Callable[[Call], Awaitable[Answer]]
    is_private: Callable[[Interaction], bool] = always
