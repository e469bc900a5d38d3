//! Evidence that a matter is complex: seen in the conversation, not in the sound of a message.

use std::sync::LazyLock;

use regex::Regex;

use super::{Triage, rules};
use crate::domain::message::{Author, Message};
use crate::domain::turn::{Label, LabelSource, Labelled};
use crate::engine::words::{self, content_stems, folded, is_question, overlap, sentences};

/// What speaks for [`Label::Complex`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// Questions on different things in the new words; 1 where there is one, or none.
    pub questions: usize,
    /// The same was asked before, and answered by us.
    pub asked_again: bool,
    /// The customer came back after an answer of ours, and no article covers the new words.
    pub unanswerable_again: bool,
    /// The rule that found a request to change an account or an order.
    pub change: Option<String>,
}

impl Evidence {
    /// Reads the evidence from the new words and the conversation before them, oldest first. `coverage` is the best
    /// article's, 0 to 1; `None` where no search was made.
    pub fn read(triage: &Triage, text: &str, earlier: &[Message], coverage: Option<f32>) -> Self {
        // Only a person's reply, or one that stands on a source, is an answer; a notice or a question back is not.
        let asked_before_answer = asked_before(earlier, |message| match message.author {
            Author::Operator(_) => true,
            Author::Bot => !message.citations.is_empty(),
            Author::Customer | Author::Note(_) => false,
        });
        let returns =
            !asked_before(earlier, |message| matches!(message.author, Author::Bot | Author::Operator(_))).is_empty();
        Self {
            questions: different_questions(triage, text),
            asked_again: asked_before_answer.iter().any(|before| is_same_question(before, text)),
            unanswerable_again: returns
                && !content_stems(text).is_empty()
                && coverage.is_some_and(|coverage| coverage < triage.answer.least_coverage),
            change: rules::hits(&triage.rules, text)
                .into_iter()
                .find(|hit| hit.label == Label::Complex)
                .map(|hit| hit.rule),
        }
    }

    /// The label that the evidence gives, if any.
    pub fn label(&self) -> Option<Labelled> {
        let confidence = [
            (self.change.is_some(), 0.9),
            (self.questions > 2, 0.8),
            (self.asked_again, 0.8),
            (self.unanswerable_again, 0.7),
            (self.questions == 2, 0.6),
        ]
        .into_iter()
        .find_map(|(holds, confidence)| holds.then_some(confidence))?;
        Some(Labelled { label: Label::Complex, confidence, by: LabelSource::Policy })
    }
}

/// What the customer had said before the last message of ours of that sort.
fn asked_before(earlier: &[Message], is_ours: impl Fn(&Message) -> bool) -> Vec<&str> {
    let ours = earlier.iter().rposition(is_ours).unwrap_or(0);
    let theirs = earlier[..ours].iter().filter(|message| message.author == Author::Customer);
    theirs.map(|message| message.text.as_str()).collect()
}

static CONNECTOR: LazyLock<Regex> = LazyLock::new(|| {
    let asking = r"(?:где|когда|как|какой|какая|какое|какие|сколько|почему|зачем|куда|можно ли|можно|могу|есть ли|есть|нужно ли|надо ли|кто|что|во сколько|на какой|в какой|where|when|how|what|which|who|why|can|could|do|does|did|is|are|will|would|should|may)";
    Regex::new(&format!(
        r"(?i)(?:,\s*|\s)(?:и еще|и ещё|а еще|а ещё|еще вопрос|ещё вопрос|и также|а также|кроме того|заодно|плюс|и второй вопрос|второй вопрос|и|а|also|and also|and|besides|another thing|one more thing|plus|moreover)[,:]?\s+({asking})(?:\s|$)"
    ))
    .expect("the pattern is written here and compiles")
});

/// The questions of a text, each by itself: by sentence, and where "and how …" joins a second one.
pub fn questions(text: &str) -> Vec<String> {
    let plain = words::plain(text);
    let mut all = Vec::new();
    for sentence in sentences(&plain) {
        let mut at = 0;
        while let Some(joint) = CONNECTOR.captures_at(sentence, at).and_then(|found| found.get(1)) {
            let first = &sentence[at..joint.start()];
            // A joint needs something to join: "and how" at the very beginning is one question.
            if content_stems(first).is_empty() && at == 0 {
                break;
            }
            all.push(first.to_owned());
            at = joint.start();
            if sentence[at..].trim().is_empty() {
                break;
            }
        }
        all.push(sentence[at..].to_owned());
    }
    all.retain(|part| is_question(part));
    all.into_iter().map(|question| question.trim().to_owned()).collect()
}

static POINTS_BACK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:он|она|оно|они|его|ее|их|ей|ему|им|ней|нем|ним|них|это|этот|эта|эту|этого|этой|там|туда|тогда|тоже|it|its|they|them|that|this|there|then|those|these|he|she)\b",
    )
    .expect("the pattern is written here and compiles")
});

/// How many different things are asked; at least 1.
fn different_questions(triage: &Triage, text: &str) -> usize {
    let mut kept: Vec<Asked> = Vec::new();
    for question in questions(text) {
        let asked = Asked::new(triage, &question);
        if !asked.stems.is_empty() && kept.iter().all(|other| asked.differs_from(other)) {
            kept.push(asked);
        }
    }
    kept.len().max(1)
}

/// A question with what it is about.
struct Asked {
    topics: Vec<String>,
    stems: Vec<String>,
    points_back: bool,
}

impl Asked {
    fn new(triage: &Triage, question: &str) -> Self {
        let folded = folded(question);
        Self {
            topics: triage
                .examples
                .topics
                .iter()
                .filter(|topic| topic.any.is_match(&folded))
                .map(|topic| topic.name.clone())
                .collect(),
            stems: content_stems(question),
            points_back: POINTS_BACK.is_match(&folded),
        }
    }

    /// Whether this question is on another thing than an earlier one of the same message.
    fn differs_from(&self, earlier: &Asked) -> bool {
        if !self.topics.is_empty() && !earlier.topics.is_empty() {
            return !self.topics.iter().any(|topic| earlier.topics.contains(topic));
        }
        let both_say_enough = self.stems.len() >= 2 && earlier.stems.len() >= 2;
        both_say_enough && !self.points_back && overlap(&self.stems, &earlier.stems) < 0.3
    }
}

/// Whether two messages ask the same, by their words.
fn is_same_question(before: &str, now: &str) -> bool {
    let (before, now) = (content_stems(before), content_stems(now));
    let short = before.len().min(now.len()) < 2;
    let longest = before.len().max(now.len());
    !short && overlap(&before, &now) >= 0.75 && before.len().min(now.len()) * 3 >= longest
}
