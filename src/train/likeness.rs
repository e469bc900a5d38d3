//! Messages that are too much alike: what is learnt must not stand in the test in other words.

use std::collections::{HashMap, HashSet};

use crate::engine::words;

/// From this cosine of two vectors on, one message is taken for the other in other words. e5 puts all texts close together, so
/// this leaves out much that only sounds alike.
pub const LEAST_COSINE: f32 = 0.9;

/// From this share of common word 4-grams on, one message is a copy of the other.
pub const LEAST_JACCARD: f64 = 0.5;

/// Words in a row that are compared.
const WORDS: usize = 4;

/// A message that is too much like another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alike {
    /// Place of the one in the first list.
    pub first: usize,
    /// Place of the other in the second list.
    pub second: usize,
    /// How like their vectors are.
    pub cosine: f32,
    /// How like their words are.
    pub jaccard: f64,
}

/// The messages of `first` that are too much like one of `second`, each with the one it is most like.
pub fn alike(first: &[(&str, &[f32])], second: &[(&str, &[f32])]) -> Vec<Alike> {
    let mut postings: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
    let of_second: Vec<HashSet<Vec<String>>> = second.iter().map(|(text, _)| grams(text)).collect();
    for (place, grams) in of_second.iter().enumerate() {
        for gram in grams {
            postings.entry(gram.clone()).or_default().push(place);
        }
    }
    let mut found = Vec::new();
    for (place, (text, vector)) in first.iter().enumerate() {
        let own = grams(text);
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for other in own.iter().filter_map(|gram| postings.get(gram)).flatten() {
            *shared.entry(*other).or_default() += 1;
        }
        let best = (0..second.len()).filter_map(|other| {
            let cosine = dot(vector, second[other].1);
            let common = shared.get(&other).copied().unwrap_or(0);
            let jaccard = common as f64 / (own.len() + of_second[other].len() - common).max(1) as f64;
            let is_alike = cosine >= LEAST_COSINE || jaccard >= LEAST_JACCARD;
            is_alike.then_some(Alike { first: place, second: other, cosine, jaccard })
        });
        found.extend(best.max_by(|a, b| a.cosine.total_cmp(&b.cosine)));
    }
    found
}

/// Word 4-grams; of a shorter message, all of it.
fn grams(text: &str) -> HashSet<Vec<String>> {
    let words = words::words(text);
    match words.len() {
        0 => HashSet::new(),
        length if length < WORDS => HashSet::from([words]),
        _ => words.windows(WORDS).map(<[String]>::to_vec).collect(),
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_paraphrases_are_found() {
        let (one, other): (&[f32], &[f32]) = (&[1.0, 0.0], &[0.0, 1.0]);
        let first = [("где мой заказ я жду его", one), ("спасибо", one), ("позовите человека", other)];
        let second = [("Где мой заказ? Я жду его!", other), ("Спасибо!", other)];
        let found: Vec<(usize, usize)> =
            alike(&first, &second).iter().map(|alike| (alike.first, alike.second)).collect();
        assert_eq!(found[..2], [(0, 0), (1, 1)]);
        assert_eq!(found[2].0, 2, "by its vector");
        assert!(alike(&[("ничего общего", one)], &second).is_empty());
    }
}
