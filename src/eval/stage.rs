//! The stage of a script: a clock that is set by hand, a channel that records, a model that says its lines.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::script::{Meanwhile, ModelTask, ScriptedReply};
use crate::domain::channel::ChannelKind;
use crate::domain::outbox::Outbound;
use crate::ports::channel::{Channel, Limits, Receipt, SendError};
use crate::ports::clock::Clock;
use crate::ports::model::{ChatError, ChatModel, ChatReply, ChatRequest};

/// Time that passes only when it is told to.
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// Stands at `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(Mutex::new(start))
    }

    /// Lets time pass.
    ///
    /// # Panics
    /// Past the year 9999.
    pub fn advance(&self, length: SignedDuration) {
        let mut now = self.0.lock().expect("no holder of this lock panics");
        *now = now.checked_add(length).expect("scripts end before the calendar does");
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no holder of this lock panics")
    }
}

/// A channel that takes everything and keeps it.
pub struct RecordingChannel {
    kind: ChannelKind,
    account: String,
    sent: Mutex<Vec<Outbound>>,
}

impl RecordingChannel {
    /// Nothing sent yet.
    pub fn new(kind: ChannelKind, account: &str) -> Self {
        Self { kind, account: account.to_owned(), sent: Mutex::new(Vec::new()) }
    }

    /// Takes out what was sent since the last call.
    pub fn take(&self) -> Vec<Outbound> {
        std::mem::take(&mut *self.sent.lock().expect("no holder of this lock panics"))
    }
}

#[async_trait]
impl Channel for RecordingChannel {
    fn kind(&self) -> ChannelKind {
        self.kind
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn limits(&self) -> Limits {
        Limits { idempotent: true, buttons: 30, ..Limits::text(4_096) }
    }

    async fn send(&self, part: &Outbound) -> Result<Receipt, SendError> {
        self.sent.lock().expect("no holder of this lock panics").push(part.clone());
        Ok(Receipt::default())
    }
}

/// Does what a script wants done while the model thinks.
#[async_trait]
pub trait Interruption: Send + Sync {
    /// Called before the reply is given.
    async fn interrupt(&self, meanwhile: &Meanwhile);
}

/// A model that says its lines in order, and is down when it has none.
pub struct ScriptedModel {
    lines: Mutex<VecDeque<ScriptedReply>>,
    shown: Mutex<Vec<ChatRequest>>,
    interruption: Mutex<Option<Arc<dyn Interruption>>>,
}

impl ScriptedModel {
    /// With these lines.
    pub fn new(lines: Vec<ScriptedReply>) -> Self {
        Self { lines: Mutex::new(lines.into()), shown: Mutex::default(), interruption: Mutex::new(None) }
    }

    /// Who interrupts.
    pub fn interrupted_by(&self, interruption: Arc<dyn Interruption>) {
        *self.interruption.lock().expect("no holder of this lock panics") = Some(interruption);
    }

    /// Takes out what the model was shown since the last call.
    pub fn take_shown(&self) -> Vec<ChatRequest> {
        std::mem::take(&mut *self.shown.lock().expect("no holder of this lock panics"))
    }

    /// Lines that nobody asked for.
    pub fn lines_left(&self) -> usize {
        self.lines.lock().expect("no holder of this lock panics").len()
    }

    /// The next line for `task`; a line for another task stays.
    fn next_line(&self, task: &str) -> Option<ScriptedReply> {
        let mut lines = self.lines.lock().expect("no holder of this lock panics");
        if lines.front().is_some_and(|line| line.task.name() == task) { lines.pop_front() } else { None }
    }
}

#[async_trait]
impl ChatModel for ScriptedModel {
    async fn complete(&self, request: &ChatRequest) -> Result<ChatReply, ChatError> {
        self.shown.lock().expect("no holder of this lock panics").push(request.clone());
        let Some(line) = self.next_line(request.task) else {
            return Err(ChatError::Unavailable(format!("the script has no line for {} here", request.task)));
        };
        let interruption = self.interruption.lock().expect("no holder of this lock panics").clone();
        if let (Some(meanwhile), Some(interruption)) = (&line.meanwhile, interruption) {
            interruption.interrupt(meanwhile).await;
        }
        if line.down {
            return Err(ChatError::Unavailable("the script says that the model is down".to_owned()));
        }
        let json = line.garbage.unwrap_or_else(|| line.reply.unwrap_or_default().to_string());
        let (tokens_in, tokens_out) = (self.count_tokens(&request.user) as u64, self.count_tokens(&json) as u64);
        Ok(ChatReply { json, model: "scripted".to_owned(), tokens_in, tokens_out, took: SignedDuration::ZERO })
    }

    fn count_tokens(&self, text: &str) -> usize {
        // About what a tokenizer says for Russian; scripts don't depend on the last token.
        text.chars().count().div_ceil(3)
    }

    fn name(&self) -> &'static str {
        "scripted"
    }
}

/// A model that is asked for answers alone: where nothing else is looked at, a package and a summary would be paid for in vain.
pub struct OnlyAnswers(pub Arc<dyn ChatModel>);

#[async_trait]
impl ChatModel for OnlyAnswers {
    async fn complete(&self, request: &ChatRequest) -> Result<ChatReply, ChatError> {
        if [ModelTask::Answer, ModelTask::Repair].iter().any(|task| task.name() == request.task) {
            return self.0.complete(request).await;
        }
        Err(ChatError::Unavailable(format!("of this case nobody looks at {}", request.task)))
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.0.count_tokens(text)
    }

    fn name(&self) -> &str {
        self.0.name()
    }
}
