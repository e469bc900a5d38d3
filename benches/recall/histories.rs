//! Our own support histories, `eval/memory/histories`: forty customers of a shop, in Russian and English.

use std::collections::BTreeSet;
use std::path::Path;

use firstline::config::Config;
use firstline::domain::text::Language;
use firstline::engine::fusion::Weights;
use firstline::eval::histories::{self, History, Kind, TESTED};
use jiff::tz::TimeZone;

use crate::measure::{measure, print_part};
use crate::{Candidates, Conversation, Question, Rankings, Turn, Vectors, rankings, search, tokens};

const PARTS: [(&str, &[Language]); 3] =
    [("Russian", &[Language::Ru]), ("English", &[Language::En]), ("Russian and English", &Language::ALL)];

/// Measures and prints.
pub(crate) async fn run(vectors: &mut Vectors<'_>, weights: Weights) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("eval/memory/histories");
    let all = histories::read_dir(&dir).expect("the histories can be read");
    let zone = Config::defaults().company.timezone;
    let conversations: Vec<Conversation> = all.iter().map(|(_, history)| conversation(history, &zone)).collect();
    let messages: usize = conversations.iter().map(|it| it.turns.len()).sum();
    let questions: usize = conversations.iter().map(|it| it.questions.len()).sum();
    let asked: usize = all.iter().map(|(_, history)| history.questions.len()).sum();
    let left_out = asked - questions;
    println!(
        "\nour own histories: {} customers, {messages} messages, {questions} questions, {left_out} unanswerable left out",
        all.len()
    );

    let found = runs(&conversations, vectors, weights).await;
    for (part, languages) in PARTS {
        print_part(part, &conversations, &found, |conversation, _| languages.contains(&conversation.language));
        print_kinds(&conversations, &found, languages);
    }
    let tested: Vec<Conversation> = conversations.into_iter().filter(|it| it.number <= TESTED).collect();
    let found = runs(&tested, vectors, weights).await;
    for (part, languages) in PARTS {
        let part = format!("{part}, 1 to {TESTED} alone, as in tests/index/recall.rs");
        print_part(&part, &tested, &found, |conversation, _| languages.contains(&conversation.language));
    }
}

/// What each way of searching finds.
async fn runs(
    conversations: &[Conversation],
    vectors: &mut Vectors<'_>,
    weights: Weights,
) -> [(&'static str, Rankings); 3] {
    let (words, all) = search(conversations, vectors, false).await;
    let ranked = |candidates: &Candidates| rankings(conversations, candidates, weights);
    [
        ("stemmed BM25", conversations.iter().map(Conversation::by_stems).collect()),
        ("ours, words only", ranked(&words)),
        ("ours", ranked(&all)),
    ]
}

fn print_kinds(conversations: &[Conversation], runs: &[(&str, Rankings)], languages: &[Language]) {
    for (run, found) in runs {
        let kinds = Kind::ALL.into_iter().filter_map(|kind| {
            let of = |conversation: &Conversation, question: &Question| {
                languages.contains(&conversation.language) && question.kind == Some(kind)
            };
            let ten: Vec<f64> = measure(conversations, found, of).iter().map(|it| it.recall[2]).collect();
            let mean = 100.0 * ten.iter().sum::<f64>() / ten.len() as f64;
            (!ten.is_empty()).then(|| format!("{} {mean:.1} ({})", kind.name(), ten.len()))
        });
        println!("R@10 by kind, {run}: {}", kinds.collect::<Vec<_>>().join(", "));
    }
}

fn conversation(history: &History, zone: &TimeZone) -> Conversation {
    let language = history.language().expect("the id begins with a language");
    let turns = history.messages.iter().zip(history.keys(language, zone)).map(|(message, keys)| {
        let at = message.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
        Turn { tokens: tokens(&format!("[{at}] {}", keys.meant)), keys }
    });
    let questions = history.questions.iter().map(|question| Question {
        text: question.r#in.clone(),
        gold: history.gold(question).collect::<BTreeSet<usize>>(),
        kind: Some(question.kind),
    });
    Conversation {
        number: history.number().expect("the id ends with a number"),
        language,
        turns: turns.collect(),
        facts: Vec::new(),
        questions: questions.filter(|question| !question.gold.is_empty()).collect(),
    }
}
