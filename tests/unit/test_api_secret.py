"""The API's shared secret: the one that is set, or one file that every command of the deployment reads."""

from __future__ import annotations

import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from attendance.errors import ConfigError
from attendance.keys.api_secret import api_secret


def test_a_secret_that_is_set_is_taken_and_nothing_is_written(tmp_path: Path) -> None:
    assert api_secret("configured", tmp_path) == "configured"
    assert list(tmp_path.iterdir()) == []


def test_without_one_a_secret_is_created_for_this_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    secret = api_secret(None, folder)
    assert len(secret.encode()) >= 32
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_stays_the_same_once_created(tmp_path: Path) -> None:
    assert api_secret(None, tmp_path) == api_secret(None, tmp_path)


def test_two_deployments_have_different_secrets(tmp_path: Path) -> None:
    assert api_secret(None, tmp_path / "one") != api_secret(None, tmp_path / "two")


def test_a_draft_that_a_crash_left_behind_is_not_taken_for_the_secret(tmp_path: Path) -> None:
    (tmp_path / "api_internal_secret.1").write_text("half", encoding="ascii")
    assert api_secret(None, tmp_path) != "half"


@pytest.mark.parametrize("blocked", ["data", "data/deeper"])
def test_a_folder_that_cannot_be_made_is_a_config_error_that_names_it(tmp_path: Path, blocked: str) -> None:
    (tmp_path / "data").write_text("a file, not a folder", encoding="ascii")
    with pytest.raises(ConfigError, match=str(tmp_path / blocked)):
        api_secret(None, tmp_path / blocked)


def test_a_folder_in_the_secrets_place_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "api_internal_secret").mkdir()
    with pytest.raises(ConfigError, match="api_internal_secret"):
        api_secret(None, tmp_path)


def test_a_file_that_is_no_text_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "api_internal_secret").write_bytes(b"\xff" * 40)
    with pytest.raises(ConfigError, match="api_internal_secret"):
        api_secret(None, tmp_path)


@pytest.mark.slow
def test_processes_that_start_at_once_get_one_secret(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from attendance.keys.api_secret import api_secret; sys.stdin.read(1); "
    program += "print(api_secret(None, Path(sys.argv[1])))"
    with ExitStack() as processes:
        started = [
            processes.enter_context(
                subprocess.Popen(  # noqa: S603  # our own interpreter
                    [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(4)
        ]
        for process in started:
            assert process.stdin is not None
            process.stdin.close()  # all of them go on now
        secrets = {process.stdout.read() for process in started if process.stdout is not None}
    assert len(secrets) == 1
