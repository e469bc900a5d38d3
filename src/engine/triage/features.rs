//! What the classifier sees of a message besides its vector: pieces of words, words and pairs of words, how it is written,
//! and which senses its words speak for.

use super::lexicon::Lexicon;
use crate::engine::words;

/// Buckets that pieces of words are hashed into.
pub const BUCKETS: usize = 1 << 14;

/// Figures on how a message is written: length, capitals, marks, smileys, script.
pub(super) const CUES: usize = 11;

/// Figures on each sense of the lexicon: at all, how often, which share of the words.
pub(super) const PER_SENSE: usize = 3;

/// Longer messages are read up to here, in words: what a message is stands at its beginning.
const MOST_WORDS: usize = 400;

/// Letters of a word that are read.
const MOST_LETTERS: usize = 24;

/// What a number of occurrences counts, 1 + ln n: a table, so that no platform rounds it in its own way.
const DAMPED: [f32; 8] = [1.0, 1.693_147, 2.098_612, 2.386_294, 2.609_438, 2.791_759, 2.945_91, 3.079_442];

/// What is seen of one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// Buckets with their damped counts, each once, in ascending order.
    pub grams: Vec<(u32, f32)>,
    /// The cues, then the figures of each sense; each 0 to 1.
    pub figures: Vec<f32>,
}

/// Reads a message.
pub(super) fn surface(text: &str, lexicon: &Lexicon) -> Surface {
    let words = read_words(text);
    let mut figures = cues(text, &words).to_vec();
    let total = words.len().max(1) as f32;
    for count in lexicon.counts(&words) {
        let count = f32::from(u16::try_from(count).unwrap_or(u16::MAX));
        figures.extend([count.min(1.0), count.min(4.0) / 4.0, (count / total).min(1.0)]);
    }
    Surface { grams: grams(&words), figures }
}

/// Words as they are compared: folded, stretched letters shortened.
fn read_words(text: &str) -> Vec<String> {
    let mut words = words::words(text);
    words.truncate(MOST_WORDS);
    words.into_iter().map(|word| squeezed(&word)).collect()
}

/// Runs of three and more equal characters become two.
fn squeezed(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let (mut last, mut run) = (None, 0);
    for c in word.chars() {
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        if run <= 2 {
            out.push(c);
        }
    }
    out
}

/// Pieces of two to five characters inside the ends of a word, words, and pairs of words, hashed and counted. All numbers are
/// one word: which one it is says nothing.
fn grams(words: &[String]) -> Vec<(u32, f32)> {
    let mut buckets: Vec<u32> = Vec::with_capacity(words.len() * 24);
    let mut before = whole_hash("^");
    let mut letters: Vec<char> = Vec::with_capacity(MOST_LETTERS + 2);
    for word in words {
        let word = if word.chars().all(|c| c.is_ascii_digit()) { "0" } else { word.as_str() };
        letters.clear();
        letters.push('_');
        letters.extend(word.chars().take(MOST_LETTERS));
        letters.push('_');
        for start in 0..letters.len() {
            let mut hash = FNV;
            for (at, c) in letters[start..].iter().take(5).enumerate() {
                hash = mixed(hash, u32::from(*c));
                if at >= 1 {
                    buckets.push(bucket(hash));
                }
            }
        }
        let whole = whole_hash(word);
        buckets.push(bucket(whole));
        buckets.push(bucket(pair_hash(before, whole)));
        before = whole;
    }
    if !words.is_empty() {
        buckets.push(bucket(pair_hash(before, whole_hash("$"))));
    }
    buckets.sort_unstable();
    let damped = |count: usize| DAMPED[count.min(DAMPED.len()) - 1];
    buckets.chunk_by(|a, b| a == b).map(|run| (run[0], damped(run.len()))).collect()
}

const FNV: u64 = 0xcbf2_9ce4_8422_2325;

/// One step of FNV-1a, by characters.
fn mixed(hash: u64, value: u32) -> u64 {
    (hash ^ u64::from(value)).wrapping_mul(0x0100_0000_01b3)
}

/// A word as a whole: begun differently than its pieces are.
fn whole_hash(word: &str) -> u64 {
    word.chars().fold(mixed(FNV, 0xffff), |hash, c| mixed(hash, u32::from(c)))
}

fn pair_hash(first: u64, second: u64) -> u64 {
    (first.rotate_left(17) ^ second).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn bucket(hash: u64) -> u32 {
    let folded = hash ^ (hash >> 29) ^ (hash >> 47);
    u32::try_from(folded % BUCKETS as u64).unwrap_or(0)
}

/// How the message is written; each figure 0 to 1.
fn cues(text: &str, words: &[String]) -> [f32; CUES] {
    let (mut chars, mut letters, mut capitals, mut latin, mut digits) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
    let (mut calls, mut asks, mut smiles) = (0.0_f32, 0.0_f32, 0.0_f32);
    for c in text.chars() {
        chars += 1.0;
        match c {
            '!' => calls += 1.0,
            '?' => asks += 1.0,
            '0'..='9' => digits += 1.0,
            c if c.is_alphabetic() => {
                letters += 1.0;
                capitals += f32::from(u8::from(c.is_uppercase()));
                latin += f32::from(u8::from(c.is_ascii()));
            }
            c if c >= '\u{2190}' && !words::is_invisible(c) => smiles += 1.0,
            _ => {}
        }
    }
    let count = words.len() as f32;
    let if_so = |holds: bool| if holds { 1.0 } else { 0.0 };
    [
        chars / (chars + 60.0),
        count / (count + 8.0),
        if letters > 5.0 { capitals / letters } else { 0.0 },
        calls.min(4.0) / 4.0,
        asks.min(4.0) / 4.0,
        smiles.min(3.0) / 3.0,
        if_so(text.trim().contains('\n')),
        if_so(words.len() <= 2),
        if_so(words.is_empty()),
        if letters > 0.0 { latin / letters } else { 0.0 },
        digits.min(10.0) / 10.0,
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lexicon() -> Lexicon {
        Lexicon::parse("[sense]\nru = 'суд*'\nen = 'court'\n").unwrap()
    }

    #[test]
    fn what_is_folded_is_the_same() {
        let read = |text: &str| surface(text, &lexicon()).grams;
        assert_eq!(read("Позовите оператора"), read("позовите, ОПЕРАТОРА!!!"));
        assert_eq!(read("заказ 1234567"), read("заказ 7"));
        assert_eq!(read("ну пожаааааалуйста"), read("ну пожаалуйста"));
        assert_ne!(read("оператор"), read("опера тор"));
        assert_eq!(read(""), []);
    }

    proptest! {
        #[test]
        fn figures_are_shares(text in any::<String>()) {
            let read = surface(&text, &lexicon());
            prop_assert_eq!(read.figures.len(), CUES + PER_SENSE);
            prop_assert!(read.figures.iter().all(|figure| (0.0..=1.0).contains(figure)), "{:?}", read.figures);
            prop_assert!(read.grams.windows(2).all(|pair| pair[0].0 < pair[1].0));
            prop_assert!(read.grams.iter().all(|(bucket, count)| (*bucket as usize) < BUCKETS && *count >= 1.0));
        }
    }
}
