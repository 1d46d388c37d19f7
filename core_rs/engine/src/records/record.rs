//! Records of a guild's chain: build, sign, verify (records specification, sections 2 and 3).
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::borrow::Cow;

use super::encoding::b64url;
use super::error::Error;
use super::keys::{PublicKey, SigningKey};
use super::merkle::{Hash, sha256};
use super::profile::{
    Breach, MAX_INTEGER, MAX_RECORD_BYTES, Member, ProfileError, Value, has_duplicates, parse,
    parse_canonical, write_object,
};

/// Value of a record's `v`.
pub const VERSION: i64 = 1;

/// Where in a guild's chain the next record goes.
#[derive(Debug, Clone, Copy)]
pub struct ChainPosition {
    /// Discord's id.
    pub guild_id: u64,
    /// `guild_seq` of the next record.
    pub guild_seq: u64,
    /// SHA-256 of the record before; absent exactly when `guild_seq` is 0.
    pub prev_sha256: Option<Hash>,
}

/// What is to be recorded: a JSON object with `type` and its members, without the chain's, and the record's salt.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// Canonical or not.
    pub json: &'a [u8],
    /// 16 random bytes.
    pub salt: [u8; 16],
}

/// The exact bytes, their hash and their signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRecord {
    /// Canonical JSON.
    pub record: Vec<u8>,
    /// SHA-256 of `record`: the next record's `prev`.
    pub sha256: Hash,
    /// Ed25519 over `record`.
    pub signature: [u8; 64],
}

/// Turn drafts into the next records of a chain, in order. All or nothing: an error means that nothing was signed for use.
pub fn sign_chain(
    key: &SigningKey,
    position: &ChainPosition,
    signed_at_ms: i64,
    drafts: &[Draft<'_>],
) -> Result<Vec<SignedRecord>, Error> {
    if (position.guild_seq == 0) != position.prev_sha256.is_none() {
        return Err(Error::Misuse(
            "prev_sha256 must be absent for guild_seq 0 and present for any other",
        ));
    }
    let mut position = *position;
    let mut signed = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.iter().enumerate() {
        let record = build_record(key.public().kid(), &position, signed_at_ms, draft)
            .map_err(|error| Error::Draft { index, error })?;
        let sha256 = sha256(&record);
        let signature = key.sign(&record)?;
        position.guild_seq = position.guild_seq.saturating_add(1); // build_record refuses what is beyond 2^53 - 1
        position.prev_sha256 = Some(sha256);
        signed.push(SignedRecord {
            record,
            sha256,
            signature,
        });
    }
    Ok(signed)
}

/// The canonical bytes of one record.
fn build_record(
    kid: &str,
    position: &ChainPosition,
    signed_at_ms: i64,
    draft: &Draft<'_>,
) -> Result<Vec<u8>, ProfileError> {
    let Value::Object(mut members) = parse(draft.json)? else {
        return Err(Breach::NotObject.at(0));
    };
    let has_type = members
        .iter()
        .any(|(key, value)| key == "type" && value.as_str().is_some_and(|text| !text.is_empty()));
    if !has_type {
        return Err(Breach::NoType.at(0));
    }
    let number = |number: i64| {
        (-MAX_INTEGER..=MAX_INTEGER)
            .contains(&number)
            .then_some(Value::Int(number))
    };
    let out_of_range = || Breach::Range.at(0);
    let guild_seq = i64::try_from(position.guild_seq)
        .ok()
        .and_then(number)
        .ok_or_else(out_of_range)?;
    let signed_at_ms = number(signed_at_ms).ok_or_else(out_of_range)?;
    members.reserve(7);
    add(&mut members, "v", Value::Int(VERSION));
    add(
        &mut members,
        "guild_id",
        text(position.guild_id.to_string()),
    );
    add(&mut members, "guild_seq", guild_seq);
    add(&mut members, "kid", Value::Str(Cow::Borrowed(kid)));
    add(&mut members, "signed_at_ms", signed_at_ms);
    add(&mut members, "salt", text(b64url(&draft.salt)));
    if let Some(prev) = position.prev_sha256 {
        add(&mut members, "prev", text(b64url(&prev)));
    } else if members.iter().any(|(key, _)| key == "prev") {
        return Err(Breach::ChainMember.at(0));
    }
    members.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    if has_duplicates(&members) {
        return Err(Breach::ChainMember.at(0));
    }
    let mut record = String::with_capacity(draft.json.len().saturating_add(300));
    write_object(&members, &mut record);
    if record.len() > MAX_RECORD_BYTES {
        return Err(Breach::Size.at(MAX_RECORD_BYTES));
    }
    Ok(record.into_bytes())
}

fn add<'a>(members: &mut Vec<Member<'a>>, name: &'static str, value: Value<'a>) {
    members.push((Cow::Borrowed(name), value));
}

