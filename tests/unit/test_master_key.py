"""The master key's file: created once, whole and private; anything else is named."""

from __future__ import annotations

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from attendance.core import SigningKey
from attendance.errors import ConfigError
from attendance.keys.master import FILE_NAME, create_master_key, master_key, read_master_key

KEY = bytes(range(32))
LINE = base64.b64encode(KEY) + b"\n"


def write(path, content=LINE, mode=0o600):
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_data_folder_gets_a_key_once_private_and_on_one_line(tmp_path):
    folder = tmp_path / "new" / "data"
    key = master_key(None, folder)
    assert len(key) == 32
    assert master_key(None, folder) == key
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / FILE_NAME).read_bytes() == base64.b64encode(key) + b"\n"
    assert master_key(None, tmp_path / "other") != key


def test_many_first_starts_agree_on_one_key(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: master_key(None, tmp_path), range(32)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_configured_file_is_read_and_never_created(tmp_path):
    path = tmp_path / "key"
    with pytest.raises(ConfigError, match=r"does not exist \(create it: rollcall master-key "):
        master_key(path, tmp_path / "data")
    assert not path.exists()
    assert master_key(write(path), tmp_path / "data") == KEY
    assert not (tmp_path / "data").exists()


def test_a_key_is_created_on_request_and_never_over_another(tmp_path):
    path = tmp_path / "key"
    create_master_key(path)
    first = read_master_key(path)
    with pytest.raises(ConfigError, match="exists"):
        create_master_key(path)
    assert read_master_key(path) == first
    assert [one.name for one in tmp_path.iterdir()] == ["key"]
    with pytest.raises(ConfigError, match="cannot be written"):
        create_master_key(tmp_path / "no" / "such" / "folder")


def test_a_file_that_others_may_write_is_refused(tmp_path):
    for mode in (0o620, 0o602, 0o666):
        with pytest.raises(ConfigError, match="chmod 600"):
            read_master_key(write(tmp_path / "key", mode=mode))


def test_a_file_that_others_may_read_is_used_with_a_warning(tmp_path):
    with capture_logs() as logs:
        assert read_master_key(write(tmp_path / "key", mode=0o444)) == KEY
    assert [(line["log_level"], line["mode"]) for line in logs] == [("warning", "0444")]
    assert LINE.decode().strip() not in str(logs)
    with capture_logs() as logs:
        read_master_key(write(tmp_path / "private"))
    assert logs == []


def test_what_is_no_file_is_named_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ConfigError, match="regular file"):
            read_master_key(path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_master_key(tmp_path / "file" / "below")
    with pytest.raises(ConfigError, match="data folder"):
        master_key(None, tmp_path / "file" / "data")


@given(st.binary(max_size=80))
@example(b"")
@example(LINE + b"\n")
@example(LINE.strip() + b"\r\n")
@example(b" " + LINE)
@example(LINE[:-3])
@example(base64.b64encode(KEY[:31]))
@example(base64.b64encode(bytes(32)).replace(b"A=", b"B="))
@example(base64.urlsafe_b64encode(b"\xff" * 32))
@example(KEY)
@example(LINE * 1000)
def test_any_other_content_is_refused_without_being_repeated(tmp_path_factory, content):
    path = write(tmp_path_factory.getbasetemp() / "content", content)
    with pytest.raises(ConfigError, match=r"must hold 32 bytes in base64 on one line$"):
        read_master_key(path)


def test_a_key_sealed_before_a_restart_opens_after_it(tmp_path):
    key = SigningKey.generate()
    sealed = key.wrap_under_master("record", master_key(None, tmp_path))
    assert SigningKey.open_master(sealed, master_key(None, tmp_path), "record").kid == key.kid
    assert read_master_key(write(tmp_path / "bare", LINE.strip())) == KEY
