"""Archives that anybody wrote: a bag, `Fault` or `UnusableError`, nothing else, and nothing outside the folder."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from attendance.cli.bags.findings import Fault, UnusableError
from attendance.cli.bags.unpacking import unpack

NAMES = st.sampled_from(
    ("bag/a", "bag/b/c", "bag/A", "gab/a", "../a", "/a", "bag//a", "bag/./a", "bag/" + "n" * 120, "bag/é", "a")
)
KINDS = st.sampled_from(
    (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.GNUTYPE_SPARSE)
)
PAX = st.dictionaries(
    st.sampled_from(("path", "size", "linkpath", "GNU.sparse.major", "GNU.sparse.size", "x")), st.text("0/a-", max_size=4),
    max_size=2,
)  # fmt: skip


@st.composite
def tars(draw: st.DrawFn) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=draw(st.sampled_from((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)))) as tar:
        for name, kind, pax, data in draw(st.lists(st.tuples(NAMES, KINDS, PAX, st.binary(max_size=700)), max_size=4)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.pax_headers, member.size = kind, "a", pax, len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """Tars with a few bytes changed, packed; and those changed again, or cut."""

    def changed(data: bytes, most: int) -> bytes:
        some = bytearray(data)
        for at, byte in draw(st.lists(st.tuples(st.integers(0, max(len(data) - 1, 0)), st.integers(0, 255)), max_size=most)):
            if some:
                some[at] = byte
        return bytes(some)

    packed = changed(gzip.compress(changed(draw(tars()), 4), 1), draw(st.sampled_from((0, 0, 2))))
    return packed[: draw(st.sampled_from((len(packed), len(packed), len(packed) // 2)))]


@given(data=archives())
def test_any_archive_gives_a_bag_or_a_reason_and_writes_into_its_folder_alone(data: bytes) -> None:
    with TemporaryDirectory() as outer:
        folder = Path(outer) / "into"
        folder.mkdir()
        try:
            root, digests = unpack(io.BytesIO(data), len(data), folder)
        except (Fault, UnusableError, OSError):
            pass
        else:
            assert root.parent == folder
            found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
            assert found == digests.keys()
        assert [path.name for path in Path(outer).iterdir()] == ["into"]
        assert not any(path.is_symlink() for path in folder.rglob("*"))
