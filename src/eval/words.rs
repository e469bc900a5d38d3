//! Texts that a case wants to find: alternatives, compared as people compare words; and how we put things to people.

use serde::{Deserialize, Serialize};

/// A piece of text, or several of which one is enough: `7 days | a week`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wanted(pub String);

impl Wanted {
    /// Whether a text holds it. Case, `ё` and kinds of spaces don't count, and a figure is found only whole: `90` is not in
    /// `390`.
    pub fn is_in(&self, text: &str) -> bool {
        let text = compared(text);
        self.0.split(" | ").map(compared).any(|piece| is_whole_in(&piece, &text))
    }
}

/// A text as it is compared.
pub fn compared(text: &str) -> String {
    let plain = |letter: char| match letter {
        'ё' => 'е',
        '\u{2010}'..='\u{2015}' => '-',
        letter => letter,
    };
    let is_seen = |letter: &char| !matches!(letter, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}');
    let text: String = text.to_lowercase().chars().filter(is_seen).map(plain).collect();
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            // 5 000 is 5000.
            Some(before) if is_thousands(before, word) => before.push_str(word),
            _ => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}

fn is_thousands(before: &str, word: &str) -> bool {
    let figures = word.chars().take_while(char::is_ascii_digit).count();
    let last = before.chars().rev().take_while(char::is_ascii_digit).count();
    figures == 3 && (1..=3).contains(&last)
}

/// Whether `piece` stands in `text` with no digit joined to one of its own at either end.
fn is_whole_in(piece: &str, text: &str) -> bool {
    let digit = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_digit());
    let (begins, ends) = (digit(piece.chars().next()), digit(piece.chars().next_back()));
    text.match_indices(piece).any(|(at, found)| {
        let before = digit(text[..at].chars().next_back());
        let after = digit(text[at + found.len()..].chars().next());
        !(begins && before || ends && after)
    })
}

/// So many of something, in words: `1 case`, `2 cases`, `2 replies`.
pub fn counted(count: usize, what: &str) -> String {
    match (count, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {what}s"),
    }
}

/// What somebody is asked who has written something that is none of `known`; empty where nothing is near it.
pub fn meant<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let most = written.chars().count().div_ceil(3);
    let near = known.into_iter().map(|word| (edits(written, word), word)).filter(|(edits, _)| *edits <= most);
    near.min().map(|(_, word)| format!(": did you mean `{word}`?")).unwrap_or_default()
}

/// How many letters must be put in, taken out or replaced to make one word of another.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (number, letter) in from.chars().enumerate() {
        let mut before = std::mem::replace(&mut row[0], number + 1);
        for at in 0..to.len() {
            let replaced = before + usize::from(letter != to[at]);
            before = row[at + 1];
            row[at + 1] = replaced.min(before + 1).min(row[at] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_as_people_do() {
        let wanted = |text: &str| Wanted(text.to_owned());
        assert!(wanted("7 дней | неделю").is_in("Хранится НЕДЕЛЮ"));
        assert!(wanted("5 000").is_in("от 5\u{a0}000 ₽") && wanted("5000").is_in("5 000 ₽"));
        assert!(wanted("ещё раз").is_in("Еще  раз"));
        assert!(!wanted("90").is_in("390 ₽") && !wanted("390").is_in("3900"), "figures are whole");
        assert!(wanted("390").is_in("390 ₽") && wanted("М-1").is_in("м-1."));
        assert!(!wanted("14 дней").is_in("7 дней"));
    }

    #[test]
    fn one_is_not_several() {
        let told = [counted(1, "case"), counted(2, "case"), counted(0, "reply"), counted(1, "reply")];
        assert_eq!(told, ["1 case", "2 cases", "0 replies", "1 reply"]);
    }

    #[test]
    fn what_is_nearly_a_word_is_taken_for_it() {
        let known = ["answer", "ask_back", "hand_off", "ignore"];
        assert_eq!(meant("anwser", known), ": did you mean `answer`?");
        assert_eq!(meant("handoff", known), ": did you mean `hand_off`?");
        assert_eq!(meant("refuse", known), "");
        assert_eq!((edits("", "ab"), edits("доставка", "достака"), edits("ab", "ab")), (2, 1, 0));
    }
}
