//! Every script of `eval/dialog`, over real SQLite and real qdrant-edge, with time set by hand and a scripted model.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what a test can't go on without, and a dialogue for people"
)]

use std::path::Path;

use firstline::app::studio::{Models, Studio};
use firstline::config::Config;
use firstline::eval::case::{self, Case, Suite, Task};
use firstline::eval::play::play;
use firstline::eval::run::Stages;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn config() -> Config {
    let mut config = Config::defaults();
    config.knowledge.dir = root().join("knowledge");
    config.prompts.dir = root().join("prompts");
    config
}

/// Scripts that have a file to themselves: they say how the product behaves, where the lists of the suites say how well.
fn scripts() -> Vec<Case> {
    let mut scripts = case::read_suite(&root().join("eval"), Suite::Dialog).unwrap();
    scripts.retain(|case| case.path.file_stem().is_some_and(|name| name == case.id.as_str()));
    scripts
}

#[tokio::test(flavor = "multi_thread")]
async fn every_script_goes_as_written() {
    let scripts = scripts();
    assert!(scripts.len() >= 20, "the scripts are gone");
    #[expect(clippy::disallowed_methods, reason = "tests have no main that could read settings")]
    let only = std::env::var("FIRSTLINE_SCRIPT").ok();
    let studio = Studio::open(&config(), None, Models::default()).await.unwrap();
    let mut failed = Vec::new();
    for case in &scripts {
        let Task::Play(script) = &case.task else { panic!("{} is no script", case.path.display()) };
        if only.as_ref().is_some_and(|only| only != &script.id) {
            continue;
        }
        let (stage, kept) = studio.stage(script, 0).await.unwrap();
        let played = play(&stage, script).await.unwrap_or_else(|error| panic!("{}: {error:#}", case.path.display()));
        let transcript: Vec<String> = played.transcript.iter().map(ToString::to_string).collect();
        if only.is_some() {
            println!("{}", transcript.join("\n"));
        }
        let failures = played.failures();
        if !failures.is_empty() {
            let (failures, transcript) = (failures.join("\n  "), transcript.join("\n    "));
            failed.push(format!("{}\n  {failures}\n    {transcript}", case.path.display()));
        }
        let depth = stage.ctx.store.depth().await.unwrap();
        assert_eq!((depth.owed, depth.unindexed), (0, 0), "{}: something is left undone", case.path.display());
        // What it stands in goes last.
        drop(stage);
        drop(kept);
    }
    assert!(failed.is_empty(), "{} of {} scripts failed:\n\n{}", failed.len(), scripts.len(), failed.join("\n\n"));
}

#[test]
fn every_case_can_be_read_and_has_an_id_of_its_own() {
    let all =
        Suite::ALL.map(|suite| case::read_suite(&root().join("eval"), suite).unwrap_or_else(|error| panic!("{error}")));
    for (suite, least) in Suite::ALL.into_iter().zip([300, 150, 80, 60, 80, 150]) {
        let cases = all.iter().flatten().filter(|case| case.suite == suite).count();
        assert!(cases >= least, "{}: {cases} cases", suite.name());
    }
    let mut ids: Vec<&str> = all.iter().flatten().map(|case| case.id.as_str()).collect();
    let cases = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), cases);
}

#[test]
fn a_script_that_is_wrong_says_where() {
    let text = "suite: dialog\nid: x\ntitle: y\nturns:\n  - custommer: hello\n";
    let error = case::parse(text, Path::new("wrong.yaml")).unwrap_err().to_string();
    assert!(error.starts_with("wrong.yaml:5:"), "{error}");
}
