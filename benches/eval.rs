//! How fast cases of the evaluation run, and what the runner costs beside the product.
//!
//! `cargo bench --bench eval`. The whole triage suite runs with the embedded encoder, every message encoded anew; then the same
//! messages go through the turn's decision alone, as many at a time: the difference is the runner's. Then once more with the
//! vectors that the run before has kept, as `firstline eval` does. Of scripts, what is timed is the stage: everything around the
//! dialogue. The machine's load is printed beside the figures.
#![allow(clippy::print_stdout, reason = "figures are for people")]

#[path = "support/timing.rs"]
mod timing;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use firstline::adapters::embedded::EmbeddedEmbedder;
use firstline::app::studio::{Models, Studio};
use firstline::config::Config;
use firstline::domain::text::Language;
use firstline::eval::case::{self, Case, Suite, Task};
use firstline::eval::run::{self, How, Repeat, Stages as _};
use firstline::eval::vectors::KeptEmbedder;
use firstline::flow::turn;
use firstline::ports::model::Embedder;
use futures_util::StreamExt as _;
use futures_util::stream;
use timing::load;

/// Rounds; the fastest counts, since others share the processor.
const ROUNDS: usize = 3;

/// Scripts whose stage is set up.
const SCRIPTS: usize = 40;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads start");
    runtime.block_on(measure());
}

async fn measure() {
    let (config, jobs) = (Config::defaults(), std::thread::available_parallelism().map_or(1, usize::from));
    let embedder = EmbeddedEmbedder::with_threads(jobs).expect("the weights are in the binary");
    println!("load before: {}", load());
    let opened = Instant::now();
    let studio = open(&config, Arc::new(embedder.clone())).await;
    println!("opening, with every article encoded: {:.1} s", opened.elapsed().as_secs_f64());
    let cases = case::read_suite(Path::new("eval"), Suite::Triage).expect("the suite can be read");
    let (mut whole, mut bare) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        whole = whole.min(timed(suite(&studio, &cases, jobs)).await);
        bare = bare.min(timed(decisions(&studio, &cases, jobs)).await);
    }
    let a_case = |took: Duration| took.as_secs_f64() * 1e3 / cases.len() as f64;
    println!("triage, {} cases, {jobs} at a time: {:.0} a second", cases.len(), 1e3 / a_case(whole));
    println!("  a case {:.2} ms, its decision alone {:.2} ms", a_case(whole), a_case(bare));
    println!("  the runner's own: {:.2} ms a case", a_case(whole) - a_case(bare));
    let again = kept(&config, embedder, &cases, jobs).await;
    println!(
        "  again, with the vectors of the run before: {:.0} a second, {:.2} ms a case",
        1e3 / a_case(again),
        a_case(again)
    );
    let (set_up, closed) = stages(&studio).await;
    println!("a stage for a script: set up in {set_up:.1} ms, closed in {closed:.1} ms");
    println!("load after: {}", load());
}

async fn open(config: &Config, embedder: Arc<dyn Embedder>) -> Studio {
    Studio::open(config, Some(embedder), Models::default()).await.expect("the studio opens")
}

/// The fastest of the suite's runs after a first one that kept its vectors.
async fn kept(config: &Config, embedder: EmbeddedEmbedder, cases: &[Case], jobs: usize) -> Duration {
    let dir = tempfile::tempdir().expect("there is room");
    let kept =
        || Arc::new(KeptEmbedder::open(Arc::new(embedder.clone()), dir.path()).expect("the vectors can be kept"));
    suite(&open(config, kept()).await, cases, jobs).await;
    let (studio, mut fastest) = (open(config, kept()).await, Duration::MAX);
    for _ in 0..ROUNDS {
        fastest = fastest.min(timed(suite(&studio, cases, jobs)).await);
    }
    fastest
}

async fn timed(work: impl Future<Output = ()>) -> Duration {
    let begun = Instant::now();
    work.await;
    begun.elapsed()
}

/// The suite as `firstline eval triage` runs it.
async fn suite(studio: &Studio, cases: &[Case], jobs: usize) {
    let how = How { repeat: Repeat::Times(1), jobs, before: &BTreeMap::new(), rubrics: &[] };
    let results = run::run(studio, cases, &how, |_, _| ControlFlow::Continue(())).await;
    assert!(results.len() == cases.len() && results.iter().all(run::CaseResult::is_said), "every case was run");
}

/// The same messages through the product, with nothing around it.
async fn decisions(studio: &Studio, cases: &[Case], jobs: usize) {
    let ctx = &studio.shared();
    let decided = stream::iter(cases).map(|case| async move {
        let Task::Triage(case) = &case.task else { unreachable!("the suite is triage") };
        let language = Language::detect(&case.message).unwrap_or(Language::Ru);
        turn::decide(ctx, &run::stranger(ctx, &case.message), language).await.expect("nothing is down");
    });
    decided.buffer_unordered(jobs).collect::<()>().await;
}

/// What setting up and closing a stage takes, in milliseconds, on average.
async fn stages(studio: &Studio) -> (f64, f64) {
    let (mut set_up, mut closed, mut scripts) = (Duration::ZERO, Duration::ZERO, 0_u32);
    for case in case::read_suite(Path::new("eval"), Suite::Handoff).expect("the suite can be read").iter().take(SCRIPTS)
    {
        let Task::Play(script) = &case.task else { continue };
        let begun = Instant::now();
        let stage = studio.stage(script, 0).await.expect("a stage is set up");
        set_up += begun.elapsed();
        closed += timed(async { tokio::task::spawn_blocking(|| drop(stage)).await.expect("a stage is closed") }).await;
        scripts += 1;
    }
    let mean = |sum: Duration| sum.as_secs_f64() * 1e3 / f64::from(scripts);
    (mean(set_up), mean(closed))
}
