"""The shared test vectors, read in place; a test that needs one that is absent skips and says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"


def vector_path(name: str) -> Path:
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"no vector {path}")
    return path


def vector_json(name: str) -> Any:
    return json.loads(vector_path(name).read_bytes())
