//! Canonical JSON, keys, records and Merkle roots: convert, call, convert.
#![allow(clippy::needless_pass_by_value, clippy::unused_self)] // PyO3 hands lists over by value; dunders take self
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use rollcall_engine::records::leaderboard::{Standing, build_entries};
use rollcall_engine::records::merkle::{Hash, RootBuilder, leaf_hash, record_leaf_hash, sha256};
use rollcall_engine::records::record::{ChainPosition, Draft};
use rollcall_engine::records::wrap::{self, Argon2Cost, Floor, MIN_M_KIB, MIN_T, Purpose};
use rollcall_engine::records::{encoding, keys, profile, record};
use zeroize::Zeroizing;

use crate::errors::records_error;

/// Work on fewer bytes than this is done before the GIL could be handed over and back (about 50 µs).
const SMALL_BYTES: usize = 16 * 1024;

// Spelled out in the signatures below, so that Python's `help` can show them.
const _: () = assert!(MIN_M_KIB == 65_536 && MIN_T == 3);

/// Rows made into Python objects before other threads get a turn (about 2 ms).
const ROWS_A_TURN: usize = 8192;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SigningKey>()?;
    module.add_class::<MerkleRoot>()?;
    module.add_function(wrap_pyfunction!(canonicalise, module)?)?;
    module.add_function(wrap_pyfunction!(check_canonical, module)?)?;
    module.add_function(wrap_pyfunction!(record_sha256, module)?)?;
    module.add_function(wrap_pyfunction!(verify_record, module)?)?;
    module.add_function(wrap_pyfunction!(verify_records, module)?)?;
    module.add_function(wrap_pyfunction!(verify_signatures, module)?)?;
    module.add_function(wrap_pyfunction!(verify_signature, module)?)?;
    module.add_function(wrap_pyfunction!(thumbprint, module)?)?;
    module.add_function(wrap_pyfunction!(decode_b64url, module)?)?;
    module.add_function(wrap_pyfunction!(wrap_parameters, module)?)?;
    module.add_function(wrap_pyfunction!(merkle_root, module)?)?;
    module.add_function(wrap_pyfunction!(leaderboard_entries, module)?)?;
    Ok(())
}

#[pyfunction]
fn canonicalise<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let canonical =
        for_size(py, text.len(), || profile::canonicalise(text)).map_err(records_error)?;
    Ok(PyBytes::new(py, &canonical))
}

#[pyfunction]
fn check_canonical(py: Python<'_>, text: &[u8]) -> PyResult<()> {
    for_size(py, text.len(), || profile::parse_canonical(text).map(drop)).map_err(records_error)
}

#[pyfunction]
fn record_sha256<'py>(py: Python<'py>, record: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &for_size(py, record.len(), || sha256(record)))
}

#[pyfunction]
fn verify_record(
    py: Python<'_>,
    record: &[u8],
    signature: &[u8],
    public_key: &[u8],
) -> PyResult<()> {
    py.detach(|| record::verify_record(record, signature, &record::public_key(public_key)?))
        .map_err(records_error)
}

#[pyfunction]
fn verify_records(
    py: Python<'_>,
    batch: Vec<(PyBackedBytes, PyBackedBytes, PyBackedBytes)>,
) -> Vec<Option<String>> {
    py.detach(|| {
        let triples = batch
            .iter()
            .map(|(record, signature, public)| (&**record, &**signature, &**public));
        let results = record::verify_records(triples);
        results
            .into_iter()
            .map(|result| result.err().map(|error| error.to_string()))
            .collect()
    })
}

#[pyfunction]
fn verify_signatures(
    py: Python<'_>,
    batch: Vec<(PyBackedBytes, PyBackedBytes, PyBackedBytes)>,
) -> Vec<Option<String>> {
    py.detach(|| {
        let triples = batch
            .iter()
            .map(|(message, signature, public)| (&**message, &**signature, &**public));
        let results = record::verify_signatures(triples);
        results
            .into_iter()
            .map(|result| result.err().map(|error| error.to_string()))
            .collect()
    })
}

#[pyfunction]
fn verify_signature(
    py: Python<'_>,
    message: &[u8],
    signature: &[u8],
    public_key: &[u8],
) -> PyResult<()> {
    py.detach(|| record::verify_signature(message, signature, &record::public_key(public_key)?))
        .map_err(records_error)
}

#[pyfunction]
fn thumbprint(public_key: &[u8]) -> PyResult<String> {
    Ok(keys::thumbprint(&array(
        public_key,
        "public_key must be 32 bytes",
    )?))
}

#[pyfunction]
fn decode_b64url<'py>(py: Python<'py>, text: &str, length: usize) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = encoding::decode_b64url(text, length).map_err(records_error)?;
    Ok(PyBytes::new(py, &bytes))
}

