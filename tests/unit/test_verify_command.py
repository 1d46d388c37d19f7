"""`rollcall verify`: what is said of receipts, proofs and everything else, and with which exit code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from attendance.cli.app import app
from attendance.cli.verification import Pins, verify_file
from attendance.core import record_sha256

ROOT = Path(__file__).parents[2]
RECEIPT = ROOT / "docs/examples/receipt.json"
HELD = json.loads(RECEIPT.read_bytes())


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def changed(tmp_path: Path, **members: object) -> Path:
    path = tmp_path / "changed.json"
    path.write_text(json.dumps({**HELD, **members}))
    return path


def test_a_valid_receipt_says_what_valid_means_and_what_not():
    code, output = run(RECEIPT)
    assert code == 0
    assert "VALID" in output
    assert "It does not say that the member was attentive" in output
    assert output.count("TAKEN FROM THE FILE ITSELF") == 2


def test_pinned_keys_are_named_and_another_is_found(tmp_path):
    log_key = tmp_path / "log.vkey"
    log_key.write_text(HELD["log_key"] + "\n")
    code, output = run(RECEIPT, "--key", HELD["public_key"], "--log-key", log_key)
    assert (code, "TAKEN FROM" in output, "given by you with --key" in output) == (0, False, True)
    other = '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'
    code, output = run(RECEIPT, "--key", other)
    assert code == 1
    assert "FAILED       pinned-key" in output


def test_a_changed_receipt_is_invalid_and_says_what_was_expected_and_found(tmp_path):
    code, output = run(changed(tmp_path, timeline=HELD["timeline"].replace("muted", "counted")))
    assert code == 1
    assert re.search(r"FAILED +timeline-digest.*\n.*expected .*\n.*found ", output)
    assert "What it says (NOT proven)" in output


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"v":1}', b"c2sp.org/tlog-proof@v1\n"])
def test_what_is_no_receipt_is_unusable(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    code, output = run(path)
    assert code == 2
    assert "UNUSABLE" in output


def test_folders_pipes_devices_and_missing_files_are_unusable_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "loop", tmp_path / "missing", Path("/dev/zero")):
        assert verify_file(path, Pins([], [])).verdict == "unusable"


def test_of_several_files_the_invalid_one_decides(tmp_path):
    invalid, unusable = changed(tmp_path, rules="{}"), tmp_path / "none"
    assert [run(*paths)[0] for paths in ((RECEIPT, RECEIPT), (RECEIPT, unusable), (unusable, invalid, RECEIPT))] == [0, 2, 1]


def test_for_machines_there_is_one_object_a_file(tmp_path):
    code, output = run("--json", RECEIPT, changed(tmp_path, log_key="none"))
    whole, broken = map(json.loads, output.splitlines())
    assert (code, whole["verdict"], broken["verdict"]) == (1, "valid", "invalid")
    assert {check["outcome"] for check in whole["checks"]} == {"passed"}
    assert set(whole["checks"][0]) == {"name", "outcome", "expected", "found"}
    assert [trust["pinned"] for trust in whole["trust"]] == [False, False]


def test_a_proof_file_needs_its_record_and_the_logs_key(tmp_path):
    proof, record = tmp_path / "4.tlog-proof", tmp_path / "record.json"
    proof.write_text(HELD["proof"])
    record.write_text(HELD["record"])
    assert run(proof, "--record", record, "--log-key", HELD["log_key"])[0] == 0
    assert run(proof, "--record", record)[0] == 2
    assert run(proof, "--log-key", HELD["log_key"])[0] == 2
    assert run(proof, "--record", RECEIPT, "--log-key", HELD["log_key"])[0] == 1


def test_a_key_that_is_none_is_refused_before_anything_is_said():
    result = CliRunner().invoke(app, ["verify", str(RECEIPT), "--key", "nonsense"])
    assert "a key is none" in str(result.exception)


def test_a_path_cannot_steer_the_terminal(tmp_path):
    path = tmp_path / "a\x1b[2Jb\u202e"
    path.write_bytes(b"{}")
    _, output = run(path)
    assert "\x1b" not in output
    assert "\u202e" not in output


@pytest.mark.slow
def test_it_needs_no_settings_and_imports_neither_database_nor_discord(tmp_path):
    code = (
        "import sys; sys.argv = ['rollcall', 'verify', sys.argv[1]]; from attendance.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({'sqlalchemy', 'hikari', 'litestar', 'aiohttp'} & set(sys.modules)))"
    )
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, RECEIPT],
        cwd=tmp_path,
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "[]"


def stock_tool_commands() -> str:
    section = (ROOT / "docs/formats.md").read_text().partition("### One record of a receipt with openssl and jq")[2]
    return section.partition("```sh\n")[2].partition("```")[0]


@pytest.mark.slow
@pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("openssl", "jq", "basenc", "bash")), reason="openssl, jq or basenc is missing"
)
def test_the_documented_commands_accept_the_example_and_refuse_every_changed_one(tmp_path):
    record = json.loads(HELD["record"])
    forged = json.dumps({**record, "counted_ms": 60_000}, sort_keys=True, separators=(",", ":"))
    cases = {
        "whole": {},
        "record": {"record": forged},
        "signature": {"signature": "A" * 86},
        "key": {"public_key": HELD["key_records"][0]["public_key"][:-2] + "0w"},
        "timeline": {"timeline": HELD["timeline"].replace("muted", "solo")},
        "rules": {"rules": HELD["rules"].replace("120", "121")},
    }
    for name, members in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "receipt.json").write_text(json.dumps({**HELD, **members}))
        script = f"set -euo pipefail\n{stock_tool_commands()}"
        ran = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603, S607
        assert (ran.returncode == 0) == (name == "whole"), (name, ran.stdout, ran.stderr)
    assert record_sha256((tmp_path / "whole/record.json").read_bytes()) == record_sha256(HELD["record"].encode())
