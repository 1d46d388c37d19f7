"""The command ``rollcall``: one module for each group of commands, one table from errors to exit codes."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from attendance.cli.app import app
from attendance.errors import ConfigError, RollcallError, TraceError

# Where each command lives. Only the asked one's module is imported: `replay` needs neither database nor Discord, and
# importing those costs more than replaying a hundred thousand lines.
_MODULES = {
    "serve": "service",
    "demo": "service",
    "demo-history": "history",
    "healthcheck": "service",
    "migrate": "data",
    "backup": "data",
    "restore": "data",
    "dashboard-erase": "data",
    "replay": "records",
    "log": "transparency",
    "verify": "verification",
    "export": "exporting",
    "simulate": "simulation",
    "token": "development",
    "config-dump": "development",
    "invite": "development",
    "master-key": "development",
}
# 2: what was given cannot be used; 1: everything else that was expected to be able to fail.
_EXIT_CODES: dict[type[RollcallError], int] = {ConfigError: 2, TraceError: 2}


def main() -> None:
    """Run the command line; expected failures become one line on standard error and an exit code."""
    os.umask(0o077)  # whatever we create holds secrets or people: nobody else reads it
    asked = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")
    for module in sorted({_MODULES[asked]} if asked in _MODULES else set(_MODULES.values())):
        import_module(f"attendance.cli.{module}")
    try:
        app()
    except RollcallError as error:
        named = [f"{name}: {problem}" for name, problem in error.details.items()]
        for line in [*error.message.splitlines(), *named]:
            sys.stderr.write(f"rollcall: {line}\n")
        sys.exit(_EXIT_CODES.get(type(error), 1))
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing is wrong, and nobody is left to tell.
        sys.stderr.close()
        sys.exit(0)
