//! The ledger is the same however it was learnt, and nothing in it is ever lost.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::id::{Ids, MessageId};
use crate::domain::memory::{FactKind, Stance};
use crate::engine::learn::key;
use crate::engine::support::Talk;

fn message(n: usize) -> MessageId {
    MessageId::fresh(&Ids::seeded(u64::try_from(n).unwrap()), Talk::at(n))
}

fn says(stance: Stance, key: &str, value: &str, n: usize) -> Statement {
    Statement {
        key: key.to_owned(),
        value: value.to_owned(),
        stance,
        kind: FactKind::Attribute,
        confidence: 0.9,
        source: message(n),
        valid_at: Talk::at(n),
        due_at: None,
    }
}

fn stated(key: &str, value: &str, n: usize) -> Statement {
    says(Stance::Stated, key, value, n)
}

/// A ledger as the store keeps it.
struct Kept {
    ids: Ids,
    statements: Vec<Statement>,
    versions: Vec<Fact>,
}

impl Kept {
    fn new() -> Self {
        Self { ids: Ids::seeded(9), statements: Vec::new(), versions: Vec::new() }
    }

    fn customer() -> CustomerId {
        CustomerId::fresh(&Ids::seeded(5), Talk::at(0))
    }

    /// Learns at the time `now` and returns what changed.
    fn learn(&mut self, said: &[Statement], now: usize) -> LedgerChange {
        self.statements.extend_from_slice(said);
        let now = Talk::at(now);
        let make_id = || FactId::fresh(&self.ids, now);
        let change = merge(Self::customer(), &self.versions, &self.statements, make_id, now);
        for id in &change.superseded {
            let version = self.versions.iter_mut().find(|fact| fact.id == *id).expect("only known versions end");
            assert!(version.superseded_at.is_none());
            version.superseded_at = Some(now);
        }
        self.versions.extend(change.learnt.iter().cloned());
        change
    }

    /// What is known now, without what tells one learning from another.
    fn known(&self) -> Vec<(String, String, MessageId, Timestamp, Option<Timestamp>)> {
        let known = self.versions.iter().filter(|fact| fact.superseded_at.is_none());
        let mut known: Vec<_> = known
            .map(|fact| (fact.key.clone(), fact.value.clone(), fact.source, fact.valid_at, fact.invalid_at))
            .collect();
        known.sort();
        known
    }

    fn held(&self, valid: usize, known: usize) -> Vec<&str> {
        let held = self.versions.iter().filter(|fact| fact.held_at(Talk::at(valid), Talk::at(known)));
        let mut held: Vec<&str> = held.map(|fact| fact.value.as_str()).collect();
        held.sort_unstable();
        held
    }
}

#[test]
fn the_newest_word_wins_and_the_old_one_holds_until_then() {
    let mut kept = Kept::new();
    kept.learn(&[stated("city", "Казани", 1)], 10);
    let moved = kept.learn(&[stated("city", "Самаре", 7), stated("city", "Уфе", 4)], 20);
    assert_eq!((moved.learnt.len(), moved.superseded.len()), (3, 1));
    assert_eq!(kept.held(30, 30), ["Самаре"]);
    // What was so, as we know now; and as we knew then.
    assert_eq!((kept.held(2, 30), kept.held(5, 30)), (vec!["Казани"], vec!["Уфе"]));
    assert_eq!((kept.held(15, 15), kept.held(0, 15), kept.held(5, 9)), (vec!["Казани"], vec![], vec![]));
    assert_eq!(kept.learn(&[stated("city", "Уфе", 4)], 40), LedgerChange::default(), "what is known");
    assert_eq!(kept.learn(&[stated("city", "Самара", 9)], 40), LedgerChange::default(), "the same in another case");
}

#[test]
fn a_word_that_arrives_late_takes_its_place_in_time() {
    let mut kept = Kept::new();
    kept.learn(&[stated("phone", "+79160000001", 1), stated("phone", "+79160000003", 9)], 10);
    kept.learn(&[stated("phone", "+79160000002", 5)], 20);
    assert_eq!(kept.held(30, 30), ["+79160000003"]);
    assert_eq!((kept.held(6, 30), kept.held(6, 15)), (vec!["+79160000002"], vec!["+79160000001"]));
    // Said again after the late word: it holds again from then on.
    kept.learn(&[stated("phone", "+79160000001", 7)], 30);
    assert_eq!((kept.held(6, 40), kept.held(8, 40)), (vec!["+79160000002"], vec!["+79160000001"]));
}

