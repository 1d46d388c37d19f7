"""Runs what failed once more, alone: `make test` calls it with pytest's exit code, and options for pytest.

Many tests race real processes, threads and a browser, on machines that others load. A test that fails once and passes once is
a defect, named here at the end of the run, but it says nothing about the change at hand. Nothing that is wrong each time can
pass: property tests try the same examples in both attempts. More than a few failures are not tried again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

_LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")
_TESTS_FAILED = 1
_FEW = 3


def main(code: int, options: list[str]) -> int:
    """The exit code of `make test`, given that of the first attempt."""
    if code != _TESTS_FAILED or not _LAST_FAILED.exists():
        return code
    failed = sorted(json.loads(_LAST_FAILED.read_text(encoding="utf-8")))
    if not 0 < len(failed) <= _FEW:
        return code
    _say("Second attempt, alone:", failed)
    again = subprocess.run(  # noqa: S603  # tests of this repository
        [sys.executable, "-m", "pytest", "-p", "no:xdist", *options, *failed], check=False
    )
    if again.returncode == 0:
        _say("FAILED ONCE, PASSED ONCE: a defect of the test or of what it tests. Mend it:", failed)
    return again.returncode


def _say(words: str, tests: Iterable[str]) -> None:
    sys.stdout.write("\n  ".join([f"\n{words}", *tests]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2:]))
