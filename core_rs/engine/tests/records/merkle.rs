use rollcall_engine::records::merkle::{
    Hash, RootBuilder, leaf_hash, node_hash, record_leaf_hash, sha256,
};

use crate::{hex, json_vector, to_hex, vector};

/// The eight-leaf tree of the Certificate Transparency sources, and its roots for sizes 0 to 8.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn root(leaves: &[Hash]) -> Hash {
    let mut tree = RootBuilder::default();
    tree.extend(leaves.iter().copied());
    tree.root()
}

/// RFC 6962, section 2.1, as it is written there.
fn recursive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(b""),
        [leaf] => *leaf,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            node_hash(&recursive(&leaves[..split]), &recursive(&leaves[split..]))
        }
    }
}

#[test]
fn the_classic_tree_has_its_roots_at_every_size() {
    let mut tree = RootBuilder::default();
    assert_eq!(to_hex(&tree.root()), ROOTS[0]);
    for (size, (leaf, expected)) in (1..).zip(LEAVES.iter().zip(&ROOTS[1..])) {
        tree.push_leaf(leaf_hash(&hex(leaf)));
        assert_eq!(to_hex(&tree.root()), *expected);
        assert_eq!(tree.size(), size);
    }
}

#[test]
#[allow(clippy::many_single_char_names)] // the RFC's letters
fn rfc_6962_section_2_1_3_seven_leaf_figure() {
    let [a, b, c, d, e, f, j] = std::array::from_fn(|leaf| leaf_hash(LEAVES[leaf].as_bytes()));
    let (g, h, i) = (node_hash(&a, &b), node_hash(&c, &d), node_hash(&e, &f));
    let (k, l) = (node_hash(&g, &h), node_hash(&i, &j));
    assert_eq!(root(&[a, b, c, d, e, f, j]), node_hash(&k, &l));
}

#[test]
fn the_stream_equals_the_recursive_definition() {
    let leaves: Vec<Hash> = (0..300_u32)
        .map(|leaf| leaf_hash(&leaf.to_be_bytes()))
        .collect();
    for size in 0..leaves.len() {
        assert_eq!(root(&leaves[..size]), recursive(&leaves[..size]), "{size}");
    }
}

#[test]
fn a_records_leaf_is_its_prefixed_hash() {
    let hash = sha256(b"record");
    assert_eq!(
        record_leaf_hash(&hash),
        leaf_hash(&[&[0x01], hash.as_slice()].concat())
    );
}

#[test]
fn the_vector_log_has_the_listed_roots_and_leaves() {
    let Some(proofs) = json_vector("derived/tlog/proofs.json") else {
        return;
    };
    let Some(bundles) = ["000", "001.p/44"]
        .map(|tile| vector(&format!("derived/tlog/tile/entries/{tile}")))
        .into_iter()
        .collect::<Option<Vec<_>>>()
    else {
        return;
    };
    // tlog-tiles: each entry has a big-endian 16-bit length before it; here all are 0x01 and a record hash.
    let bytes = bundles.concat();
    let leaves: Vec<Hash> = bytes
        .chunks(35)
        .map(|entry| {
            assert_eq!(entry[..3], [0, 33, 1]);
            record_leaf_hash(&entry[3..].try_into().unwrap())
        })
        .collect();
    assert_eq!(leaves.len(), 300);
    let standard = |hash: &Hash| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(hash)
    };
    for proof in proofs["inclusion"].as_array().unwrap() {
        let at = |name: &str| usize::try_from(proof[name].as_u64().unwrap()).unwrap();
        assert_eq!(
            standard(&leaves[at("index")]),
            proof["leaf_hash_b64"].as_str().unwrap()
        );
        assert_eq!(
            standard(&root(&leaves[..at("size")])),
            proof["root_b64"].as_str().unwrap()
        );
    }
}
