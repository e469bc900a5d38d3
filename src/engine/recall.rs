//! Which memories a question calls up: the keys under which each is found, and the one ranking of what was found.
//!
//! A memory has several keys: its own words, the words around it as well, its meaning, and the facts that were learnt from
//! it. Each key says something that the others don't, so the scores are added, and of several points that stand for one
//! memory the best counts on each leg: a fact is one more key of the exchange it was said in, not a replacement.
//!
//! The choices here were measured on conversations 26 to 43 of LoCoMo; `benches/recall/` prints what they find in all, and
//! in `eval/memory/histories`.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::Timestamp;
use jiff::civil::Date;

use super::fusion::Weights;
use crate::domain::text::Language;

/// How far the newest and the oldest of what fades are moved.
const FADING: f32 = 0.1;

/// The age, in days, from which nothing fades further.
const FADED: f32 = 365.0;

/// A point that was found, and the memory that it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<K> {
    /// The memory. Several points may stand for one.
    pub memory: K,
    /// BM25 on the average of the question's words; 0 where none of them stands in it.
    pub words: f32,
    /// The same of the words around as well.
    pub around: f32,
    /// Cosine between question and point; `None` where one of them has no vector.
    pub meaning: Option<f32>,
    /// Since when it is so, where that makes it matter less: an episode, an order, not a name.
    pub fading: Option<Timestamp>,
}

/// The best of a memory's points on each leg.
#[derive(Debug, Clone, Copy)]
struct Legs {
    words: f32,
    around: f32,
    meaning: f32,
}

/// The memories, best first, each once, with scores that are comparable inside one search only. Of equal ones, the earlier
/// stays before the later.
///
/// A point without a vector among others that have one gets the least of their cosines, as in [`super::fusion`].
pub fn ranking<K: Copy + Eq + Hash>(candidates: &[Candidate<K>], now: Timestamp, weights: Weights) -> Vec<(K, f32)> {
    let farthest = candidates.iter().filter_map(|candidate| candidate.meaning).reduce(f32::min);
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut memories: Vec<(K, Legs)> = Vec::new();
    for candidate in candidates {
        let nearer = candidate.meaning.zip(farthest).map_or(0.0, |(meaning, farthest)| meaning - farthest);
        let freshness = candidate.fading.map_or(1.0, |since| freshness(since, now));
        let legs = Legs {
            words: candidate.words * freshness,
            around: candidate.around * freshness,
            meaning: nearer * freshness,
        };
        let place = *places.entry(candidate.memory).or_insert(memories.len());
        match memories.get_mut(place) {
            Some((_, best)) => *best = best.or(legs),
            None => memories.push((candidate.memory, legs)),
        }
    }
    let score = |legs: Legs| legs.words + weights.around * legs.around + weights.memories * legs.meaning;
    let mut ranking: Vec<(K, f32)> = memories.into_iter().map(|(memory, legs)| (memory, score(legs))).collect();
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranking
}

impl Legs {
    fn or(self, other: Self) -> Self {
        Self {
            words: self.words.max(other.words),
            around: self.around.max(other.around),
            meaning: self.meaning.max(other.meaning),
        }
    }
}

/// What something that fades is multiplied by: over a year it falls evenly from a tenth above to a tenth below.
fn freshness(since: Timestamp, now: Timestamp) -> f32 {
    const DAY: f32 = 86_400.0;
    let age = now.duration_since(since).as_secs_f32() / DAY;
    1.0 + FADING - 2.0 * FADING * (age / FADED).clamp(0.0, 1.0)
}

/// What a customer and whoever answers him, the bot or an operator, are called where something was [`said`].
pub fn speakers(language: Language) -> [&'static str; 2] {
    match language {
        Language::Ru => ["Клиент", "Поддержка"],
        Language::En => ["Customer", "Support"],
    }
}

