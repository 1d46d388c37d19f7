"""What the command line says where it cannot do what was asked: one line and an exit code, never a traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from simulator import Settings

pytestmark = pytest.mark.slow
ROLLCALL = [sys.executable, "-W", "ignore", "-c", "from attendance.cli import main; main()"]
PATIENCE_S = 90.0


def rollcall(*arguments: object, **environment: object) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ROLLCALL_", "DISCORD_", "DATABASE_"))}
    return subprocess.run(  # noqa: S603  # our own command
        [*ROLLCALL, *map(str, arguments)],
        env=kept | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def said_plainly(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("rollcall: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_a_trace_that_cannot_be_written_is_said(tmp_path):
    said_plainly(rollcall("simulate", "--trace-out", tmp_path, "--lines", 10), 2, str(tmp_path), "directory")


def test_a_trace_that_cannot_be_read_is_said(tmp_path):
    said_plainly(rollcall("simulate", "--port", 0, "--trace", tmp_path / "none"), 2, "none")


def test_a_port_that_is_taken_is_said(taken_port):
    said_plainly(rollcall("simulate", "--port", taken_port), 2, str(taken_port))


def test_what_is_wrong_with_an_argument_is_said_by_name(tmp_path):
    done = rollcall("dashboard-erase", "Ada", ROLLCALL_DATA_DIR=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[1:]) == (1, ["rollcall: user_id: must be a Discord user id"])
    assert list(tmp_path.iterdir()) == []


def test_a_metrics_port_that_is_taken_is_said(tmp_path, taken_port):
    settings = {"DISCORD_BOT_TOKEN": Settings().token, "ROLLCALL_DATA_DIR": tmp_path, "ROLLCALL_API_PORT": 0}
    done = rollcall("serve", **settings, ROLLCALL_METRICS_PORT=taken_port)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert f"rollcall: cannot serve metrics on 127.0.0.1:{taken_port}: " in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_output_that_cannot_be_written_is_said(tmp_path):
    trace = tmp_path / "trace.jsonl"
    assert rollcall("simulate", "--trace-out", trace, "--lines", 2_000).returncode == 0
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(  # noqa: S603
            [*ROLLCALL, "replay", trace], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE_S
        )
    said_plainly(done, 1, "cannot be written")


def test_a_simulator_ends_with_the_process_that_started_it():
    process = subprocess.Popen(  # noqa: S603
        [*ROLLCALL, "simulate", "--port", "0", "--until-eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert b"ROLLCALL_DISCORD_API_URL=" in process.stdout.readline()
    process.communicate(timeout=PATIENCE_S)  # closes its standard input, as the end of the parent does
    assert process.returncode == 0