#[test]
fn a_part_of_a_name_does_not_replace_the_whole() {
    let mut kept = Kept::new();
    kept.learn(&[stated("name", "Анна Петрова", 1)], 1);
    assert_eq!(kept.learn(&[stated("name", "анна", 2)], 2), LedgerChange::default());
    kept.learn(&[stated("name", "Мария", 3)], 3);
    assert_eq!(kept.held(4, 4), ["Мария"]);
}

#[test]
fn what_ended_was_so_and_what_is_taken_back_never_was() {
    let mut kept = Kept::new();
    kept.learn(&[stated("order_number", "М-111111", 1), stated("order_number", "М-222222", 2)], 3);
    kept.learn(&[says(Stance::Ended, "order_number", "м 111111", 5)], 6);
    assert_eq!((kept.held(7, 7), kept.held(4, 7)), (vec!["М-222222"], vec!["М-111111", "М-222222"]));
    kept.learn(&[says(Stance::Retracted, "order_number", "М-222222", 8)], 9);
    assert_eq!((kept.held(10, 10), kept.held(7, 10), kept.held(7, 8)), (vec![], vec![], vec!["М-222222"]));
    // A value that is taken back gives way to the one before it.
    kept.learn(&[stated("city", "Омск", 11), stated("city", "Томск", 12)], 13);
    kept.learn(&[says(Stance::Retracted, "city", "Томск", 14)], 15);
    assert_eq!(kept.held(16, 16), ["Омск"]);
    // And may be said again.
    kept.learn(&[stated("city", "Томск", 17)], 18);
    assert_eq!(kept.held(19, 19), ["Томск"]);
}

#[test]
fn the_same_promise_for_another_time_is_another() {
    let due = |n: usize, stance| Statement {
        due_at: Some(Talk::at(100 + n)),
        ..says(stance, "promise", "Перезвоню", n)
    };
    let mut kept = Kept::new();
    kept.learn(&[due(1, Stance::Stated), due(2, Stance::Stated)], 3);
    assert_eq!(kept.held(3, 3).len(), 2);
    assert!(kept.versions.iter().all(|fact| fact.kind == FactKind::Promise));
    let kept_one = Statement { due_at: Some(Talk::at(101)), ..due(5, Stance::Ended) };
    kept.learn(&[kept_one], 6);
    let open: Vec<_> = kept.versions.iter().filter(|fact| fact.holds()).map(|fact| fact.due_at).collect();
    assert_eq!(open, [Some(Talk::at(102))]);
}

#[test]
fn what_is_forgotten_leaves_no_trace_and_brings_nothing_back() {
    let said =
        [stated("city", "Омск", 1), stated("city", "Томске", 3), stated("city", "Томск", 5), stated("name", "Анна", 2)];
    let rest = forget(key("city").unwrap(), "Томск", &said);
    assert_eq!(rest.spellings, ["Томск", "Томске"]);
    let mut kept = Kept::new();
    kept.learn(&rest.statements, 10);
    assert_eq!((kept.held(9, 11), kept.held(2, 11)), (vec!["Анна"], vec!["Анна", "Омск"]));
    let customer = Kept::customer();
    assert_eq!(forgotten_hash(customer, "city", "Томске"), forgotten_hash(customer, "city", "томск"));
    assert_ne!(forgotten_hash(customer, "city", "Томск"), forgotten_hash(customer, "address", "Томск"));
}

#[test]
fn only_listed_keys_are_learnt_with_the_kind_of_the_list() {
    let mut kept = Kept::new();
    kept.learn(&[stated("policy", "100%", 1), stated("claim", "обещали", 1), stated("name", " ", 1)], 2);
    assert_eq!(kept.held(3, 3), ["обещали"]);
    assert_eq!(kept.versions[0].kind, FactKind::Claim);
}

