"""``/guilds/{guild_id}/receipts/{session_id}``: the file that proves one session."""

from __future__ import annotations

from http import HTTPStatus

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from dashboard.api_client import segment
from dashboard.downloads import download
from dashboard.errors import ApiRefused
from dashboard.page import InGuild


@get("/guilds/{guild_id:str}/receipts/{session_id:str}")
async def download_receipt(page: InGuild, session_id: FromPath[str]) -> Stream | Response[str]:
    """The receipt, or a page that says for what it still waits. The API lets everybody have their own."""
    try:
        return await download(page, f"/receipts/{segment(session_id)}")
    except ApiRefused as refused:
        if refused.status != HTTPStatus.CONFLICT:
            raise
        answer = page.render("member/receipt_waits.html", status=HTTPStatus.CONFLICT, why=refused.message)
        if refused.retry_after is not None:
            answer.headers["Retry-After"] = str(refused.retry_after)
        return answer


ROUTES: tuple[ControllerRouterHandler, ...] = (download_receipt,)
