"""Of whom a page below ``/members/{user_id}`` is, and who may look."""

from __future__ import annotations

from attendance.errors import InvalidInputError, NotFoundError
from dashboard.domain.ids import parse_user_id
from dashboard.page import GuildPage


def member_of(page: GuildPage, text: str) -> str:
    """The member's id. Everybody may look at themselves; at others who may read here. The API judges it again.

    Raises:
        NotFoundError: it is no id.
        ApiRefused: 403.
    """
    try:
        user_id = parse_user_id(text)
    except InvalidInputError:
        raise NotFoundError("there is no such member") from None
    if user_id != page.user_id:
        page.expect("read")
    return str(user_id)


def section_of(page: GuildPage, user_id: str) -> str | None:
    """Which entry of the navigation a member's page belongs to: their own has one."""
    return "me" if user_id == str(page.user_id) else "leaderboard"
