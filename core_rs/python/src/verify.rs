//! Verifying receipts and proof files: bytes in, a report as plain data out.
#![allow(clippy::needless_pass_by_value)] // PyO3 hands lists over by value
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};
use rollcall_engine::records::record;
use rollcall_engine::verify::export::{Chain, Fault, Pass, Period, Standing, Survey, Wanted};
use rollcall_engine::verify::{self, Pins, Report};

use crate::errors::records_error;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(verify_receipt, module)?)?;
    module.add_function(wrap_pyfunction!(verify_proof_file, module)?)?;
    module.add_class::<ExportCheck>()?;
    module.add_function(wrap_pyfunction!(pinned_keys, module)?)?;
    module.add_function(wrap_pyfunction!(pinned_log_keys, module)?)?;
    Ok(())
}

#[pyfunction]
#[pyo3(signature = (data, keys, log_keys))]
fn verify_receipt(
    py: Python<'_>,
    data: PyBackedBytes,
    keys: Vec<PyBackedBytes>,
    log_keys: Vec<PyBackedBytes>,
) -> PyResult<Bound<'_, PyDict>> {
    let pins = pins(&keys, &log_keys)?;
    let report = py.detach(|| verify::verify_receipt(&data, &pins));
    told(py, &report)
}

#[pyfunction]
#[pyo3(signature = (data, record, log_keys))]
fn verify_proof_file(
    py: Python<'_>,
    data: PyBackedBytes,
    record: Option<PyBackedBytes>,
    log_keys: Vec<PyBackedBytes>,
) -> PyResult<Bound<'_, PyDict>> {
    let pins = pins(&[], &log_keys)?;
    let report = py.detach(|| verify::verify_proof(&data, record.as_deref(), &pins));
    told(py, &report)
}

/// What a pass wants next, or what is wrong; neither: it is through.
type Step = (Option<&'static str>, Option<(&'static str, String, String)>);

/// The passes over a period export, each fed by the caller with pieces of the files that it asks for.
#[pyclass(module = "attendance._core")]
struct ExportCheck {
    survey: Survey,
    chain: Option<Chain>,
    standing: Option<Standing>,
    threads: usize,
}

#[pymethods]
impl ExportCheck {
    #[new]
    fn new(keys: Vec<PyBackedBytes>) -> PyResult<Self> {
        let keys = keys
            .iter()
            .map(|key| record::public_key(key).map_err(records_error))
            .collect::<PyResult<Vec<_>>>()?;
        Ok(Self {
            survey: Survey::new(keys),
            chain: None,
            standing: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }

    fn survey(&mut self, py: Python<'_>, path: &str, data: PyBackedBytes) -> Step {
        let survey = &mut self.survey;
        py.detach(|| {
            fed(survey, path, &data);
            step(survey.advance())
        })
    }

    fn chain(&mut self, py: Python<'_>, path: &str, data: PyBackedBytes) -> PyResult<Step> {
        if self.chain.is_none() {
            let period = self.surveyed()?.clone();
            self.chain = Some(Chain::new(&self.survey, period, self.threads));
        }
        let Some(chain) = &mut self.chain else {
            return Err(PyValueError::new_err("the survey comes first"));
        };
        let survey = &self.survey;
        Ok(py.detach(|| {
            fed(chain, path, &data);
            step(chain.advance(survey))
        }))
    }

    fn standing(&mut self, py: Python<'_>, path: &str, data: PyBackedBytes) -> PyResult<Step> {
        if self.standing.is_none() {
            let period = self.surveyed()?.clone();
            let chain = self
                .chain
                .take()
                .ok_or_else(|| PyValueError::new_err("the chain comes first"))?;
            self.standing = Some(Standing::new(period, chain.into_seen()));
        }
        let Some(standing) = &mut self.standing else {
            return Err(PyValueError::new_err("the chain comes first"));
        };
        Ok(py.detach(|| {
            fed(standing, path, &data);
            step(standing.advance())
        }))
    }

    #[getter]
    fn key_records(&self) -> usize {
        self.survey.key_positions().len()
    }

    #[getter]
    fn period<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let period = self.surveyed()?;
        let told = PyDict::new(py);
        told.set_item("guild_id", &period.guild_id)?;
        told.set_item("guild_seq", period.guild_seq)?;
        told.set_item("kid", &period.kid)?;
        told.set_item("period_index", period.period_index)?;
        told.set_item("started_at_ms", period.started_at_ms)?;
        told.set_item("ended_at_ms", period.ended_at_ms)?;
        told.set_item("entry_count", period.entry_count)?;
        told.set_item("entries_root", &period.entries_root)?;
        Ok(told)
    }

    #[getter]
    fn seen<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let chain = self.chain.as_ref();
        let seen = chain
            .ok_or_else(|| PyValueError::new_err("no chain was read"))?
            .seen();
        let proven = PyDict::new(py);
        for (position, hash) in &seen.proven {
            proven.set_item(position, PyBytes::new(py, hash))?;
        }
        let told = PyDict::new(py);
        told.set_item("records", seen.records)?;
        told.set_item("sessions", seen.sessions)?;
        told.set_item("redacted", seen.redacted)?;
        told.set_item("redacted_sessions", seen.redacted_sessions)?;
        told.set_item("unnamed", seen.unnamed)?;
        told.set_item("proven", proven)?;
        Ok(told)
    }

