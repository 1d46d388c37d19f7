"""``/receipts``: everything that one needs to check one session, without us."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter
from litestar.types import ControllerRouterHandler

from api.auth import requires
from api.errors import guild_errors
from api.parameters import Guild, Services
from api.routes import GUILD
from api.schemas.receipts import ReceiptBody
from api.schemas.wire import UUID_TEXT
from attendance.domain.receipts import file_name
from attendance.services.access import Right


@get(
    f"{GUILD}/receipts/{{session_id:str}}",
    operation_id="getReceipt",
    summary="The receipt of a session",
    description="One file with the record, its signature and key, the timeline, the rules, and the proofs that the log has the "
    "record: `rollcall verify` checks it with no network. It shows this session and nothing of other members. Members may "
    "ask for their own without Manage Server. 409 with `Retry-After` while the record is not signed or not logged yet.",
    tags=["signing"],
    media_type="application/json",
    guards=[requires(Right.OWN_STATS, own_session="session_id")],
    responses={200: ResponseSpec(ReceiptBody, description="The receipt", generate_examples=False), **guild_errors(409)},
)
async def get_receipt(
    services: Services,
    guild: Guild,
    session_id: Annotated[str, PathParameter(pattern=UUID_TEXT, description="The session's id")],
) -> Response[bytes]:
    """A receipt's bytes."""
    session = UUID(session_id)
    receipt = await services.receipts.receipt(guild, session)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(session)}"', "Cache-Control": "private, no-store"}
    return Response(receipt, media_type="application/json", headers=headers)


ROUTES: list[ControllerRouterHandler] = [get_receipt]
