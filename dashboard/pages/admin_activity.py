"""``/admin/activity``: who did what, from which address."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.types import ControllerRouterHandler

from attendance.errors import InvalidInputError
from dashboard.domain.activity import ACTIVITY_DAYS, Action, LoggedActivity, parse_action
from dashboard.domain.ids import parse_user_id
from dashboard.page import AnyPage, Html
from dashboard.pages.admin_requests import actor_of, asked_offset, asked_text, operator_frame, status_of, views_admin
from dashboard.requests import local_address

_ENTRIES_A_PAGE = 50


@get("/admin/activity", guards=[views_admin])
async def show_activity(page: AnyPage, request: Request[Any, Any, Any]) -> Html:
    """A page of the log: ``user_id`` and ``action`` narrow it."""
    actor, offset = await actor_of(request), asked_offset(request)
    user, action = asked_text(request, "user_id"), asked_text(request, "action")
    error: InvalidInputError | None = None
    logs: list[LoggedActivity] = []
    total = 0
    try:
        user_id = None if user is None else parse_user_id(user)
        kind = None if action is None else parse_action(action)
        logs, total = await page.services.accounts.activity(actor, user_id, kind, _ENTRIES_A_PAGE, offset)
    except InvalidInputError as refused:
        error = refused
    return page.render(
        "admin/activity.html",
        status=status_of(error),
        **operator_frame(page, "activity", error),
        logs=logs,
        total=total,
        limit=_ENTRIES_A_PAGE,
        offset=offset,
        days=ACTIVITY_DAYS,
        kinds=[(one.value, page.words(f"admin-action-{one.value.replace('_', '-')}")) for one in Action],
        user_id=user or "",
        action=action,
        url=local_address(request),
    )


ROUTES: tuple[ControllerRouterHandler, ...] = (show_activity,)
