"""The desk answers everything that arrives, within Discord's time and in private where something went wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from attendance import metrics
from attendance.discord.interactions import desk as desks
from attendance.discord.interactions.answers import Answer
from attendance.discord.interactions.call import Call, InteractionServices, InvokersWord
from attendance.discord.interactions.desk import InteractionDesk, explained
from attendance.discord.interactions.handlers import Command
from attendance.discord.interactions.payloads import Interaction, read_interaction
from attendance.discord.interactions.rest import InteractionExpiredError
from attendance.domain.ids import GuildId, RoleId, UserId
from attendance.errors import ConflictError, ForbiddenError, InvalidInputError, UnavailableError
from attendance.ports.dispatches import INTERACTION_CREATE

NO_SERVICES: InteractionServices = None  # type: ignore[assignment]  # the commands of this test use none


@dataclass
class Told:
    """What reached Discord, in order."""

    calls: list[tuple[str, Any]] = field(default_factory=list)
    expired: bool = False

    async def defer(self, _interaction: Interaction, *, is_private: bool) -> None:
        if self.expired:
            raise InteractionExpiredError("too late")
        self.calls.append(("defer", is_private))

    async def defer_update(self, _interaction: Interaction) -> None:
        self.calls.append(("defer_update", None))

    async def answer_now(self, _interaction: Interaction, answer: Answer) -> None:
        self.calls.append(("answer_now", text(answer)))

    async def answer_choices(self, _interaction: Interaction, choices: list[dict[str, Any]]) -> None:
        self.calls.append(("choices", choices))

    async def edit(self, _interaction: Interaction, answer: Answer) -> None:
        self.calls.append(("edit", text(answer)))

    async def answer_privately(self, _interaction: Interaction, answer: Answer) -> None:
        self.calls.append(("answer_privately", text(answer)))


def text(answer: Answer) -> str:
    return answer.content or (answer.embed or {})["description"]


def payload(*path: str, kind: int = 2, **changed: Any) -> dict[str, Any]:
    options: list[dict[str, Any]] = [{"name": name, "type": 1, "options": []} for name in path[1:]]
    member = {"user": {"id": "7"}, "permissions": "0"}
    return {
        "id": "1", "application_id": "2", "type": kind, "token": "t", "guild_id": "5", "member": member,
        "data": {"name": path[0] if path else "", "options": options},
    } | changed  # fmt: skip


def command(monkeypatch: pytest.MonkeyPatch, error: Exception | None, *, is_private: bool) -> None:
    async def run(_call: Call) -> Answer:
        await asyncio.sleep(0)
        if error is not None:
            raise error
        return Answer(content="done")

    monkeypatch.setitem(desks.COMMANDS, ("test", "it"), Command(run, lambda _: is_private))


async def took(*payloads: Any, expired: bool = False) -> list[tuple[str, Any]]:
    told = Told(expired=expired)
    desk = InteractionDesk(NO_SERVICES, told)
    for one in payloads:
        await desk.take(INTERACTION_CREATE, one)
    await desk.settled()
    return told.calls


async def test_a_command_is_deferred_before_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, None, is_private=True)
    assert await took(payload("test", "it")) == [("defer", True), ("edit", "done")]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InvalidInputError("no *such* day", details={"day": "a day"}), "No \\*such\\* day.\n`day`: a day"),
        (ForbiddenError("you may not"), "You may not."),
        (ConflictError("it is stored otherwise"), "It is stored otherwise."),
        (UnavailableError("the database is away"), "The database is away. Try again in a moment."),
        (RuntimeError("secret detail"), "Something went wrong here; the operator's log has it under 1."),
        (TimeoutError(), "This takes too long just now. Try again in a moment."),
    ],
)
async def test_an_error_is_told_in_private(monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
    command(monkeypatch, error, is_private=True)
    assert await took(payload("test", "it")) == [("defer", True), ("edit", words)]
    command(monkeypatch, error, is_private=False)
    assert await took(payload("test", "it")) == [("defer", False), ("answer_privately", words)]


async def test_an_expired_interaction_is_not_worked_on_and_the_next_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, None, is_private=True)
    assert await took(payload("test", "it"), expired=True) == []


async def test_direct_messages_old_commands_and_old_buttons_are_answered_at_once() -> None:
    direct = payload("attendance", "me", guild_id=None, member=None, user={"id": "7"})
    gone = payload("attendance", "gone")
    button = payload(kind=3, data={"custom_id": "gone"})
    calls = await took(direct, gone, button)
    assert [kind for kind, _ in calls] == ["answer_now"] * 3
    assert sorted(words.split()[1] for _, words in calls) == ["button", "command", "works"]


async def test_choices_for_an_option_that_has_none_are_no_choices() -> None:
    typing = [{"name": "me", "type": 1, "options": [{"name": "x", "type": 3, "value": "a", "focused": True}]}]
    assert await took(payload(kind=4, data={"name": "attendance", "options": typing})) == [("choices", [])]


async def test_what_is_no_interaction_is_counted_and_answered_by_nothing() -> None:
    failures = metrics.DISPATCH_FAILURES.labels(INTERACTION_CREATE)
    before = failures._value.get()
    assert await took("nothing", None, payload(id=5), payload(type=1)) == []
    assert failures._value.get() == before + 3


async def test_beyond_its_bound_the_desk_drops_and_closing_it_ends_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def never(_call: Call) -> Answer:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setitem(desks.COMMANDS, ("test", "it"), Command(never))
    monkeypatch.setattr(desks, "MOST_AT_ONCE", 3)
    dropped = metrics.DISPATCHES_DROPPED.labels(INTERACTION_CREATE)
    before = dropped._value.get()
    told = Told()
    desk = InteractionDesk(NO_SERVICES, told)
    for _ in range(5):
        await desk.take(INTERACTION_CREATE, payload("test", "it"))
    await begun.wait()
    assert dropped._value.get() == before + 2
    await desk.close()
    assert told.calls == [("defer", True)] * 3


def test_an_errors_words_cannot_ping_or_break_the_embed() -> None:
    words = explained(InvalidInputError("@everyone `x`", details={"name": "<@1>"}))
    assert words == "\\@everyone \\`x\\`.\n`name`: \\<\\@1\\>"


class Lookup:
    async def may_manage(self, _guild_id: GuildId, _user_id: UserId) -> bool:
        raise UnavailableError("Discord is away")

    async def member_roles(self, _guild_id: GuildId, _user_id: UserId) -> frozenset[RoleId] | None:
        raise UnavailableError("Discord is away")


@pytest.mark.parametrize(
    ("permissions", "may"), [(0, False), (1 << 5, True), (1 << 3, True), (1 << 4, False), ((1 << 50) - 1, True)]
)
async def test_discord_has_judged_the_member_who_asks_and_nobody_else(permissions: int, may: bool) -> None:  # noqa: FBT001
    asked = payload("a", member={"user": {"id": "7"}, "permissions": str(permissions), "roles": ["9"]})
    interaction = read_interaction(asked)
    assert interaction is not None
    word = InvokersWord(interaction, Lookup())
    assert await word.may_manage(GuildId(5), UserId(7)) is may
    assert await word.member_roles(GuildId(5), UserId(7)) == frozenset({RoleId(9), RoleId(5)})
    for guild_id, user_id in ((GuildId(5), UserId(8)), (GuildId(6), UserId(7))):
        with pytest.raises(UnavailableError):
            await word.may_manage(guild_id, user_id)
        with pytest.raises(UnavailableError):
            await word.member_roles(guild_id, user_id)
