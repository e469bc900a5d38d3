//! How fast the loop is with a scripted model: turns a second, accepted to outbox, peak memory, cold start.
//!
//! `cargo bench --bench turns`. The machine's load is printed beside the figures: they mean something on a quiet one only.
#![allow(clippy::print_stdout, reason = "figures are for people")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use firstline::adapters::clock::SystemClock;
use firstline::app::{self, Outside};
use firstline::config::Config;
use firstline::domain::channel::{Address, ChannelKind, Inbound, InboundEvent};
use firstline::domain::id::{ConversationId, Ids};
use firstline::domain::text::MessageText;
use firstline::eval::script::ScriptedReply;
use firstline::eval::stage::{RecordingChannel, ScriptedModel};
use firstline::flow::{Ctx, ingest};
use firstline::ports::store::Accepted;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Conversations, each with one message.
const CONVERSATIONS: usize = 500;

/// Messages accepted at a time, as a busy channel's batches would be.
const AT_ONCE: usize = 16;

const QUESTION: &str = "Сколько дней у меня есть на возврат?";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads start");
    runtime.block_on(run());
}

async fn run() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    println!("load before: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let cold = open(dir.path()).await.1;
    let (ctx, warm) = open(dir.path()).await;
    println!("first start (store made, articles indexed): {:>8.0} ms", millis(cold));
    println!("second start:                               {:>8.0} ms", millis(warm));
    for round in 1..=3 {
        measure(&ctx, round).await;
    }
    println!("peak memory: {} MiB", peak_memory_mib());
    println!("load after: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
}

/// Opens the product on embedded defaults, with a model that answers at once.
async fn open(dir: &Path) -> (Arc<Ctx>, Duration) {
    let mut config = Config::defaults();
    config.data.dir = dir.to_owned();
    config.turn.quiet = jiff::SignedDuration::ZERO;
    let line = ScriptedReply {
        task: "answer".to_owned(),
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
        model: Some(Arc::new(ScriptedModel::new(vec![line; CONVERSATIONS * 3]))),
        embedder: None,
        channels: vec![Arc::new(RecordingChannel::new(ChannelKind::Web, "site"))],
    };
    let began = Instant::now();
    let ctx = app::open(config, outside).await.expect("the product opens");
    (ctx, began.elapsed())
}

async fn measure(ctx: &Arc<Ctx>, round: usize) {
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let began = Instant::now();
    firstline::worker::start(ctx, "http://127.0.0.1", &tracker, &stop);
    let mut conversations = Vec::with_capacity(CONVERSATIONS);
    for batch in (0..CONVERSATIONS).collect::<Vec<_>>().chunks(AT_ONCE) {
        let updates: Vec<Inbound> = batch.iter().map(|number| update(round, *number)).collect();
        for one in ingest::accept(ctx, updates, None).await.expect("updates are stored") {
            if let Accepted::New { conversation, .. } = one {
                conversations.push(conversation);
            }
        }
    }
    for conversation in &conversations {
        while ctx.store.last_turn(*conversation).await.expect("turns can be read").is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let took = began.elapsed();
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    let mut waits = Vec::with_capacity(CONVERSATIONS);
    for conversation in conversations {
        waits.push(wait(ctx, conversation).await);
    }
    waits.sort_by(f64::total_cmp);
    let at = |share: usize| waits[(waits.len() - 1) * share / 100];
    println!(
        "round {round}: {:>6.0} turns/s, accepted to outbox p50 {:>6.0} ms, p99 {:>6.0} ms ({CONVERSATIONS} conversations at once)",
        CONVERSATIONS as f64 / took.as_secs_f64(),
        at(50),
        at(99),
    );
}

/// Milliseconds from the customer's message to the reply in the outbox, by the times that the store keeps.
async fn wait(ctx: &Ctx, conversation: ConversationId) -> f64 {
    let said = ctx.store.transcript(conversation, 0, 2).await.expect("messages can be read");
    let [question, answer] = &said[..] else { panic!("a question and its answer") };
    answer.received_at.duration_since(question.received_at).as_secs_f64() * 1_000.0
}

fn update(round: usize, number: usize) -> Inbound {
    let external = format!("visitor-{round}-{number}");
    Inbound {
        external_id: format!("{external}-1"),
        from: Address { channel: ChannelKind::Web, account: "site".to_owned(), external },
        event: InboundEvent::Message(MessageText::new(QUESTION)),
        sent_at: None,
        display_name: None,
        language: None,
    }
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
