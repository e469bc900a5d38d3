//! How many facts of the dialogues in `eval/memory/facts` are read out by rule, and how long a message takes.
//!
//! `cargo bench --bench extraction`; `-- --wrong` lists what was wrong or missed of the files that the rules were written
//! with; `-- --model http://127.0.0.1:8080/v1 name --most 20` lets a language model read so many dialogues of each of the
//! others, as the product would, beside the rules. `eval/memory/README.md` tells whose texts they are and how they are scored.
#![allow(clippy::print_stdout, reason = "figures are for people")]

#[path = "extraction/model.rs"]
mod model;
#[path = "support/timing.rs"]
mod timing;

use std::hint::black_box;
use std::path::{Path, PathBuf};

use comfy_table::Table;
use firstline::engine::learn::statements;
use firstline::eval::facts::{self, Counts, Dialogue, Score};
use firstline::train::measure::wilson;
use jiff::tz::TimeZone;
use timing::{fastest, load};

/// Rounds; the fastest counts, since others share the processor.
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let place = |name: &str| arguments.iter().position(|argument| argument == name);
    if let Some(at) = place("--model") {
        let most = place("--most").and_then(|most| arguments.get(most + 1)?.parse().ok()).unwrap_or(20);
        return model::report(&arguments[at + 1], &arguments[at + 2], &files("test"), most);
    }
    let wrong = place("--wrong").is_some();
    let paths = files("");
    println!("load: {}", load());
    for path in paths {
        let dialogues = facts::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let score = facts::score(&dialogues);
        println!("\n{}: {} dialogues", path.file_name().unwrap_or_default().display(), dialogues.len());
        println!("{}", table(&score));
        println!("due days right: {} of {}; times: {} of {}", score.days.0, score.days.1, score.times.0, score.times.1);
        println!("a message takes {:.0} µs", per_message(&dialogues));
        let told = wrong && !path.to_string_lossy().contains(".test.");
        for mistake in score.mistakes.iter().filter(|_| told) {
            let what = if mistake.read { "wrong " } else { "missed" };
            println!("{what} {} {} {}: {}", mistake.dialogue, mistake.message, mistake.key, mistake.value);
        }
    }
}

/// The files whose names hold this.
fn files(part: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("eval/memory/facts");
    let entries = std::fs::read_dir(&dir).expect("the facts of the repository");
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".jsonl") && name.contains(part)
    });
    paths.sort();
    paths
}

fn table(score: &Score) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["key", "right", "wrong", "missed", "precision (95 %)", "recall (95 %)"]);
    for (key, counts) in &score.of {
        table.add_row(row(key, *counts));
    }
    table.add_row(row("all", score.pooled()));
    table
}

fn row(key: &str, counts: Counts) -> [String; 6] {
    let interval = |of: usize| {
        let share = wilson(counts.right, of);
        format!("{:.3} ({:.3} to {:.3})", share.share, share.low, share.high)
    };
    [
        key.to_owned(),
        counts.right.to_string(),
        counts.wrong.to_string(),
        counts.missed.to_string(),
        interval(counts.right + counts.wrong),
        interval(counts.right + counts.missed),
    ]
}

/// Microseconds.
fn per_message(dialogues: &[Dialogue]) -> f64 {
    let messages: Vec<_> = dialogues.iter().flat_map(facts::messages).collect();
    let all = fastest(ROUNDS, || {
        for message in &messages {
            black_box(statements(black_box(message), &TimeZone::UTC));
        }
    });
    all.as_secs_f64() * 1e6 / messages.len().max(1) as f64
}
