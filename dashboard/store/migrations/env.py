"""What Alembic runs: the steps on a connection that `dashboard.store.steps` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from attendance.errors import ConfigError
from attendance.sql.steps import run_steps_on
from dashboard.store.schema import metadata

if (handed_over := context.config.attributes.get("connection")) is None:
    raise ConfigError("`rollcall migrate` and a start of the dashboard run these steps")
run_steps_on(handed_over, metadata)