fn text(owned: String) -> Value<'static> {
    Value::Str(Cow::Owned(owned))
}

/// Whether these are the canonical bytes of a record object that this key signed and that names this key.
/// Says nothing of the record's place in its chain.
pub fn verify_record(record: &[u8], signature: &[u8], public: &PublicKey) -> Result<(), Error> {
    if record.len() > MAX_RECORD_BYTES {
        return Err(Error::invalid(
            format!("at most {MAX_RECORD_BYTES} bytes"),
            record.len().to_string(),
        ));
    }
    let value = parse_canonical(record).map_err(|error| {
        Error::invalid(
            "canonical JSON of the signing profile",
            format!("at {error}"),
        )
    })?;
    if !matches!(value, Value::Object(_)) {
        return Err(Error::invalid("a JSON object", "another value"));
    }
    let named = value
        .member("kid")
        .and_then(Value::as_str)
        .unwrap_or("none");
    if named != public.kid() {
        return Err(Error::invalid(format!("kid {}", public.kid()), named));
    }
    verify_signature(record, signature, public)
}

/// Strict Ed25519 over any message, with a signature of any length.
pub fn verify_signature(message: &[u8], signature: &[u8], public: &PublicKey) -> Result<(), Error> {
    let signature: &[u8; 64] = signature.try_into().map_err(|_| {
        Error::invalid(
            "a signature of 64 bytes",
            format!("{} bytes", signature.len()),
        )
    })?;
    public.verify(message, signature)
}

/// Verifies many; the result is in the order of the batch. A run of records by one key decodes the key once.
pub fn verify_records<'a>(
    batch: impl IntoIterator<Item = (&'a [u8], &'a [u8], &'a [u8])>,
) -> Vec<Result<(), Error>> {
    verify_many(batch, verify_record)
}

/// The same for any messages: strict Ed25519 and nothing else.
pub fn verify_signatures<'a>(
    batch: impl IntoIterator<Item = (&'a [u8], &'a [u8], &'a [u8])>,
) -> Vec<Result<(), Error>> {
    verify_many(batch, verify_signature)
}

/// Of message, signature and key.
type Check = fn(&[u8], &[u8], &PublicKey) -> Result<(), Error>;

fn verify_many<'a>(
    batch: impl IntoIterator<Item = (&'a [u8], &'a [u8], &'a [u8])>,
    check: Check,
) -> Vec<Result<(), Error>> {
    let mut last: Option<PublicKey> = None;
    let mut verify = |message, signature, public_bytes: &[u8]| {
        if last
            .as_ref()
            .is_none_or(|key| key.as_bytes() != public_bytes)
        {
            last = Some(public_key(public_bytes)?);
        }
        last.as_ref()
            .map_or(Ok(()), |key| check(message, signature, key))
    };
    batch
        .into_iter()
        .map(|(record, signature, public)| verify(record, signature, public))
        .collect()
}

/// A public key from bytes of any length.
pub fn public_key(bytes: &[u8]) -> Result<PublicKey, Error> {
    let bytes: &[u8; 32] = bytes.try_into().map_err(|_| {
        Error::invalid("a public key of 32 bytes", format!("{} bytes", bytes.len()))
    })?;
    PublicKey::from_bytes(bytes)
}
