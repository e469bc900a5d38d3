//! LoCoMo, protocol LRE-v1: ten long conversations of two friends.
//!
//! The set is licensed CC BY-NC 4.0: it is measured, and nothing of it stands here. Questions of categories 1 to 4 whose
//! evidence can be found count. Keys and weights were chosen on conversations 26 to 43, whose grid is printed; those of 44
//! to 50 had no say.

use std::collections::{BTreeSet, HashMap};
use std::env;
use std::fs;
use std::path::PathBuf;

use firstline::domain::text::Language;
use firstline::engine::fusion::Weights;
use firstline::engine::recall;
use firstline::eval::histories::Keys;
use firstline::ports::ledger::BESIDE;
use jiff::civil::Date;
use regex::Regex;
use serde_json::Value;

use crate::measure::{Measured, measure, print_figures, print_part};
use crate::{Candidates, Conversation, Question, Turn, Vectors, rankings, search, tokens};

/// Weights to choose from.
const AROUND: &[f32] = &[0.0, 1.0, 2.0, 3.0, 4.0];
const MEANING: &[f32] = &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0];

/// Conversations by the number of their name.
const PARTS: [(&str, std::ops::RangeInclusive<u32>); 3] =
    [("26 to 43, development", 26..=43), ("44 to 50, test", 44..=50), ("all ten", 0..=99)];

/// The best of the reference implementation (`memory/locomo_retrieval.py` of the data directory) on all ten, as its notes
/// give it: the same order as [`Measured::figures`].
const REFERENCE: [(&str, [f64; 12]); 3] = [
    (
        "reference: stemmed BM25",
        [31.1, 53.7, 61.3, 67.7, 68.0, 47.6, 46.4, f64::NAN, f64::NAN, f64::NAN, f64::NAN, f64::NAN],
    ),
    ("reference: best of turns", [36.0, 62.2, 71.4, 78.2, 79.0, 55.0, 53.3, 61.2, 71.8, 79.0, 84.6, 89.4]),
    ("reference: best with facts", [45.1, 70.5, 78.6, 83.8, 86.2, 64.3, 63.2, 70.1, 78.3, 83.6, 89.0, 93.4]),
];

/// Measures and prints, or says that the set is not here.
pub(crate) async fn run(vectors: &mut Vectors<'_>, weights: Weights) {
    let file = env::var_os("FIRSTLINE_DATA_DIR").map(|dir| PathBuf::from(dir).join("memory/locomo/locomo10.json"));
    let Some(file) = file.filter(|file| file.exists()) else {
        println!("\nLoCoMo: 10 conversations skipped, no memory/locomo/locomo10.json in FIRSTLINE_DATA_DIR");
        return;
    };
    let json = fs::read(file).expect("the set can be read");
    let set: Vec<Value> = serde_json::from_slice(&json).expect("the set is JSON");
    let conversations: Vec<Conversation> = set.iter().map(conversation).collect();
    let questions: usize = conversations.iter().map(|it| it.questions.len()).sum();
    let turns: usize = conversations.iter().map(|it| it.turns.len()).sum();
    println!("\nLoCoMo: {} conversations, {turns} turns, {questions} questions", conversations.len());

    let (words, all) = search(&conversations, vectors, false).await;
    let (_, facts) = search(&conversations, vectors, true).await;
    let ranked = |candidates: &Candidates| rankings(&conversations, candidates, weights);
    let runs = [
        ("stemmed BM25", conversations.iter().map(Conversation::by_stems).collect()),
        ("ours, words only", ranked(&words)),
        ("ours", ranked(&all)),
        ("ours with facts", ranked(&facts)),
    ];
    for (part, numbers) in PARTS {
        let name = format!("conversations {part}");
        print_part(&name, &conversations, &runs, |conversation, _| numbers.contains(&conversation.number));
    }
    for (name, figures) in REFERENCE {
        print_figures(name, figures);
        println!();
    }
    let development = |conversation: &Conversation, _: &Question| PARTS[0].1.contains(&conversation.number);
    for (name, candidates) in [("ours", &all), ("ours with facts", &facts)] {
        println!("\n{name} on {}, by weights: R@10 / evidence within 1,024 tokens", PARTS[0].0);
        print!("around \\ meaning ");
        for weight in MEANING {
            print!("{weight:>13}");
        }
        println!();
        for around in AROUND {
            print!("{around:>16} ");
            for memories in MEANING {
                let weights = Weights { around: *around, memories: *memories, ..weights };
                let found = measure(&conversations, &rankings(&conversations, candidates, weights), development);
                let [_, _, ten, _, _, _, _, _, _, evidence, _, _] = Measured::figures(&found);
                print!("  {ten:.1} / {evidence:.1}");
            }
            println!();
        }
    }
}

