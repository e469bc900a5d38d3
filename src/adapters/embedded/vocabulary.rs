//! From text to the numbers of pieces: SentencePiece's unigram model with multilingual-e5-small's pieces, cut to the
//! scripts that `models/embedder/make.py` names.
//!
//! The pieces are sorted, so that those which begin as the text does are a range that shrinks with every character: no
//! table has to be built, the bytes in the executable are searched as they are.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

/// Begins every text.
const BEGIN: u32 = 0;
/// Ends every text.
const END: u32 = 2;
/// A run of characters that no piece has.
const UNKNOWN: u32 = 3;
/// Numbers before the first piece's.
pub(super) const SPECIALS: u32 = 4;
/// What a text can be at most, in tokens, with the two around it.
pub(super) const LONGEST: usize = 512;
/// More characters than this are no more tokens than [`LONGEST`]: a piece has at most 16 characters.
const CHARACTERS: usize = LONGEST * 16;
/// Stands for a space in the pieces.
const SPACE: char = '\u{2581}';

/// The pieces and how likely each is.
pub(super) struct Vocabulary {
    scores: &'static [[u8; 4]],
    ends: &'static [[u8; 4]],
    text: &'static [u8],
    unknown: f32,
}

/// The best way to write the text up to a character.
#[derive(Clone, Copy)]
struct Step {
    score: f32,
    from: usize,
    token: u32,
}

impl Vocabulary {
    /// Reads `vocabulary.bin`; `None` where it isn't one.
    pub(super) fn read(bytes: &'static [u8]) -> Option<Self> {
        let (count, rest) = bytes.strip_prefix(b"FLV1")?.split_first_chunk::<4>()?;
        let (unknown, rest) = rest.split_first_chunk::<4>()?;
        let numbers = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        let (scores, rest) = rest.split_at_checked(numbers.checked_mul(4)?)?;
        let (ends, text) = rest.split_at_checked(scores.len())?;
        let (scores, ends) = (scores.as_chunks().0, ends.as_chunks().0);
        let vocabulary = Self { scores, ends, text, unknown: f32::from_le_bytes(*unknown) };
        let ends: Vec<usize> = (0..numbers).map(|piece| vocabulary.end(piece)).collect();
        (ends.is_sorted() && ends.last() == Some(&text.len())).then_some(vocabulary)
    }

    /// How many pieces there are, the special ones left out.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The numbers of the text's pieces, begin and end included, at most [`LONGEST`].
    pub(super) fn tokens(&self, text: &str) -> Vec<u32> {
        let text = normalised(text);
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut steps = vec![Step { score: f32::NEG_INFINITY, from: 0, token: UNKNOWN }; starts.len()];
        steps[0].score = 0.0;
        for from in 0..starts.len() - 1 {
            self.extend(text.as_bytes(), &starts, from, &mut steps);
        }
        let mut tokens = Vec::new();
        let mut at = starts.len() - 1;
        while at > 0 {
            let Step { from, token, .. } = steps[at];
            if token != UNKNOWN || tokens.last() != Some(&UNKNOWN) {
                tokens.push(token);
            }
            at = from;
        }
        let inner = tokens.into_iter().rev().take(LONGEST - 2);
        std::iter::once(BEGIN).chain(inner).chain([END]).collect()
    }

    /// Tries every piece that stands at `from`, and the character there as unknown.
    fn extend(&self, text: &[u8], starts: &[usize], from: usize, steps: &mut [Step]) {
        let score = steps[from].score;
        let mut candidates = 0..self.len();
        for to in from + 1..starts.len() {
            let beginning = &text[starts[from]..starts[to]];
            candidates = self.beginning_with(beginning, candidates);
            if candidates.is_empty() {
                break;
            }
            if self.piece(candidates.start) == beginning {
                let token = u32::try_from(candidates.start).map_or(UNKNOWN, |piece| piece + SPECIALS);
                improve(&mut steps[to], score + self.score(candidates.start), from, token);
            }
        }
        improve(&mut steps[from + 1], score + self.unknown, from, UNKNOWN);
    }

    /// Those of `among`, neighbours in the order, that begin with these bytes; the piece itself is the first of them.
    fn beginning_with(&self, beginning: &[u8], among: Range<usize>) -> Range<usize> {
        let start = self.first(among.clone(), |piece| piece >= beginning);
        let end = self.first(start..among.end, |piece| !piece.starts_with(beginning));
        start..end
    }

    /// The first piece of `among` that satisfies what all after it satisfy too.
    fn first(&self, among: Range<usize>, satisfies: impl Fn(&[u8]) -> bool) -> usize {
        let Range { start: mut low, end: mut high } = among;
        while low < high {
            let middle = low.midpoint(high);
            if satisfies(self.piece(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    fn piece(&self, piece: usize) -> &'static [u8] {
        let start = if piece == 0 { 0 } else { self.end(piece - 1) };
        &self.text[start..self.end(piece)]
    }

    fn end(&self, piece: usize) -> usize {
        u32::from_le_bytes(self.ends[piece]) as usize
    }

    fn score(&self, piece: usize) -> f32 {
        f32::from_le_bytes(self.scores[piece])
    }
}

fn improve(step: &mut Step, score: f32, from: usize, token: u32) {
    if score > step.score {
        *step = Step { score, from, token };
    }
}

/// The text as the pieces are written: compatibility forms replaced, control characters gone, every space a mark, one
/// before the first word.
fn normalised(text: &str) -> String {
    let plain = text.nfc().flat_map(plain);
    let mut normal = String::with_capacity(text.len().min(CHARACTERS) + SPACE.len_utf8());
    normal.push(SPACE);
    let mut after_space = true;
    for character in plain
        .filter(|character| {
            // Of several spaces one is left.
            let again = *character == ' ' && after_space;
            after_space = *character == ' ';
            !again
        })
        .take(CHARACTERS)
    {
        normal.push(if character == ' ' { SPACE } else { character });
    }
    normal
}

/// What a character is replaced by: XLM-RoBERTa's normalisation, which is NFKC with these exceptions.
fn plain(character: char) -> impl Iterator<Item = char> {
    let (kept, replaced) = match character {
        '\t'
        | '\n'
        | '\u{c}'
        | '\r'
        | '\u{1680}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | SPACE
        | '\u{feff}'
        | '\u{fffd}' => (Some(' '), None),
        '\u{1}'..='\u{1f}' | '\u{7f}' | '\u{8f}' | '\u{9f}' => (None, None),
        '\u{ff5e}' => (Some(character), None),
        _ => (None, Some(character)),
    };
    kept.into_iter().chain(replaced.into_iter().nfkc())
}
