"""One process at a time owns an embedded deployment's data folder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from attendance.errors import ConfigError, ConflictError
from attendance.store.data_folder import guards, own_data_folder

_HOLDER = """
import sys
from pathlib import Path
from attendance.store.data_folder import own_data_folder
with own_data_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns the folder until its input ends."""
    with subprocess.Popen(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", _HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def test_the_folder_is_made_for_this_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    with own_data_folder(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / "rollcall.lock").read_text(encoding="ascii") == f"{os.getpid()}\n"


def test_a_second_owner_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    told = f"{tmp_path} is in use by process {os.getpid()}"
    with own_data_folder(tmp_path), pytest.raises(ConflictError, match=told), own_data_folder(tmp_path):
        pytest.fail("owned twice")


def test_the_folder_is_free_after_its_owner_has_ended(tmp_path: Path) -> None:
    for _ in range(3):
        with own_data_folder(tmp_path):
            pass


def test_the_folder_is_free_after_an_error_of_its_owner(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), own_data_folder(tmp_path):
        raise RuntimeError
    with own_data_folder(tmp_path):
        pass


def test_a_refused_owner_does_not_take_the_lock_away(tmp_path: Path) -> None:
    with own_data_folder(tmp_path):
        for _ in range(2):
            with pytest.raises(ConflictError), own_data_folder(tmp_path):
                pytest.fail("owned twice")


def test_folders_do_not_exclude_each_other(tmp_path: Path) -> None:
    with own_data_folder(tmp_path / "one"), own_data_folder(tmp_path / "two"):
        pass


def test_a_folder_that_cannot_be_made_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", encoding="ascii")
    with pytest.raises(ConfigError, match="cannot be written"), own_data_folder(tmp_path / "data"):
        pytest.fail("owned a file")


@pytest.mark.slow
def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        told = f"process {process.pid}"
        with pytest.raises(ConflictError, match=told), own_data_folder(tmp_path):
            pytest.fail("owned twice")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_the_folder_free(tmp_path: Path, number: signal.Signals) -> None:
    with holder(tmp_path) as process:
        process.send_signal(number)
        process.wait(timeout=30)
        with own_data_folder(tmp_path):
            pass


@pytest.mark.slow
def test_a_stopped_process_still_owns_the_folder(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(ConflictError), own_data_folder(tmp_path):
            pytest.fail("owned twice")


def test_the_lock_speaks_for_a_database_in_the_folder_and_for_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert guards(folder, f"sqlite:///{folder}/rollcall.db")
    assert guards(folder, f"sqlite+aiosqlite:///{folder}/deep/../rollcall.db")
    assert not guards(folder, f"sqlite:///{tmp_path}/rollcall.db")
    assert not guards(folder, f"sqlite:///{folder}/../rollcall.db")
    assert not guards(folder, "sqlite://")
