//! The fold and the replay: convert, call, convert. Rows are plain tuples in the order that `attendance/_core.pyi` gives.
use std::sync::{Mutex, MutexGuard};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use pyo3::{BoundObject, IntoPyObjectExt};
use rollcall_engine::accounting::{self, Account, ClosedSession, OpenAccount};

use crate::errors::{StateError, batch_error, replay_error, state_error};

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Engine>()?;
    module.add_class::<Replay>()?;
    module.add_function(wrap_pyfunction!(clip_timeline, module)?)?;
    module.add_function(wrap_pyfunction!(quarters_of, module)?)?;
    Ok(())
}

/// A lock that is never taken while the GIL is held: a waiting thread would stop every other one.
struct Shared<T>(Mutex<T>);

impl<T: Send> Shared<T> {
    fn with<R: Send>(&self, py: Python<'_>, call: impl FnOnce(&mut T) -> R + Send) -> PyResult<R> {
        py.detach(|| {
            self.0
                .lock()
                .map(|mut guard: MutexGuard<'_, T>| call(&mut guard))
                .ok()
        })
        .ok_or_else(|| {
            StateError::new_err("the engine failed in an earlier call: restore it from saved state")
        })
    }
}

/// A closed session with what costs time to derive, made while the GIL is released.
struct ClosedRow {
    session: ClosedSession,
    timeline: Vec<u8>,
    quarters: Vec<(i64, i64)>,
}

impl ClosedRow {
    fn new(session: ClosedSession) -> Self {
        let account = &session.account;
        let credited = if account.below_minimum {
            Vec::new()
        } else {
            accounting::quarters_of(account.timeline.segments())
        };
        Self {
            timeline: timeline_json(account),
            quarters: credited,
            session,
        }
    }

    fn into_tuple(self, py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        let ClosedSession {
            ordinal,
            reason,
            account,
        } = self.session;
        let sums = account.sums;
        PyTuple::new(
            py,
            [
                account.guild_id.into_bound_py_any(py)?,
                ordinal.into_bound_py_any(py)?,
                account.user_id.into_bound_py_any(py)?,
                account.channel_id.into_bound_py_any(py)?,
                account.period_index.into_bound_py_any(py)?,
                account.stay.into_bound_py_any(py)?,
                account.part.into_bound_py_any(py)?,
                account.joined_at.into_bound_py_any(py)?,
                account.left_at.into_bound_py_any(py)?,
                pyo3::types::PyString::intern(py, reason.name()).into_any(),
                PyBytes::new(py, &self.timeline).into_any(),
                sums.counted.into_bound_py_any(py)?,
                sums.bridged.into_bound_py_any(py)?,
                sums.unwitnessed.into_bound_py_any(py)?,
                sums.deafened.into_bound_py_any(py)?,
                sums.muted.into_bound_py_any(py)?,
                sums.solo.into_bound_py_any(py)?,
                account.below_minimum.into_bound_py_any(py)?,
                account.credited().into_bound_py_any(py)?,
                self.quarters.into_bound_py_any(py)?,
                PyBytes::new(py, &account.rules.sha256).into_any(),
            ],
        )
    }
}

struct OpenRow {
    open: OpenAccount,
    timeline: Vec<u8>,
}

impl OpenRow {
    fn new(open: OpenAccount) -> Self {
        Self {
            timeline: timeline_json(&open.account),
            open,
        }
    }

