"""The commands of docs/formats.md, taken out of the page and run: they accept what is whole and refuse every change."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from attendance.domain.bagit import COMMANDS
from tests.export_world import ExportWorld
from tests.worked_examples import examples

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
RECEIPT = json.loads((ROOT / "docs/examples/receipt.json").read_text(encoding="utf-8"))
TOOLS = ("openssl", "ssh-keygen", "sha256sum", "comm", "jq", "basenc", "bash")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="one of the stock tools is missing"),
]


def script(title: str) -> str:
    """The commands below a heading."""
    section = re.search(rf"^### {re.escape(title)}\n.*?```sh\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    assert section is not None, title
    return section[1]


def accepts(folder: Path, *titles: str) -> bool:
    text = "set -euo pipefail\n" + "".join(map(script, titles))
    ran = subprocess.run(["bash", "-c", text], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return ran.returncode == 0


def judged(tmp_path: Path, cases: Mapping[str, Mapping[str, str]], *titles: str) -> list[str]:
    """Which of some sets of files are accepted."""
    accepted = []
    for name, files in cases.items():
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        if accepts(folder, *titles):
            accepted.append(name)
    return accepted


def flipped(text: str, at: int) -> str:
    """Another letter of base64 at a position."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def test_a_checkpoint(tmp_path: Path) -> None:
    note, vkey = examples()["checkpoint"] + "\n", examples()["vkey"] + "\n"
    root_at, signature_at, key_at = note.index("\n11\n") + 5, note.rindex(" ") + 20, vkey.rindex("+") + 10
    id_at = vkey.index("+") + 1
    other_id = vkey[:id_at] + ("0" if vkey[id_at] != "0" else "1") + vkey[id_at + 1 :]
    cases = {
        "whole": (note, vkey),
        "size": (note.replace("\n11\n", "\n12\n"), vkey),
        "root": (flipped(note, root_at), vkey),
        "signature": (flipped(note, signature_at), vkey),
        "key": (note, flipped(vkey, key_at)),
        "key id": (note, other_id),
        "another origin": (note.replace("attendance.example.org", "attendance.example.com"), vkey),
        "another name": (note, vkey.replace("example.org", "example.com")),
        "an extension line": (note.replace("\n\n", "\nmore\n\n"), vkey),
        "no signature": (note.partition("\u2014")[0], vkey),
        "empty": ("", vkey),
    }
    files = {name: {"checkpoint": checkpoint, "log.vkey": key} for name, (checkpoint, key) in cases.items()}
    assert judged(tmp_path, files, "A checkpoint with openssl") == ["whole"]


def test_a_receipt_to_the_log_s_root(tmp_path: Path) -> None:
    head, _, note = RECEIPT["proof"].partition("\n\n")
    lines = head.split("\n")
    others = RECEIPT["key_records"][0]["proof"]
    first = head.index("\n", head.index("index")) + 3

    def with_proof(text: str) -> dict[str, str]:
        return {"receipt.json": json.dumps({**RECEIPT, "proof": text})}

    cases = {
        "whole": with_proof(RECEIPT["proof"]),
        "index": with_proof(RECEIPT["proof"].replace("index 4", "index 5")),
        "beyond": with_proof(RECEIPT["proof"].replace("index 4", "index 7")),
        "hash": with_proof(flipped(RECEIPT["proof"], first)),
        "a hash less": with_proof("\n".join(lines[:-1]) + f"\n\n{note}"),
        "a hash more": with_proof("\n".join([*lines, lines[-1]]) + f"\n\n{note}"),
        "of another record": with_proof(others),
        "magic": with_proof(RECEIPT["proof"].replace("@v1", "@v2")),
        "root": with_proof(flipped(RECEIPT["proof"], RECEIPT["proof"].index("\n7\n") + 4)),
        "size": with_proof(RECEIPT["proof"].replace("\n7\n", "\n8\n")),
        "log key": {"receipt.json": json.dumps({**RECEIPT, "log_key": flipped(RECEIPT["log_key"], 40)})},
        "record": {"receipt.json": json.dumps({**RECEIPT, "record": RECEIPT["record"].replace("50000", "50001")})},
    }
    titles = ("One record of a receipt with openssl and jq", "Its place in the log", "A checkpoint with openssl")
    assert judged(tmp_path, cases, *titles) == ["whole"]


@pytest.fixture
async def bag(sqlite_database, tmp_path) -> Path:
    world = ExportWorld(sqlite_database, tmp_path / "data")
    await world.period(5)
    return await world.bag(tmp_path / "unpacked")


def test_the_commands_of_both_pages_are_those_of_the_readme_in_the_bag() -> None:
    assert script("An export with stock tools").splitlines() == list(COMMANDS)
    exports = (ROOT / "docs/exports.md").read_text(encoding="utf-8")
    shown = exports.partition("```bash\n")[2].partition("```")[0].splitlines()
    assert [line.partition("     #")[0] for line in shown] == list(COMMANDS)


def passes(bag: Path) -> bool:
    """Every command alone, and the last one silent, as the page says."""
    for line in script("An export with stock tools").splitlines():
        ran = subprocess.run(["bash", "-c", line], cwd=bag, capture_output=True, text=True, check=False)  # noqa: S603, S607
        if ran.returncode or (line.startswith("comm") and ran.stdout):
            return False
    return True


async def test_every_file_of_an_export_is_covered(bag: Path) -> None:
    assert passes(bag)
    files = _files(bag)
    assert len(files) > 15
    for path in files:
        whole = path.read_bytes()
        path.write_bytes(whole + b"x" if path.suffix != ".sshsig" else _another_signature(whole))
        assert not passes(bag), path.name
        path.write_bytes(whole)
    (bag / "data/more").write_bytes(b"")
    assert not passes(bag)
    (bag / "data/more").unlink()
    assert passes(bag)


def _files(bag: Path) -> list[Path]:
    return sorted(path for path in bag.rglob("*") if path.is_file())


def _another_signature(armoured: bytes) -> bytes:
    lines = armoured.decode().split("\n")
    data = bytearray(base64.b64decode("".join(lines[1:-2])))
    data[-1] ^= 1
    return "\n".join([lines[0], base64.b64encode(data).decode(), *lines[-2:]]).encode()


async def test_every_record_of_an_export(bag: Path) -> None:
    title = "Every record of an export with openssl and jq"
    assert accepts(bag, title)
    records, signatures = bag / "data/records.jsonl", bag / "data/signatures.jsonl"
    key = next((bag / "keys").glob("record-*.pem"))
    changes = {
        records: records.read_bytes().replace(b'"credited_ms":50000', b'"credited_ms":50001', 1),
        signatures: signatures.read_bytes().replace(b'"signature":"', b'"signature":"AAAA', 1),
        key: (bag / "keys/export.pem").read_bytes(),
    }
    for path, changed in changes.items():
        whole = path.read_bytes()
        assert changed != whole
        path.write_bytes(changed)
        assert not accepts(bag, title), path.name
        path.write_bytes(whole)
    for path in (records, signatures):
        whole = path.read_bytes()
        path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
        assert not accepts(bag, title), path.name
        path.write_bytes(whole)
    assert accepts(bag, title)
