"""A failure is tried once more; what fails each time, many failures, and a run that did not come to its tests stay red."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.second_attempt import main

TESTS = """
from pathlib import Path

def test_fails_once():
    tried = Path("tried")
    if not tried.exists():
        tried.touch()
        raise AssertionError

def test_fails_always():
    raise AssertionError
"""


@pytest.fixture
def last_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def write(*names: str) -> None:
        path = tmp_path / ".pytest_cache/v/cache/lastfailed"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({f"test_it.py::{name}": True for name in names}))

    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_it.py").write_text(TESTS)
    return write


@pytest.mark.slow
def test_what_passes_the_second_time_is_named(tmp_path, last_failed, capfd):
    (tmp_path / "tried").touch()
    last_failed("test_fails_once")
    assert main(1, []) == 0
    out = capfd.readouterr().out
    assert "Mend it:\n  test_it.py::test_fails_once" in out[out.index("FAILED ONCE, PASSED ONCE") :]


@pytest.mark.slow
def test_what_fails_again_stays_red(tmp_path, last_failed, capfd):
    (tmp_path / "tried").touch()
    last_failed("test_fails_once", "test_fails_always")
    assert main(1, []) == 1
    assert "Mend it" not in capfd.readouterr().out


@pytest.mark.parametrize("code", [0, 2, 3, 4, 5])
def test_a_run_that_did_not_end_in_failed_tests_keeps_its_code(last_failed, code):
    last_failed("test_fails_once")
    assert main(code, []) == code


def test_many_failures_are_not_tried_again(last_failed):
    last_failed("test_fails_once", "test_fails_always", "test_a", "test_b")
    assert main(1, []) == 1


@pytest.mark.usefixtures("last_failed")
def test_a_failure_that_nobody_noted_stays_red():
    assert main(1, []) == 1
