//! Lexical confidence: how much of a question a section of an article covers, by words, comparable between searches.

mod word_lists;

use std::collections::{HashMap, HashSet};

use self::word_lists::{is_empty, same_meaning, shared_stem};
use super::words::{is_stop_word, stem, words};
use crate::domain::knowledge::{Article, FoundSection, Section};

/// What a word counts that stands in the text of a section, where one in its title or heading counts 1.
const IN_THE_TEXT: f32 = 0.75;
/// What a word counts that was taken for a misspelt one.
const MISSPELT: f32 = 0.8;
/// How much of the coverage depends on the section being about nothing else than the question.
const NOTHING_ELSE: f32 = 0.25;

/// The words of all sections in one language, and how common each is.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    sections: f32,
    /// In how many sections each term stands.
    of_term: HashMap<String, f32>,
    /// Every word as it is written, with the number of its sections: what a slip of the finger may have meant.
    of_word: HashMap<String, f32>,
    /// The stem of every word.
    stems: HashSet<String>,
    /// Words with a hyphen, by their spelling without it.
    of_compound: HashMap<String, String>,
}

/// A word of a question that carries its subject.
struct Asked {
    term: String,
    weight: f32,
    /// How sure it is that this was meant, 0 to 1.
    sure: f32,
}

impl Vocabulary {
    /// Counts the words of sections, as [`covered_text`] gives them.
    pub fn of(sections: impl Iterator<Item = String>) -> Self {
        let mut vocabulary = Self::default();
        for section in sections {
            vocabulary.sections += 1.0;
            for term in terms(&section) {
                *vocabulary.of_term.entry(term).or_default() += 1.0;
            }
            let mut written = counted_words(&section);
            written.sort_unstable();
            written.dedup();
            for word in written {
                vocabulary.stems.insert(stem(&word));
                *vocabulary.of_word.entry(word).or_default() += 1.0;
            }
            vocabulary.of_compound.extend(compounds(&section));
        }
        vocabulary
    }

    /// Which part of the question's weight stands in `section`, which is written as [`covered_text`] gives it: 0 to 1.
    ///
    /// A rare word weighs more, one that no section has weighs the most: "can I pay in bitcoin" is not covered by an
    /// article about payment. Words of the title and of the heading count in full, those of the text less, and a section
    /// that is about more than the question counts less than one that is about nothing else.
    pub fn coverage(&self, question: &str, section: &str) -> f32 {
        let asked = self.asked(question);
        if asked.is_empty() {
            return 0.0;
        }
        let mut lines = section.splitn(3, '\n').map(terms);
        let [title, heading, text] = [(); 3].map(|()| lines.next().unwrap_or_default());
        let (mut all, mut covered) = (0.0, 0.0);
        for asked in &asked {
            let credit = match &asked.term {
                term if title.contains(term) || heading.contains(term) => 1.0,
                term if text.contains(term) => IN_THE_TEXT,
                _ => 0.0,
            };
            all += asked.weight;
            covered += asked.weight * asked.sure * credit;
        }
        let named = self.asked_share(&title, &asked).max(self.asked_share(&heading, &asked));
        covered / all * (1.0 - NOTHING_ELSE + NOTHING_ELSE * named)
    }

    /// The question as the index should be asked: with the words that its misspelt ones were meant to be, and with others
    /// of the same meaning where the articles don't have its own.
    pub fn searched(&self, question: &str) -> String {
        let mut asked = question.to_owned();
        let mut add = |word: &str| asked.extend([" ", word]);
        for word in counted_words(question) {
            if self.stems.contains(&stem(&word)) {
                continue;
            }
            if let Some(compound) = self.of_compound.get(&word) {
                add(compound);
            }
            match self.meant(&word) {
                Some(meant) => add(meant),
                None => same_meaning(&word).for_each(&mut add),
            }
        }
        asked
    }

    fn asked(&self, question: &str) -> Vec<Asked> {
        let mut all: Vec<Asked> = Vec::new();
        for word in counted_words(question) {
            let (term, sure) = match self.meant(&word) {
                Some(meant) => (shared_stem(meant), MISSPELT),
                None => (shared_stem(&word), 1.0),
            };
            if all.iter().all(|other| other.term != term) {
                all.push(Asked { weight: self.weight(&term), term, sure });
            }
        }
        all
    }

    /// Which part of the weight of a title or heading the question asks for, 0 to 1.
    fn asked_share(&self, terms: &[String], asked: &[Asked]) -> f32 {
        let (mut all, mut hit) = (0.0, 0.0);
        for term in terms {
            let weight = self.weight(term);
            all += weight;
            if asked.iter().any(|asked| asked.term == *term) {
                hit += weight;
            }
        }
        if all > 0.0 { hit / all } else { 0.0 }
    }

    /// The inverse document frequency, as BM25 has it.
    fn weight(&self, term: &str) -> f32 {
        let with = self.of_term.get(term).copied().unwrap_or(0.0);
        (1.0 + (self.sections - with + 0.5) / (with + 0.5)).ln()
    }