#[pyfunction]
#[pyo3(signature = (wrapped, min_m_kib=65536, min_t=3))]
fn wrap_parameters<'py>(
    py: Python<'py>,
    wrapped: &[u8],
    min_m_kib: u32,
    min_t: u32,
) -> PyResult<(Bound<'py, PyBytes>, u32, u32)> {
    let cost = wrap::cost_of(
        wrapped,
        Floor {
            m_kib: min_m_kib,
            t: min_t,
        },
    )
    .map_err(records_error)?;
    Ok((PyBytes::new(py, &cost.salt), cost.m_kib, cost.t))
}

/// An open key. The seed stays in here: there is no way to read, copy, pickle or print it.
#[pyclass(frozen, module = "attendance._core")]
pub struct SigningKey(keys::SigningKey);

impl SigningKey {
    /// For the other modules of the binding.
    pub(crate) fn inner(&self) -> &keys::SigningKey {
        &self.0
    }
}

#[pymethods]
impl SigningKey {
    #[staticmethod]
    fn generate() -> PyResult<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        fill_random(&mut *seed)?;
        Ok(Self(keys::SigningKey::from_seed(&seed)))
    }

    #[staticmethod]
    #[pyo3(signature = (wrapped, kek, min_m_kib=65536, min_t=3, purpose=None))]
    fn open_wrapped(
        wrapped: &[u8],
        kek: &[u8],
        min_m_kib: u32,
        min_t: u32,
        purpose: Option<&str>,
    ) -> PyResult<Self> {
        let kek = secret(kek, "kek must be 32 bytes")?;
        let floor = Floor {
            m_kib: min_m_kib,
            t: min_t,
        };
        let key = wrap::open(
            wrapped,
            &kek,
            floor,
            purpose.map(parse_purpose).transpose()?,
        )
        .map_err(records_error)?;
        Ok(Self(key))
    }

    #[staticmethod]
    #[pyo3(signature = (wrapped, master_key, purpose=None))]
    fn open_master(wrapped: &[u8], master_key: &[u8], purpose: Option<&str>) -> PyResult<Self> {
        let master_key = secret(master_key, "master_key must be 32 bytes")?;
        let purpose = purpose.map(parse_purpose).transpose()?;
        Ok(Self(
            wrap::open_master(wrapped, &master_key, purpose).map_err(records_error)?,
        ))
    }

    fn wrap<'py>(
        &self,
        py: Python<'py>,
        purpose: &str,
        kek: &[u8],
        m_kib: u32,
        t: u32,
        salt: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let kek = secret(kek, "kek must be 32 bytes")?;
        let cost = Argon2Cost {
            salt: array(salt, "salt must be 16 bytes")?,
            m_kib,
            t,
        };
        let file = wrap::wrap(&self.0, parse_purpose(purpose)?, &kek, cost, fresh_nonce()?)
            .map_err(records_error)?;
        Ok(PyBytes::new(py, &file))
    }

    fn wrap_under_master<'py>(
        &self,
        py: Python<'py>,
        purpose: &str,
        master_key: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let master_key = secret(master_key, "master_key must be 32 bytes")?;
        let purpose = parse_purpose(purpose)?;
        let file = wrap::wrap_under_master(&self.0, purpose, &master_key, fresh_nonce()?)
            .map_err(records_error)?;
        Ok(PyBytes::new(py, &file))
    }

    #[getter]
    fn kid(&self) -> &str {
        self.0.public().kid()
    }

    #[getter]
    fn public_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.public().as_bytes())
    }

    #[getter]
    fn x(&self) -> String {
        encoding::b64url(self.0.public().as_bytes())
    }

    fn sign<'py>(&self, py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let signature = py.detach(|| self.0.sign(message)).map_err(records_error)?;
        Ok(PyBytes::new(py, &signature))
    }

    fn sign_chain<'py>(
        &self,
        py: Python<'py>,
        guild_id: u64,
        first_guild_seq: u64,
        prev_sha256: Option<&[u8]>,
        signed_at_ms: i64,
        drafts: Vec<(PyBackedBytes, PyBackedBytes)>,
    ) -> PyResult<Vec<SignedTriple<'py>>> {
        let prev_sha256 = prev_sha256
            .map(|hash| array(hash, "prev_sha256 must be 32 bytes"))
            .transpose()?;
        let position = ChainPosition {
            guild_id,
            guild_seq: first_guild_seq,
            prev_sha256,
        };
        let borrowed = drafts
            .iter()
            .map(|(json, salt)| {
                Ok(Draft {
                    json,
                    salt: array(salt, "a draft's salt must be 16 bytes")?,
                })
            })
            .collect::<PyResult<Vec<_>>>()?;
        let signed = py
            .detach(|| record::sign_chain(&self.0, &position, signed_at_ms, &borrowed))
            .map_err(records_error)?;
        let bytes = |bytes: &[u8]| PyBytes::new(py, bytes);
        Ok(signed
            .iter()
            .map(|one| {
                (
                    bytes(&one.record),
                    bytes(&one.sha256),
                    bytes(&one.signature),
                )
            })
            .collect())
    }

    fn __repr__(&self) -> String {
        format!("SigningKey(kid='{}')", self.kid())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a SigningKey cannot be pickled or copied: its seed does not leave the core",
        ))
    }
}

