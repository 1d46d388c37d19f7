"""Commands that need neither database nor network: ``replay``."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from attendance.cli.app import app
from attendance.core import Replay
from attendance.errors import TraceError, UnavailableError

_CHUNK_BYTES = 1 << 20
_UNUSABLE = 2


@app.command()
def replay(
    trace: Annotated[str, typer.Argument(help="A trace, one JSON object a line; `-` reads standard input.")],
    *,
    include_open: Annotated[bool, typer.Option("--open", help="Also print sessions still open at the end.")] = False,
) -> None:
    """Run a trace of voice events through the engine and print one closed session a line.

    No database and no network. A malformed line stops it with exit code 2, after everything the earlier lines closed.
    """
    with ExitStack() as resources:
        source, size = _open(trace, resources)
        progress = resources.enter_context(
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                DownloadColumn(),
                TimeRemainingColumn(),
                disable=not sys.stderr.isatty(),
                transient=True,
                console=Console(stderr=True),
            )
        )
        task = progress.add_task("replay", total=size)
        fold = Replay(include_open)
        out = sys.stdout.buffer
        try:
            while chunk := _read(source, trace):
                out.write(fold.feed(chunk))
                progress.advance(task, len(chunk))
            out.write(fold.finish())
            out.flush()
        except TraceError as error:
            out.write(error.printed)
            out.flush()
            progress.stop()
            sys.stderr.write(f"rollcall: {trace}, line {error.line_number}: {error.message}\n")
            raise typer.Exit(_UNUSABLE) from None
        except BrokenPipeError:  # `| head`: `main` knows
            raise
        except OSError as error:
            raise UnavailableError(f"the sessions cannot be written: {error.strerror}") from None


def _open(trace: str, resources: ExitStack) -> tuple[BinaryIO, int | None]:
    if trace == "-":
        return sys.stdin.buffer, None
    try:
        source = resources.enter_context(Path(trace).open("rb", buffering=0))  # noqa: SIM115  # the stack closes it
        return source, os.fstat(source.fileno()).st_size
    except OSError as error:
        _unreadable(trace, error)


def _read(source: BinaryIO, trace: str) -> bytes:
    try:
        return source.read(_CHUNK_BYTES)
    except OSError as error:
        _unreadable(trace, error)


def _unreadable(trace: str, error: OSError) -> NoReturn:
    sys.stderr.write(f"rollcall: {trace} cannot be read: {error.strerror}\n")
    raise typer.Exit(_UNUSABLE)
