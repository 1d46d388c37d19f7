//! The transparency log: tree, proofs, checkpoints. Convert, call, convert.
#![allow(clippy::needless_pass_by_value)] // PyO3 hands lists and maps over by value
use std::collections::HashMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use rollcall_engine::log::checkpoint::Checkpoint;
use rollcall_engine::log::note::{self, Verifier};
use rollcall_engine::log::proof_file::ProofFile;
use rollcall_engine::log::tile::TileId;
use rollcall_engine::log::tree::{LogTree as Tree, Tiles, bundle, parse_bundle};
use rollcall_engine::log::{proof, proving};
use rollcall_engine::records::keys::PublicKey;
use rollcall_engine::records::merkle::{self, Hash};

use crate::errors::{log_error, records_error};
use crate::records::SigningKey;

/// Tiles by their paths.
type Files = HashMap<String, PyBackedBytes>;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LogTree>()?;
    module.add_function(wrap_pyfunction!(record_leaf_hash, module)?)?;
    module.add_function(wrap_pyfunction!(log_bundle, module)?)?;
    module.add_function(wrap_pyfunction!(read_log_bundle, module)?)?;
    module.add_function(wrap_pyfunction!(inclusion_paths, module)?)?;
    module.add_function(wrap_pyfunction!(inclusion_proof, module)?)?;
    module.add_function(wrap_pyfunction!(consistency_paths, module)?)?;
    module.add_function(wrap_pyfunction!(consistency_proof, module)?)?;
    module.add_function(wrap_pyfunction!(verify_inclusion, module)?)?;
    module.add_function(wrap_pyfunction!(verify_consistency, module)?)?;
    module.add_function(wrap_pyfunction!(verifier_key, module)?)?;
    module.add_function(wrap_pyfunction!(read_verifier_key, module)?)?;
    module.add_function(wrap_pyfunction!(sign_checkpoint, module)?)?;
    module.add_function(wrap_pyfunction!(open_checkpoint, module)?)?;
    module.add_function(wrap_pyfunction!(read_checkpoint, module)?)?;
    module.add_function(wrap_pyfunction!(write_proof_file, module)?)?;
    module.add_function(wrap_pyfunction!(read_proof_file, module)?)?;
    Ok(())
}

/// The growing tree, of which the right edge is kept.
#[pyclass(module = "attendance._core")]
struct LogTree(Tree);

#[pymethods]
impl LogTree {
    #[new]
    #[pyo3(signature = (size=0, tiles=None))]
    fn new(size: u64, tiles: Option<Files>) -> PyResult<Self> {
        let files = tiles.unwrap_or_default();
        let ids = Tree::edge_tiles(size);
        Ok(Self(
            Tree::open(size, &chosen(&ids, &files)).map_err(log_error)?,
        ))
    }

    #[staticmethod]
    fn edge_paths(size: u64) -> Vec<String> {
        paths(&Tree::edge_tiles(size))
    }

    #[getter]
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.root())
    }

    fn append<'py>(
        &mut self,
        py: Python<'py>,
        records: &[u8],
    ) -> PyResult<Vec<(String, Bound<'py, PyBytes>)>> {
        let records = hashes(records)?;
        let files = py.detach(|| self.0.append(&records));
        Ok(files
            .into_iter()
            .map(|(id, bytes)| (id.to_string(), PyBytes::new(py, &bytes)))
            .collect())
    }
}

#[pyfunction]
fn record_leaf_hash<'py>(py: Python<'py>, record_sha256: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let leaf = merkle::record_leaf_hash(&one_hash(record_sha256)?);
    Ok(PyBytes::new(py, &leaf))
}

#[pyfunction]
fn log_bundle<'py>(py: Python<'py>, records: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &bundle(&hashes(records)?)))
}

#[pyfunction]
fn read_log_bundle<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let records = parse_bundle(data).map_err(log_error)?;
    Ok(PyBytes::new(py, &records.concat()))
}

#[pyfunction]
fn inclusion_paths(size: u64, index: u64) -> PyResult<Vec<String>> {
    let ids = proving::inclusion_tiles(size, index).map_err(log_error)?;
    Ok(paths(&ids))
}

#[pyfunction]
fn inclusion_proof(
    py: Python<'_>,
    size: u64,
    index: u64,
    tiles: Files,
) -> PyResult<Vec<Bound<'_, PyBytes>>> {
    let ids = proving::inclusion_tiles(size, index).map_err(log_error)?;
    let proof = proving::inclusion_proof(size, index, &chosen(&ids, &tiles)).map_err(log_error)?;
    Ok(listed(py, &proof))
}

#[pyfunction]
fn consistency_paths(old_size: u64, new_size: u64) -> PyResult<Vec<String>> {
    let ids = proving::consistency_tiles(old_size, new_size).map_err(log_error)?;
    Ok(paths(&ids))
}

#[pyfunction]
fn consistency_proof(
    py: Python<'_>,
    old_size: u64,
    new_size: u64,
    tiles: Files,
) -> PyResult<Vec<Bound<'_, PyBytes>>> {
    let ids = proving::consistency_tiles(old_size, new_size).map_err(log_error)?;
    let proof =
        proving::consistency_proof(old_size, new_size, &chosen(&ids, &tiles)).map_err(log_error)?;
    Ok(listed(py, &proof))
}

