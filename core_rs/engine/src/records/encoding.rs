//! base64url without padding, one spelling for each value (RFC 4648, sections 3.5 and 5).
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::profile::{Breach, ProfileError};

/// Text of some bytes.
pub fn b64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes, if the text is the one spelling of exactly `length` bytes: no padding, no white space, no trailing bits.
pub fn decode_b64url(text: &str, length: usize) -> Result<Vec<u8>, ProfileError> {
    // Bounded before decoding, so that a huge text costs nothing.
    let expected = base64::encoded_len(length, false);
    if expected != Some(text.len()) {
        return Err(Breach::Base64.at(0));
    }
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Breach::Base64.at(0))
}

/// The same into an array.
pub fn decode_b64url_array<const N: usize>(text: &str) -> Result<[u8; N], ProfileError> {
    decode_b64url(text, N)?
        .try_into()
        .map_err(|_| Breach::Base64.at(0))
}
