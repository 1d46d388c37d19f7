"""The jobs: a name, how often to look, and one call. A look at nothing is cheap, and any number of processes may look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from attendance.services.archive import Archiver
from attendance.services.upkeep import Upkeep

ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Job:
    """Something to look at every so many seconds. ``look`` does what is due; its result does not matter."""

    name: str
    every_seconds: float
    look: Callable[[], Awaitable[object]]


def jobs_of(archiver: Archiver, upkeep: Upkeep) -> tuple[Job, ...]:
    """Every job there is.

    None of them ends periods: the owner of a guild's stream puts its boundary at the due instant by its own tick, in guilds
    in which nothing happens too. What no owner has cut in time is an alarm.
    """
    return (
        Job(ARCHIVE, 1, archiver.archive_due),
        Job("alarms", 15, upkeep.sound_alarms),
        Job("trim", 3_600, upkeep.trim),
    )
