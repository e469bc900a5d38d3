//! Every script of `eval/dialog`, over real SQLite and real qdrant-edge, with time set by hand and a scripted model.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what a test can't go on without, and a dialogue for people"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use firstline::app::{self, Outside};
use firstline::config::Config;
use firstline::domain::id::{Ids, OperatorId};
use firstline::eval::play::{Stage, play};
use firstline::eval::script::{self, Script};
use firstline::eval::stage::{ManualClock, RecordingChannel, ScriptedModel};
use firstline::ports::channel::Channel;
use firstline::ports::model::ChatModel;

/// When scripts begin: a Monday morning.
const START: &str = "2026-11-23T09:00:00Z";

fn config(data: &Path) -> Config {
    let mut config = Config::defaults();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    config.data.dir = data.to_owned();
    config.knowledge.dir = root.join("knowledge");
    config.prompts.dir = root.join("prompts");
    config
}

/// An index with all the articles, made once and copied for each script: writing it anew would take most of the time.
async fn prepared_index(data: &Path) -> PathBuf {
    let outside = Outside {
        clock: Arc::new(ManualClock::at(START.parse().unwrap())),
        ids: Ids::seeded(1),
        model: None,
        embedder: None,
        channels: Vec::new(),
    };
    drop(app::open(config(data), outside).await.unwrap());
    data.join("index")
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy_dir(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

async fn stage(dir: &Path, script: &Script) -> Stage {
    let config = config(dir);
    let clock = Arc::new(ManualClock::at(START.parse().unwrap()));
    let channel = Arc::new(RecordingChannel::new(script.channel, "stage"));
    let model = script.model.clone().map(|lines| Arc::new(ScriptedModel::new(lines)));
    let outside = Outside {
        clock: Arc::clone(&clock) as Arc<_>,
        ids: Ids::seeded(42),
        model: model.clone().map(|model| model as Arc<dyn ChatModel>),
        embedder: None,
        channels: vec![Arc::clone(&channel) as Arc<dyn Channel>],
    };
    let ctx = app::open(config, outside).await.unwrap();
    app::add_operator(&*ctx.store, "olga", "Ольга").await.unwrap();
    let operator: OperatorId = ctx.store.operators().await.unwrap()[0].id;
    Stage { ctx, clock, channel, model, operator }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_script_goes_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("eval/dialog");
    let scripts = script::read_dir(&dir).unwrap();
    assert!(scripts.len() >= 20, "the scripts are gone");
    let prepared = tempfile::tempdir().unwrap();
    let index = prepared_index(prepared.path()).await;
    #[expect(clippy::disallowed_methods, reason = "tests have no main that could read settings")]
    let only = std::env::var("FIRSTLINE_SCRIPT").ok();
    let mut failed = Vec::new();
    for (path, script) in &scripts {
        if only.as_ref().is_some_and(|only| only != &script.id) {
            continue;
        }
        let data = tempfile::tempdir().unwrap();
        copy_dir(&index, &data.path().join("index"));
        let stage = stage(data.path(), script).await;
        let played = play(&stage, script).await.unwrap_or_else(|error| panic!("{}: {error:#}", path.display()));
        if only.is_some() {
            println!("{}", played.transcript.join("\n"));
        }
        if !played.failures.is_empty() {
            let (failures, transcript) = (played.failures.join("\n  "), played.transcript.join("\n    "));
            failed.push(format!("{}\n  {failures}\n    {transcript}", path.display()));
        }
        let depth = stage.ctx.store.depth().await.unwrap();
        assert_eq!((depth.owed, depth.unindexed), (0, 0), "{}: something is left undone", path.display());
    }
    assert!(failed.is_empty(), "{} of {} scripts failed:\n\n{}", failed.len(), scripts.len(), failed.join("\n\n"));
}

#[test]
fn script_ids_are_unique() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("eval/dialog");
    let mut ids: Vec<String> = script::read_dir(&dir).unwrap().into_iter().map(|(_, script)| script.id).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn a_script_that_is_wrong_says_where() {
    let text = "suite: dialog\nid: x\ntitle: y\nturns:\n  - custommer: hello\n";
    let error = script::parse(text, Path::new("wrong.yaml")).unwrap_err().to_string();
    assert!(error.starts_with("wrong.yaml:5:"), "{error}");
}
