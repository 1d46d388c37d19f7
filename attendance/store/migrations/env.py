"""What Alembic runs: the steps on a connection that `attendance.store.migrate` hands over, inside its transaction.

To write a new step, change the package ``attendance/store/schema``, let `rollcall migrate` bring some database to the newest
step, and ``alembic -x database=URL revision --autogenerate -m "what changes"`` compares the two.
"""

from __future__ import annotations

import asyncio

from alembic import context

from attendance.errors import ConfigError
from attendance.sql.steps import run_steps_on
from attendance.store.database import open_database
from attendance.store.schema import metadata


async def _run_for_the_command_line(url: str) -> None:
    database = open_database(url)
    try:
        async with database.transaction() as connection:
            await connection.run_sync(run_steps_on, metadata)
    finally:
        await database.close()


if context.is_offline_mode():
    raise ConfigError("migrations look at the database they change: there is no offline mode")
if (handed_over := context.config.attributes.get("connection")) is not None:
    run_steps_on(handed_over, metadata)
elif url := context.get_x_argument(as_dictionary=True).get("database"):
    asyncio.run(_run_for_the_command_line(url))
else:
    raise ConfigError("say which database: alembic -x database=URL …")
