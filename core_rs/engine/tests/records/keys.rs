use rollcall_engine::records::keys::{PublicKey, SigningKey, thumbprint};
use rollcall_engine::records::record::{public_key, verify_signature};
use zeroize::Zeroizing;

use crate::{hex, hex_array, json_vector, key, vector};

/// Seed, public key, message, signature: RFC 8032, section 7.1, tests 1 to 3 and SHA(abc).
const RFC_8032: [[&str; 4]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

fn signing_key(seed: &str) -> SigningKey {
    SigningKey::from_seed(&Zeroizing::new(hex_array(seed)))
}

#[test]
fn rfc_8032_section_7_1_is_signed_and_verified() {
    for [seed, public, message, signature] in RFC_8032 {
        let key = signing_key(seed);
        assert_eq!(key.public().as_bytes().to_vec(), hex(public));
        assert_eq!(key.sign(&hex(message)).unwrap().to_vec(), hex(signature));
        assert!(
            key.public()
                .verify(&hex(message), &hex_array(signature))
                .is_ok()
        );
        assert!(
            key.public()
                .verify(b"another message", &hex_array(signature))
                .is_err()
        );
    }
}

#[test]
fn rfc_8037_appendix_a_names_the_key() {
    let key = signing_key("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    assert_eq!(
        key.public().kid(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    assert_eq!(thumbprint(key.public().as_bytes()), key.public().kid());
}

#[test]
fn debug_output_names_the_key_and_nothing_else() {
    let key = key(0x5a);
    assert_eq!(
        format!("{key:?}"),
        format!("SigningKey {{ kid: {:?}, .. }}", key.public().kid())
    );
}

#[test]
fn public_keys_of_small_order_and_other_spellings_are_refused() {
    let p = "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
    let refused = [
        "0000000000000000000000000000000000000000000000000000000000000000", // order 4
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000", // the identity
        "0100000000000000000000000000000000000000000000000000000000000080", // "negative" zero x
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
        p,
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 3 + p: a point once reduced
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0200000000000000000000000000000000000000000000000000000000000000", // no point
    ];
    for bytes in refused {
        assert!(PublicKey::from_bytes(&hex_array(bytes)).is_err(), "{bytes}");
    }
    assert!(public_key(&[0; 31]).is_err());
    assert!(public_key(&[]).is_err());
}

#[test]
fn a_signature_with_its_scalar_above_the_order_is_refused() {
    let key = key(1);
    let signature = key.sign(b"message").unwrap();
    // S + L is the same scalar in another spelling (RFC 8032, section 5.1.7, forbids it).
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut malleable = signature;
    let mut carry = 0_u16;
    for (byte, add) in malleable[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert!(key.public().verify(b"message", &signature).is_ok());
    assert!(key.public().verify(b"message", &malleable).is_err());
    assert!(verify_signature(b"message", &signature[..63], key.public()).is_err());
    assert!(verify_signature(b"message", &[], key.public()).is_err());
}

#[test]
fn every_line_of_the_ed25519_vectors_is_reproduced() {
    let Some(text) = vector("ed25519-rfc8032/dalek-TESTVECTORS") else {
        return;
    };
    let mut lines = 0;
    for line in String::from_utf8(text).unwrap().lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let key = signing_key(&fields[0][..64]);
        let signature = key.sign(&hex(fields[2])).unwrap();
        assert_eq!(key.public().as_bytes().to_vec(), hex(fields[1]));
        assert_eq!(signature.to_vec(), hex(&fields[3][..128]));
        lines += 1;
    }
    assert_eq!(lines, 128);
}

#[test]
fn the_key_vectors_have_the_listed_names() {
    let Some(vectors) = json_vector("derived/keys.json") else {
        return;
    };
    for vector in vectors["keys"].as_object().unwrap().values() {
        let key = signing_key(vector["seed_hex"].as_str().unwrap());
        assert_eq!(
            key.public().as_bytes().to_vec(),
            hex(vector["public_hex"].as_str().unwrap())
        );
        assert_eq!(
            key.public().kid(),
            vector["rfc7638_thumbprint"].as_str().unwrap()
        );
    }
}
