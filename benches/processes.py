"""The command `rollcall` as a process: started, read until it says what is awaited, ended by its id."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CLI = "from attendance.cli import main; main()"


@asynccontextmanager
async def process(*arguments: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs until the end of the block."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CLI,
        *arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        await started.wait()


async def read_until(stream: asyncio.StreamReader | None, word: str) -> str:
    """The line of a process's output that has the word."""
    assert stream is not None
    seen = ""
    while line := (await stream.readline()).decode():
        seen += line
        if word in line:
            return line.strip()
    raise RuntimeError(f"the process ended without saying {word}:\n{seen}")


async def drain(stream: asyncio.StreamReader | None) -> None:
    """Read the rest, so that the process never waits for its reader."""
    assert stream is not None
    while await stream.readline():
        pass
