//! One ranking out of two: what the words of a question find, and what its meaning finds.
//!
//! Both scores are comparable between questions, so they are added and no rank is needed. The words' score is the
//! average over the question's words: a question whose words the text doesn't have gets little of it by itself, and its
//! meaning decides. A question in another language than the texts shares little more with them than names, which say
//! nothing of what is asked; its words count less by rule.

/// What both legs of a search say of one candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Legs {
    /// BM25 on the average of the question's words; 0 where none of them stands in the text.
    pub words: f32,
    /// Cosine between question and text; `None` where one of them has no vector.
    pub meaning: Option<f32>,
}

/// How the two are weighed against each other: it depends on the encoder, since no two spread their cosines alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// What a cosine is worth in words.
    pub meaning: f32,
    /// What the words of a question in another language than the texts count, where those of one in theirs count 1: the
    /// sets would have nothing, but a code of an error must be worth something.
    pub foreign_words: f32,
    /// What a cosine is worth in words where memories are searched, whose words are weighed otherwise than an article's.
    pub memories: f32,
    /// What the words around a memory are worth, where its own are worth 1: they find what a question means, and a question
    /// seldom repeats the words of the one message that answers it.
    pub around: f32,
    /// How far meaning moves the confidence that words give.
    pub confidence: f32,
    /// The cosine that moves it nowhere.
    pub neutral: f32,
}

impl Weights {
    /// The E5 family, whose cosines lie close together. With each FAQ set left out in turn, the others choose 20 or 40 for
    /// meaning (`benches/retrieval.rs`); of these, 40 finds more on the tuned half of `eval/retrieval/retrieval.yaml`
    /// (`tests/retrieval.rs`). Memories: on development conversations of LoCoMo (`benches/recall/`).
    pub const E5: Self =
        Self { meaning: 40.0, foreign_words: 0.1, memories: 60.0, around: 3.0, confidence: 8.0, neutral: 0.845 };

    /// Any other encoder: most spread their cosines about five times as far. Nothing is quoted by the word of an encoder
    /// that was not measured.
    pub const OTHER: Self = Self { meaning: 8.0, memories: 12.0, confidence: 0.0, ..Self::E5 };

    /// The weights for the encoder of this name.
    pub fn of(model: &str) -> Self {
        if model.to_lowercase().contains("e5") { Self::E5 } else { Self::OTHER }
    }
}

/// How sure it is that a text answers a question: the part of the question that it covers by words, moved by how near its
/// meaning is. Comparable between questions; the same as `coverage` where there is no vector.
pub fn confidence(coverage: f32, meaning: Option<f32>, weights: Weights) -> f32 {
    coverage + meaning.map_or(0.0, |meaning| weights.confidence * (meaning - weights.neutral))
}

/// The places of the candidates, best first, with their scores, which are comparable inside one search only. `foreign`:
/// the question is in another language than the texts. Of equal ones, the earlier stays before the later.
///
/// A candidate without a vector among others that have one gets the least of their cosines: it is no nearer than what was
/// found by meaning, and it is not lost. Where nobody has a vector, words decide alone.
pub fn ranking(candidates: &[Legs], foreign: bool, weights: Weights) -> Vec<(usize, f32)> {
    let farthest = candidates.iter().filter_map(|legs| legs.meaning).reduce(f32::min).unwrap_or(0.0);
    let by_word = if foreign { weights.foreign_words } else { 1.0 };
    let score = |legs: &Legs| by_word * legs.words + weights.meaning * legs.meaning.unwrap_or(farthest);
    let mut ranking: Vec<(usize, f32)> = candidates.iter().map(score).enumerate().collect();
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranking
}

/// What an article's section and the questions under which the article is to be found say together: both count, the
/// better one more. Chosen on the tuned half of `eval/retrieval/retrieval.yaml` and on `eval/retrieval/wordings.yaml`.
pub fn together(section: f32, question: f32) -> f32 {
    const BETTER: f32 = 0.625;
    BETTER * section.max(question) + (1.0 - BETTER) * section.min(question)
}

