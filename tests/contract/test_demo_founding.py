"""The demo's folder is made aside: whole or not there, and what a killed start has left goes with the next."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import pytest

from attendance.cli.made_up.founding import aside

_KILLED = """
import os, signal, sys
from pathlib import Path
from attendance.cli.made_up.founding import aside
with aside(Path(sys.argv[1])) as made:
    (made / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_is_there_once_it_is_whole_and_nothing_is_left_beside_it(tmp_path):
    with aside(tmp_path / "demo") as made:
        (made / "history").touch()
        assert not (tmp_path / "demo").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["history"]


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), aside(tmp_path / "demo"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_a_killed_start_left_goes_with_the_next_and_what_is_being_made_stays(tmp_path):
    subprocess.run(  # noqa: S603  # ourselves
        [sys.executable, "-c", _KILLED, str(tmp_path / "demo")], check=False
    )
    (left,) = tmp_path.iterdir()
    (tmp_path / "demo.txt").touch()
    (tmp_path / "demo.mine").mkdir()
    with suppress(ZeroDivisionError), aside(tmp_path / "demo") as first:
        assert not left.exists()
        with aside(tmp_path / "demo"):
            assert first.exists()
        raise ZeroDivisionError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "demo.mine", "demo.txt"]
