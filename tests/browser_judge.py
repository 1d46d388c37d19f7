"""The browser's verifier outside of a browser: its modules in Node, which has the same WebCrypto."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from attendance.core import FileReport

ROOT = Path(__file__).parents[1]
_LEAST_MAJOR = 20


def node() -> str:
    """The command; where there is none the test skips, and in CI fails."""
    found = shutil.which("node")
    version = _run(found, "--version") if found else ""
    if found is None or int(version.lstrip("v").split(".")[0]) < _LEAST_MAJOR:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            f"no node of {_LEAST_MAJOR} or later, found {version!r}"
        )
    return found


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


class Judge:
    """Asks a running Node for verdicts."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def of(self, data: bytes, **more: Any) -> dict[str, Any]:
        """The report on a file's bytes; ``record``, ``keys``, ``log_keys``, ``export_keys`` as `rollcall verify` has them."""
        return self._ask({"base64": b64encode(data).decode()}, more)

    def at(self, path: Path, **more: Any) -> dict[str, Any]:
        """The report on a file."""
        return self._ask({"path": str(path)}, more)

    def _ask(
        self,
        asked: dict[str, Any],
        more: dict[str, Sequence[bytes] | bytes | None],
    ) -> dict[str, Any]:
        record = more.pop("record", None)
        if record is not None:
            asked["record"] = b64encode(bytes(record)).decode()
        names = {"keys": "keys", "log_keys": "logKeys", "export_keys": "exportKeys"}
        asked |= {names[name]: [bytes(key).decode() for key in keys or ()] for name, keys in more.items()}
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(asked).encode() + b"\n")
        stdin.flush()
        line = stdout.readline()
        assert line, "the verifier in Node died"
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def running_judge() -> Iterator[Judge]:
    """A Node that judges until the end of the block."""
    command = [node(), "--no-warnings", str(ROOT / "tests/verifier/judge.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        try:
            yield Judge(process)
        finally:
            process.stdin.close()  # type: ignore[union-attr]  # it ends by itself then


def summary(report: FileReport | dict[str, Any]) -> tuple[str, set[str], set[str]]:
    """What the two verifiers must agree on: the verdict, and the checks that failed or could not be made."""
    told = report._asdict() if isinstance(report, FileReport) else report
    checks = [one._asdict() if not isinstance(one, dict) else one for one in told["checks"]]
    by_outcome = {
        outcome: {one["name"] for one in checks if one["outcome"] == outcome} for outcome in ("failed", "not_possible")
    }
    return told["verdict"], by_outcome["failed"], by_outcome["not_possible"]