/// Something that was said, as it is searched by meaning: who said it is part of what it means.
pub fn said(who: &str, words: &str) -> String {
    format!("{who}: {words}")
}

/// A key for words: texts, and the day they are of as a person would name it in `language`. "What did I order in March" is
/// asked in words.
pub fn dated<'a>(day: Date, language: Language, texts: impl IntoIterator<Item = &'a str>) -> String {
    let month = match language {
        Language::Ru => MONTHS_RU,
        Language::En => MONTHS_EN,
    }[usize::from(day.month().unsigned_abs()) - 1];
    let mut key = format!("{} {month} {}", day.day(), day.year());
    for text in texts {
        key.push('\n');
        key.push_str(text);
    }
    key
}

#[rustfmt::skip]
const MONTHS_RU: [&str; 12] = [
    "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря",
];

#[rustfmt::skip]
const MONTHS_EN: [&str; 12] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
];

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T05:00:00Z".parse().unwrap()
    }

    fn days_ago(days: i64) -> Timestamp {
        now() - SignedDuration::from_hours(24 * days)
    }

    fn ranking<K: Copy + Eq + Hash>(candidates: &[Candidate<K>]) -> Vec<(K, f32)> {
        super::ranking(candidates, now(), Weights::E5)
    }

    fn order<K: Copy + Eq + Hash>(candidates: &[Candidate<K>]) -> Vec<K> {
        ranking(candidates).into_iter().map(|(memory, _)| memory).collect()
    }

    fn candidate<K>(memory: K, words: f32, around: f32, meaning: f32) -> Candidate<K> {
        Candidate { memory, words, around, meaning: Some(meaning), fading: None }
    }

    #[test]
    fn each_leg_decides_where_the_others_are_alike() {
        assert_eq!(order(&[candidate(1, 0.2, 0.5, 0.86), candidate(2, 0.9, 0.5, 0.86)]), [2, 1]);
        assert_eq!(order(&[candidate(1, 0.2, 0.5, 0.86), candidate(2, 0.2, 0.9, 0.86)]), [2, 1]);
        assert_eq!(order(&[candidate(1, 0.2, 0.5, 0.86), candidate(2, 0.2, 0.5, 0.89)]), [2, 1]);
        assert!(order::<u8>(&[]).is_empty());
    }

    #[test]
    fn a_fact_is_one_more_key_of_its_source() {
        let lost = [candidate("asked", 0.1, 0.4, 0.80), candidate("other", 0.4, 0.4, 0.82)];
        assert_eq!(order(&lost), ["other", "asked"]);
        let known = [lost[0], lost[1], candidate("asked", 1.0, 0.0, 0.88)];
        assert_eq!(order(&known), ["asked", "other"]);
        // The fact's legs, and the message's own where they are better.
        let alone = ranking(&[candidate("asked", 1.0, 0.4, 0.88), candidate("other", 0.4, 0.4, 0.80)])[0];
        assert!((ranking(&known)[0].1 - alone.1).abs() < 1e-4);
    }

    #[test]
    fn what_fades_gives_way_to_what_is_newer_and_as_like() {
        let of = |memory, days| Candidate { fading: Some(days_ago(days)), ..candidate(memory, 1.0, 1.0, 0.9) };
        let lasting = candidate(3, 1.0, 1.0, 0.9);
        assert_eq!(order(&[of(1, 300), lasting, of(2, 10)]), [2, 3, 1]);
        // Mildly: a tenth at most, and no further after a year.
        let scores = ranking(&[of(1, 365), of(2, 4000), of(4, -5), lasting]);
        let share = |memory| scores.iter().find(|it| it.0 == memory).unwrap().1 / scores[1].1;
        assert_eq!(scores[1].0, 3);
        for (memory, expected) in [(1, 0.9), (2, 0.9), (4, 1.1)] {
            assert!((share(memory) - expected).abs() < 1e-4, "{memory}");
        }
    }

    #[test]
    fn days_are_named_as_people_name_them() {
        let day = date(2025, 1, 14);
        assert_eq!(dated(day, Language::Ru, ["Клиент: Где заказ?"]), "14 января 2025\nКлиент: Где заказ?");
        assert_eq!(dated(day, Language::En, ["a", "b"]), "14 January 2025\na\nb");
        assert!(dated(date(2025, 12, 31), Language::Ru, []).contains("декабря"));
        assert_eq!(said("Customer", "Where is it?"), "Customer: Where is it?");
    }

    fn some() -> impl Strategy<Value = Candidate<u8>> {
        let fading = prop::option::weighted(0.3, 0_i64..1000);
        (0_u8..12, 0.0_f32..4.0, 0.0_f32..4.0, prop::option::weighted(0.8, -1.0_f32..1.0), fading).prop_map(
            |(memory, words, around, meaning, fading)| Candidate {
                memory,
                words,
                around,
                meaning,
                fading: fading.map(days_ago),
            },
        )
    }

    proptest! {
        #[test]
        fn every_memory_is_ranked_once(candidates in prop::collection::vec(some(), 0..30)) {
            let mut ranked = order(&candidates);
            let mut expected: Vec<u8> = candidates.iter().map(|candidate| candidate.memory).collect();
            ranked.sort_unstable();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(ranked, expected);
        }

        #[test]
        fn a_better_leg_or_one_more_key_never_harms(
            candidates in prop::collection::vec(some(), 1..20), at in any::<prop::sample::Index>(),
            (words, around, nearer) in (0.0_f32..1.0, 0.0_f32..1.0, 0.0_f32..0.5), key in some(),
        ) {
            let at = at.index(candidates.len());
            let memory = candidates[at].memory;
            let place = |candidates: &[Candidate<u8>]| order(candidates).iter().position(|it| *it == memory).unwrap();
            let mut better = candidates.clone();
            better[at].words += words;
            better[at].around += around;
            prop_assert!(place(&better) <= place(&candidates));
            // The farthest one is the measure of all others: it stays where it is.
            let nearest = candidates.iter().filter_map(|it| it.meaning).reduce(f32::max);
            if let (Some(meaning), Some(nearest)) = (better[at].meaning, nearest) {
                better.push(Candidate { meaning: Some(meaning.max(nearest) + nearer), ..better[at] });
                prop_assert!(place(&better) <= place(&candidates));
            }
            // One more key is a gain on some leg or nothing, as long as it isn't the farthest of all.
            let farthest = candidates.iter().filter_map(|it| it.meaning).reduce(f32::min);
            let key = Candidate { memory, meaning: key.meaning.zip(farthest).map(|(a, b)| a.max(b)), ..key };
            let mut more = candidates.clone();
            more.push(key);
            prop_assert!(place(&more) <= place(&candidates));
        }

        #[test]
        fn the_order_of_candidates_changes_no_score(
            (candidates, shuffled) in prop::collection::vec(some(), 0..20)
                .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            let before: HashMap<u8, u32> = ranking(&candidates).into_iter().map(|it| (it.0, it.1.to_bits())).collect();
            let after: HashMap<u8, u32> = ranking(&shuffled).into_iter().map(|it| (it.0, it.1.to_bits())).collect();
            prop_assert_eq!(before, after);
        }

        #[test]
        fn fading_moves_no_score_by_more_than_a_tenth(candidates in prop::collection::vec(some(), 1..20)) {
            let lasting: Vec<Candidate<u8>> =
                candidates.iter().map(|candidate| Candidate { fading: None, ..*candidate }).collect();
            let unmoved: HashMap<u8, f32> = ranking(&lasting).into_iter().collect();
            for (memory, score) in ranking(&candidates) {
                let unmoved = unmoved[&memory];
                prop_assert!(score >= unmoved * 0.899 && score <= unmoved * 1.101, "{} of {}", score, unmoved);
            }
        }
    }
}
