"""Where interactions arrive: each becomes a task that answers within Discord's time, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol

import structlog

from attendance import metrics
from attendance.discord.interactions import (
    attendance_commands,
    leaderboard_command,
    privacy_commands,
    receipt_command,
    rollcall_commands,
)
from attendance.discord.interactions.answers import WARNING_COLOUR, Answer, embed
from attendance.discord.interactions.autocomplete import CHOICES_OF
from attendance.discord.interactions.call import Call, InteractionServices
from attendance.discord.interactions.handlers import Button, Command
from attendance.discord.interactions.payloads import Interaction, Kind, UnreadableInteractionError, read_interaction
from attendance.discord.interactions.rest import InteractionExpiredError
from attendance.domain.display_names import markdown_name
from attendance.domain.ids import GuildId
from attendance.errors import ForbiddenError, InvalidInputError, NotFoundError, RollcallError, UnavailableError
from attendance.ports.dispatches import INTERACTION_CREATE

MOST_AT_ONCE = 200
"""Interactions under way in this process. More are dropped: each is a human who waits, and they would not be served in time."""

_WORK_S = 45.0  # a deferred answer may take 15 minutes; nobody waits so long
_CHOICES_S = 2.0  # choices cannot be deferred, and Discord waits three seconds

COMMANDS: dict[tuple[str, ...], Command] = {
    **attendance_commands.COMMANDS,
    **leaderboard_command.COMMANDS,
    **privacy_commands.COMMANDS,
    **receipt_command.COMMANDS,
    **rollcall_commands.COMMANDS,
}
BUTTONS: dict[str, Button] = privacy_commands.BUTTONS

_log = structlog.get_logger(__name__)


class Answers(Protocol):
    """How answers reach Discord: `attendance.discord.interactions.rest.InteractionRest`, whose docstrings are the contract."""

    async def defer(self, interaction: Interaction, *, is_private: bool) -> None: ...  # noqa: D102

    async def defer_update(self, interaction: Interaction) -> None: ...  # noqa: D102

    async def answer_now(self, interaction: Interaction, answer: Answer) -> None: ...  # noqa: D102

    async def answer_choices(self, interaction: Interaction, choices: list[dict[str, Any]]) -> None: ...  # noqa: D102

    async def edit(self, interaction: Interaction, answer: Answer) -> None: ...  # noqa: D102

    async def answer_privately(self, interaction: Interaction, answer: Answer) -> None: ...  # noqa: D102


class InteractionDesk:
    """Takes raw interactions and sees each of them answered.

    Args:
        services: what the commands work with.
        answers: how answers reach Discord.
    """

    def __init__(self, services: InteractionServices, answers: Answers) -> None:
        self._services = services
        self._answers = answers
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, name: str, payload: Any) -> None:
        """Begin to answer one; returns at once."""
        try:
            interaction = read_interaction(payload)
        except UnreadableInteractionError as error:
            metrics.DISPATCH_FAILURES.labels(name).inc()
            _log.error("interaction_unreadable", why=str(error))
            return
        if interaction is None:
            return
        if len(self._tasks) >= MOST_AT_ONCE:
            metrics.DISPATCHES_DROPPED.labels(name).inc()
            _log.error("interaction_dropped", waiting=MOST_AT_ONCE)
            return
        task = asyncio.create_task(self._answer(interaction))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until everything taken so far is answered."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, interaction: Interaction) -> None:
        """The dispatch point of interactions: an error ends here, in the log if the member was not told all of it."""
        try:
            await self._answer_kind(interaction)
        except InteractionExpiredError as error:
            _log.info("interaction_expired", interaction=str(interaction), why=str(error))
        except Exception as error:  # noqa: BLE001 - nobody is above this in the task
            metrics.DISPATCH_FAILURES.labels(INTERACTION_CREATE).inc()
            if isinstance(error, RollcallError):
                _log.error("interaction_failed", interaction=str(interaction), reason=error.message)
            else:
                _log.exception("interaction_failed", interaction=str(interaction), reason=type(error).__name__)

    async def _answer_kind(self, interaction: Interaction) -> None:
        guild_id = interaction.guild_id
        if guild_id is None:
            if interaction.kind is not Kind.AUTOCOMPLETE:
                await self._answers.answer_now(interaction, _note("This works in a server only."))
            return
        if interaction.kind is Kind.AUTOCOMPLETE:
            await self._answer_choices(interaction, guild_id)
        elif interaction.kind is Kind.COMPONENT:
            await self._answer_button(interaction, guild_id)
        else:
            await self._answer_command(interaction, guild_id)

    async def _answer_command(self, interaction: Interaction, guild_id: GuildId) -> None:
        command = COMMANDS.get(interaction.path)
        if command is None:
            await self._answers.answer_now(interaction, _note("This command is not known any more. Reload Discord (Ctrl+R)."))
            return
        is_private = command.is_private(interaction)
        await self._answers.defer(interaction, is_private=is_private)
        answer, failed = await _worked(interaction, command.run(Call(self._services, interaction, guild_id)))
        if failed and not is_private:
            # A mistake is nobody else's business.
            await self._answers.answer_privately(interaction, answer)
        else:
            await self._answers.edit(interaction, answer)

    async def _answer_button(self, interaction: Interaction, guild_id: GuildId) -> None:
        button = BUTTONS.get(interaction.custom_id)
        if button is None:
            await self._answers.answer_now(interaction, _note("This button does nothing any more. Use the command again."))
            return
        await self._answers.defer_update(interaction)
        answer, _ = await _worked(interaction, button(Call(self._services, interaction, guild_id)))
        await self._answers.edit(interaction, answer)

    async def _answer_choices(self, interaction: Interaction, guild_id: GuildId) -> None:
        choices_of = CHOICES_OF.get((*interaction.path, interaction.focused or ""))
        choices: list[dict[str, Any]] = []
        if choices_of is not None:
            try:
                async with asyncio.timeout(_CHOICES_S):
                    choices = await choices_of(Call(self._services, interaction, guild_id))
            except (TimeoutError, RollcallError) as error:
                # No choices is an answer; the command itself will say what is wrong.
                _log.info("choices_missing", interaction=str(interaction), reason=type(error).__name__)
        await self._answers.answer_choices(interaction, choices)


async def _worked(interaction: Interaction, work: Awaitable[Answer]) -> tuple[Answer, bool]:
    """The answer, and whether it only says why there is none."""
    try:
        async with asyncio.timeout(_WORK_S):
            return await work, False
    except TimeoutError:
        return _note("This takes too long just now. Try again in a moment."), True
    except RollcallError as error:
        if not isinstance(error, InvalidInputError | NotFoundError | ForbiddenError):
            _log.warning("interaction_refused", interaction=str(interaction), code=error.code, reason=error.message)
        return _note(explained(error)), True
    except Exception as error:  # noqa: BLE001 - the member is told that it failed, the log what
        metrics.DISPATCH_FAILURES.labels(INTERACTION_CREATE).inc()
        _log.exception("interaction_failed", interaction=str(interaction), reason=type(error).__name__)
        return _note(f"Something went wrong here; the operator's log has it under {interaction.id}."), True


def explained(error: RollcallError) -> str:
    """The one table from our errors to what a member reads."""
    match error:
        case InvalidInputError() if error.details:
            lines = [
                f"{_sentence(error.message)}",
                *(f"`{name}`: {markdown_name(it, limit=300)}" for name, it in error.details.items()),
            ]
            return "\n".join(lines)
        case UnavailableError():
            return f"{_sentence(error.message)} Try again in a moment."
        case _:
            return _sentence(error.message)


def _sentence(message: str) -> str:
    text = markdown_name(message, limit=500)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _note(text: str) -> Answer:
    return Answer(embed=embed("That did not work", text, colour=WARNING_COLOUR))
