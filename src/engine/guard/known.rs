//! What a reply may stand on, by how far it can be trusted.

use super::items::{Items, Support, items, prepared};
use super::numbers::Quantity;
use super::{Policy, Sources, names};
use crate::domain::memory::{FactKind, Remembered};
use crate::domain::turn::Draft;
use crate::engine::words::folded;

/// What is known, by how far it can be trusted.
pub(super) struct Known {
    /// Cited articles, facts, and what we answered before.
    pub(super) trusted: Support,
    /// The customer's words, now and earlier.
    pub(super) customer: Support,
    /// The customer's newest words alone.
    pub(super) newest: Items,
    /// The same, folded.
    pub(super) newest_folded: String,
    /// The company's name in both scripts, folded.
    pub(super) company: Vec<String>,
}

impl Known {
    pub(super) fn of(draft: &Draft, sources: &Sources<'_>, policy: &Policy<'_>) -> Self {
        let mut trusted: Vec<String> = sources
            .articles
            .iter()
            .filter(|section| draft.citations.contains(&section.article))
            .map(|section| format!("{}\n{}\n{}", section.title, section.heading, section.text))
            .collect();
        let mut customer: Vec<String> = sources.customer.iter().map(|&words| words.to_owned()).collect();
        for remembered in sources.memory {
            match remembered {
                Remembered::Fact(fact) if fact.kind == FactKind::Claim => customer.push(fact.value.clone()),
                Remembered::Fact(fact) => trusted.push(fact.value.clone()),
                Remembered::Exchange(exchange) => {
                    customer.push(exchange.question.clone());
                    trusted.push(exchange.answer.clone());
                }
                // A summary quotes the customer.
                Remembered::Episode(episode) => customer.push(episode.summary.clone()),
            }
        }
        let newest = sources.customer.last().copied().unwrap_or_default();
        Self {
            trusted: Support::of(&trusted),
            customer: Support::of(&customer),
            newest: items(&prepared(newest)),
            newest_folded: folded(newest),
            company: in_both_scripts(policy.company),
        }
    }

    /// What a report of a conversation may repeat: all that was said in it.
    pub(super) fn of_report(said: &[String], company: &str) -> Self {
        Self {
            trusted: Support::of(said),
            customer: Support::default(),
            newest: Items::default(),
            newest_folded: String::new(),
            company: in_both_scripts(company),
        }
    }
}

fn in_both_scripts(name: &str) -> Vec<String> {
    names::words(name).into_iter().flat_map(|word| [transliterated(&word), word]).collect()
}

/// A Russian word in Latin letters, as names are.
fn transliterated(word: &str) -> String {
    const LETTERS: [(char, &str); 33] = [
        ('а', "a"),
        ('б', "b"),
        ('в', "v"),
        ('г', "g"),
        ('д', "d"),
        ('е', "e"),
        ('ё', "e"),
        ('ж', "zh"),
        ('з', "z"),
        ('и', "i"),
        ('й', "y"),
        ('к', "k"),
        ('л', "l"),
        ('м', "m"),
        ('н', "n"),
        ('о', "o"),
        ('п', "p"),
        ('р', "r"),
        ('с', "s"),
        ('т', "t"),
        ('у', "u"),
        ('ф', "f"),
        ('х', "kh"),
        ('ц', "ts"),
        ('ч', "ch"),
        ('ш', "sh"),
        ('щ', "shch"),
        ('ъ', ""),
        ('ы', "y"),
        ('ь', ""),
        ('э', "e"),
        ('ю', "yu"),
        ('я', "ya"),
    ];
    word.chars()
        .map(|c| {
            LETTERS
                .iter()
                .find(|(letter, _)| *letter == c)
                .map_or_else(|| c.to_string(), |(_, latin)| (*latin).to_owned())
        })
        .collect()
}

/// How a reply's item stands to what is known.
pub(super) enum Standing {
    Supported,
    /// Only the customer said it.
    Theirs,
    Nowhere,
}

pub(super) fn standing(trusted: bool, theirs: bool) -> Standing {
    match (trusted, theirs) {
        (true, _) => Standing::Supported,
        (false, true) => Standing::Theirs,
        (false, false) => Standing::Nowhere,
    }
}

/// Whether the same figure stands there with another unit, and the quantity has one: "14 days" is no source for
/// "14 hours", and then neither is a bare 14 beside it.
fn contradicted(quantity: &Quantity, support: &Support) -> bool {
    !quantity.may_be_hour()
        && support.items.iter().flat_map(|items| &items.numbers.quantities).any(|other| {
            other.unit.is_some()
                && !quantity.agrees(other)
                && quantity.values.iter().any(|value| other.values.contains(value))
        })
}

/// What stands behind a figure of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backing {
    Nothing,
    /// The same figure.
    Figure,
    /// The same figure as a term, a price or a share.
    Term,
}

/// What stands behind a quantity in what is known.
pub(super) fn backing(quantity: &Quantity, support: &Support) -> Backing {
    let mut backing = Backing::Nothing;
    for items in &support.items {
        for other in items.numbers.quantities.iter().filter(|other| quantity.agrees(other)) {
            match other.unit {
                Some((unit, _)) if unit.is_policy() => return Backing::Term,
                Some(_) => return Backing::Figure,
                None => backing = Backing::Figure,
            }
        }
        if is_hour(quantity, items) || is_order(quantity, items) {
            backing = Backing::Figure;
        }
    }
    if contradicted(quantity, support) { Backing::Nothing } else { backing }
}

/// Whether a bare number, or one of hours, is an hour that stands there as a time of day.
fn is_hour(quantity: &Quantity, items: &Items) -> bool {
    quantity.may_be_hour()
        && quantity.values.iter().filter(|value| **value % 1000 == 0).any(|value| {
            u32::try_from(value / 1000 * 60)
                .is_ok_and(|minutes| items.numbers.times.iter().any(|(time, _)| *time == minutes))
        })
}

/// Whether a bare number is an order number without its letter.
fn is_order(quantity: &Quantity, items: &Items) -> bool {
    let orders = || items.orders.iter().filter_map(|(order, _)| order.parse::<i64>().ok());
    quantity.unit.is_none() && quantity.values.iter().any(|value| orders().any(|order| order * 1000 == *value))
}

/// Whether a time of day is named: as one, or as the bare hour.
pub(super) fn has_time(items: &Items, minutes: u32) -> bool {
    let hour = i64::from(minutes / 60) * 1000;
    items.numbers.times.iter().any(|(time, _)| *time == minutes)
        || (minutes.is_multiple_of(60)
            && items
                .numbers
                .quantities
                .iter()
                .any(|quantity| quantity.values.contains(&hour) && quantity.may_be_hour()))
}
