//! What the fold says about the past again: stretches without a session, and the past under other rules.
use std::sync::Arc;
use std::sync::Mutex;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use rollcall_engine::accounting::{self, Event, Guild, Presence, RuleSet, state, trace};

use crate::errors::{StateError, TraceError, batch_error, state_error};

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RulesComparison>()?;
    module.add_function(wrap_pyfunction!(presence_without_session, module)?)?;
    Ok(())
}

/// A guild from saved state, or before its first line.
fn guild_of(guild_id: u64, state: Option<&[u8]>) -> PyResult<Guild> {
    match state {
        Some(bytes) => state::restore(guild_id, bytes).map_err(state_error),
        None => Ok(Guild::new(guild_id, Arc::default())),
    }
}

type PresenceRow<'py> = (i64, i64, u64, Bound<'py, PyString>, Bound<'py, PyBytes>);

#[pyfunction]
fn presence_without_session<'py>(
    py: Python<'py>,
    guild_id: u64,
    state: Option<&[u8]>,
    user_id: u64,
    lines: &[u8],
    end_ms: i64,
) -> PyResult<Vec<PresenceRow<'py>>> {
    let found = py.detach(|| {
        let mut guild = guild_of(guild_id, state)?;
        accounting::presence_without_session(&mut guild, user_id, lines, end_ms)
            .map_err(|error| batch_error(&error))
    })?;
    let row = |presence: Presence| {
        (
            presence.start,
            presence.end,
            presence.channel_id,
            PyString::intern(py, presence.why.name()),
            PyBytes::new(py, &presence.rules.sha256),
        )
    };
    Ok(found.into_iter().map(row).collect())
}

/// The past under two rule sets.
#[pyclass(frozen, module = "attendance._core")]
struct RulesComparison {
    start_ms: i64,
    comparison: Mutex<Option<accounting::RulesComparison>>,
}

#[pymethods]
impl RulesComparison {
    #[new]
    fn new(
        py: Python<'_>,
        guild_id: u64,
        state: Option<&[u8]>,
        start_ms: i64,
        before: &[u8],
        after: &[u8],
    ) -> PyResult<Self> {
        py.detach(|| {
            let rules = [rules_of(before)?, rules_of(after)?];
            let guild = guild_of(guild_id, state)?;
            let comparison = accounting::RulesComparison::new(guild, start_ms, rules);
            Ok(Self {
                start_ms: comparison.start(),
                comparison: Mutex::new(Some(comparison)),
            })
        })
    }

    #[getter]
    fn start_ms(&self) -> i64 {
        self.start_ms
    }

    fn feed(&self, py: Python<'_>, lines: &[u8]) -> PyResult<()> {
        py.detach(|| match self.comparison.lock().as_deref_mut() {
            Ok(Some(comparison)) => comparison.feed(lines).map_err(|error| batch_error(&error)),
            _ => Err(finished()),
        })
    }

    #[allow(clippy::type_complexity)] // spelled out in the stub
    fn finish(&self, py: Python<'_>, end_ms: i64) -> PyResult<Vec<(u64, i64, u64, i64, u64)>> {
        py.detach(|| {
            let comparison = self.comparison.lock().ok().and_then(|mut held| held.take());
            let members = comparison.ok_or_else(finished)?.finish(end_ms);
            Ok(members
                .into_iter()
                .map(|(user, [before, after])| {
                    let (now, then) = (before.credited, after.credited);
                    (user, now, before.sessions, then, after.sessions)
                })
                .collect())
        })
    }
}

fn finished() -> PyErr {
    StateError::new_err("the comparison is finished")
}

/// Rules as a trace line says them.
fn rules_of(line: &[u8]) -> PyResult<Arc<RuleSet>> {
    let line =
        trace::parse_line(line).map_err(|cause| TraceError::new_err((cause.to_string(), 1)))?;
    match line.event {
        Event::Rules(rules) => Ok(rules),
        _ => Err(PyValueError::new_err("not a `rules` line")),
    }
}
