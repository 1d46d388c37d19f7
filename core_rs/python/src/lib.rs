//! `attendance._core`: plain data in, plain data out. One file a concept; errors are mapped in `errors.rs`.
#![allow(missing_docs)] // the public face is `attendance/_core.pyi`
use pyo3::prelude::*;

mod accounting;
mod errors;
mod explaining;
mod log;
mod records;
mod verify;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    accounting::register(module)?;
    explaining::register(module)?;
    log::register(module)?;
    records::register(module)?;
    verify::register(module)?;
    Ok(())
}
