"""The wrapping of a bag: which files there are, their hashes, and the export key's signature of them."""

from __future__ import annotations

import os
import re
import stat
from base64 import b64decode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from struct import pack

from attendance.cli.bags.findings import Fault, UnusableError
from attendance.cli.bags.unpacking import MAX_FILES, is_safe
from attendance.core import pinned_keys, read_verifier_key, thumbprint, verify_signature
from attendance.domain.bagit import BAGIT, IDENTITY, MANIFEST, NAMESPACE, TAG_MANIFEST, jwks, pem
from attendance.domain.sshsig import allowed_signer, armoured_signature, signed_data
from attendance.errors import RollcallError

SMALL = 4 * 2**20
SIGNATURES = (f"{TAG_MANIFEST}.sig", f"{TAG_MANIFEST}.sshsig")
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]{1,250})\n")
_INFO = re.compile(r"External-Identifier: (\d{1,19})/(\d{1,16})\n")
_CHUNK = 2**20


class Bag:
    """A bag's files, read only by names that were found in it, never through a link."""

    def __init__(self, root: Path, digests: Mapping[str, str]) -> None:
        """List the files; ``digests`` are the SHA-256 in hex of those that we wrote ourselves.

        Raises:
            UnusableError: It is no bag.
            Fault: There is something else than plain files and folders.
            OSError: It cannot be read.
        """
        self.root = root
        self._digests = digests
        for path in (TAG_MANIFEST, MANIFEST):  # first: of a folder that is no bag nothing else is said
            if not (root / path).is_file():
                raise UnusableError(f"it has no {path}: it is no period export")
        self.files = dict(_listed(root))

    def open(self, path: str) -> int:
        """A file descriptor of one of the files.

        Raises:
            Fault: There is no such file.
        """
        if path not in self.files:
            raise Fault("files", path, "no such file")
        return os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)

    def small(self, path: str) -> bytes:
        """The bytes of a file that is never large.

        Raises:
            Fault: It is not there, or is large.
        """
        with os.fdopen(self.open(path), "rb") as file:
            data = file.read(SMALL + 1)
        if len(data) > SMALL:
            raise Fault("files", f"{path} of at most {SMALL} bytes", "more")
        return data

    def sha256(self, path: str) -> str:
        """The hex digest of a file."""
        known = self._digests.get(path)
        if known is not None:
            return known
        digest = sha256()
        with os.fdopen(self.open(path), "rb") as file:
            while part := file.read(_CHUNK):
                digest.update(part)
        return digest.hexdigest()


def _listed(root: Path) -> Iterator[tuple[str, int]]:
    count, folders = 0, [""]
    while folders:
        prefix = folders.pop()
        with os.scandir(root / prefix) as entries:
            for entry in entries:
                count += 1
                path = f"{prefix}{entry.name}"
                mode = entry.stat(follow_symlinks=False).st_mode
                if count > MAX_FILES or not is_safe(path):
                    raise Fault("files", f"at most {MAX_FILES} plain names", path)
                if stat.S_ISDIR(mode):
                    folders.append(f"{path}/")
                elif stat.S_ISREG(mode):
                    yield path, entry.stat(follow_symlinks=False).st_size
                else:
                    raise Fault("files", "plain files and folders", f"{path}: a link or device")


def read_manifest(data: bytes, check: str) -> dict[str, str]:
    """Path and hex digest of each line.

    Raises:
        Fault: It is not in the one form that ours have: sorted, each path once.
    """
    text, at, found = data.decode("latin-1"), 0, dict[str, str]()
    while at < len(text):
        line = _LINE.match(text, at)
        if line is None or not is_safe(line[2]) or line[2] in found:
            raise Fault(check, "lines of a SHA-256 and a plain path, each once", text[at : at + 80])
        found[line[2]] = line[1]
        at = line.end()
    if list(found) != sorted(found):
        raise Fault(check, "paths in ascending order", "another order")
    return found