/// What the words of a question in an article count, where those of a section count 1: BM25 favours short texts.
pub const QUESTION_WORDS: f32 = 0.5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranking(candidates: &[Legs]) -> Vec<(usize, f32)> {
        super::ranking(candidates, false, Weights::E5)
    }

    fn legs(words: f32, meaning: f32) -> Legs {
        Legs { words, meaning: Some(meaning) }
    }

    fn best(candidates: &[Legs]) -> Option<usize> {
        ranking(candidates).first().map(|(place, _)| *place)
    }

    #[test]
    fn words_decide_where_meanings_are_alike_and_the_reverse() {
        assert_eq!(best(&[legs(0.2, 0.86), legs(1.9, 0.86)]), Some(1));
        assert_eq!(best(&[legs(0.2, 0.86), legs(0.2, 0.91)]), Some(1));
        // Words that hit by chance against a text that says it in another language.
        assert_eq!(best(&[legs(0.4, 0.80), legs(0.0, 0.86)]), Some(1));
        // The very words of the question against a text of the same field.
        assert_eq!(best(&[legs(3.0, 0.88), legs(0.3, 0.90)]), Some(0));
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn names_say_little_of_a_question_in_another_language() {
        let candidates = [legs(1.2, 0.84), legs(0.0, 0.86)];
        let first = |foreign| super::ranking(&candidates, foreign, Weights::E5)[0].0;
        assert_eq!((first(false), first(true)), (0, 1));
    }

    #[test]
    fn meaning_moves_confidence_where_the_encoder_is_known() {
        let sure = |meaning, model| confidence(0.5, meaning, Weights::of(model));
        assert!(sure(Some(0.90), "embedded/multilingual-e5-small/1") > 0.6);
        assert!(sure(Some(0.80), "intfloat/multilingual-E5-large") < 0.4);
        for (meaning, model) in [(None, "embedded/multilingual-e5-small/1"), (Some(0.9), "text-embedding-3-small")] {
            assert!((sure(meaning, model) - 0.5).abs() < 1e-6, "{model}");
        }
    }

    #[test]
    fn a_text_without_a_vector_is_neither_first_nor_lost() {
        let candidates = [legs(0.0, 0.9), Legs { words: 0.1, meaning: None }, legs(0.0, 0.8)];
        let places: Vec<usize> = ranking(&candidates).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, [0, 1, 2]);
    }

    fn some_legs() -> impl Strategy<Value = Legs> {
        (0.0_f32..4.0, prop::option::weighted(0.8, -1.0_f32..1.0)).prop_map(|(words, meaning)| Legs { words, meaning })
    }

    proptest! {
        #[test]
        fn more_of_either_never_harms(
            candidates in prop::collection::vec(some_legs(), 1..20), at: prop::sample::Index,
            words in 0.0_f32..1.0, meaning in 0.0_f32..0.5,
        ) {
            let at = at.index(candidates.len());
            let place = |candidates: &[Legs]| ranking(candidates).iter().position(|(place, _)| *place == at);
            let mut better = candidates.clone();
            better[at].words += words;
            prop_assert!(place(&better) <= place(&candidates));
            // Of those that have a vector: the farthest one sets what those without get.
            let all: Vec<Legs> = candidates.iter().map(|legs| Legs { meaning: legs.meaning.or(Some(0.0)), ..*legs }).collect();
            let mut nearer = all.clone();
            nearer[at].meaning = nearer[at].meaning.map(|cosine| cosine + meaning);
            prop_assert!(place(&nearer) <= place(&all));
        }

        #[test]
        fn the_order_of_candidates_changes_no_score(
            (candidates, shuffled) in prop::collection::vec(some_legs(), 0..20)
                .prop_flat_map(|all| (Just(all.clone()), Just((0..all.len()).collect::<Vec<_>>()).prop_shuffle())),
        ) {
            let moved: Vec<Legs> = shuffled.iter().map(|place| candidates[*place]).collect();
            let before = ranking(&candidates);
            for (place, score) in ranking(&moved) {
                let same = before.iter().find(|(before, _)| *before == shuffled[place]);
                prop_assert_eq!(same.map(|(_, score)| score.to_bits()), Some(score.to_bits()));
            }
        }

        #[test]
        fn one_leg_alone_keeps_its_own_order(words in prop::collection::vec(0.0_f32..4.0, 0..20)) {
            let only_words: Vec<Legs> = words.iter().map(|words| Legs { words: *words, meaning: None }).collect();
            let only_meaning: Vec<Legs> = words.iter().map(|cosine| legs(0.0, *cosine)).collect();
            let mut expected: Vec<usize> = (0..words.len()).collect();
            expected.sort_by(|a, b| words[*b].total_cmp(&words[*a]));
            for candidates in [only_words, only_meaning] {
                let places: Vec<usize> = ranking(&candidates).into_iter().map(|(place, _)| place).collect();
                prop_assert_eq!(&places, &expected);
            }
        }

        #[test]
        fn every_candidate_is_ranked_once(candidates in prop::collection::vec(some_legs(), 0..20)) {
            let mut places: Vec<usize> = ranking(&candidates).into_iter().map(|(place, _)| place).collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..candidates.len()).collect::<Vec<_>>());
        }
    }
}
