//! A language model learns from dialogues as the product lets it, beside the rules and together with them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use firstline::app::{self, Outside};
use firstline::config::Config;
use firstline::domain::channel::{Address, ChannelKind};
use firstline::domain::conversation::{Conversation, Ownership};
use firstline::domain::id::{CustomerId, Ids};
use firstline::domain::memory::Statement;
use firstline::engine::learn::KEYS;
use firstline::eval::facts::{self, Dialogue};
use firstline::flow::{Ctx, learn};
use firstline::ports::ledger::EpisodeInput;
use indicatif::ProgressBar;

use super::table;

/// Prints what the model finds in the first `most` dialogues of each file.
pub(super) fn report(url: &str, name: &str, paths: &[PathBuf], most: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        let dir = std::env::temp_dir().join(format!("firstline-extraction-{}", std::process::id()));
        let ctx = open(&dir, url, name).await;
        for path in paths {
            let mut dialogues = facts::read(path).unwrap_or_else(|error| panic!("{error}"));
            dialogues.truncate(most);
            one_file(&ctx, path, &dialogues).await;
        }
        // Closing an index writes, so not on a thread of the runtime, and before its directory goes.
        let _ = tokio::task::spawn_blocking(move || drop(ctx)).await;
        let _ = std::fs::remove_dir_all(&dir);
    });
}

async fn open(dir: &std::path::Path, url: &str, name: &str) -> Arc<Ctx> {
    let file = dir.join("config.toml");
    std::fs::create_dir_all(dir).expect("a directory for the run");
    // All that a model reads is looked at; what is left to it is taken off when both are counted.
    let kinds: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    let settings = format!(
        "[episode]\nfrom_model = {kinds:?}\n[data]\ndir = {:?}\n[embedder]\nkind = \"none\"\n[model_calls]\nwithin = \"600s\"\n[[model]]\nurl = {url:?}\nname = \
         {name:?}\nattempt_within = \"600s\"\n",
        dir.display().to_string()
    );
    std::fs::write(&file, settings).expect("the settings of the run");
    let config = Config::load(Some(&file), std::iter::empty()).unwrap_or_else(|error| panic!("{error}"));
    let outside = Outside::configured(&config).unwrap_or_else(|error| panic!("{error:#}"));
    app::open(config, outside).await.unwrap_or_else(|error| panic!("{error:#}"))
}

async fn one_file(ctx: &Ctx, path: &std::path::Path, dialogues: &[Dialogue]) {
    let mut by_model: Vec<Vec<Statement>> = Vec::new();
    let mut failed = 0;
    let began = Instant::now();
    let bar = ProgressBar::new(dialogues.len() as u64);
    for dialogue in dialogues {
        let model = ctx.model.as_ref().expect("a model is configured");
        match learn::by_model(ctx, &**model, &input(dialogue), &[], &[]).await {
            Ok((_, statements)) => by_model.push(statements),
            Err(_) => {
                failed += 1;
                by_model.push(Vec::new());
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64() / dialogues.len().max(1) as f64;
    let name = path.file_name().unwrap_or_default().display();
    println!("{name}: {} dialogues, {failed} without an answer, {seconds:.1} s each", dialogues.len());
    let rules = |dialogue: &Dialogue| facts::by_rule(dialogue);
    let kinds = Config::defaults().episode.from_model;
    let both = |(dialogue, found): (&'_ Dialogue, &Vec<Statement>)| {
        let mut all = rules(dialogue);
        let new: Vec<Statement> = found.iter().filter(|found| learn::is_new(&all, found, &kinds)).cloned().collect();
        all.extend(new);
        all
    };
    let pairs = || dialogues.iter().zip(&by_model);
    for (who, score) in [
        ("the model", facts::score_of(pairs().map(|(dialogue, found)| (dialogue, found.clone())))),
        ("the rules", facts::score(dialogues)),
        ("both, as the product learns", facts::score_of(pairs().map(|pair| (pair.0, both(pair))))),
    ] {
        println!("{who}:\n{}", table(&score));
    }
}

/// A dialogue as a finished stretch of conversation.
fn input(dialogue: &Dialogue) -> EpisodeInput {
    let messages = facts::messages(dialogue);
    let (first, last) = (messages.first().expect("a dialogue has messages"), messages.last().expect("and a last one"));
    let conversation = Conversation {
        id: first.conversation,
        customer: CustomerId::fresh(&Ids::seeded(1), first.received_at),
        address: Address { channel: ChannelKind::Web, account: "main".to_owned(), external: dialogue.id.clone() },
        ownership: Ownership::Resolved,
        epoch: 1,
        last_seq: last.seq,
        handled_seq: last.seq,
        language: Some(dialogue.lang),
        disclosed_at: None,
        ask_backs: 0,
        failures: 0,
        opened_at: first.received_at,
        last_activity_at: last.received_at,
    };
    EpisodeInput { conversation, messages }
}
