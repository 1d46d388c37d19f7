//! What came of a verification: checks by name, what was expected and found, and on whose keys it rests.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

/// Letters of a text from a file that are shown: enough for a hash or a JSON error, too few to hide anything behind.
const SHOWN: usize = 120;

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it must be.
    Passed,
    /// Not as it must be.
    Failed,
    /// It could not be judged.
    NotPossible,
}

impl Outcome {
    /// Its name for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotPossible => "not_possible",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What a valid file has there.
    pub expected: String,
    /// What is there; of what was not possible, why.
    pub found: String,
    /// Whether a file without it cannot be called valid.
    pub is_required: bool,
}

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every required check passed.
    Valid,
    /// A check failed.
    Invalid,
    /// It is not such a file, or what is needed to judge it is missing.
    Unusable,
}

impl Verdict {
    /// Its name for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unusable => "unusable",
        }
    }
}

/// A key that the verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Whose it is: `record` or `log`.
    pub role: &'static str,
    /// The key id, or the log's verifier key.
    pub key: String,
    /// Whether it was given from elsewhere; if not, whoever made the file chose it.
    pub is_pinned: bool,
}

/// Why a check did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    Failed { expected: String, found: String },
    NotPossible(String),
}

impl Problem {
    pub(super) fn failed(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Failed {
            expected: expected.into(),
            found: found.into(),
        }
    }

    pub(super) fn after(name: &str) -> Self {
        Self::NotPossible(format!("since {name} did not pass"))
    }
}

/// What a check made of what it read, and how it says so.
pub(super) type Checked<T> = Result<(T, String), Problem>;

/// Everything that is to be said of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// `receipt` or `proof`.
    pub kind: &'static str,
    /// Why it is no such file at all.
    pub unusable: Option<String>,
    /// In the order in which they were made.
    pub checks: Vec<Check>,
    /// What the file says, as it says it: proven only by a verdict of valid.
    pub claims: Vec<(&'static str, String)>,
    /// The keys that the verdict rests on.
    pub trust: Vec<Trust>,
}

impl Report {
    pub(super) fn new(kind: &'static str) -> Self {
        Self {
            kind,
            unusable: None,
            checks: Vec::new(),
            claims: Vec::new(),
            trust: Vec::new(),
        }
    }

    pub(super) fn unusable(kind: &'static str, why: impl Into<String>) -> Self {
        Self {
            unusable: Some(why.into()),
            ..Self::new(kind)
        }
    }

    /// Notes a required check, and hands on what it made.
    pub(super) fn note<T>(&mut self, name: &'static str, checked: Checked<T>) -> Option<T> {
        self.add(name, checked, true)
    }

    /// Notes a check without which a file may be valid.
    pub(super) fn note_optional<T>(&mut self, name: &'static str, checked: Checked<T>) {
        self.add(name, checked, false);
    }

    fn add<T>(&mut self, name: &'static str, checked: Checked<T>, is_required: bool) -> Option<T> {
        let (outcome, expected, found, made) = match checked {
            Ok((made, found)) => (Outcome::Passed, found.clone(), found, Some(made)),
            Err(Problem::Failed { expected, found }) => (Outcome::Failed, expected, found, None),
            Err(Problem::NotPossible(why)) => (Outcome::NotPossible, String::new(), why, None),
        };
        self.checks.push(Check {
            name,
            outcome,
            expected,
            found,
            is_required,
        });
        made
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        let any = |outcome| {
            self.checks
                .iter()
                .any(|check| check.outcome == outcome && check.is_required)
        };
        if self.unusable.is_some() {
            Verdict::Unusable
        } else if any(Outcome::Failed) {
            Verdict::Invalid
        } else if any(Outcome::NotPossible) || self.checks.is_empty() {
            Verdict::Unusable
        } else {
            Verdict::Valid
        }
    }

    /// Why it is not valid, in one line.
    pub fn reason(&self) -> Option<String> {
        if let Some(why) = &self.unusable {
            return Some(why.clone());
        }
        let first = |outcome| {
            self.checks
                .iter()
                .find(|check| check.outcome == outcome && check.is_required)
        };
        if let Some(failed) = first(Outcome::Failed) {
            return Some(format!(
                "{}: expected {}, found {}",
                failed.name, failed.expected, failed.found
            ));
        }
        first(Outcome::NotPossible).map(|check| format!("{}: {}", check.name, check.found))
    }
}

/// A text from a file as it may be shown: bounded, and without anything that a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (place, letter) in text.chars().enumerate() {
        if place >= SHOWN {
            out.push_str("...");
            break;
        }
        if letter.is_ascii() && !letter.is_ascii_control() {
            out.push(letter);
        } else {
            out.extend(letter.escape_unicode());
        }
    }
    out
}
