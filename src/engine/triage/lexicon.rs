//! Words that speak for a sense (a legal threat, a wish for a person, thanks): features of the classifier, not decisions.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

/// The lists; phrases are found by their first word.
#[derive(Debug, Clone, Default)]
pub(super) struct Lexicon {
    names: Vec<String>,
    whole: Phrases,
    begun: Phrases,
    /// The longest beginning of a word that is looked for, in characters.
    longest: usize,
}

/// By first word: the sense that a phrase speaks for, and its other words.
type Phrases = HashMap<String, Vec<(usize, Vec<Piece>)>>;

/// A word of a phrase; `open` for any ending.
#[derive(Debug, Clone)]
struct Piece {
    word: String,
    open: bool,
}

impl Piece {
    fn is(&self, word: &str) -> bool {
        if self.open { word.starts_with(&self.word) } else { word == self.word }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    ru: String,
    en: String,
}

impl Lexicon {
    /// Reads the lists; senses are in alphabetical order, as their weights are.
    ///
    /// # Errors
    /// Where the file has another shape.
    pub(super) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let lists: BTreeMap<String, Lists> = toml::from_str(text)?;
        let mut lexicon = Self::default();
        for (sense, (name, lists)) in lists.into_iter().enumerate() {
            lexicon.names.push(name);
            for phrase in lists.ru.split(',').chain(lists.en.split(',')) {
                lexicon.add(sense, phrase);
            }
        }
        Ok(lexicon)
    }

    fn add(&mut self, sense: usize, phrase: &str) {
        let mut pieces: Vec<Piece> = phrase
            .split_whitespace()
            .map(|word| Piece { word: word.trim_end_matches('*').to_owned(), open: word.ends_with('*') })
            .filter(|piece| !piece.word.is_empty())
            .collect();
        if pieces.is_empty() {
            return;
        }
        let first = pieces.remove(0);
        if first.open {
            self.longest = self.longest.max(first.word.chars().count());
        }
        let by_first = if first.open { &mut self.begun } else { &mut self.whole };
        by_first.entry(first.word).or_default().push((sense, pieces));
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// How many words of a message speak for each sense.
    pub(super) fn counts(&self, words: &[String]) -> Vec<u32> {
        let mut counts = vec![0; self.names.len()];
        let mut speaks = vec![false; self.names.len()];
        for (at, word) in words.iter().enumerate() {
            speaks.fill(false);
            let following = &words[at + 1..];
            let mut hear = |phrases: Option<&Vec<(usize, Vec<Piece>)>>| {
                for (sense, rest) in phrases.into_iter().flatten() {
                    speaks[*sense] |= is_begun_by(following, rest);
                }
            };
            hear(self.whole.get(word));
            for (end, c) in word.char_indices().take(self.longest) {
                hear(self.begun.get(&word[..end + c.len_utf8()]));
            }
            for (count, speaks) in counts.iter_mut().zip(&speaks) {
                *count += u32::from(*speaks);
            }
        }
        counts
    }
}

fn is_begun_by(words: &[String], phrase: &[Piece]) -> bool {
    words.len() >= phrase.len() && phrase.iter().zip(words).all(|(piece, word)| piece.is(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_phrases_are_counted() {
        let lists = "[b]\nru = 'суд, жалоб*'\nen = 'call* back'\n[a]\nru = ''\nen = 'hi'\n";
        let lexicon = Lexicon::parse(lists).unwrap();
        assert_eq!(lexicon.names().collect::<Vec<_>>(), ["a", "b"]);
        let counts = |text: &str| lexicon.counts(&crate::engine::words::words(text));
        assert_eq!(counts("Hi! Жалобу в суд, call me back"), [1, 2]);
        assert_eq!(counts("calling back, судно"), [0, 1]);
        assert_eq!(counts(""), [0, 0]);
        assert!(Lexicon::parse("[a]\nde = ''").is_err());
    }
}
