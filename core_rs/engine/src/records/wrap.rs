//! Wrapped keys: a seed sealed with XChaCha20-Poly1305 under a passphrase's Argon2id key or under the deployment's master
//! key. The file is one JSON object of the signing profile (records specification, section 3):
//!
//! ```text
//! {"aead":{"name":"xchacha20-poly1305","nonce":B64U(24)},
//!  "ct":B64U(48: sealed seed, tag last),
//!  "kdf":{"m_kib":262144,"name":"argon2id","p":1,"salt":B64U(16),"t":3,"version":19},
//!  "kid":B64U(32),"purpose":"record"|"log"|"export","v":1,"x":B64U(32)}
//! ```
//!
//! The canonical object without `ct` is the additional data, so that no member of the header can be changed. Members may
//! come in any order; unknown ones are refused. Under the master key only `kdf` differs: it is exactly
//! `{"name":"master"}`, and the 32 bytes of the master key are the AEAD key as they are. The nonce is 24 random bytes, so
//! that one master key can seal any number of seeds; the header tells one use from another.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::borrow::Cow;

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::encoding::{b64url, decode_b64url_array};
use super::error::{Error, KeyOpenError};
use super::keys::SigningKey;
use super::profile::{Value, parse, write_object};

/// Most memory a wrapped key may ask for: 2 GiB, or whoever can write a key file can fell the service.
pub const MAX_M_KIB: u32 = 2 * 1024 * 1024;
/// Most passes, for the same reason.
pub const MAX_T: u32 = 10;
/// Least memory: 64 MiB, RFC 9106's second recommended option. A weaker file is a downgrade.
pub const MIN_M_KIB: u32 = 64 * 1024;
/// Least passes, from the same place.
pub const MIN_T: u32 = 3;

const AEAD: &str = "xchacha20-poly1305";
const ARGON2ID: &str = "argon2id";
/// 0x13, the only version of Argon2 in use (RFC 9106, section 3.1).
const ARGON2_VERSION: i64 = 19;
const MASTER: &str = "master";
/// Far above any real file; bounds what is parsed.
const MAX_FILE_BYTES: usize = 4 * 1024;

/// What a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A guild's records.
    Record,
    /// Checkpoints.
    Log,
    /// Export manifests.
    Export,
}

impl Purpose {
    /// The spelling of the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Log => "log",
            Self::Export => "export",
        }
    }

    /// The purpose of that spelling.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Record, Self::Log, Self::Export]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
    }
}

/// What Argon2id needs besides the passphrase. One lane: libsodium knows no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Random.
    pub salt: [u8; 16],
    /// Memory in KiB.
    pub m_kib: u32,
    /// Passes.
    pub t: u32,
}

/// The least cost that is accepted; the most is fixed.
#[derive(Debug, Clone, Copy)]
pub struct Floor {
    /// Memory in KiB.
    pub m_kib: u32,
    /// Passes.
    pub t: u32,
}

impl Default for Floor {
    fn default() -> Self {
        Self {
            m_kib: MIN_M_KIB,
            t: MIN_T,
        }
    }
}

impl Floor {
    fn check(self, cost: Argon2Cost) -> Result<Argon2Cost, KeyOpenError> {
        if !(self.m_kib..=MAX_M_KIB).contains(&cost.m_kib) {
            return Err(KeyOpenError::Memory {
                found: cost.m_kib,
                floor: self.m_kib,
                ceiling: MAX_M_KIB,
            });
        }
        if !(self.t..=MAX_T).contains(&cost.t) {
            return Err(KeyOpenError::Passes {
                found: cost.t,
                floor: self.t,
                ceiling: MAX_T,
            });
        }
        Ok(cost)
    }
}

/// How the key of the seal is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Derivation {
    Argon2id(Argon2Cost),
    Master,
}

impl Derivation {
    fn to_value(self) -> Value<'static> {
        match self {
            Self::Argon2id(cost) => object([
                ("m_kib", Value::Int(cost.m_kib.into())),
                ("name", text(ARGON2ID)),
                ("p", Value::Int(1)),
                ("salt", text(b64url(&cost.salt))),
                ("t", Value::Int(cost.t.into())),
                ("version", Value::Int(ARGON2_VERSION)),
            ]),
            Self::Master => object([("name", text(MASTER))]),
        }
    }

    fn parse(value: &Value<'_>) -> Result<Self, KeyOpenError> {
        if let Some([name]) = members(value, ["name"]) {
            return if name.as_str() == Some(MASTER) {
                Ok(Self::Master)
            } else {
                Err(KeyOpenError::Form("kdf"))
            };
        }
        let [m_kib, name, p, salt, t, version] =
            members(value, ["m_kib", "name", "p", "salt", "t", "version"])
                .ok_or(KeyOpenError::Form("kdf: members"))?;
        if name.as_str() != Some(ARGON2ID)
            || *version != Value::Int(ARGON2_VERSION)
            || *p != Value::Int(1)
        {
            return Err(KeyOpenError::Form(
                "kdf: expected argon2id, version 19, p=1",
            ));
        }
        Ok(Self::Argon2id(Argon2Cost {
            salt: bytes(salt).ok_or(KeyOpenError::Form(
                "kdf.salt: expected 16 bytes in base64url",
            ))?,
            m_kib: unsigned(m_kib).ok_or(KeyOpenError::Form("kdf.m_kib"))?,
            t: unsigned(t).ok_or(KeyOpenError::Form("kdf.t"))?,
        }))
    }
}

