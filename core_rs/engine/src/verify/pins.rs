//! Keys that somebody has from elsewhere, in the forms in which keys are handed on.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::log::note::Verifier;
use crate::records::encoding::decode_b64url_array;
use crate::records::keys::PublicKey;
use crate::records::profile::{Value, parse};

/// Attack budget: a deployment with a thousand guilds that rotated once.
const MAX_PIN_BYTES: usize = 1024 * 1024;
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";
/// `SubjectPublicKeyInfo` of Ed25519 (RFC 8410) up to the key.
const DER_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A log's key from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPin {
    /// The log's name, if the form says it.
    pub name: Option<String>,
    /// The key.
    pub key: PublicKey,
}

impl LogPin {
    pub(super) fn matches(&self, verifier: &Verifier) -> bool {
        self.key == *verifier.key()
            && self
                .name
                .as_deref()
                .is_none_or(|name| name == verifier.name())
    }
}

/// Keys from elsewhere. Where there are none of a kind, that kind rests on the file itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    /// Keys that may sign records.
    pub keys: Vec<PublicKey>,
    /// Keys that may sign checkpoints.
    pub log_keys: Vec<LogPin>,
}

/// Keys as PEM (one or many), JWK, JWK set, or the bare 32 bytes in base64url. The error says what was wrong.
pub fn parse_keys(bytes: &[u8]) -> Result<Vec<PublicKey>, String> {
    let text = text_of(bytes)?;
    if text.starts_with('{') {
        return jwks(text);
    }
    if text.starts_with("-----") {
        return pems(text);
    }
    decode_b64url_array(text)
        .map_err(|_| "neither PEM, nor JWK, nor 43 letters of base64url".to_owned())
        .and_then(|key| point(&key))
        .map(|key| vec![key])
}

/// Log keys: verifier keys (`name+id+key`), one a line, or any form of [`parse_keys`].
pub fn parse_log_keys(bytes: &[u8]) -> Result<Vec<LogPin>, String> {
    let text = text_of(bytes)?;
    if text.contains('+') && !text.starts_with(['{', '-']) {
        return text
            .lines()
            .map(|line| {
                let verifier = Verifier::parse(line.trim()).map_err(|error| error.to_string())?;
                Ok(LogPin {
                    name: Some(verifier.name().to_owned()),
                    key: verifier.key().clone(),
                })
            })
            .collect();
    }
    let keys = parse_keys(bytes)?;
    Ok(keys
        .into_iter()
        .map(|key| LogPin { name: None, key })
        .collect())
}

fn text_of(bytes: &[u8]) -> Result<&str, String> {
    if bytes.len() > MAX_PIN_BYTES {
        return Err("too long for a key".to_owned());
    }
    std::str::from_utf8(bytes)
        .map(str::trim)
        .map_err(|_| "not text".to_owned())
}

fn pems(text: &str) -> Result<Vec<PublicKey>, String> {
    let wrong = || "not PEM of an Ed25519 public key".to_owned();
    let mut keys = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (body, after) = rest
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.split_once(END))
            .ok_or_else(wrong)?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| wrong())?;
        let key = der.strip_prefix(&DER_PREFIX).ok_or_else(wrong)?;
        keys.push(point(key.try_into().map_err(|_| wrong())?)?);
        rest = after.trim_start();
    }
    Ok(keys)
}

fn jwks(text: &str) -> Result<Vec<PublicKey>, String> {
    let value = parse(text.as_bytes()).map_err(|error| format!("not a JWK: {error}"))?;
    let Some(Value::Array(keys)) = value.member("keys") else {
        return Ok(vec![jwk(&value)?]);
    };
    if keys.is_empty() {
        return Err("a JWK set without keys".to_owned());
    }
    keys.iter().map(jwk).collect()
}

fn jwk(value: &Value<'_>) -> Result<PublicKey, String> {
    let text = |name| value.member(name).and_then(Value::as_str);
    if text("kty") != Some("OKP") || text("crv") != Some("Ed25519") {
        return Err("a JWK of another kind than Ed25519".to_owned());
    }
    let key = text("x")
        .and_then(|x| decode_b64url_array(x).ok())
        .ok_or_else(|| "a JWK whose x is not 32 bytes in base64url".to_owned())?;
    let key = point(&key)?;
    match text("kid") {
        Some(kid) if kid != key.kid() => Err("a JWK whose kid is not its thumbprint".to_owned()),
        _ => Ok(key),
    }
}

fn point(bytes: &[u8; 32]) -> Result<PublicKey, String> {
    PublicKey::from_bytes(bytes)
        .map_err(|_| "not a public key of Ed25519 that may be trusted".to_owned())
}
