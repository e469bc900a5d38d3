//! What was read out of a message so far, and what all readers share.

use jiff::Timestamp;
use regex::Regex;

use crate::domain::id::MessageId;
use crate::domain::memory::{Stance, Statement};

/// A pattern written in this module.
pub(super) fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this module compile")
}

/// How sure a rule is of what it read.
pub(super) const CERTAIN: f64 = 0.95;
/// For what stands on the words around it.
pub(super) const LIKELY: f64 = 0.85;

/// What was read so far.
pub(super) struct Said {
    source: MessageId,
    at: Timestamp,
    /// The statements, in the order in which they were read.
    pub(super) facts: Vec<Statement>,
}

impl Said {
    /// Nothing yet.
    pub(super) fn of(source: MessageId, at: Timestamp) -> Self {
        Self { source, at, facts: Vec::new() }
    }

    /// Whether anything was read under a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.facts.iter().any(|fact| fact.key == key)
    }

    /// Keeps a value, unless the key has one already, or this one.
    pub(super) fn add(&mut self, key: &str, value: String, confidence: f64) {
        let Some(known) = super::key(key) else { return };
        let twice = self.facts.iter().any(|fact| fact.key == key && (known.single || fact.value == value));
        if !twice {
            let (source, valid_at) = (self.source, self.at);
            self.facts.push(Statement {
                key: key.to_owned(),
                value,
                stance: Stance::Stated,
                kind: known.kind,
                confidence,
                source,
                valid_at,
                due_at: None,
            });
        }
    }
}