/// A wrapped key, parsed and of the known form, not yet opened.
#[derive(Debug)]
struct Wrapped {
    derivation: Derivation,
    purpose: Purpose,
    kid: String,
    x: [u8; 32],
    nonce: [u8; 24],
    sealed: [u8; 48],
    additional_data: String,
}

impl Wrapped {
    fn parse(file: &[u8]) -> Result<Self, KeyOpenError> {
        if file.len() > MAX_FILE_BYTES {
            return Err(KeyOpenError::Form("too long"));
        }
        let value = parse(file).map_err(KeyOpenError::Unreadable)?;
        let [aead, ct, kdf, kid, purpose, v, x] =
            members(&value, ["aead", "ct", "kdf", "kid", "purpose", "v", "x"])
                .ok_or(KeyOpenError::Form("members"))?;
        if *v != Value::Int(1) {
            return Err(KeyOpenError::Form("v: expected 1"));
        }
        let [name, nonce] =
            members(aead, ["name", "nonce"]).ok_or(KeyOpenError::Form("aead: members"))?;
        if name.as_str() != Some(AEAD) {
            return Err(KeyOpenError::Form("aead.name: expected xchacha20-poly1305"));
        }
        Ok(Self {
            derivation: Derivation::parse(kdf)?,
            purpose: purpose
                .as_str()
                .and_then(Purpose::parse)
                .ok_or(KeyOpenError::Form("purpose"))?,
            kid: kid.as_str().ok_or(KeyOpenError::Form("kid"))?.to_owned(),
            x: bytes(x).ok_or(KeyOpenError::Form("x: expected 32 bytes in base64url"))?,
            nonce: bytes(nonce).ok_or(KeyOpenError::Form(
                "aead.nonce: expected 24 bytes in base64url",
            ))?,
            sealed: bytes(ct).ok_or(KeyOpenError::Form("ct: expected 48 bytes in base64url"))?,
            additional_data: without_ct(&value),
        })
    }

    fn open(&self, wrapping_key: &[u8; 32]) -> Result<SigningKey, KeyOpenError> {
        let mut buffer = Zeroizing::new(self.sealed.to_vec());
        XChaCha20Poly1305::new(wrapping_key.into())
            .decrypt_in_place(
                &XNonce::from(self.nonce),
                self.additional_data.as_bytes(),
                &mut *buffer,
            )
            .map_err(|_| KeyOpenError::Sealed)?;
        let mut seed = Zeroizing::new([0; 32]);
        if buffer.len() != seed.len() {
            return Err(KeyOpenError::Sealed);
        }
        seed.copy_from_slice(&buffer);
        let key = SigningKey::from_seed(&seed);
        // Who knows the wrapping key could seal one key under another's name.
        if *key.public().as_bytes() != self.x || key.public().kid() != self.kid {
            return Err(KeyOpenError::AnotherKey);
        }
        Ok(key)
    }

    fn expect(&self, purpose: Option<Purpose>) -> Result<(), KeyOpenError> {
        match purpose {
            Some(expected) if expected != self.purpose => Err(KeyOpenError::Purpose),
            _ => Ok(()),
        }
    }

    fn cost(&self, floor: Floor) -> Result<Argon2Cost, KeyOpenError> {
        match self.derivation {
            Derivation::Argon2id(cost) => floor.check(cost),
            Derivation::Master => Err(KeyOpenError::Form(
                "kdf: wrapped under the master key, not a passphrase",
            )),
        }
    }
}

/// Seal under a key derived from a passphrase with `cost`. `nonce` must be fresh and random.
pub fn wrap(
    key: &SigningKey,
    purpose: Purpose,
    wrapping_key: &[u8; 32],
    cost: Argon2Cost,
    nonce: [u8; 24],
) -> Result<Vec<u8>, Error> {
    Floor { m_kib: 1, t: 1 }.check(cost)?;
    seal(
        key,
        purpose,
        wrapping_key,
        Derivation::Argon2id(cost),
        nonce,
    )
}

