//! How long a message takes to classify once its vector is there.
//!
//! `cargo bench --bench triage`. A loop of plain arithmetic of known length is timed beside it: on a busy machine the ratio
//! says more than the time.
#![allow(clippy::print_stdout, reason = "figures are for people")]

#[path = "support/timing.rs"]
mod timing;

use std::hint::black_box;
use std::path::Path;

use firstline::engine::triage::Classifier;
use firstline::train::rows;
use firstline::train::vectors::Vectors;
use timing::{fastest, load};

/// Messages in a round.
const MESSAGES: usize = 500;

/// Rounds; the fastest counts, since others share the processor.
const ROUNDS: usize = 20;

/// Multiplications and additions of the loop beside it.
const ARITHMETIC: usize = 1_000_000;

fn main() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/triage");
    let vectors = std::fs::read(dir.join("vectors.bin")).ok().and_then(|bytes| Vectors::read(&bytes));
    let vectors = vectors.expect("the vectors of the repository");
    let rows = rows::read(&dir).expect("the messages of the repository");
    let classifier = Classifier::built_in().expect("the classifier of the repository");
    let messages: Vec<(String, Vec<f32>)> = rows
        .train
        .into_iter()
        .step_by(5)
        .filter_map(|row| vectors.get(&row.text).map(|vector| (row.text, vector)))
        .take(MESSAGES)
        .collect();
    let letters = messages.iter().map(|(text, _)| text.chars().count()).sum::<usize>() / messages.len();
    println!("load: {}", load());
    println!("{} messages of {letters} characters on average", messages.len());
    let classify = fastest(ROUNDS, || {
        for (text, vector) in &messages {
            black_box(classifier.scores(black_box(text), black_box(vector), Some(0.83)));
        }
    });
    let per_message = classify.as_secs_f64() * 1e6 / messages.len() as f64;
    let arithmetic = fastest(ROUNDS, || {
        let sum = (0..ARITHMETIC).fold(0.0_f32, |sum, number| sum.mul_add(0.5, black_box(number) as f32));
        black_box(sum);
    });
    let ratio = per_message / (arithmetic.as_secs_f64() * 1e6);
    println!("classification: {per_message:.1} µs a message, {ratio:.3} of {ARITHMETIC} dependent additions");
}