def check_hashes(bag: Bag) -> int:
    """All files are named, all that are named are there, and each has its digest. How many files.

    Raises:
        Fault: Not so.
    """
    payload = read_manifest(bag.small(MANIFEST), "manifest")
    tags = read_manifest(bag.small(TAG_MANIFEST), "tag-manifest")
    if any(path.startswith("data/") for path in tags) or not all(path.startswith("data/") for path in payload):
        raise Fault("files", "data/ in the manifest and the rest in the tag manifest", "otherwise")
    named = {*payload, *tags, TAG_MANIFEST, *SIGNATURES}
    for what, paths in (("a file that is named", bag.files.keys() - named), ("a file that is there", named - bag.files.keys())):
        if paths:
            raise Fault("files", what, min(paths))
    for check, listed in (("tag-manifest", tags), ("manifest", payload)):
        for path, digest in listed.items():
            found = bag.sha256(path)
            if found != digest:
                raise Fault(check, f"{path} {digest}", found)
    if bag.small("bagit.txt") != BAGIT:
        raise Fault("files", "bagit.txt of BagIt 1.0", "another")
    return len(bag.files)


def export_key(bag: Bag) -> bytes:
    """The key in ``keys/export.pem``.

    Raises:
        Fault: It is none.
    """
    return _one_key(bag, "keys/export.pem")


def _one_key(bag: Bag, path: str) -> bytes:
    data = bag.small(path)
    try:
        (key,) = pinned_keys(data)
    except ValueError as error:
        raise Fault("keys", f"{path}: one Ed25519 key", error) from None
    if data != pem(key):
        raise Fault("keys", f"{path} in PEM", "another form")
    return key


def check_signatures(bag: Bag, key: bytes) -> None:
    """Both signatures of the tag manifest are the key's.

    Raises:
        Fault: One is not.
    """
    text = bag.small(TAG_MANIFEST)
    raw, armoured = (bag.small(path) for path in SIGNATURES)
    try:
        verify_signature(text, raw, key)
    except RollcallError as error:
        raise Fault("export-signature", f"a signature by {thumbprint(key)}", error.message) from None
    message = signed_data(text, NAMESPACE)
    try:
        blob = b64decode(b"".join(armoured.splitlines()[1:-1]))
    except ValueError:
        blob = b""
    # Its last 64 bytes are the signature; that all else is as it must be is seen by writing it anew.
    if armoured_signature(key, blob[-64:], NAMESPACE) != armoured or blob[-68:-64] != pack(">I", 64):
        raise Fault("export-signature", "an SSH signature by the same key", "another text")
    try:
        verify_signature(message, blob[-64:], key)
    except RollcallError as error:
        raise Fault("export-signature", "an SSH signature by the same key", error.message) from None


def record_keys(bag: Bag, export: bytes) -> dict[str, bytes]:
    """Public keys of records by their ids: as PEM, and all in the key set.

    Raises:
        Fault: A file's name is not its key's id, or the key files do not agree.
    """
    keys = {}
    for path in sorted(bag.files):
        if path.startswith("keys/record-"):
            key = _one_key(bag, path)
            if path != f"keys/record-{thumbprint(key)}.pem":
                raise Fault("keys", f"keys/record-{thumbprint(key)}.pem", path)
            keys[thumbprint(key)] = key
    if bag.small("keys/jwks.json") != jwks({**keys, thumbprint(export): export}):
        raise Fault("keys", "keys/jwks.json of the keys here", "another set")
    if bag.small("keys/allowed_signers") != allowed_signer(IDENTITY, export, NAMESPACE).encode():
        raise Fault("keys", "keys/allowed_signers with the export key", "another")
    return keys


def log_key(bag: Bag) -> tuple[str, str, bytes]:
    """The log's verifier key, its name and its public key.

    Raises:
        Fault: It is none.
    """
    vkey = bag.small("keys/log.vkey").decode("latin-1").removesuffix("\n")
    try:
        name, key = read_verifier_key(vkey)
    except RollcallError as error:
        raise Fault("keys", "keys/log.vkey: a verifier key", error.message) from None
    return vkey, name, key


def named_period(bag: Bag) -> tuple[str, int]:
    """Guild and period as ``bag-info.txt`` has them.

    Raises:
        Fault: It does not say.
    """
    found = _INFO.search(bag.small("bag-info.txt").decode("latin-1"))
    if found is None:
        raise Fault("files", "bag-info.txt with External-Identifier: guild/period", "none")
    return found[1], int(found[2])