    fn into_tuple(self, py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        let OpenAccount {
            account,
            status,
            stay_counted,
        } = self.open;
        let sums = account.sums;
        PyTuple::new(
            py,
            [
                account.guild_id.into_bound_py_any(py)?,
                account.user_id.into_bound_py_any(py)?,
                account.channel_id.into_bound_py_any(py)?,
                account.period_index.into_bound_py_any(py)?,
                account.stay.into_bound_py_any(py)?,
                account.part.into_bound_py_any(py)?,
                account.joined_at.into_bound_py_any(py)?,
                pyo3::types::PyString::intern(py, status.name()).into_any(),
                account.left_at.into_bound_py_any(py)?,
                PyBytes::new(py, &self.timeline).into_any(),
                sums.counted.into_bound_py_any(py)?,
                sums.bridged.into_bound_py_any(py)?,
                sums.unwitnessed.into_bound_py_any(py)?,
                sums.deafened.into_bound_py_any(py)?,
                sums.muted.into_bound_py_any(py)?,
                sums.solo.into_bound_py_any(py)?,
                stay_counted.into_bound_py_any(py)?,
                account.rules.rules.min_session_ms().into_bound_py_any(py)?,
                PyBytes::new(py, &account.rules.sha256).into_any(),
            ],
        )
    }
}

fn timeline_json(account: &Account) -> Vec<u8> {
    let mut json = Vec::new();
    account.timeline.write_json(&mut json);
    json
}

type Rows<'py> = Vec<Bound<'py, PyTuple>>;

/// The accounting of many guilds.
#[pyclass(frozen, module = "attendance._core")]
struct Engine(Shared<accounting::Engine>);

#[pymethods]
impl Engine {
    #[new]
    fn new() -> Self {
        Self(Shared(Mutex::new(accounting::Engine::new())))
    }

    #[allow(clippy::type_complexity)] // three lists, spelled out in the stub
    fn apply<'py>(
        &self,
        py: Python<'py>,
        lines: &[u8],
    ) -> PyResult<(Rows<'py>, Rows<'py>, Vec<(u64, u64)>)> {
        let (closed, open, gone) = self
            .0
            .with(py, |engine| {
                let mut changes = engine.apply_batch(lines)?;
                let (open, gone) = changes.open_and_gone(engine);
                let closed: Vec<_> = std::mem::take(&mut changes.closed)
                    .into_iter()
                    .map(ClosedRow::new)
                    .collect();
                let open: Vec<_> = open.into_iter().map(OpenRow::new).collect();
                Ok((closed, open, gone))
            })?
            .map_err(|error| batch_error(&error))?;
        let closed = closed
            .into_iter()
            .map(|row| row.into_tuple(py))
            .collect::<PyResult<_>>()?;
        let open = open
            .into_iter()
            .map(|row| row.into_tuple(py))
            .collect::<PyResult<_>>()?;
        Ok((closed, open, gone))
    }

