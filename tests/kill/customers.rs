//! Customers who write, operators who interfere, and a model that says which messages it answers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::desk::Desk;
use super::process::{SECRET, Setting, client};
use crate::support::fake_model::{Ask, FakeModel, Reply};
use crate::support::fake_telegram::FakeTelegram;

/// How every tag of a message begins.
pub(crate) const TAG: &str = "zq";

/// The bot's id, as in the fake's token: the path of its webhook.
const ACCOUNT: &str = "123456789";

/// Something that a customer wrote.
pub(crate) struct Written {
    pub(crate) chat: i64,
    pub(crate) update: i64,
    pub(crate) tag: String,
}

/// A time in which a person had a conversation.
pub(crate) struct Takeover {
    pub(crate) chat: i64,
    /// Number in the log of the change of owner.
    pub(crate) logged: i64,
    /// Lines that the chat showed when the desk had answered the take, and before the return was asked for.
    pub(crate) from: usize,
    pub(crate) until: usize,
}

/// Everything around the processes.
pub(crate) struct Stage {
    pub(crate) telegram: FakeTelegram,
    pub(crate) model: FakeModel,
    pub(crate) database: Database,
    pub(crate) desk: Desk,
    /// The processes; operators work at the first of them unless it is said otherwise.
    pub(crate) settings: Vec<Setting>,
    pub(crate) written: Mutex<Vec<Written>>,
    pub(crate) takeovers: Mutex<Vec<Takeover>>,
    keys: AtomicU64,
}

impl Stage {
    pub(crate) fn new(
        telegram: FakeTelegram,
        model: FakeModel,
        database: Database,
        desk: Desk,
        settings: Vec<Setting>,
    ) -> Self {
        let (written, takeovers) = (Mutex::default(), Mutex::default());
        Self { telegram, model, database, desk, settings, written, takeovers, keys: AtomicU64::new(0) }
    }

    /// A customer writes their next message. With several processes, each of them gets the update, at the same moment.
    pub(crate) fn writes(&self, chat: i64, words: &str) -> String {
        let tag = format!("{TAG}{}", letters(self.keys.fetch_add(1, Ordering::Relaxed)));
        let text = format!("{words}, {tag}");
        // Held over the call: the list is in the order of the updates.
        let mut written = self.written.lock().unwrap();
        let update = self.telegram.customer_writes(chat, &text);
        written.push(Written { chat, update, tag: tag.clone() });
        if self.settings.len() > 1 {
            for setting in &self.settings {
                tokio::spawn(echo(setting.url(&format!("/telegram/{ACCOUNT}")), chat, update, text.clone()));
            }
        }
        tag
    }

    /// A person takes a conversation and holds it until [`Self::gives_back`].
    pub(crate) async fn takes(&self, at: &Setting, chat: i64) -> Option<Held> {
        let (conversation, _) = self.database.conversation(chat).await?;
        self.desk.acts(at, &conversation, "take", &self.key(), "").await;
        let from = self.telegram.transcript(chat).len();
        let logged = self.database.taken_at(&conversation).await;
        assert!(logged > 0, "the desk said that {conversation} is taken");
        Some(Held { chat, conversation, logged, from })
    }

    pub(crate) async fn answers(&self, at: &Setting, held: &Held) {
        let key = self.key();
        self.desk.acts(at, &held.conversation, "reply", &key, &format!("Говорит оператор, {key}")).await;
    }

    pub(crate) async fn gives_back(&self, at: &Setting, held: Held) {
        let until = self.telegram.transcript(held.chat).len();
        self.desk.acts(at, &held.conversation, "release", &self.key(), "").await;
        let Held { chat, logged, from, .. } = held;
        self.takeovers.lock().unwrap().push(Takeover { chat, logged, from, until });
    }

    /// Whether a conversation waits for people, or is held by one.
    pub(crate) async fn is_with_people(&self, chat: i64) -> bool {
        self.database.conversation(chat).await.is_some_and(|(_, owner)| owner != "bot")
    }

    fn key(&self) -> String {
        format!("press-{}", letters(self.keys.fetch_add(1, Ordering::Relaxed)))
    }
}

