"""Roots and archives against the RFC's definition in plain Python and against the vectors."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from attendance.core import MerkleRoot, check_canonical, leaderboard_entries, merkle_root
from attendance.errors import ProfileError
from tests.unit.record_vectors import vector_json, vector_path

CLASSIC_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CLASSIC_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry)


def tree_head(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there, over leaf hashes."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + tree_head(leaves[:split]) + tree_head(leaves[split:]))


def test_the_classic_tree_has_its_roots_at_every_size():
    entries = [bytes.fromhex(text) for text in CLASSIC_LEAVES]
    for size, root in enumerate(CLASSIC_ROOTS):
        assert merkle_root(entries[:size]).hex() == root


def test_the_vector_tree_has_its_roots():
    vector = vector_json("derived/rfc6962-eight-leaves.json")
    for size, root in enumerate(vector["roots_hex"]):
        assert merkle_root([bytes.fromhex(text) for text in vector["leaves_hex"][:size]]).hex() == root


def test_the_roots_that_the_rfc_6962_proof_vectors_start_from_are_this_trees_roots():
    roots = [base64.b64encode(bytes.fromhex(root)).decode() for root in CLASSIC_ROOTS]
    checked = 0
    for path in sorted(vector_path("merkle-rfc6962/testdata/consistency").glob("*/happy-path.json")):
        case = json.loads(path.read_bytes())
        for size, root in [(case["size1"], case["root1"]), (case["size2"], case["root2"])]:
            if size:
                assert roots[size] == root, path
                checked += 1
    for path in sorted(vector_path("merkle-rfc6962/testdata/inclusion").glob("*/happy-path.json")):
        case = json.loads(path.read_bytes())
        assert roots[case["treeSize"]] == case["root"], path
        assert base64.b64encode(leaf(bytes.fromhex(CLASSIC_LEAVES[case["leafIdx"]]))).decode() == case["leafHash"]
        checked += 1
    assert checked > 5


def test_the_vector_log_is_rebuilt_from_its_entry_bundles():
    bundles = b"".join(vector_path(f"derived/tlog/tile/entries/{name}").read_bytes() for name in ["000", "001.p/44"])
    hashes = b"".join(bundles[at + 3 : at + 35] for at in range(0, len(bundles), 35))
    tree = MerkleRoot()
    for size in (1, 255, 256, 257, 300):
        tree.add_record_hashes(hashes[tree.size * 32 : size * 32])
        checkpoint = vector_path(f"derived/tlog/checkpoints/{size}").read_text().splitlines()
        assert (checkpoint[1], checkpoint[2]) == (str(tree.size), base64.b64encode(tree.root()).decode())


@given(st.lists(st.binary(max_size=80), max_size=70), st.data())
def test_a_tree_fed_in_parts_is_the_tree_of_the_definition(entries, data):
    expected = tree_head([leaf(entry) for entry in entries])
    tree = MerkleRoot()
    rest = entries
    while rest:
        count = data.draw(st.integers(1, len(rest)))
        if data.draw(st.booleans()):
            tree.add_entries(rest[:count])
        else:
            tree.add_leaf_hashes(b"".join(leaf(entry) for entry in rest[:count]))
        rest = rest[count:]
    assert (tree.root(), tree.size) == (expected, len(entries))
    assert merkle_root(entries) == expected


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_a_record_stands_in_the_tree_as_the_log_entry_of_its_hash(hashes):
    tree = MerkleRoot()
    tree.add_record_hashes(b"".join(hashes))
    assert tree.root() == merkle_root([b"\x01" + record for record in hashes])


def test_hashes_that_are_no_whole_number_of_32_bytes_add_nothing():
    tree = MerkleRoot()
    for add in (tree.add_record_hashes, tree.add_leaf_hashes):
        with pytest.raises(ValueError, match="32 bytes"):
            add(b"x" * 33)
    assert tree.size == 0


ROWS = st.lists(
    st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 3) | st.integers(0, 2**53 - 1), st.integers(0, 100)),
    unique_by=lambda row: row[0],
    max_size=20,
)


@given(ROWS, st.binary(min_size=320, max_size=320))
def test_an_archive_is_ranked_canonical_and_rooted_as_the_definition_says(rows, randomness):
    salts = randomness[: 16 * len(rows)]
    entries, root = leaderboard_entries(rows, salts)
    ordered = sorted(rows, key=lambda row: (-row[1], row[0]))
    assert [user for user, *_ in entries] == [user for user, *_ in ordered]
    for place, ((user, rank, text, leaf_hash), (_, credited, count)) in enumerate(zip(entries, ordered, strict=True)):
        assert rank == 1 + sum(other[1] > credited for other in rows)
        salt = base64.urlsafe_b64encode(salts[16 * place : 16 * place + 16]).rstrip(b"=").decode()
        entry = {"credited_ms": credited, "rank": rank, "salt": salt, "session_count": count, "user_id": str(user)}
        assert text == rfc8785.dumps(entry)
        check_canonical(text)
        assert leaf_hash == leaf(sha256(text))
    assert root == tree_head([leaf_hash for *_, leaf_hash in entries])
    assert root == merkle_root([sha256(text) for _, _, text, _ in entries])


def test_equal_times_share_a_rank_and_the_next_is_counted_past_them():
    entries, _ = leaderboard_entries([(4, 0, 1), (3, 5, 1), (2, 5, 1), (1, 9, 1)], bytes(64))
    assert [(user, rank) for user, rank, *_ in entries] == [(1, 1), (2, 2), (3, 2), (4, 4)]


def test_an_empty_period_has_the_empty_trees_root():
    assert leaderboard_entries([], b"") == ([], sha256(b""))


def test_rows_that_no_archive_can_hold_are_refused():
    for row in [(1, -1, 0), (1, 0, -1), (1, 2**53, 0)]:
        with pytest.raises(ProfileError):
            leaderboard_entries([row], bytes(16))
    with pytest.raises(ValueError, match="salts"):
        leaderboard_entries([(1, 1, 1)], bytes(15))
    with pytest.raises(ValueError, match="twice"):
        leaderboard_entries([(1, 1, 1), (1, 2, 1)], bytes(32))