type SignedTriple<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

/// RFC 6962 root of a tree that is fed in parts.
#[pyclass(module = "attendance._core")]
struct MerkleRoot(RootBuilder);

#[pymethods]
impl MerkleRoot {
    #[new]
    fn new() -> Self {
        Self(RootBuilder::default())
    }

    fn add_record_hashes(&mut self, py: Python<'_>, hashes: &[u8]) -> PyResult<()> {
        self.add(py, hashes, record_leaf_hash)
    }

    fn add_leaf_hashes(&mut self, py: Python<'_>, hashes: &[u8]) -> PyResult<()> {
        self.add(py, hashes, |hash| *hash)
    }

    fn add_entries(&mut self, py: Python<'_>, entries: Vec<PyBackedBytes>) {
        let tree = &mut self.0;
        py.detach(|| tree.extend(entries.iter().map(|entry| leaf_hash(entry))));
    }

    fn root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.root())
    }

    #[getter]
    fn size(&self) -> u64 {
        self.0.size()
    }
}

impl MerkleRoot {
    /// All or nothing: a length that is no multiple of 32 adds no leaf.
    fn add(&mut self, py: Python<'_>, hashes: &[u8], leaf: fn(&Hash) -> Hash) -> PyResult<()> {
        let chunks = hashes.chunks_exact(32);
        if !chunks.remainder().is_empty() {
            return Err(PyValueError::new_err(
                "hashes must be a whole number of 32 bytes",
            ));
        }
        let tree = &mut self.0;
        for_size(py, hashes.len(), || {
            tree.extend(chunks.filter_map(|hash| hash.try_into().ok()).map(leaf));
        });
        Ok(())
    }
}

#[pyfunction]
fn merkle_root(py: Python<'_>, entries: Vec<PyBackedBytes>) -> Bound<'_, PyBytes> {
    let root = py.detach(|| {
        let mut tree = RootBuilder::default();
        tree.extend(entries.iter().map(|entry| leaf_hash(entry)));
        tree.root()
    });
    PyBytes::new(py, &root)
}

type EntryRow<'py> = (u64, u64, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

#[pyfunction]
fn leaderboard_entries<'py>(
    py: Python<'py>,
    rows: Vec<(u64, i64, i64)>,
    salts: &[u8],
) -> PyResult<(Vec<EntryRow<'py>>, Bound<'py, PyBytes>)> {
    let standing = |(user_id, credited_ms, session_count)| Standing {
        user_id,
        credited_ms,
        session_count,
    };
    let (entries, root) = py
        .detach(|| build_entries(rows.into_iter().map(standing).collect(), salts))
        .map_err(records_error)?;
    let bytes = |bytes: &[u8]| PyBytes::new(py, bytes);
    let mut rows = Vec::with_capacity(entries.len());
    for some in entries.chunks(ROWS_A_TURN) {
        rows.extend(some.iter().map(|entry| {
            let json = bytes(entry.json.as_bytes());
            (entry.user_id, entry.rank, json, bytes(&entry.leaf_hash))
        }));
        py.detach(|| ()); // a turn for the event loop
    }
    Ok((rows, bytes(&root)))
}

/// Run `work` without the GIL if there are enough bytes for that to pay.
fn for_size<T: Send>(py: Python<'_>, bytes: usize, work: impl FnOnce() -> T + Send) -> T {
    if bytes > SMALL_BYTES {
        py.detach(work)
    } else {
        work()
    }
}

fn parse_purpose(text: &str) -> PyResult<Purpose> {
    Purpose::parse(text)
        .ok_or_else(|| PyValueError::new_err("purpose must be 'record', 'log' or 'export'"))
}

fn array<const N: usize>(bytes: &[u8], otherwise: &'static str) -> PyResult<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| PyValueError::new_err(otherwise))
}

fn secret(bytes: &[u8], otherwise: &'static str) -> PyResult<Zeroizing<[u8; 32]>> {
    array(bytes, otherwise).map(Zeroizing::new)
}

fn fresh_nonce() -> PyResult<[u8; 24]> {
    let mut nonce = [0; 24];
    fill_random(&mut nonce)?;
    Ok(nonce)
}

fn fill_random(bytes: &mut [u8]) -> PyResult<()> {
    getrandom::fill(bytes)
        .map_err(|error| PyOSError::new_err(format!("the system gives no random bytes: {error}")))
}