fn conversation(sample: &Value) -> Conversation {
    let name = sample["sample_id"].as_str().expect("a name");
    let held = &sample["conversation"];
    let mut turns: Vec<Turn> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for session in 1.. {
        let date = held[format!("session_{session}_date_time")].as_str().unwrap_or_default();
        let said = held[format!("session_{session}")].as_array();
        // Sessions that were planned and not held have a date only.
        if said.is_none() && date.is_empty() {
            break;
        }
        let mut all_said = Vec::new();
        for turn in said.into_iter().flatten() {
            let text = |field: &str| turn[field].as_str().unwrap_or_default();
            places.insert(text("dia_id").to_owned(), turns.len() + all_said.len());
            let caption = text("blip_caption");
            let caption = if caption.is_empty() { String::new() } else { format!(" [shared image: {caption}]") };
            all_said.push(recall::said(text("speaker"), &format!("{}{caption}", text("text"))));
        }
        turns.extend((0..all_said.len()).map(|at| turn(date, &all_said, at)));
    }
    let named = Regex::new(r"D:?(\d+):(\d+)").expect("a pattern");
    let places_in = |text: &str| -> BTreeSet<usize> {
        let named = named.captures_iter(text).filter_map(|named| {
            let number = |at: usize| named[at].parse::<usize>().ok();
            places.get(&format!("D{}:{}", number(1)?, number(2)?)).copied()
        });
        named.collect()
    };
    let questions = sample["qa"].as_array().into_iter().flatten().filter(|question| question["category"] != 5);
    let questions = questions.map(|question| Question {
        text: question["question"].as_str().expect("a question").to_owned(),
        gold: places_in(&question["evidence"].to_string()),
        kind: None,
    });
    let sessions = sample["observation"].as_object().into_iter().flat_map(|sessions| sessions.values());
    let speakers = sessions.filter_map(Value::as_object).flat_map(|speakers| speakers.values());
    let facts = speakers.filter_map(Value::as_array).flatten().map(|fact| {
        let sentence = fact[0].as_str().expect("a sentence").to_owned();
        (sentence, places_in(&fact[1].to_string()).into_iter().collect())
    });
    Conversation {
        language: Language::En,
        number: name.trim_start_matches("conv-").parse().expect("a number"),
        facts: facts.collect(),
        questions: questions.filter(|question| !question.gold.is_empty()).collect(),
        turns,
    }
}

/// The turn at `at` of a session in which all this was said: speaker, words, and the caption of a picture.
fn turn(date: &str, said: &[String], at: usize) -> Turn {
    let day = day(date);
    let beside = &said[at.saturating_sub(BESIDE)..said.len().min(at + BESIDE + 1)];
    let keys = Keys {
        text: recall::dated(day, Language::En, [said[at].as_str()]),
        around: recall::dated(day, Language::En, beside.iter().map(String::as_str)),
        meant: said[at].clone(),
    };
    Turn { keys, tokens: tokens(&format!("[{date}] {}", said[at])) }
}

/// The day of a date as the set writes it: "9:05 am on 3 March, 2021".
fn day(date: &str) -> Date {
    let day = date.rsplit(" on ").next().unwrap_or_default();
    Date::strptime("%d %B, %Y", day).expect("a date")
}
