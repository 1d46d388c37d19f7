//! Ed25519 keys: RFC 8032, named by their RFC 7638 thumbprint (the members of RFC 8037).
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::encoding::b64url;
use super::error::Error;

/// A seed and what follows from it. The seed leaves this type only sealed (see [`super::wrap`]); it is zeroised on drop,
/// and `Debug` shows the key id alone.
pub struct SigningKey {
    inner: ed25519_dalek::SigningKey,
    public: PublicKey,
}

impl SigningKey {
    /// The key of a seed. The caller's copy stays the caller's to wipe, hence the type.
    pub fn from_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        let inner = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = PublicKey::of(inner.verifying_key());
        Self { inner, public }
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Pure Ed25519 over a message, verified before it is returned: a fault in the arithmetic must not leave the process,
    /// since a wrong signature over a known message can give the key away.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error> {
        let signature = self.inner.sign(message).to_bytes();
        self.public.verify(message, &signature)?;
        Ok(signature)
    }

    pub(super) fn seed(&self) -> &[u8; 32] {
        self.inner.as_bytes()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("kid", &self.public.kid)
            .finish_non_exhaustive()
    }
}

/// A public key that strict verification accepts, with its key id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    inner: VerifyingKey,
    kid: String,
}

impl PublicKey {
    fn of(inner: VerifyingKey) -> Self {
        let kid = thumbprint(inner.as_bytes());
        Self { inner, kid }
    }

    /// Refuses what libsodium refuses: bytes that are no point, points of small order, and encodings at or above p.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Error> {
        let refused = || Error::invalid("an Ed25519 public key", b64url(bytes));
        if !is_canonical_encoding(bytes) {
            return Err(refused());
        }
        let inner = VerifyingKey::from_bytes(bytes).map_err(|_| refused())?;
        if inner.is_weak() {
            return Err(refused());
        }
        Ok(Self::of(inner))
    }

    /// The 32 bytes of RFC 8032.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.inner.as_bytes()
    }

    /// RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Strict verification: no small-order points, no malleable encodings.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), Error> {
        self.inner
            .verify_strict(message, &Signature::from_bytes(signature))
            .map_err(|_| {
                Error::invalid(
                    format!("a signature by key {}", self.kid),
                    "one that does not verify over these bytes",
                )
            })
    }
}

/// RFC 7638 over the required members of an OKP key (RFC 8037, section 2), in base64url.
pub fn thumbprint(public: &[u8; 32]) -> String {
    let jwk = format!(
        r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
        b64url(public)
    );
    b64url(&Sha256::digest(jwk))
}

/// Whether the y coordinate is below p = 2^255 - 19. dalek reduces silently; libsodium refuses.
fn is_canonical_encoding(bytes: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = bytes;
    !(highest & 0x7f == 0x7f && middle.iter().all(|byte| *byte == 0xff) && *lowest >= 0xed)
}
