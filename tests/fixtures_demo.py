"""`demo_data`: a data folder with two to three weeks of made-up history, made once a session and copied for each test."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from attendance.cli.made_up.making import History, make_history
from attendance.config import Settings, load_settings
from attendance.logs import only_errors
from attendance.services.passphrases import Argon2Cost
from simulator import DEMO_ADMIN_ID, DEMO_GUILD_ID, DEMO_MEMBER_ID
from simulator import Settings as SimulatorSettings

CHEAP = Argon2Cost(Argon2Cost().min_m_kib, Argon2Cost().min_t)  # the least that a service opens
WEEKS = 2


@dataclass(frozen=True)
class DemoData:
    """A folder of its own, to do with as one likes.

    ``began_ms``: a Monday's midnight; hand it to a simulator as ``lived_since_ms`` and its world goes on from there.
    """

    folder: Path
    began_ms: int
    guild_id: int = DEMO_GUILD_ID
    admin_id: int = DEMO_ADMIN_ID
    member_id: int = DEMO_MEMBER_ID

    @property
    def environment(self) -> dict[str, str]:
        """What the service needs to run on it, but for the simulator's address."""
        return {
            "DISCORD_BOT_TOKEN": SimulatorSettings().token,
            "ROLLCALL_DATA_DIR": str(self.folder),
            "ROLLCALL_API_PORT": "0",
        }

    @property
    def settings(self) -> Settings:
        return load_settings(self.environment)


def settings_of(folder: Path) -> Settings:
    return DemoData(folder, 0).settings


def made_history(folder: Path, weeks: int) -> History:
    with only_errors():
        return asyncio.run(make_history(settings_of(folder), weeks, lambda *_: None, cost=CHEAP))


@pytest.fixture(scope="session")
def prebuilt_demo(tmp_path_factory: pytest.TempPathFactory) -> DemoData:
    """Made by the first who needs it, of all workers of this test run."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, done = shared / "prebuilt-demo", shared / "prebuilt-demo.began"
    with (shared / "prebuilt-demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            done.write_text(str(made_history(folder, WEEKS).began_ms))
    return DemoData(folder, int(done.read_text()))


@pytest.fixture
def demo_data(prebuilt_demo: DemoData, memory_path: Path) -> DemoData:
    """A copy of the prebuilt folder, in memory where there is room."""
    folder = memory_path / "demo"
    shutil.copytree(prebuilt_demo.folder, folder)
    return DemoData(folder, prebuilt_demo.began_ms)
