//! Cuts a long text into parts that a channel can carry.

use unicode_segmentation::UnicodeSegmentation;

/// A part cut at a paragraph, a line or a sentence fills at least one `LEAST_FILL`th of the limit: otherwise a greeting of
/// its own in front of a long paragraph would become a message of its own.
const LEAST_FILL: usize = 4;

/// Cuts `text` into parts of at most `limit` UTF-16 units, in order, none of them blank.
///
/// Each part is as long as it can be while it ends at the best place there is: after a paragraph, else a line, else a
/// sentence, else a word, else anywhere between what a reader sees as two characters. Nothing is lost but white space at
/// the cuts and, where there are cuts, at both ends. A text that fits is given back as it is, a blank one has no parts.
/// A limit under 2 counts as 2: the longest character has two units.
pub fn split(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(2);
    if is_blank(text) {
        return Vec::new();
    }
    if units(text) <= limit {
        return vec![text.to_owned()];
    }
    let mut parts = Vec::new();
    let mut rest = text.trim_end_matches(is_space);
    rest = &rest[leading_space(rest)..];
    while units(rest) > limit {
        let (part, after) = rest.split_at(cut(rest, limit));
        parts.push(part.to_owned());
        rest = &after[leading_space(after)..];
    }
    parts.push(rest.to_owned());
    parts.retain(|part| !is_blank(part));
    parts
}

/// Length as messengers count it.
/// The length of a text as messengers count it, in UTF-16 units.
pub fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The byte at which the first part of a text longer than `limit` ends; the text does not begin with white space.
fn cut(text: &str, limit: usize) -> usize {
    let mut best = Breaks::default();
    let (mut used, mut fits, mut run) = (0, 0, None);
    for (at, grapheme) in text.grapheme_indices(true) {
        if grapheme.chars().all(is_space) {
            run.get_or_insert((at, used));
        } else if let Some((from, filled)) = run.take() {
            best.note(text, from, at, filled * LEAST_FILL >= limit);
        }
        // White space over the limit is looked at to its end, and then thrown away.
        if used + units(grapheme) > limit && run.is_none() {
            break;
        }
        used += units(grapheme);
        if used <= limit {
            fits = at + grapheme.len();
        }
    }
    best.paragraph.or(best.line).or(best.sentence).or(best.word).unwrap_or_else(|| match fits {
        0 => char_cut(text, limit),
        fits => fits,
    })
}

/// Where a character with its marks is longer than the limit by itself, it is cut between code points.
fn char_cut(text: &str, limit: usize) -> usize {
    let mut used = 0;
    text.char_indices()
        .find(|(_, c)| {
            used += c.len_utf16();
            used > limit
        })
        .map_or(text.len(), |(at, _)| at)
}

/// The last place of each kind at which a part may end.
#[derive(Default)]
struct Breaks {
    paragraph: Option<usize>,
    line: Option<usize>,
    sentence: Option<usize>,
    word: Option<usize>,
}

impl Breaks {
    /// Takes note of white space that begins at byte `from` and ends at `to`.
    fn note(&mut self, text: &str, from: usize, to: usize, filled: bool) {
        let newlines = text[from..to].matches('\n').count();
        let end = Some(from);
        match newlines {
            _ if !filled => {}
            0 if ends_sentence(&text[..from], &text[to..]) => self.sentence = end,
            0 => {}
            1 => self.line = end,
            _ => self.paragraph = end,
        }
        self.word = end;
    }
}

