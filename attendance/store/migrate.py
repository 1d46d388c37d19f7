"""The tracker's schema: the steps in ``migrations``. What each name does is said at `attendance.sql.steps.SchemaSteps`."""

from __future__ import annotations

from pathlib import Path

from attendance.sql.steps import SchemaSteps

STEPS = SchemaSteps(Path(__file__).parent / "migrations")

current_revision = STEPS.current_revision
head_revision = STEPS.head_revision
is_known = STEPS.is_known
locked_revision = STEPS.locked_revision
prepare = STEPS.prepare
run_steps = STEPS.run
upgrade = STEPS.upgrade
