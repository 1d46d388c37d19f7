"""The schema of the dashboard's database. Its revisions begin with a ``d``: no other database of ours passes for it."""

from __future__ import annotations

from pathlib import Path

from attendance.sql.steps import SchemaSteps

STEPS = SchemaSteps(Path(__file__).parent / "migrations")