/// A full stop followed by a small letter ends an abbreviation: `руб. за штуку`.
fn ends_sentence(before: &str, after: &str) -> bool {
    let closing = |c: char| matches!(c, '"' | '\'' | '»' | '”' | '“' | '’' | ')' | ']');
    before.trim_end_matches(closing).ends_with(['.', '!', '?', '…'])
        && !after.trim_start_matches(['«', '"', '“', '(']).starts_with(char::is_lowercase)
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// White space at which a text may be cut. The spaces that hold `5 000 ₽` together are not.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// Bytes of white space in front, without such that carries a combining mark.
fn leading_space(text: &str) -> usize {
    text.graphemes(true).take_while(|grapheme| grapheme.chars().all(is_space)).map(str::len).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, limit: usize, expected: &[&str]) {
        assert_eq!(split(text, limit), expected, "{text:?} at {limit}");
    }

    #[test]
    fn a_text_that_fits_stays_as_it_is() {
        check("  Привет!\n", 10, &["  Привет!\n"]);
        check("", 10, &[]);
        check(" \n\u{a0} ", 2, &[]);
    }

    #[test]
    fn the_best_place_wins() {
        check("Один. Два.\n\nТри. Четыре. Пять.", 25, &["Один. Два.", "Три. Четыре. Пять."]);
        check("Один. Два.\nТри. Четыре. Пять.", 25, &["Один. Два.", "Три. Четыре. Пять."]);
        check("Один два. Три четыре пять", 20, &["Один два.", "Три четыре пять"]);
        check("Он сказал: «Да!» Мы ушли домой", 24, &["Он сказал: «Да!»", "Мы ушли домой"]);
        check("один два три четыре", 12, &["один два три", "четыре"]);
        check("абвгдежз", 3, &["абв", "где", "жз"]);
    }

    #[test]
    fn a_short_greeting_does_not_stand_alone() {
        check("Да!\n\nодин два три четыре пять шесть", 24, &["Да!\n\nодин два три четыре", "пять шесть"]);
    }

    #[test]
    fn an_abbreviation_or_a_price_is_not_torn() {
        check("Цена 90 руб. за штуку товара", 20, &["Цена 90 руб. за", "штуку товара"]);
        check("Стоит ровно 5\u{a0}000\u{a0}₽ вместе", 15, &["Стоит ровно", "5\u{a0}000\u{a0}₽ вместе"]);
    }

    #[test]
    fn what_a_reader_sees_as_one_character_stays_whole() {
        let family = "👨‍👩‍👧‍👦"; // 11 units
        check(&family.repeat(3), 25, &[&family.repeat(2), family]);
        check("🇷🇺🇷🇺🇷🇺", 7, &["🇷🇺", "🇷🇺", "🇷🇺"]);
        check("e\u{301}e\u{301}e\u{301}", 3, &["e\u{301}", "e\u{301}", "e\u{301}"]);
        check("😀😀", 3, &["😀", "😀"]);
    }

    #[test]
    fn a_character_longer_than_the_limit_is_cut_between_code_points() {
        check("a\u{301}\u{302}\u{303}b", 2, &["a\u{301}", "\u{302}\u{303}", "b"]);
        check("😀😀", 0, &["😀", "😀"]);
    }

    #[test]
    fn long_white_space_is_thrown_away_at_a_cut() {
        check(&format!("\n{}конец{}начало", " ".repeat(30), "\n".repeat(30)), 10, &["конец", "начало"]);
    }

    const PIECES: &[&str] = &[
        "Слово",
        "word. ",
        "Да! ",
        " ",
        "\n",
        "\n\n",
        "\r\n",
        "\u{a0}",
        "👨‍👩‍👧",
        "🇷🇺",
        "e\u{301}",
        "\u{200d}",
        "「",
        "1",
        "ab",
    ];

    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => prop::sample::select(PIECES).prop_map(str::to_owned),
            1 => any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
    }

    fn words(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn parts_fit_and_nothing_but_white_space_is_lost(text in text(), limit in 0_usize..40) {
            let parts = split(&text, limit);
            prop_assert_eq!(words(&parts.concat()), words(&text));
            for part in &parts {
                prop_assert!(units(part) <= limit.max(2), "{:?} is longer than {}", part, limit);
                prop_assert!(!is_blank(part));
            }
        }

        #[test]
        fn cuts_stand_between_what_is_seen_as_characters(text in text(), limit in 40_usize..80) {
            // Longer single characters are rare enough to leave them out here.
            prop_assume!(text.graphemes(true).all(|grapheme| units(grapheme) <= 40));
            let mut at = 0;
            for part in split(&text, limit) {
                at += text[at..].find(part.as_str()).expect("a part is found in the text, in order");
                let boundaries: Vec<usize> =
                    text.grapheme_indices(true).map(|(index, _)| index).chain([text.len()]).collect();
                prop_assert!(boundaries.contains(&at) && boundaries.contains(&(at + part.len())), "{:?} in {:?}", part, text);
                at += part.len();
            }
        }

        #[test]
        fn no_part_could_take_the_next_word_as_well(text in "[а-я]{1,9}( [а-я]{1,9}){0,40}", limit in 10_usize..40) {
            let parts = split(&text, limit);
            for pair in parts.windows(2) {
                let next = pair[1].split(' ').next().unwrap_or_default();
                prop_assert!(units(&pair[0]) + 1 + units(next) > limit, "{:?}", parts);
            }
        }
    }
}