/// Seal under the deployment's master key. `nonce` must be fresh and random.
pub fn wrap_under_master(
    key: &SigningKey,
    purpose: Purpose,
    master_key: &[u8; 32],
    nonce: [u8; 24],
) -> Result<Vec<u8>, Error> {
    seal(key, purpose, master_key, Derivation::Master, nonce)
}

/// What to derive the wrapping key with. The bounds are checked here, before anybody spends the memory.
pub fn cost_of(file: &[u8], floor: Floor) -> Result<Argon2Cost, KeyOpenError> {
    Wrapped::parse(file)?.cost(floor)
}

/// Open with the key derived from the passphrase.
pub fn open(
    file: &[u8],
    wrapping_key: &[u8; 32],
    floor: Floor,
    purpose: Option<Purpose>,
) -> Result<SigningKey, KeyOpenError> {
    let wrapped = Wrapped::parse(file)?;
    wrapped.cost(floor)?;
    wrapped.expect(purpose)?;
    wrapped.open(wrapping_key)
}

/// Open with the deployment's master key.
pub fn open_master(
    file: &[u8],
    master_key: &[u8; 32],
    purpose: Option<Purpose>,
) -> Result<SigningKey, KeyOpenError> {
    let wrapped = Wrapped::parse(file)?;
    if wrapped.derivation != Derivation::Master {
        return Err(KeyOpenError::Form(
            "kdf: wrapped under a passphrase, not the master key",
        ));
    }
    wrapped.expect(purpose)?;
    wrapped.open(master_key)
}

fn seal(
    key: &SigningKey,
    purpose: Purpose,
    wrapping_key: &[u8; 32],
    derivation: Derivation,
    nonce: [u8; 24],
) -> Result<Vec<u8>, Error> {
    let mut header = object([
        (
            "aead",
            object([("name", text(AEAD)), ("nonce", text(b64url(&nonce)))]),
        ),
        ("kdf", derivation.to_value()),
        ("kid", text(key.public().kid().to_owned())),
        ("purpose", text(purpose.as_str())),
        ("v", Value::Int(1)),
        ("x", text(b64url(key.public().as_bytes()))),
    ]);
    let mut additional_data = String::new();
    header.write(&mut additional_data);
    // Room for the tag from the start: growing would leave a copy of the seed behind.
    let mut buffer = Zeroizing::new(Vec::with_capacity(48));
    buffer.extend_from_slice(key.seed());
    XChaCha20Poly1305::new(wrapping_key.into())
        .encrypt_in_place(
            &XNonce::from(nonce),
            additional_data.as_bytes(),
            &mut *buffer,
        )
        .map_err(|_| Error::Misuse("the seal could not be made"))?;
    if let Value::Object(members) = &mut header {
        members.push((Cow::Borrowed("ct"), text(b64url(&buffer))));
        members.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    }
    let mut file = String::new();
    header.write(&mut file);
    Ok(file.into_bytes())
}

fn without_ct(value: &Value<'_>) -> String {
    let mut header = String::new();
    if let Value::Object(members) = value {
        let kept: Vec<_> = members
            .iter()
            .filter(|(name, _)| name != "ct")
            .cloned()
            .collect();
        write_object(&kept, &mut header);
    }
    header
}

/// The values of an object that has exactly these members (names ascending).
fn members<'v, 'a, const N: usize>(
    value: &'v Value<'a>,
    names: [&str; N],
) -> Option<[&'v Value<'a>; N]> {
    let Value::Object(members) = value else {
        return None;
    };
    if !members.iter().map(|(name, _)| name.as_ref()).eq(names) {
        return None;
    }
    members
        .iter()
        .map(|(_, value)| value)
        .collect::<Vec<_>>()
        .try_into()
        .ok()
}

fn bytes<const N: usize>(value: &Value<'_>) -> Option<[u8; N]> {
    decode_b64url_array(value.as_str()?).ok()
}

fn unsigned(value: &Value<'_>) -> Option<u32> {
    if let Value::Int(number) = value {
        u32::try_from(*number).ok()
    } else {
        None
    }
}

fn text(text: impl Into<Cow<'static, str>>) -> Value<'static> {
    Value::Str(text.into())
}

/// Names must be ascending.
fn object<const N: usize>(members: [(&'static str, Value<'static>); N]) -> Value<'static> {
    Value::Object(
        members
            .into_iter()
            .map(|(name, value)| (Cow::Borrowed(name), value))
            .collect(),
    )
}
