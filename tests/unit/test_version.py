"""One version, in the package and in what is built of it."""

from __future__ import annotations

from importlib.metadata import version

from typer.testing import CliRunner

from attendance import __version__
from attendance.cli.app import app


def test_the_command_tells_the_version_that_was_built():
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"rollcall {__version__}\n")
    assert version("rollcall") == __version__