    fn save<'py>(&self, py: Python<'py>, guild_id: u64) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.0.with(py, |engine| engine.save(guild_id))?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn restore(&self, py: Python<'_>, guild_id: u64, state: &[u8]) -> PyResult<()> {
        self.0
            .with(py, |engine| engine.restore(guild_id, state))?
            .map_err(state_error)
    }

    fn forget(&self, py: Python<'_>, guild_id: u64) -> PyResult<()> {
        self.0.with(py, |engine| engine.forget(guild_id))
    }

    fn guild_ids(&self, py: Python<'_>) -> PyResult<Vec<u64>> {
        self.0.with(py, |engine| engine.guild_ids())
    }

    fn summary<'py>(&self, py: Python<'py>, guild_id: u64) -> PyResult<Bound<'py, PyTuple>> {
        let (numbers, rules) = self.0.with(py, |engine| {
            engine.read(guild_id, |guild| {
                let counters = (
                    guild.period_index(),
                    guild.next_stay(),
                    guild.next_ordinal(),
                );
                (
                    (guild.last_at().unwrap_or(0), guild.blind_since(), counters),
                    guild.rules().clone(),
                )
            })
        })?;
        let (last_at, blind_since, (period_index, next_stay, next_ordinal)) = numbers;
        let canonical = PyBytes::new(py, rules.canonical.as_bytes());
        let sha256 = PyBytes::new(py, &rules.sha256);
        (
            last_at,
            blind_since,
            period_index,
            next_stay,
            next_ordinal,
            canonical,
            sha256,
        )
            .into_pyobject(py)
            .map(BoundObject::into_bound)
    }

    fn open_sessions<'py>(&self, py: Python<'py>, guild_id: u64) -> PyResult<Rows<'py>> {
        let rows: Vec<OpenRow> = self.0.with(py, |engine| {
            engine.read(guild_id, |guild| {
                let users = guild.users_with_session();
                users
                    .into_iter()
                    .filter_map(|user| OpenAccount::of(guild, user))
                    .map(OpenRow::new)
                    .collect()
            })
        })?;
        rows.into_iter().map(|row| row.into_tuple(py)).collect()
    }

    fn channel_parents<'py>(&self, py: Python<'py>, guild_id: u64) -> PyResult<Bound<'py, PyDict>> {
        let mut parents: Vec<(u64, u64)> = self.0.with(py, |engine| {
            engine.read(guild_id, |guild| {
                guild
                    .channel_parents()
                    .iter()
                    .map(|(id, parent)| (*id, *parent))
                    .collect()
            })
        })?;
        parents.sort_unstable();
        let dict = PyDict::new(py);
        for (channel, parent) in parents {
            dict.set_item(channel, parent)?;
        }
        Ok(dict)
    }

    fn states(&self, py: Python<'_>, guild_id: u64) -> PyResult<Vec<(u64, u64, u8, bool)>> {
        let mut states: Vec<_> = self.0.with(py, |engine| {
            engine.read(guild_id, |guild| {
                let members = guild.members().iter();
                members
                    .map(|(id, it)| (*id, it.channel_id(), it.flags().bits(), it.is_bot()))
                    .collect::<Vec<_>>()
            })
        })?;
        states.sort_unstable();
        Ok(states)
    }

    fn opted_out(&self, py: Python<'_>, guild_id: u64) -> PyResult<Vec<u64>> {
        let mut users: Vec<u64> = self.0.with(py, |engine| {
            engine.read(guild_id, |guild| {
                guild.opted_out().iter().copied().collect()
            })
        })?;
        users.sort_unstable();
        Ok(users)
    }
}

/// `rollcall replay`, streaming.
#[pyclass(frozen, module = "attendance._core")]
struct Replay(Shared<accounting::Replay>);

#[pymethods]
impl Replay {
    #[new]
    fn new(include_open: bool) -> Self {
        Self(Shared(Mutex::new(accounting::Replay::new(include_open))))
    }

    fn feed<'py>(&self, py: Python<'py>, chunk: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let outcome = self.0.with(py, |replay| replay.feed(chunk))?;
        outcome
            .map(|printed| PyBytes::new(py, &printed))
            .map_err(|error| replay_error(py, &error))
    }

    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let outcome = self.0.with(py, accounting::Replay::finish)?;
        outcome
            .map(|printed| PyBytes::new(py, &printed))
            .map_err(|error| replay_error(py, &error))
    }

    #[getter]
    fn lines(&self, py: Python<'_>) -> PyResult<u64> {
        self.0.with(py, |replay| replay.lines())
    }
}

fn stored_timeline(json: &[u8]) -> PyResult<Vec<accounting::Segment>> {
    accounting::parse_timeline(json)
        .ok_or_else(|| StateError::new_err("not a timeline: [[start, end, \"status\"], …]"))
}

#[pyfunction]
fn clip_timeline<'py>(
    py: Python<'py>,
    timeline: &[u8],
    start_ms: i64,
    end_ms: i64,
) -> PyResult<Bound<'py, PyBytes>> {
    let segments = stored_timeline(timeline)?;
    let mut json = Vec::with_capacity(timeline.len());
    accounting::write_segments(
        &mut json,
        accounting::clip_timeline(&segments, start_ms, end_ms),
    );
    Ok(PyBytes::new(py, &json))
}

#[pyfunction]
fn quarters_of(timeline: &[u8]) -> PyResult<Vec<(i64, i64)>> {
    Ok(accounting::quarters_of(
        stored_timeline(timeline)?.into_iter(),
    ))
}