#[pyfunction]
fn verify_inclusion(
    leaf: &[u8],
    index: u64,
    size: u64,
    proof: Vec<PyBackedBytes>,
    root: &[u8],
) -> PyResult<()> {
    let hashes = many_hashes(&proof)?;
    proof::verify_inclusion(&one_hash(leaf)?, index, size, &hashes, &one_hash(root)?)
        .map_err(log_error)
}

#[pyfunction]
fn verify_consistency(
    old_size: u64,
    new_size: u64,
    proof: Vec<PyBackedBytes>,
    old_root: &[u8],
    new_root: &[u8],
) -> PyResult<()> {
    let hashes = many_hashes(&proof)?;
    proof::verify_consistency(
        old_size,
        new_size,
        &hashes,
        &one_hash(old_root)?,
        &one_hash(new_root)?,
    )
    .map_err(log_error)
}

#[pyfunction]
fn verifier_key(name: &str, public_key: &[u8]) -> PyResult<String> {
    let key = PublicKey::from_bytes(&one_hash(public_key)?).map_err(records_error)?;
    Ok(Verifier::new(name, key).map_err(log_error)?.vkey())
}

#[pyfunction]
fn read_verifier_key<'py>(py: Python<'py>, vkey: &str) -> PyResult<(String, Bound<'py, PyBytes>)> {
    let verifier = Verifier::parse(vkey).map_err(log_error)?;
    let key = PyBytes::new(py, verifier.key().as_bytes());
    Ok((verifier.name().to_owned(), key))
}

#[pyfunction]
fn sign_checkpoint<'py>(
    py: Python<'py>,
    origin: &str,
    size: u64,
    root: &[u8],
    key: &SigningKey,
) -> PyResult<Bound<'py, PyBytes>> {
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size,
        root: one_hash(root)?,
    };
    let note = py
        .detach(|| checkpoint.sign(key.inner()))
        .map_err(log_error)?;
    Ok(PyBytes::new(py, note.as_bytes()))
}

#[pyfunction]
fn open_checkpoint<'py>(
    py: Python<'py>,
    note: &[u8],
    vkey: &str,
) -> PyResult<(String, u64, Bound<'py, PyBytes>)> {
    let verifier = Verifier::parse(vkey).map_err(log_error)?;
    let checkpoint = py
        .detach(|| Checkpoint::open(note, &verifier))
        .map_err(log_error)?;
    let root = PyBytes::new(py, &checkpoint.root);
    Ok((checkpoint.origin, checkpoint.size, root))
}

#[pyfunction]
fn read_checkpoint<'py>(
    py: Python<'py>,
    note: &[u8],
) -> PyResult<(String, u64, Bound<'py, PyBytes>)> {
    let (text, _) = note::parse(note).map_err(log_error)?;
    let checkpoint = Checkpoint::parse(text).map_err(log_error)?;
    let root = PyBytes::new(py, &checkpoint.root);
    Ok((checkpoint.origin, checkpoint.size, root))
}

#[pyfunction]
fn write_proof_file<'py>(
    py: Python<'py>,
    index: u64,
    proof: Vec<PyBackedBytes>,
    checkpoint: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let file = ProofFile {
        index,
        proof: many_hashes(&proof)?,
        checkpoint: checkpoint.to_vec(),
    };
    Ok(PyBytes::new(py, &file.to_bytes()))
}

#[pyfunction]
#[allow(clippy::type_complexity)] // index, hashes, checkpoint: said in the stub
fn read_proof_file<'py>(
    py: Python<'py>,
    data: &[u8],
) -> PyResult<(u64, Vec<Bound<'py, PyBytes>>, Bound<'py, PyBytes>)> {
    let file = ProofFile::parse(data).map_err(log_error)?;
    let checkpoint = PyBytes::new(py, &file.checkpoint);
    Ok((file.index, listed(py, &file.proof), checkpoint))
}

fn paths(ids: &[TileId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn chosen<'a>(ids: &[TileId], files: &'a Files) -> Tiles<'a> {
    ids.iter()
        .filter_map(|id| Some((*id, &**files.get(&id.to_string())?)))
        .collect()
}

fn listed<'py>(py: Python<'py>, hashes: &[Hash]) -> Vec<Bound<'py, PyBytes>> {
    hashes.iter().map(|hash| PyBytes::new(py, hash)).collect()
}

fn one_hash(bytes: &[u8]) -> PyResult<Hash> {
    bytes
        .try_into()
        .map_err(|_| PyValueError::new_err("a hash or key must be 32 bytes"))
}

fn many_hashes(hashes: &[PyBackedBytes]) -> PyResult<Vec<Hash>> {
    hashes.iter().map(|hash| one_hash(hash)).collect()
}

fn hashes(bytes: &[u8]) -> PyResult<Vec<Hash>> {
    let chunks = bytes.chunks_exact(32);
    if !chunks.remainder().is_empty() {
        return Err(PyValueError::new_err(
            "records must be whole hashes of 32 bytes",
        ));
    }
    chunks.map(one_hash).collect()
}
