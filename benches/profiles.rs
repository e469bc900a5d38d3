//! What the profile of a first build costs: searching, reading, classifying and hashing in `release`, which builds in
//! minutes and is what benchmarks report, beside `dist`, which is as fast as it gets.
//!
//! `cargo bench --bench profiles` builds itself once more under `dist` and runs both in turns: the fastest of all rounds
//! counts for each, and the ratio is to stay under 1.5.
#![allow(clippy::print_stdout, reason = "figures are for people")]

#[path = "support/timing.rs"]
mod timing;

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use firstline::adapters::articles::read_articles;
use firstline::adapters::embedded::EmbeddedEmbedder;
use firstline::adapters::qdrant::EdgeIndex;
use firstline::config::Config;
use firstline::engine::triage::Classifier;
use firstline::engine::words;
use firstline::flow::knowledge::KnowledgeBase;
use firstline::http::password;
use firstline::ports::index::{Query, Scope, SearchIndex};
use firstline::ports::model::{EmbedRole, Embedder};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use timing::{fastest, load};
use tokio::runtime::Runtime;

/// The largest ratio that is meant.
const MOST: f64 = 1.5;

/// How often each executable is run.
const RUNS: usize = 7;

/// How often each piece of work is timed in a run.
const ROUNDS: usize = 5;

const QUESTIONS: [&str; 8] = [
    "Сколько дней у меня есть на возврат?",
    "не приходит код подтверждения",
    "можно поменять адрес доставки на другой город",
    "How much is delivery to Saint Petersburg?",
    "The lamp stopped working after three months, is it still under warranty?",
    "промокод не работает, пишет что истёк",
    "do you sell to companies, I need an invoice",
    "Пришёл не тот товар: заказывал синий, привезли красный",
];

fn main() {
    if std::env::args().any(|argument| argument == "--figures") {
        let figures: serde_json::Map<String, Value> =
            measure().into_iter().map(|(name, time)| (name.to_owned(), time.as_secs_f64().into())).collect();
        println!("{}", Value::Object(figures));
        return;
    }
    let executables = [std::env::current_exe().expect("this executable has a path"), built_for_distribution()];
    println!("load before: {}", load());
    let mut best: [serde_json::Map<String, Value>; 2] = Default::default();
    for _ in 0..RUNS {
        for (executable, best) in executables.iter().zip(&mut best) {
            keep_fastest(best, figures(executable));
        }
    }
    println!("load after:  {}", load());
    println!("\n{:<44} {:>12} {:>12} {:>7}", "work", "release", "dist", "ratio");
    for (name, release) in &best[0] {
        let (release, dist) = (release.as_f64().unwrap_or_default(), best[1][name].as_f64().unwrap_or_default());
        let ratio = release / dist;
        let verdict = if ratio <= MOST { "" } else { "  too slow" };
        println!("{name:<44} {:>9.1} µs {:>9.1} µs {ratio:>7.2}{verdict}", release * 1e6, dist * 1e6);
    }
}

/// Builds this benchmark under `dist`.
fn built_for_distribution() -> PathBuf {
    let build = ["bench", "--profile", "dist", "--bench", "profiles", "--no-run", "--message-format", "json"];
    let mut command = Command::new(env!("CARGO"));
    let built = command.args(build).current_dir(env!("CARGO_MANIFEST_DIR")).stderr(std::process::Stdio::inherit());
    let built = built.output().expect("cargo runs");
    let lines = String::from_utf8(built.stdout).expect("cargo speaks UTF-8");
    let mut messages = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executable = messages.find_map(|message| {
        let ours = message["target"]["name"] == "profiles";
        ours.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
    });
    executable.expect("cargo names what it built")
}

fn figures(executable: &PathBuf) -> serde_json::Map<String, Value> {
    let run = Command::new(executable).arg("--figures").output().expect("the executable runs");
    serde_json::from_slice(&run.stdout).expect("it prints its figures")
}

fn keep_fastest(best: &mut serde_json::Map<String, Value>, figures: serde_json::Map<String, Value>) {
    for (name, time) in figures {
        let faster = best.get(&name).is_none_or(|known| time.as_f64() < known.as_f64());
        if faster {
            best.insert(name, time);
        }
    }
}

/// Each piece of work with the time it takes once.
fn measure() -> Vec<(&'static str, Duration)> {
    let runtime = Runtime::new().expect("threads start");
    let embedder = EmbeddedEmbedder::with_threads(1).expect("the weights are in the binary");
    let questions: Vec<String> = QUESTIONS.iter().map(ToString::to_string).collect();
    let embed = |role| runtime.block_on(embedder.embed(&questions, role)).expect("texts are read");
    let vectors = embed(EmbedRole::Query);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let articles = read_articles(&Config::defaults().knowledge.dir).expect("the demo's articles");
    let index = runtime.block_on(async {
        let (index, _) = EdgeIndex::open(dir.path(), Some(embedder.fingerprint())).await.expect("an index opens");
        KnowledgeBase::default().sync(&index, Some(&embedder), articles.clone()).await.expect("articles are indexed");
        index
    });
    let search = |vector: Option<&Vec<f32>>, text: &str| {
        let query = Query { scope: Scope::Knowledge(None), text: text.to_owned(), dense: vector.cloned(), limit: 50 };
        black_box(runtime.block_on(index.search(query)).expect("the index answers"));
    };
    let classifier = Classifier::built_in().expect("the classifier is in the binary");
    let text: String =
        articles.iter().flat_map(|article| &article.sections).map(|section| section.text.as_str()).collect();
    let bytes = vec![7_u8; 1 << 20];
    let each = |work: &dyn Fn(usize)| fastest(ROUNDS, || (0..8).for_each(work)) / 8;
    vec![
        ("embed a short message", fastest(ROUNDS, || drop(black_box(embed(EmbedRole::Query)))) / 8),
        ("search the articles by words and by meaning", each(&|n| search(Some(&vectors[n]), QUESTIONS[n]))),
        ("search the articles by words", each(&|n| search(None, QUESTIONS[n]))),
        (
            "classify a message after embedding",
            each(&|n| drop(black_box(classifier.scores(QUESTIONS[n], &vectors[n], Some(0.83))))),
        ),
        ("words of all articles", fastest(ROUNDS, || drop(black_box(words::words(&text))))),
        ("SHA-256 of a mebibyte", fastest(ROUNDS, || drop(black_box(Sha256::digest(&bytes).to_vec())))),
        ("hash a password", fastest(ROUNDS, || drop(black_box(password::hash("correct horse battery"))))),
    ]
}
