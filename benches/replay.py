"""``rollcall replay`` of a believable million-line trace against a Python loop of ``json.loads`` over the same file."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from simulator.trace_output import write_trace

LINES = 1_000_000
RUNS = 3
_LOOP = "import json,sys\nfor line in open(sys.argv[1],'rb'): json.loads(line)"
_REPLAY = "from attendance.cli import main; main()"


def _seconds(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.jsonl"
        with trace.open("wb") as file:
            write_trace(file, 1, LINES, 200, 500)
        kinds = [json.loads(line)["type"] for line in trace.open("rb")]
        closed = subprocess.run([sys.executable, "-c", _REPLAY, "replay", str(trace)], check=True, capture_output=True).stdout
        sessions = closed.count(b"\n") / len(kinds)
        voice = kinds.count("voice_state") / len(kinds)
        print(f"{len(kinds):,} lines, {voice:.1%} voice_state, {sessions:.3f} sessions a line")
        pairs = [(_seconds(_LOOP, str(trace)), _seconds(_REPLAY, "replay", str(trace))) for _ in range(RUNS)]
        for loop, replay in pairs:
            print(f"json.loads loop {loop:.2f} s, rollcall replay {replay:.2f} s: {loop / replay:.2f} times as fast")
