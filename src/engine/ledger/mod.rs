//! The ledger of facts: what was stated, in whatever order it was learnt, becomes a timeline; what changes in the timeline
//! becomes new versions of facts, and ends the versions that said otherwise.
//!
//! Statements are evidence and are only ever added. The facts that hold are a fold over all of them, so that learning a
//! thing twice, late or out of order leads to the same ledger.

mod timeline;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub use timeline::{Span, same, timeline};

use super::learn::{KEYS, Key};
use crate::domain::id::{CustomerId, FactId};
use crate::domain::memory::{Fact, LedgerChange, Stance, Statement};
use crate::domain::text::hex;

/// Brings facts in line with all statements of a customer. `known` are the versions that are not superseded, those that
/// have ended among them. Doing it again changes nothing, and the order of `statements` does not matter.
///
/// Of a key with one value only the newest statement counts, and what was said before it holds until then. Values of other
/// keys stand side by side. Facts under keys that are not on the list stay as they are.
pub fn merge(
    customer: CustomerId,
    known: &[Fact],
    statements: &[Statement],
    mut make_id: impl FnMut() -> FactId,
    now: Timestamp,
) -> LedgerChange {
    let mut change = LedgerChange::default();
    for key in KEYS {
        let mut known: Vec<&Fact> =
            known.iter().filter(|fact| fact.key == key.name && fact.superseded_at.is_none()).collect();
        for span in timeline(key, statements.iter().filter(|statement| statement.key == key.name)) {
            match known.iter().position(|fact| span.is(fact)) {
                Some(place) => {
                    known.swap_remove(place);
                }
                None => change.learnt.push(version(make_id(), customer, key.name, span, now)),
            }
        }
        change.superseded.extend(known.iter().map(|fact| fact.id));
    }
    change
}

/// What stands for a value of a customer that was forgotten: the same for all its spellings, and nothing can be read from
/// it.
pub fn forgotten_hash(customer: CustomerId, key: &str, value: &str) -> String {
    let words = timeline::compared(key, value);
    hex(&Sha256::digest(format!("{customer}\n{key}\n{}", words.join(" "))))
}

/// What remains of statements when a value is forgotten.
#[derive(Debug, Clone, PartialEq)]
pub struct Remainder {
    /// The value in every spelling in which it was stated.
    pub spellings: Vec<String>,
    /// The statements that remain.
    pub statements: Vec<Statement>,
    /// New statements among them: what ended because the value was stated has ended all the same.
    pub endings: Vec<Statement>,
}

/// Takes a value out of a customer's statements.
pub fn forget(key: &Key, value: &str, statements: &[Statement]) -> Remainder {
    let of_key = || statements.iter().filter(|statement| statement.key == key.name);
    let spans = timeline(key, of_key());
    let gone = |other: &str| same(key, value, other);
    let begun: Vec<&Span> = spans.iter().filter(|span| gone(&span.value)).collect();
    let ended_by = |span: &&Span| begun.iter().find(|begun| span.until == Some(begun.from)).copied();
    let endings = spans.iter().filter(|span| key.single && !gone(&span.value)).filter_map(|span| {
        let by = ended_by(&span)?;
        Some(Statement {
            key: key.name.to_owned(),
            value: span.value.clone(),
            stance: Stance::Ended,
            kind: key.kind,
            confidence: 1.0,
            source: by.source,
            valid_at: by.from,
            due_at: None,
        })
    });
    let endings: Vec<Statement> = endings.collect();
    let mut spellings: Vec<String> = of_key().map(|one| one.value.clone()).filter(|other| gone(other)).collect();
    spellings.push(value.to_owned());
    spellings.sort_unstable();
    spellings.dedup();
    let remaining = statements.iter().filter(|one| one.key != key.name || !gone(&one.value));
    Remainder { statements: remaining.chain(&endings).cloned().collect(), spellings, endings }
}

fn version(id: FactId, customer: CustomerId, key: &str, span: Span, now: Timestamp) -> Fact {
    Fact {
        id,
        customer,
        key: key.to_owned(),
        value: span.value,
        kind: span.kind,
        confidence: span.confidence,
        source: span.source,
        valid_at: span.from,
        invalid_at: span.until,
        recorded_at: now,
        superseded_at: None,
        due_at: span.due_at,
    }
}
