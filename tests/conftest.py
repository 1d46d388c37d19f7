"""Hypothesis profiles: `quick` by default, `ci` and `soak` by `--hypothesis-profile`."""

from __future__ import annotations

import structlog
from hypothesis import HealthCheck, settings

# As the service has it (attendance/logs.py): structlog's own default draws every local variable of every frame, which takes
# seconds on a loaded machine, in the middle of what a test waits for.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("quick", max_examples=50, deadline=None, suppress_health_check=SLOW_IS_FINE)
# The gate tries the same examples each time, so that what fails there was changed; `make soak` looks for new ones.
settings.register_profile("ci", max_examples=2000, deadline=None, suppress_health_check=SLOW_IS_FINE, derandomize=True)
settings.register_profile("soak", max_examples=10_000, deadline=None, suppress_health_check=SLOW_IS_FINE, print_blob=True)
settings.load_profile("quick")

pytest_plugins = [
    "tests.fixtures_empty_database",
    "tests.fixtures_database",
    "tests.fixtures_api",
    "tests.fixtures_accounts",
    "tests.fixtures_demo",
    "tests.fixtures_dashboard",
    "tests.fixtures_browser",
]
