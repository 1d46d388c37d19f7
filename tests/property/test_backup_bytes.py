from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance.errors import RollcallError
from attendance.store.backup import inspect_backup

manifests = st.binary(max_size=200) | st.from_regex(r'\{"format_version":1(,"[a-z_]{1,16}":[0-9"\[\]{}a-z]{0,9}){0,6}\}').map(
    str.encode
)


def archive(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


@given(st.binary(max_size=500) | manifests.map(lambda content: archive({"manifest.json": content})))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_bytes_are_a_backup_or_our_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "backup"
    path.write_bytes(content)
    with pytest.raises(RollcallError):
        inspect_backup(path)
