//! How memory grows: adding, searching, starting and the room that it takes, from ten thousand memories to a million.
//!
//! `cargo bench --bench scale` measures 10,000, 100,000 and 1,000,000 memories of a hundredth as many customers (about 5 GB of
//! disk for the last, 20 minutes); `-- --sizes 10000,30000` others. The index is the product's own, on disk, with vectors
//! as long as the embedded encoder's; texts are made of the demo articles' words, vectors are given, so no encoder is timed.
//! `-- --mem0` gives 10,000 of them to mem0 as well, where `FIRSTLINE_PYTHON` (or `python3`) has its package `mem0ai`.
//!
//! Each size is filled by one process, in the product's own portions, and asked by another that has just opened it: its
//! start, 5,000 searches by all three legs in the memory of customers at random, the same ones again (what they read from
//! the disk the first time is the disk's), and its memory as Linux tells it: private is
//! what belongs to nobody else and stands in no file; resident counts the pages of files too, which go when others need room.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "figures are for people, and a bench has no settings"
)]

#[path = "../support/timing.rs"]
mod timing;

mod mem0;
mod memories;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use comfy_table::Table;
use firstline::adapters::qdrant::{EdgeIndex, Opened};
use firstline::ports::index::{SearchIndex, Shelf};
use memories::{Memories, fingerprint};
use serde_json::{Value, json};
use timing::load;
use tokio::runtime::Runtime;

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

/// Searches that are timed.
const SEARCHES: usize = 5_000;

/// Memories in one write, as `flow/indexing.rs` has them.
const PORTION: usize = 256;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1).cloned();
    let number = |name: &str| after(name).and_then(|number| number.parse().ok()).unwrap_or_default();
    let runtime = Runtime::new().expect("threads start");
    if let Some(dir) = after("--fill") {
        println!("{}", runtime.block_on(fill(Path::new(&dir), number("--memories"))));
    } else if let Some(dir) = after("--ask") {
        println!("{}", runtime.block_on(ask(Path::new(&dir), number("--memories"))));
    } else if arguments.iter().any(|argument| argument == "--mem0") {
        let python = std::env::var("FIRSTLINE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        runtime.block_on(mem0::compare(&python));
    } else {
        let sizes = after("--sizes").map(|sizes| sizes.split(',').filter_map(|size| size.parse().ok()).collect());
        report(&sizes.unwrap_or_else(|| SIZES.to_vec()));
    }
}

fn report(sizes: &[usize]) {
    println!("load before: {}", load());
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header([
        "memories",
        "added /s",
        "first p99 ms",
        "again p50 ms",
        "again p99 ms",
        "start s",
        "private MB",
        "resident MB",
        "on disk MB",
    ]);
    for size in sizes {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let filled = child("--fill", dir.path(), *size);
        let asked = child("--ask", dir.path(), *size);
        let told = |from: &Value, name: &str, digits: usize| {
            format!("{:.digits$}", from[name].as_f64().expect("the child tells all of its figures"))
        };
        table.add_row([
            size.to_string(),
            told(&filled, "added", 0),
            told(&asked, "first", 2),
            told(&asked, "p50", 2),
            told(&asked, "p99", 2),
            told(&asked, "start", 2),
            told(&asked, "private", 0),
            told(&asked, "resident", 0),
            told(&filled, "disk", 0),
        ]);
        println!("{size} memories measured, load {}", load());
    }
    println!("\n{table}");
}

/// What a process of its own finds out, so that nobody's memory is counted twice.
fn child(work: &str, dir: &Path, memories: usize) -> Value {
    let executable = std::env::current_exe().expect("this executable has a path");
    let mut command = Command::new(executable);
    command.arg(work).arg(dir).args(["--memories", &memories.to_string()]);
    let run = command.stderr(std::process::Stdio::inherit()).output().expect("the executable runs");
    assert!(run.status.success(), "{work} failed");
    serde_json::from_slice(&run.stdout).expect("it prints its figures")
}

async fn fill(dir: &Path, number: usize) -> Value {
    let (index, _) = EdgeIndex::open(dir, Some(fingerprint())).await.expect("an index");
    let memories = Memories::of(number);
    let mut time = Duration::ZERO;
    let mut next = 0;
    while next < number {
        let portion: Vec<_> = (next..number.min(next + PORTION)).map(|place| memories.point(place)).collect();
        next += portion.len();
        let begun = Instant::now();
        index.upsert(Shelf::Memory, portion).await.expect("memories are written");
        index.flush().await.expect("and stay");
        time += begun.elapsed();
    }
    index.close().await.expect("the index closes");
    json!({ "added": rate(number, time), "disk": megabytes(size_of(dir)) })
}

async fn ask(dir: &Path, number: usize) -> Value {
    let begun = Instant::now();
    let (index, opened) = EdgeIndex::open(dir, Some(fingerprint())).await.expect("an index");
    let start = begun.elapsed();
    assert_eq!(opened, Opened::Existing);
    let memories = Memories::of(number);
    let mut rounds = Vec::new();
    for _ in 0..2 {
        let mut times = Vec::with_capacity(SEARCHES);
        for place in 0..SEARCHES {
            let query = memories.query(place);
            let begun = Instant::now();
            let found = index.search(query).await.expect("the index answers");
            times.push(begun.elapsed());
            assert!(!found.is_empty(), "every customer has memories");
        }
        times.sort_unstable();
        rounds.push(times);
    }
    let at = |times: &[Duration], share: usize| times[times.len() * share / 100].as_secs_f64() * 1e3;
    let memory = |name: &str| kilobytes(name) / 1024.0;
    json!({
        "start": start.as_secs_f64(), "first": at(&rounds[0], 99), "p50": at(&rounds[1], 50), "p99": at(&rounds[1], 99),
        "private": memory("Anonymous:"), "resident": memory("Rss:"),
    })
}

/// A line of what Linux tells of this process's memory.
fn kilobytes(name: &str) -> f64 {
    let told = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn size_of(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).expect("a directory").filter_map(Result::ok);
    entries
        .map(|entry| {
            let known = entry.metadata().expect("a file");
            if known.is_dir() { size_of(&entry.path()) } else { known.len() }
        })
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn rate(number: usize, time: Duration) -> f64 {
    number as f64 / time.as_secs_f64()
}