fn any_statement() -> impl Strategy<Value = Statement> {
    let key = prop::sample::select(vec!["name", "city", "phone", "order_number", "claim", "promise", "nothing"]);
    let value =
        prop::sample::select(vec!["Анна", "Анна Петрова", "Пётр", "Казань", "Казани", "М-1", "м 1", "Омск", " "]);
    let stance =
        prop::sample::select(vec![Stance::Stated, Stance::Stated, Stance::Stated, Stance::Ended, Stance::Retracted]);
    let due = prop::option::weighted(0.2, 50_usize..52);
    (key, value, stance, 1_usize..8, 0_u8..3, due).prop_map(|(key, value, stance, n, sure, due)| Statement {
        confidence: f64::from(sure) / 2.0,
        due_at: due.filter(|_| key == "promise").map(Talk::at),
        ..says(stance, key, value, n)
    })
}

fn any_said() -> impl Strategy<Value = Vec<Statement>> {
    prop::collection::vec(any_statement(), 0..40)
}

proptest! {
    #[test]
    fn learning_again_changes_nothing(said in any_said()) {
        let mut kept = Kept::new();
        kept.learn(&said, 10);
        prop_assert_eq!(kept.learn(&said, 11), LedgerChange::default());
    }

    #[test]
    fn order_and_portions_do_not_matter(
        (said, shuffled) in any_said().prop_flat_map(|said| (Just(said.clone()), Just(said).prop_shuffle())),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut at_once = Kept::new();
        at_once.learn(&said, 10);
        let mut in_portions = Kept::new();
        let (first, second) = shuffled.split_at(cut.index(said.len() + 1));
        in_portions.learn(first, 10);
        in_portions.learn(second, 20);
        prop_assert_eq!(at_once.known(), in_portions.known());
    }

    #[test]
    fn what_was_known_stays_answerable(portions in prop::collection::vec(any_said(), 1..5), valid in 0_usize..60) {
        let mut kept = Kept::new();
        let mut answers = Vec::new();
        for (place, said) in portions.iter().enumerate() {
            let now = 10 * (place + 1);
            kept.learn(said, now);
            answers.push((now, kept.held(valid, now).into_iter().map(str::to_owned).collect::<Vec<_>>()));
        }
        for (then, answer) in answers {
            prop_assert_eq!(kept.held(valid, then), answer);
        }
    }

    #[test]
    fn a_single_key_has_one_value_at_a_time(said in any_said(), valid in 0_usize..60) {
        let mut kept = Kept::new();
        kept.learn(&said, 10);
        for single in KEYS.iter().filter(|key| key.single) {
            let held = kept.versions.iter().filter(|fact| fact.key == single.name);
            prop_assert!(held.filter(|fact| fact.held_at(Talk::at(valid), Talk::at(10))).count() <= 1);
        }
        for fact in &kept.versions {
            prop_assert!(fact.invalid_at.is_none_or(|until| fact.valid_at < until));
        }
    }

    #[test]
    fn every_fact_keeps_the_message_that_states_it(said in any_said()) {
        let mut kept = Kept::new();
        kept.learn(&said, 10);
        for fact in &kept.versions {
            let from = |one: &Statement| {
                let it = (&one.key, &one.value, one.source, one.valid_at);
                one.stance == Stance::Stated && it == (&fact.key, &fact.value, fact.source, fact.valid_at)
            };
            prop_assert!(said.iter().any(from));
        }
    }

    #[test]
    fn what_was_stated_last_is_known(said in any_said()) {
        let mut kept = Kept::new();
        kept.learn(&said, 10);
        // Of a single key: unless it was ended or taken back, the newest statement's value holds.
        for single in KEYS.iter().filter(|key| key.single) {
            let of_key = || said.iter().filter(|one| one.key == single.name && !one.value.trim().is_empty());
            if of_key().any(|one| one.stance != Stance::Stated) {
                continue;
            }
            let Some(newest) = of_key().map(|one| one.valid_at).max() else { continue };
            let held = kept.versions.iter().find(|fact| fact.key == single.name && fact.holds());
            let held = held.expect("something was stated and nothing ended it");
            let of_newest = |one: &Statement| one.valid_at == newest && says_at_most(single, &held.value, &one.value);
            prop_assert!(of_key().any(of_newest), "{} does not hold what was said last", single.name);
        }
    }
}

/// Whether `held` stands for `said`: the same, or the fuller name.
fn says_at_most(of: &Key, held: &str, said: &str) -> bool {
    assert!(key(of.name).is_some());
    same(of, held, said) || held.contains(said)
}
