"""From log destinations to what goes over the wire, and back."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from api.schemas.log_destinations import (
    AddLogDestinationBody,
    ChangeLogTypesBody,
    LogDestinationBody,
)
from attendance.domain.announcements import LogType
from attendance.domain.instants import to_rfc3339
from attendance.domain.log_destinations import Frequency, LogDestination, ordered_types
from attendance.errors import InvalidInputError
from attendance.ports.log_destinations import DestinationChange


def log_destination_body(destination: LogDestination) -> LogDestinationBody:
    """A destination."""
    delivered_ms = destination.last_delivered_at_ms
    return LogDestinationBody(
        id=str(destination.destination_id),
        channel_id=str(destination.channel_id),
        types=[one.value for one in destination.types],
        frequency=destination.frequency.value,
        last_delivered_at=None if delivered_ms is None else to_rfc3339(delivered_ms),
        last_error=destination.last_error,
    )


def wanted(body: AddLogDestinationBody) -> tuple[Sequence[LogType] | None, Frequency | None]:
    """The types and the frequency that a new destination is to have, as far as they are given."""
    types = None if body.types is UNSET else [LogType(one) for one in body.types]
    return types, None if body.frequency is UNSET else Frequency(body.frequency)


def change_of_types(body: ChangeLogTypesBody) -> DestinationChange:
    """What changes.

    Raises:
        InvalidInputError: only one of ``type`` and ``enabled`` is given.
    """
    if (body.type is UNSET) != (body.enabled is UNSET):
        missing = "enabled" if body.enabled is UNSET else "type"
        raise InvalidInputError("the body is not valid", details={missing: "required: type and enabled go together"})
    one = () if body.type is UNSET else (LogType(body.type),)
    return DestinationChange(
        types=None if body.types is UNSET else ordered_types(LogType(name) for name in body.types),
        added=one if body.enabled is True else (),
        removed=one if body.enabled is False else (),
    )
