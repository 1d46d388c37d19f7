//! Signed notes and the keys that sign them (C2SP signed-note, Ed25519 keys of type 0x01).
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::error::LogError;
use crate::records::keys::{PublicKey, SigningKey};

/// Attack budget: a checkpoint has under 300 bytes, a note with 16 witnesses under 3 kB.
pub const MAX_BYTES: usize = 64 * 1024;
/// Attack budget: each signature of our key is one Ed25519 verification.
pub const MAX_SIGNATURES: usize = 100;
/// Algorithm byte of plain Ed25519.
const ED25519: u8 = 0x01;

const WHAT: &str = "a signed note";

/// A signature: the name, and key id and signature in one.
pub type Signed<'a> = (&'a str, Vec<u8>);

/// Who may sign a note: a name and a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key: PublicKey,
    id: [u8; 4],
}

impl Verifier {
    /// The verifier of a key under a name.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, LogError> {
        if !is_name(name) {
            return Err(LogError::malformed(
                "a key's name",
                "it is empty or has white space or a plus sign",
            ));
        }
        let id = key_id(name, key.as_bytes());
        Ok(Self {
            name: name.to_owned(),
            key,
            id,
        })
    }

    /// From `name+keyid+base64(0x01 || key)`.
    pub fn parse(vkey: &str) -> Result<Self, LogError> {
        let what = "a verifier key";
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(LogError::malformed(what, "it has not three parts"));
        };
        let Ok(key) = STANDARD.decode(key) else {
            return Err(LogError::malformed(what, "its key is not base64"));
        };
        let [ED25519, key @ ..] = key.as_slice() else {
            return Err(LogError::malformed(what, "its algorithm is not Ed25519"));
        };
        let Ok(key) = <&[u8; 32]>::try_from(key) else {
            return Err(LogError::malformed(what, "its key has not 32 bytes"));
        };
        let key = PublicKey::from_bytes(key)
            .map_err(|error| LogError::invalid("an Ed25519 public key", error.to_string()))?;
        let verifier = Self::new(name, key)?;
        if hex(verifier.id) == id {
            Ok(verifier)
        } else {
            Err(LogError::invalid(
                format!("key id {}", hex(verifier.id)),
                id.chars().take(8).collect::<String>(),
            ))
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// `name+keyid+base64(0x01 || key)`.
    pub fn vkey(&self) -> String {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        format!("{}+{}+{}", self.name, hex(self.id), STANDARD.encode(key))
    }
}

/// SHA-256(name "\n" 0x01 || key)[:4]
fn key_id(name: &str, key: &[u8; 32]) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update(b"\n")
        .chain_update([ED25519])
        .chain_update(key)
        .finalize();
    let mut id = [0; 4];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    id
}

fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.chars().any(char::is_whitespace)
}

/// The note of a text, which ends in a newline, signed under a name.
pub fn sign(text: &str, name: &str, key: &SigningKey) -> Result<String, LogError> {
    if !is_text(text) {
        return Err(LogError::malformed(
            WHAT,
            "its text does not end in a newline or has control characters",
        ));
    }
    let verifier = Verifier::new(name, key.public().clone())?;
    let signature = key
        .sign(text.as_bytes())
        .map_err(|error| LogError::invalid("a good signature", error.to_string()))?;
    let mut bytes = verifier.id.to_vec();
    bytes.extend_from_slice(&signature);
    Ok(format!(
        "{text}\n\u{2014} {name} {}\n",
        STANDARD.encode(bytes)
    ))
}

/// The text of a note that this verifier signed. Signatures of others are ignored; a bad one of its own is not.
pub fn open<'a>(note: &'a [u8], verifier: &Verifier) -> Result<&'a str, LogError> {
    let (text, signatures) = parse(note)?;
    let mut signed = false;
    for (name, bytes) in signatures {
        let Some((id, signature)) = bytes.split_first_chunk::<4>() else {
            continue;
        };
        if name != verifier.name || *id != verifier.id {
            continue;
        }
        let signature = <&[u8; 64]>::try_from(signature)
            .map_err(|_| LogError::malformed(WHAT, "a signature has not 64 bytes"))?;
        verifier
            .key
            .verify(text.as_bytes(), signature)
            .map_err(|error| LogError::invalid("a good signature", error.to_string()))?;
        signed = true;
    }
    if signed {
        Ok(text)
    } else {
        Err(LogError::invalid(
            format!("a signature by {}", verifier.vkey()),
            "none",
        ))
    }
}

/// A note's text and its signatures (name; key id and signature), none of them checked.
pub fn parse(note: &[u8]) -> Result<(&str, Vec<Signed<'_>>), LogError> {
    let wrong = |why| LogError::malformed(WHAT, why);
    if note.len() > MAX_BYTES {
        return Err(wrong("it is too long"));
    }
    let note = std::str::from_utf8(note).map_err(|_| wrong("it is not UTF-8"))?;
    // The last blank line ends the text: the text may have others.
    let at = note
        .rfind("\n\n")
        .ok_or_else(|| wrong("no blank line ends its text"))?;
    let (text, signatures) = note
        .split_at_checked(at + 1)
        .ok_or_else(|| wrong("no blank line ends its text"))?;
    if !is_text(text) {
        return Err(wrong("its text has control characters"));
    }
    let lines = signatures
        .strip_prefix('\n')
        .and_then(|lines| lines.strip_suffix('\n'))
        .ok_or_else(|| wrong("its last line is not ended"))?;
    let mut found = Vec::new();
    for line in lines.split('\n') {
        let rest = line
            .strip_prefix("\u{2014} ")
            .ok_or_else(|| wrong("a line below its text is no signature"))?;
        let (name, signature) = rest
            .split_once(' ')
            .filter(|(name, _)| is_name(name))
            .ok_or_else(|| wrong("a signature has no name"))?;
        let bytes = STANDARD
            .decode(signature)
            .map_err(|_| wrong("a signature is not base64"))?;
        if bytes.len() < 5 {
            return Err(wrong("a signature is too short"));
        }
        found.push((name, bytes));
        if found.len() > MAX_SIGNATURES {
            return Err(wrong("it has too many signatures"));
        }
    }
    Ok((text, found))
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n')
        && !text
            .chars()
            .any(|letter| letter != '\n' && letter.is_ascii_control())
}