/// A conversation that a person has.
pub(crate) struct Held {
    chat: i64,
    conversation: String,
    logged: i64,
    from: usize,
}

/// Posts an update as Telegram does, with no heed of the answer: the fake posts it too, until it is taken.
async fn echo(url: String, chat: i64, update: i64, text: String) {
    let body = json!({"update_id": update, "message": {
        "message_id": update, "date": 1_790_000_000, "text": text, "chat": {"id": chat, "type": "private"},
        "from": {"id": chat, "is_bot": false, "first_name": "Анна", "last_name": "Петрова", "language_code": "ru"},
    }});
    let post = client().post(url).header("X-Telegram-Bot-Api-Secret-Token", SECRET).json(&body);
    let _ = post.timeout(Duration::from_secs(20)).send().await;
}

/// Writes, waits, asks for people, is taken over in the middle of an answer: until `stop`.
pub(crate) async fn lives(stage: &Stage, chat: i64, seed: u64, stop: &CancellationToken) {
    let mut rng = StdRng::seed_from_u64(seed ^ chat.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let at = &stage.settings[0];
    while !stop.is_cancelled() {
        let words = if rng.random_bool(0.04) { "Позовите оператора" } else { "Спасибо" };
        stage.writes(chat, words);
        let waits = stage.is_with_people(chat).await && rng.random_bool(0.4);
        if waits || rng.random_bool(0.12) {
            // The quiet window is 100 ms and a model thinks up to 300: mostly it is thinking now.
            pause(&mut rng, 120..400).await;
            if let Some(held) = stage.takes(at, chat).await {
                if rng.random_bool(0.5) {
                    stage.answers(at, &held).await;
                }
                if rng.random_bool(0.5) {
                    stage.writes(chat, "Спасибо");
                }
                pause(&mut rng, 50..700).await;
                if rng.random_bool(0.3) {
                    stage.answers(at, &held).await;
                }
                stage.gives_back(at, held).await;
            }
        }
        pause(&mut rng, 300..2_500).await;
    }
}

async fn pause(rng: &mut StdRng, milliseconds: std::ops::Range<u64>) {
    tokio::time::sleep(Duration::from_millis(rng.random_range(milliseconds))).await;
}

/// Has the model answer after up to 300 ms, naming the messages that it answers, and never twice in the same words.
pub(crate) fn think(model: &FakeModel, seed: u64) {
    let calls = AtomicU64::new(0);
    model.answer(move |ask| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        let reply = if ask.user.contains("NEW MESSAGES") { draft(ask, call) } else { package() };
        let wait = StdRng::seed_from_u64(seed ^ call).random_range(0..300);
        Reply::Slow(Duration::from_millis(wait), Box::new(reply))
    });
}

fn draft(ask: &Ask, call: u64) -> Reply {
    let (_, new) = ask.user.rsplit_once("NEW MESSAGES\n").unwrap_or_default();
    Reply::json(&json!({
        "labels": ["small_talk"],
        "needs_human": false,
        "why": "",
        "citations": [],
        "asks_back": false,
        "reply": format!("Всегда рады помочь: {} (ответ {})", tags(new).join(", "), letters(call)),
        "confidence": 0.95,
    }))
}

fn package() -> Reply {
    let line = json!([{"text": "Благодарит", "messages": [1]}]);
    Reply::json(&json!({
        "customer": line, "wants": line, "tried": [], "open_questions": [], "promises": [], "mood": "спокойный",
        "suggested_reply": "Здравствуйте!",
    }))
}

/// The tags in a text, in their order.
pub(crate) fn tags(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.starts_with(TAG) && word.len() == TAG.len() + LETTERS).collect()
}

const LETTERS: usize = 5;

/// A number as five consonants: no check takes it for a figure, a word or a secret.
fn letters(number: u64) -> String {
    const ALPHABET: &[u8; 16] = b"bcdfghjklmnprstv";
    let digit = |place: usize| ALPHABET[usize::try_from(number >> (4 * place) & 15).expect("a digit")];
    (0..LETTERS).rev().map(|place| char::from(digit(place))).collect()
}