    /// The word that a word unknown here is a misspelling of: the nearest, of equally near ones the commonest.
    fn meant(&self, word: &str) -> Option<&str> {
        let most = slips(word);
        if most == 0 || self.of_term.contains_key(&shared_stem(word)) {
            return None;
        }
        let near = self.of_word.iter().filter_map(|(known, count)| {
            // Hardly anybody misses the first letter, and with it words would get near that have nothing in common.
            let begins_alike = known.chars().next() == word.chars().next();
            let distance = begins_alike.then(|| distance(word, known)).filter(|distance| *distance <= most)?;
            Some((distance, count, known))
        });
        let nearest = near.min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(a.1)).then(a.2.cmp(b.2)))?;
        Some(nearest.2)
    }
}

/// How many slips a word is forgiven: short words differ by one letter from others that mean something else.
fn slips(word: &str) -> usize {
    match word.chars().count() {
        ..5 => 0,
        5..9 => 1,
        _ => 2,
    }
}

/// Words that may carry a subject, in order: neither grammar nor greetings, nor numbers of orders and houses.
fn counted_words(text: &str) -> Vec<String> {
    let mut words = words(text);
    words.retain(|word| {
        let short = word.chars().count() < 2;
        !short && !is_stop_word(word) && !is_empty(word) && !word.contains(|c: char| c.is_numeric())
    });
    words
}

/// Words that are written with a hyphen, by their spelling without it: "e-mail" is "email" to many.
fn compounds(text: &str) -> impl Iterator<Item = (String, String)> {
    let hyphenated = text.split_whitespace().filter(|token| token.contains(['-', '\u{2010}', '\u{2011}']));
    hyphenated.filter_map(|token| {
        let parts = words(token);
        let whole = parts.len() > 1 && parts.iter().all(|part| part.chars().all(char::is_alphabetic));
        whole.then(|| (parts.concat(), parts.join(" ")))
    })
}

/// Stems of a text's words, one for all words of the same meaning, without repetition.
fn terms(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in counted_words(text).into_iter().chain(compounds(text).map(|(joined, _)| joined)) {
        let term = shared_stem(&word);
        if !all.contains(&term) {
            all.push(term);
        }
    }
    all
}

/// How many letters must be changed, added, removed or swapped with their neighbour to make one word of the other; 3 stands
/// for all that is more than two.
fn distance(a: &str, b: &str) -> usize {
    let [a, b] = [a, b].map(|word| word.chars().collect::<Vec<_>>());
    if a.len().abs_diff(b.len()) > 2 {
        return 3;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()].min(3)
}

/// What of a section is indexed: its article's title and its heading weigh more by standing there twice.
pub fn indexed_text(article: &Article, section: &Section) -> String {
    let (title, heading) = (&article.title, &section.heading);
    format!("{title}\n{title}\n{heading}\n{heading}\n{}", section.text)
}

/// What of a section its vector is made of: title, heading and the beginning of the text. One vector stands for all of it,
/// and what comes later blurs what it is about: the first words alone were measured to be found best.
pub fn meant_text(article: &Article, section: &Section) -> String {
    const WORDS: usize = 60;
    let beginning: Vec<&str> = section.text.split_whitespace().take(WORDS).collect();
    let lines = [article.title.as_str(), section.heading.as_str(), &beginning.join(" ")];
    lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What of a section may cover a question: the title of its article, its heading and its text, each from a line of its own.
pub fn covered_text(article: &Article, section: &Section) -> String {
    format!("{}\n{}\n{}", article.title, section.heading, section.text)
}

/// The section to quote, by its place in `found`: the surest one, of equally sure ones the first, if its confidence is at
/// least `least` and the sections of all other articles are behind by `least_margin`.
pub fn confident(found: &[FoundSection], least: f32, least_margin: f32) -> Option<usize> {
    let best = found.iter().enumerate().max_by(|(a, x), (b, y)| x.confidence.total_cmp(&y.confidence).then(b.cmp(a)));
    let (place, best) = best.filter(|(_, best)| best.confidence >= least)?;
    let rivals = found.iter().filter(|other| other.article != best.article);
    let ahead = rivals.map(|rival| best.confidence - rival.confidence).all(|margin| margin >= least_margin);
    ahead.then_some(place)
}

/// Of the sections of the best one's article that are nearly as sure, the first: an introduction answers the title's
/// question, and what comes after it is told to those who have read it.
pub fn leading(found: &[FoundSection], best: usize) -> usize {
    const NEARLY: f32 = 0.12;
    let article = &found[best].article;
    let near = |one: &&FoundSection| one.article == *article && one.confidence >= found[best].confidence - NEARLY;
    let first = found.iter().filter(near).map(|one| one.section).min();
    found.iter().position(|one| one.article == *article && Some(one.section) == first).unwrap_or(best)
}

#[cfg(test)]
mod tests;
