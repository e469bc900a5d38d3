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
use crate::support::fake_model::{FakeModel, Gate, Reply};
use crate::support::fake_telegram::FakeTelegram;

/// How every tag of a message begins.
pub(crate) const TAG: &str = "zq";

/// How the key of every press at the desk begins.
pub(crate) const PRESS: &str = "press-";

/// What customers write: most of it is small talk, some of it is in an article.
pub(crate) const THANKS: &str = "Спасибо,";
const QUESTION: &str = "Как быстро придёт подарочная карта?";
pub(crate) const CALLS_A_PERSON: &str = "Позовите оператора,";

/// The article that answers the question.
const ARTICLE: &str = "ru/gift-cards";

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
    /// Tags and keys so far.
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
    pub(crate) fn writes(&self, chat: i64, words: &str) {
        self.writes_tagged(chat, words, self.tag());
    }

    /// A customer writes, and the model's answer to it waits for the gate.
    pub(crate) fn writes_for(&self, chat: i64, words: &str) -> Gate {
        let tag = self.tag();
        let gate = self.model.hold_for(&tag);
        self.writes_tagged(chat, words, tag);
        gate
    }

    /// A customer waits for an answer, though not for long.
    async fn hears(&self, chat: i64, seen: usize) {
        self.telegram.wait(Duration::from_secs(5), || self.telegram.replies(chat).len() > seen).await;
    }

    /// The tag of the newest message in a chat.
    pub(crate) fn newest_tag(&self, chat: i64) -> String {
        let written = self.written.lock().unwrap();
        written.iter().rfind(|one| one.chat == chat).expect("the customer has written").tag.clone()
    }

    fn tag(&self) -> String {
        format!("{TAG}{}", letters(self.keys.fetch_add(1, Ordering::Relaxed), CONSONANTS))
    }

    fn writes_tagged(&self, chat: i64, words: &str, tag: String) {
        let text = format!("{words} {tag}");
        // Held over the call: the list is in the order of the updates.
        let mut written = self.written.lock().unwrap();
        let update = self.telegram.customer_writes(chat, &text);
        written.push(Written { chat, update, tag });
        if self.settings.len() > 1 {
            for setting in &self.settings {
                tokio::spawn(echo(setting.url(&format!("/telegram/{ACCOUNT}")), chat, update, text.clone()));
            }
        }
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

    /// A person talks to the customer for a while, or only reads.
    async fn has(&self, at: &Setting, held: &Held, rng: &mut StdRng) {
        if rng.random_bool(0.5) {
            self.answers(at, held).await;
        }
        if rng.random_bool(0.5) {
            self.writes(held.chat, THANKS);
        }
        pause(rng, 50..700).await;
        if rng.random_bool(0.3) {
            self.answers(at, held).await;
        }
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
        format!("{PRESS}{}", letters(self.keys.fetch_add(1, Ordering::Relaxed), CONSONANTS))
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
        let words = match rng.random_range(0..100) {
            0..3 => CALLS_A_PERSON,
            3..35 => QUESTION,
            _ => THANKS,
        };
        let seen = stage.telegram.replies(chat).len();
        stage.writes(chat, words);
        let waits = stage.is_with_people(chat).await && rng.random_bool(0.8);
        if waits || rng.random_bool(0.12) {
            // The quiet window is 100 ms and a model thinks up to 300: mostly it is thinking now.
            pause(&mut rng, 120..400).await;
            if let Some(held) = stage.takes(at, chat).await {
                // Some give it back at once: the bot owes the answer again, while it still thinks about the first one.
                if rng.random_bool(0.6) {
                    stage.has(at, &held, &mut rng).await;
                }
                stage.gives_back(at, held).await;
            }
        }
        if rng.random_bool(0.7) {
            stage.hears(chat, seen).await;
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
        let reply = match ask.user.rsplit_once("NEW MESSAGES\n") {
            Some((known, new)) => draft(known, new, call),
            None => package(),
        };
        let wait = StdRng::seed_from_u64(seed ^ call).random_range(0..300);
        Reply::Slow(Duration::from_millis(wait), Box::new(reply))
    });
}

/// An answer that the guard lets through: the words of an article that was found, or thanks; the customer's own tags; and
/// a mark of its own that is no name and no figure.
fn draft(known: &str, new: &str, call: u64) -> Reply {
    let (label, words, citations) = if new.contains(QUESTION) && known.contains(&format!("[{ARTICLE}]")) {
        ("routine", "Подарочная карта электронная, она отправляется письмом на указанный адрес", vec![ARTICLE])
    } else {
        ("small_talk", "Всегда рады помочь", Vec::new())
    };
    let mark = letters(call, CYRILLIC_CONSONANTS);
    Reply::json(&json!({
        "labels": [label],
        "needs_human": false,
        "why": "",
        "citations": citations,
        "asks_back": false,
        // In brackets, so that they don't make it another language.
        "reply": format!("{words} ({}; ответ {mark})", tags(new).join(", ")),
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
const CONSONANTS: &str = "bcdfghjklmnprstv";
const CYRILLIC_CONSONANTS: &str = "бвгджзклмнпрстфх";

/// A number as five of sixteen consonants: no check takes it for a figure, a word or a secret.
fn letters(number: u64, consonants: &str) -> String {
    let digit = |place: usize| usize::try_from(number >> (4 * place) & 15).expect("a digit");
    (0..LETTERS).rev().filter_map(|place| consonants.chars().nth(digit(place))).collect()
}
