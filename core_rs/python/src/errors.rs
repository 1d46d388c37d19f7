//! The one table from engine errors to Python exceptions (`attendance.errors` owns the classes).
use pyo3::PyErr;
use pyo3::Python;
use pyo3::exceptions::PyValueError;
use pyo3::import_exception;
use pyo3::types::PyBytes;
use rollcall_engine::accounting;
use rollcall_engine::log;
use rollcall_engine::records;

import_exception!(attendance.errors, InvalidRecordError);
import_exception!(attendance.errors, KeyOpenError);
import_exception!(attendance.errors, LogError);
import_exception!(attendance.errors, ProfileError);
import_exception!(attendance.errors, StateError);
import_exception!(attendance.errors, TraceError);

/// `map_err(records_error)`: both sides of a `From` would be foreign here.
pub fn records_error(error: impl Into<records::Error>) -> PyErr {
    let error = error.into();
    let message = error.to_string();
    match error {
        records::Error::Profile(_) | records::Error::Draft { .. } => ProfileError::new_err(message),
        records::Error::KeyOpen(_) => KeyOpenError::new_err(message),
        records::Error::InvalidRecord { .. } => InvalidRecordError::new_err(message),
        records::Error::Misuse(_) => PyValueError::new_err(message),
    }
}

/// What is no log data at all is `LogError`; what is, but does not hold, `InvalidRecordError`.
#[allow(clippy::needless_pass_by_value)] // for `map_err`
pub fn log_error(error: log::LogError) -> PyErr {
    let message = error.to_string();
    match error {
        log::LogError::Malformed { .. } | log::LogError::Tile { .. } => LogError::new_err(message),
        log::LogError::Invalid { .. } => InvalidRecordError::new_err(message),
        log::LogError::Misuse(_) => PyValueError::new_err(message),
    }
}

/// `TraceError(message, line_number)`: the line is counted within the batch.
pub fn batch_error(error: &accounting::BatchError) -> PyErr {
    TraceError::new_err((error.cause.to_string(), error.line_number))
}

/// `TraceError(message, line_number, printed)`.
pub fn replay_error(py: Python<'_>, error: &accounting::ReplayError) -> PyErr {
    let printed = PyBytes::new(py, &error.printed).unbind();
    TraceError::new_err((error.cause.to_string(), error.line_number, printed))
}

/// Saved state that cannot be read.
#[allow(clippy::needless_pass_by_value)] // for `map_err`
pub fn state_error(error: accounting::state::StateError) -> PyErr {
    StateError::new_err(error.to_string())
}