    #[getter]
    fn stood(&self) -> PyResult<(u64, u64, u64)> {
        let standing = self.standing.as_ref();
        let stood = standing
            .ok_or_else(|| PyValueError::new_err("no leaderboard was read"))?
            .stood();
        Ok((stood.entries, stood.erased, stood.unsure))
    }
}

impl ExportCheck {
    fn surveyed(&self) -> PyResult<&Period> {
        let period = self.survey.period();
        period.ok_or_else(|| PyValueError::new_err("the survey comes first"))
    }
}

/// At first there is nothing to feed.
fn fed(pass: &mut impl Pass, path: &str, data: &[u8]) {
    if !path.is_empty() {
        pass.feed(path, data);
    }
}

fn step(result: Result<Wanted, Fault>) -> Step {
    match result {
        Ok(wanted) => (wanted, None),
        Err(fault) => (None, Some((fault.check, fault.expected, fault.found))),
    }
}

#[pyfunction]
fn pinned_keys<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let keys = verify::parse_keys(data).map_err(PyValueError::new_err)?;
    Ok(keys
        .iter()
        .map(|key| PyBytes::new(py, key.as_bytes()))
        .collect())
}

#[pyfunction]
fn pinned_log_keys<'py>(
    py: Python<'py>,
    data: &[u8],
) -> PyResult<Vec<(Option<String>, Bound<'py, PyBytes>)>> {
    let pins = verify::parse_log_keys(data).map_err(PyValueError::new_err)?;
    Ok(pins
        .into_iter()
        .map(|pin| {
            let key = PyBytes::new(py, pin.key.as_bytes());
            (pin.name, key)
        })
        .collect())
}

/// Each a file or a text as somebody handed it on.
fn pins(keys: &[PyBackedBytes], log_keys: &[PyBackedBytes]) -> PyResult<Pins> {
    let mut pins = Pins::default();
    for one in keys {
        pins.keys
            .extend(verify::parse_keys(one).map_err(PyValueError::new_err)?);
    }
    for one in log_keys {
        pins.log_keys
            .extend(verify::parse_log_keys(one).map_err(PyValueError::new_err)?);
    }
    Ok(pins)
}

fn told<'py>(py: Python<'py>, report: &Report) -> PyResult<Bound<'py, PyDict>> {
    let checks = report
        .checks
        .iter()
        .map(|check| {
            let told = PyDict::new(py);
            told.set_item("name", check.name)?;
            told.set_item("outcome", check.outcome.name())?;
            told.set_item("expected", &check.expected)?;
            told.set_item("found", &check.found)?;
            Ok(told)
        })
        .collect::<PyResult<Vec<_>>>()?;
    let trust = report
        .trust
        .iter()
        .map(|one| {
            let told = PyDict::new(py);
            told.set_item("role", one.role)?;
            told.set_item("key", &one.key)?;
            told.set_item("pinned", one.is_pinned)?;
            Ok(told)
        })
        .collect::<PyResult<Vec<_>>>()?;
    let claims = PyDict::new(py);
    for (name, value) in &report.claims {
        claims.set_item(name, value)?;
    }
    let told = PyDict::new(py);
    told.set_item("kind", report.kind)?;
    told.set_item("verdict", report.verdict().name())?;
    told.set_item("reason", report.reason())?;
    told.set_item("checks", checks)?;
    told.set_item("claims", claims)?;
    told.set_item("trust", trust)?;
    Ok(told)
}
