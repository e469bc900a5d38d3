//! What is new in what was stated: nothing twice, nothing overwritten, the newest word wins.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::{KEYS, Key};
use crate::domain::id::{CustomerId, FactId};
use crate::domain::memory::{Fact, NewFact};
use crate::engine::words::{stem, words};

/// How many values of a key that is not single are learnt, newest first.
pub(super) const VALUES_MOST: usize = 20;

/// What changes in the memory of one customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Merge {
    /// Facts that are new.
    pub learnt: Vec<Fact>,
    /// Facts that they replace, with the time since when they don't hold.
    pub superseded: Vec<(FactId, Timestamp)>,
}

/// Merges what a customer stated into the facts that hold. Merging the same again changes nothing; the order of
/// `stated` does not matter.
///
/// A value that is known is not learnt again. Of a single-valued key only the newest statement counts, and it
/// supersedes what was said before it, never what was said at the same time or later; the old fact holds until the new
/// one was said. Values of other keys stand side by side, the 20 newest of each.
pub fn merge(
    customer: CustomerId,
    existing: &[Fact],
    stated: Vec<NewFact>,
    mut make_id: impl FnMut() -> FactId,
    now: Timestamp,
) -> Merge {
    let mut merged = Merge::default();
    let mut stated = stated;
    stated.retain(|fact| fact.confidence.is_finite() && !fact.value.trim().is_empty());
    // Newest first, and the same order whatever order they came in.
    stated.sort_by(newest_first);
    for key in KEYS {
        let known: Vec<&Fact> = existing.iter().filter(|fact| fact.key == key.name && holds(fact)).collect();
        let said = stated.iter().filter(|fact| fact.key == key.name);
        let new: Vec<&NewFact> = if key.single {
            let newest = said.take(1).filter(|fact| is_news(key, &known, fact));
            newest.inspect(|fact| merged.supersede(&known, fact.valid_at)).collect()
        } else {
            newest_values(key, &known, said)
        };
        // Oldest first, so that ids made from `now` keep the order in which things were said.
        for fact in new.into_iter().rev() {
            merged.learnt.push(Fact {
                id: make_id(),
                customer,
                key: fact.key.clone(),
                value: fact.value.clone(),
                kind: key.kind,
                confidence: fact.confidence.clamp(0.0, 1.0),
                source: fact.source,
                valid_at: fact.valid_at,
                invalid_at: None,
                recorded_at: now,
                superseded_at: None,
            });
        }
    }
    merged
}

impl Merge {
    fn supersede(&mut self, known: &[&Fact], since: Timestamp) {
        self.superseded.extend(known.iter().map(|fact| (fact.id, since)));
    }
}

fn holds(fact: &Fact) -> bool {
    fact.superseded_at.is_none() && fact.invalid_at.is_none()
}

fn newest_first(a: &NewFact, b: &NewFact) -> Ordering {
    let recent = b.valid_at.cmp(&a.valid_at);
    let sure = || b.confidence.total_cmp(&a.confidence);
    recent.then_with(sure).then_with(|| b.source.cmp(&a.source)).then_with(|| a.value.cmp(&b.value))
}

/// Whether a statement says something else than what is known, and later.
fn is_news(key: &Key, known: &[&Fact], fact: &NewFact) -> bool {
    known.iter().all(|old| old.valid_at < fact.valid_at && !repeats(key, &old.value, &fact.value))
}

/// Whether `new` says no more than `old`: the same in another spelling or case, or part of a fuller name.
fn repeats(key: &Key, old: &str, new: &str) -> bool {
    match key.name {
        "name" => {
            let old = words(old);
            words(new).iter().all(|word| old.contains(word))
        }
        "city" => {
            let stems = |text: &str| -> Vec<String> { words(text).iter().map(|word| stem(word)).collect() };
            old == new || stems(old) == stems(new)
        }
        _ => old == new || words(old) == words(new) && !words(old).is_empty(),
    }
}

/// The statements with values that are not known, of those that are among the newest of all values of the key.
fn newest_values<'a>(key: &Key, known: &[&Fact], said: impl Iterator<Item = &'a NewFact>) -> Vec<&'a NewFact> {
    let mut new: Vec<&NewFact> = Vec::new();
    for fact in said {
        let repeated = |value: &str| repeats(key, value, &fact.value);
        if !known.iter().any(|old| repeated(&old.value)) && !new.iter().any(|other| repeated(&other.value)) {
            new.push(fact);
        }
    }
    // What is pushed out by newer values now must not come back when the same is merged again: known values count too.
    let mut rank = 0;
    new.retain(|fact| {
        let newer = known.iter().filter(|old| old.valid_at >= fact.valid_at).count();
        rank += 1;
        rank + newer <= VALUES_MOST
    });
    new
}
