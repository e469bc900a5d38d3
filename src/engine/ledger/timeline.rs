//! When which value of a key held, from what was stated.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::domain::id::MessageId;
use crate::domain::memory::{Fact, FactKind, Stance, Statement};
use crate::engine::learn::Key;
use crate::engine::words::{stem, words};

/// A stretch of time in which a value held, and the statement that began it.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The value.
    pub value: String,
    /// What sort.
    pub kind: FactKind,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// Where it was said first.
    pub source: MessageId,
    /// When a promise falls due.
    pub due_at: Option<Timestamp>,
    /// Since when it holds.
    pub from: Timestamp,
    /// Until when; `None` while it does.
    pub until: Option<Timestamp>,
}

impl Span {
    /// Whether a version of a fact says the same.
    pub(super) fn is(&self, fact: &Fact) -> bool {
        (&self.value, self.source, self.from, self.until, self.due_at)
            == (&fact.value, fact.source, fact.valid_at, fact.invalid_at, fact.due_at)
    }

    fn begun_by(statement: &Statement, kind: FactKind) -> Self {
        Self {
            value: statement.value.clone(),
            kind,
            confidence: statement.confidence.clamp(0.0, 1.0),
            source: statement.source,
            due_at: statement.due_at,
            from: statement.valid_at,
            until: None,
        }
    }
}

/// The spans of a key's values, oldest first. The order of `statements`, all of this key, does not matter.
///
/// Of several statements of the same time the surest counts last. Without a value or a finite confidence a statement says
/// nothing.
pub fn timeline<'a>(key: &Key, statements: impl Iterator<Item = &'a Statement>) -> Vec<Span> {
    let mut said: Vec<&Statement> =
        statements.filter(|statement| statement.confidence.is_finite() && !statement.value.trim().is_empty()).collect();
    said.sort_by(|a, b| in_time(a, b));
    let said = without_retracted(key, &said);
    let mut spans: Vec<Span> = if key.single { one_after_another(key, &said) } else { side_by_side(key, &said) };
    spans.retain(|span| span.until != Some(span.from));
    spans.sort_by(|a, b| a.from.cmp(&b.from).then_with(|| a.source.cmp(&b.source)).then_with(|| a.value.cmp(&b.value)));
    spans
}

fn in_time(a: &Statement, b: &Statement) -> Ordering {
    let ends = |statement: &Statement| statement.stance != Stance::Stated;
    let when = a.valid_at.cmp(&b.valid_at).then_with(|| ends(a).cmp(&ends(b)));
    let sure = || a.confidence.total_cmp(&b.confidence);
    when.then_with(sure)
        .then_with(|| a.source.cmp(&b.source))
        .then_with(|| b.value.cmp(&a.value))
        .then_with(|| b.due_at.cmp(&a.due_at))
}

/// What was stated, less what was taken back later on as never true.
fn without_retracted<'a>(key: &Key, said: &[&'a Statement]) -> Vec<&'a Statement> {
    let taken_back = |place: usize, one: &Statement| {
        let later = said[place..].iter().filter(|other| other.stance == Stance::Retracted);
        one.stance == Stance::Stated && later.into_iter().any(|other| means(key, other, &one.value, one.due_at))
    };
    let kept =
        said.iter().enumerate().filter(|(place, one)| one.stance != Stance::Retracted && !taken_back(*place, one));
    kept.map(|(_, one)| *one).collect()
}

/// Whether a statement that ends or takes back something is about this value.
fn means(key: &Key, statement: &Statement, value: &str, due_at: Option<Timestamp>) -> bool {
    same(key, value, &statement.value) && (statement.due_at.is_none() || statement.due_at == due_at)
}

/// One value at a time: a new one ends the one before.
fn one_after_another(key: &Key, said: &[&Statement]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for statement in said {
        let open = spans.last_mut().filter(|span| span.until.is_none());
        match (statement.stance, open) {
            (Stance::Stated, Some(open)) if says_no_more(key, &open.value, &statement.value) => {}
            (Stance::Stated, open) => {
                if let Some(open) = open {
                    open.until = Some(statement.valid_at);
                }
                spans.push(Span::begun_by(statement, key.kind));
            }
            (_, Some(open)) if means(key, statement, &open.value, open.due_at) => open.until = Some(statement.valid_at),
            _ => {}
        }
    }
    spans
}

/// Every value for itself. The same promise for another time is another promise.
fn side_by_side(key: &Key, said: &[&Statement]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for statement in said {
        let of_it = |span: &&mut Span| {
            span.until.is_none()
                && match statement.stance {
                    Stance::Stated => same(key, &span.value, &statement.value) && span.due_at == statement.due_at,
                    _ => means(key, statement, &span.value, span.due_at),
                }
        };
        let open = spans.iter_mut().filter(of_it);
        if statement.stance == Stance::Stated {
            if open.count() == 0 {
                spans.push(Span::begun_by(statement, key.kind));
            }
        } else {
            open.for_each(|span| span.until = Some(statement.valid_at));
        }
    }
    spans
}

/// Whether two values are the same in other spelling, case or, of a city, another case ending.
pub fn same(key: &Key, a: &str, b: &str) -> bool {
    a == b || {
        let a = compared(key.name, a);
        !a.is_empty() && a == compared(key.name, b)
    }
}

/// A value as it is compared.
pub(super) fn compared(key: &str, value: &str) -> Vec<String> {
    let words = words(value);
    if key == "city" { words.iter().map(|word| stem(word)).collect() } else { words }
}

/// Whether `new` adds nothing to `old`: the same, or part of a fuller name.
fn says_no_more(key: &Key, old: &str, new: &str) -> bool {
    let part_of_it = || {
        let old = words(old);
        words(new).iter().all(|word| old.contains(word))
    };
    same(key, old, new) || key.name == "name" && part_of_it()
}
