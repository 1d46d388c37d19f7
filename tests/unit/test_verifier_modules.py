"""The browser verifier's modules under Node's own test runner."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.browser_judge import ROOT, node

TESTS = sorted((ROOT / "tests/verifier").glob("*.test.mjs"))


@pytest.mark.slow
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_modules_pass_nodes_tests(path):
    environment = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    command = [node(), "--no-warnings", "--test", str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    print(ran.stdout[-400:])  # noqa: T201 -- how many passed, and what was skipped for want of vectors
