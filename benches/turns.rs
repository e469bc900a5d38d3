//! How fast the loop is on embedded defaults with a scripted model: turns a second, accepted to outbox, peak memory, cold
//! start; first a burst of many customers, then one customer after another.
//!
//! `cargo bench --bench turns`. The machine's load is printed beside the figures: they mean something on a quiet one only.
#![allow(clippy::print_stdout, reason = "figures are for people")]

#[path = "support/timing.rs"]
mod timing;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use firstline::adapters::clock::SystemClock;
use firstline::app::{self, Outside};
use firstline::config::Config;
use firstline::domain::channel::{Address, ChannelKind, Inbound, InboundEvent};
use firstline::domain::id::{ConversationId, Ids};
use firstline::domain::text::MessageText;
use firstline::eval::script::{ModelTask, ScriptedReply};
use firstline::eval::stage::{RecordingChannel, ScriptedModel};
use firstline::flow::{Ctx, ingest};
use firstline::ports::store::Accepted;
use timing::load;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Conversations, each with one message.
const CONVERSATIONS: usize = 500;

/// Conversations that come one after another.
const ONE_BY_ONE: usize = 200;

/// Messages accepted at a time, as a busy channel's batches would be.
const AT_ONCE: usize = 16;

const QUESTION: &str = "Сколько дней у меня есть на возврат?";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads start");
    runtime.block_on(run());
}

async fn run() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    println!("load before: {}", load());
    let cold = open(dir.path()).await.1;
    let (ctx, warm) = open(dir.path()).await;
    println!("first start (store made, articles indexed): {:>8.0} ms", millis(cold));
    println!("second start:                               {:>8.0} ms", millis(warm));
    for round in 1..=3 {
        burst(&ctx, round).await;
    }
    for round in 1..=3 {
        one_by_one(&ctx, round).await;
    }
    println!("peak memory: {} MiB", peak_memory_mib());
    println!("load after: {}", load());
}

/// Opens the product on embedded defaults, with a model that answers at once.
async fn open(dir: &Path) -> (Arc<Ctx>, Duration) {
    let mut config = Config::defaults();
    config.data.dir = dir.to_owned();
    config.turn.quiet = jiff::SignedDuration::ZERO;
    let line = ScriptedReply {
        task: ModelTask::Answer,
        reply: Some(serde_json::json!({
            "reply": "Вернуть товар можно в течение 14 дней после получения.", "citations": ["ru/return-how-to"],
            "confidence": 0.9, "needs_human": false, "why": "", "asks_back": false, "labels": ["routine"],
        })),
        garbage: None,
        down: false,
        meanwhile: None,
    };
    let outside = Outside {
        clock: Arc::new(SystemClock),
        ids: Ids::os(),
        model: Some(Arc::new(ScriptedModel::new(vec![line; (CONVERSATIONS + ONE_BY_ONE) * 3]))),
        embedder: app::embedder(&config).expect("the weights are in the binary"),
        channels: vec![Arc::new(RecordingChannel::new(ChannelKind::Web, "site"))],
    };
    let began = Instant::now();
    let ctx = app::open(config, outside).await.expect("the product opens");
    (ctx, began.elapsed())
}

/// Everybody writes at once.
async fn burst(ctx: &Arc<Ctx>, round: usize) {
    let workers = Workers::start(ctx);
    let began = Instant::now();
    let mut conversations = Vec::with_capacity(CONVERSATIONS);
    for batch in (0..CONVERSATIONS).collect::<Vec<_>>().chunks(AT_ONCE) {
        conversations.extend(write(ctx, batch.iter().map(|number| update(&format!("burst-{round}-{number}")))).await);
    }
    for conversation in &conversations {
        answered(ctx, *conversation, Duration::from_millis(5)).await;
    }
    let took = began.elapsed();
    workers.stop().await;
    let (half, nearly_all) = waits(ctx, conversations).await;
    println!(
        "round {round}: {:>6.0} turns/s, accepted to outbox p50 {half:>6.0} ms, p99 {nearly_all:>6.0} ms ({CONVERSATIONS} conversations at once)",
        CONVERSATIONS as f64 / took.as_secs_f64(),
    );
}

/// The next customer writes when the one before has the answer.
async fn one_by_one(ctx: &Arc<Ctx>, round: usize) {
    let workers = Workers::start(ctx);
    let mut conversations = Vec::with_capacity(ONE_BY_ONE);
    for number in 0..ONE_BY_ONE {
        let written = write(ctx, std::iter::once(update(&format!("single-{round}-{number}")))).await;
        answered(ctx, written[0], Duration::from_millis(1)).await;
        conversations.extend(written);
    }
    workers.stop().await;
    let (half, nearly_all) = waits(ctx, conversations).await;
    println!(
        "round {round}: accepted to outbox p50 {half:>6.1} ms, p99 {nearly_all:>6.1} ms ({ONE_BY_ONE} conversations one by one)"
    );
}

/// The product's workers while a round lasts.
struct Workers {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Workers {
    fn start(ctx: &Arc<Ctx>) -> Self {
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        firstline::worker::start(ctx, "http://127.0.0.1", &tracker, &stop);
        Self { tracker, stop }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

async fn write(ctx: &Arc<Ctx>, updates: impl Iterator<Item = Inbound>) -> Vec<ConversationId> {
    let accepted = ingest::accept(ctx, updates.collect(), None).await.expect("updates are stored");
    let new = accepted.into_iter().filter_map(|one| match one {
        Accepted::New { conversation, .. } => Some(conversation),
        _ => None,
    });
    new.collect()
}

async fn answered(ctx: &Ctx, conversation: ConversationId, look_every: Duration) {
    while ctx.store.last_turn(conversation).await.expect("turns can be read").is_none() {
        tokio::time::sleep(look_every).await;
    }
}

/// The time within which half and 99 of 100 replies were in the outbox, in milliseconds.
async fn waits(ctx: &Ctx, conversations: Vec<ConversationId>) -> (f64, f64) {
    let mut waits = Vec::with_capacity(conversations.len());
    for conversation in conversations {
        waits.push(wait(ctx, conversation).await);
    }
    waits.sort_by(f64::total_cmp);
    let at = |share: usize| waits[(waits.len() - 1) * share / 100];
    (at(50), at(99))
}

/// Milliseconds from the customer's message to the reply in the outbox, by the times that the store keeps.
async fn wait(ctx: &Ctx, conversation: ConversationId) -> f64 {
    let said = ctx.store.transcript(conversation, 0, 2).await.expect("messages can be read");
    let [question, answer] = &said[..] else { panic!("a question and its answer") };
    answer.received_at.duration_since(question.received_at).as_secs_f64() * 1_000.0
}

fn update(visitor: &str) -> Inbound {
    let from = Address { channel: ChannelKind::Web, account: "site".to_owned(), external: visitor.to_owned() };
    Inbound::new(from, format!("{visitor}-1"), InboundEvent::Message(MessageText::new(QUESTION)))
}

fn millis(length: Duration) -> f64 {
    length.as_secs_f64() * 1_000.0
}

/// High-water mark of the resident set, as Linux tells it.
fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
}
