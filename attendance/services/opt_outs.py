"""Opting out: no sessions from then on, by the guild's owner and so in the order of the stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attendance.domain.commands import CommandKind
from attendance.domain.ids import GuildId, UserId
from attendance.errors import ForbiddenError
from attendance.ports.opt_outs import OptOutLine, OptOutSource
from attendance.services.commands import Commands, Request


@dataclass(frozen=True, slots=True)
class OptOuts:
    """Members' opt-outs."""

    source: OptOutSource
    commands: Commands

    async def since(self, guild_id: GuildId, user_id: UserId) -> int | None:
        """Since when a member has opted out; None for who has not."""
        return await self.source.opted_out_since(guild_id, user_id)

    async def page(self, guild_id: GuildId, limit: int, offset: int) -> tuple[list[OptOutLine], int]:
        """Who has opted out, the newest first, and how many there are."""
        return await self.source.page(guild_id, limit, offset)

    async def change(self, request: Request, user_id: UserId, *, out: bool, by_operator: bool = False) -> bool:
        """Opt a member out or in again; returns whether that changed anything.

        Raises:
            ForbiddenError: they opted out themselves, and nobody else but an operator undoes that.
            UnavailableError: the owner has not applied it in time; it waits.
        """
        body: dict[str, Any] = {"user_id": str(user_id), "out": out}
        if by_operator:
            body["by_operator"] = True
        result = await self.commands.apply(request, CommandKind.OPT_OUT, body)
        if "refused" in result:
            raise ForbiddenError("they opted out themselves: only they can undo that")
        return bool(result["changed"])
