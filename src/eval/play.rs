//! Plays a script over the engine and flow that serve customers, and notes where it went otherwise.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::outcome::{Played, Speaker};
use super::script::{ANA, Earlier, EarlierBy, Meanwhile, OperatorStep, Script, Step};
use super::stage::{Interruption, ManualClock, RecordingChannel, ScriptedModel};
use crate::domain::channel::{Address, Inbound, InboundEvent, STARTED_TEXT};
use crate::domain::conversation::{Conversation, OperatorAction};
use crate::domain::id::{ConversationId, CustomerId, MergeId, OperatorId};
use crate::domain::memory::{Stance, Statement};
use crate::domain::past::{PastAuthor, PastConversation, PastMessage};
use crate::domain::text::MessageText;
use crate::engine::learn;
use crate::flow::{Ctx, Progress, deliver, identity, indexing, ingest, ledger, operator, privacy, timers, turn};
use crate::ports::channel::Channel;
use crate::ports::model::ChatModel;

/// More rounds than any script needs: beyond it, something works on itself.
const ROUNDS: usize = 1_000;

/// How long a customer takes for the next message of a burst.
const TYPED_WITHIN: SignedDuration = SignedDuration::from_millis(100);

/// How long before a script what is known in it was said.
const KNOWN_SINCE: SignedDuration = SignedDuration::from_hours(60 * 24);

/// What a script is played with.
pub struct Stage {
    /// The product, on the stage's clock, channel and model.
    pub ctx: Arc<Ctx>,
    /// Time.
    pub clock: Arc<ManualClock>,
    /// What the customer sees.
    pub channel: Arc<RecordingChannel>,
    /// The model, where the script has one.
    pub model: Option<Arc<ScriptedModel>>,
    /// Who judges replies and plays customers, where a model is asked at all.
    pub examiner: Option<Arc<dyn ChatModel>>,
    /// The operator of the script.
    pub operator: OperatorId,
}

/// Plays `script`.
///
/// # Errors
/// Where the product itself fails, or the script can't be played.
pub async fn play(stage: &Stage, script: &Script) -> anyhow::Result<Played> {
    let player = Arc::new(Player {
        ctx: Arc::clone(&stage.ctx),
        channel: Arc::clone(&stage.channel),
        id: script.id.clone(),
        operator: stage.operator,
        sent: AtomicU64::new(0),
        who: Mutex::new(ANA.to_owned()),
        merges: Mutex::default(),
        looked_at: Mutex::default(),
        episodes_before: Mutex::default(),
    });
    if let Some(model) = &stage.model {
        model.interrupted_by(Arc::clone(&player) as Arc<dyn Interruption>);
    }
    player.remember(&script.past).await?;
    player.know(script).await?;
    let mut played = Played::default();
    for (number, step) in script.turns.iter().enumerate() {
        player.act(stage, step, &mut played).await.with_context(|| format!("step {}", number + 1))?;
        run_until_idle(&stage.ctx).await?;
        player.check(stage, script, step, number + 1, &mut played).await?;
    }
    if let (Some(simulated), Some(examiner)) = (&script.simulate, &stage.examiner) {
        player.simulate(stage, script, (simulated, &**examiner), &mut played).await?;
    }
    player.check_end(stage, script, &mut played).await?;
    Ok(played)
}

/// Ticks every worker until none finds work.
///
/// # Errors
/// Where a tick fails.
pub async fn run_until_idle(ctx: &Arc<Ctx>) -> anyhow::Result<()> {
    for _ in 0..ROUNDS {
        let worked = [
            turn::tick(ctx).await?,
            deliver::tick(ctx).await?,
            timers::tick(ctx).await?,
            indexing::tick_ctx(ctx).await?,
        ];
        if worked.iter().all(|progress| *progress == Progress::Idle) {
            return Ok(());
        }
    }
    bail!("there is still work after {ROUNDS} rounds")
}

/// What plays a script: the customers, the operator and time.
pub(super) struct Player {
    pub(super) ctx: Arc<Ctx>,
    pub(super) channel: Arc<RecordingChannel>,
    id: String,
    operator: OperatorId,
    sent: AtomicU64,
    /// Whose chat it is.
    who: Mutex<String>,
    merges: Mutex<Vec<MergeId>>,
    /// Up to which message turns have been looked at, by conversation.
    looked_at: Mutex<BTreeMap<ConversationId, i64>>,
    /// Episodes that what is known beforehand has made, by customer.
    episodes_before: Mutex<BTreeMap<String, usize>>,
}

#[async_trait]
impl Interruption for Player {
    async fn interrupt(&self, meanwhile: &Meanwhile) {
        let done = match meanwhile {
            Meanwhile::Customer(text) => self.write(&self.who(), text, 1).await,
            Meanwhile::OperatorTakes => self.operate(OperatorAction::Take).await,
        };
        done.expect("a script's interruption can be done");
    }
}

impl Player {
    /// Whose chat it is.
    pub(super) fn who(&self) -> String {
        self.who.lock().expect("no holder of this lock panics").clone()
    }

    /// Episodes that a customer had before the script began.
    pub(super) fn episodes_before(&self, who: &str) -> usize {
        self.episodes_before.lock().expect("no holder of this lock panics").get(who).copied().unwrap_or(0)
    }

    /// Whether a turn that has seen this message has not been looked at before.
    pub(super) fn is_new(&self, conversation: ConversationId, seen: i64) -> bool {
        let mut looked_at = self.looked_at.lock().expect("no holder of this lock panics");
        looked_at.insert(conversation, seen).is_none_or(|before| before < seen)
    }

    fn address(&self, who: &str) -> Address {
        Address {
            channel: self.channel.kind(),
            account: self.channel.account().to_owned(),
            external: format!("{}-{who}", self.id),
        }
    }

    /// Whose address it is.
    pub(super) fn name_of<'a>(&self, address: &'a Address) -> &'a str {
        address.external.strip_prefix(&self.id).map_or("", |name| name.trim_start_matches('-'))
    }

    /// Lets what was said before a script have been said.
    async fn remember(&self, past: &BTreeMap<String, Vec<Earlier>>) -> anyhow::Result<()> {
        let now = self.ctx.clock.now();
        for (who, earlier) in past {
            let message = |(number, earlier): (usize, &Earlier)| PastMessage {
                external_id: format!("{}-{who}-past-{number}", self.id),
                author: match earlier.from {
                    EarlierBy::Customer => PastAuthor::Customer,
                    EarlierBy::Bot => PastAuthor::Bot,
                    EarlierBy::Operator => PastAuthor::Operator,
                },
                text: MessageText::new(&earlier.text),
                at: now - earlier.ago,
            };
            let messages = earlier.iter().enumerate().map(message).collect();
            self.ctx.store.import(&PastConversation { from: self.address(who), display_name: None, messages }).await?;
            run_until_idle(&self.ctx).await?;
        }
        Ok(())
    }

    /// Lets customers have said, long ago, what is known of them.
    async fn know(&self, script: &Script) -> anyhow::Result<()> {
        for (who, facts) in &script.known {
            // Behind all that was said before: facts stand in the newest conversation.
            let since = if script.past.contains_key(who) { SignedDuration::from_secs(1) } else { KNOWN_SINCE };
            let at = self.ctx.clock.now() - since;
            let texts = facts.iter().map(|fact| MessageText::new(value_of(fact).1));
            let message = |(number, text)| PastMessage {
                external_id: format!("{}-{who}-known-{number}", self.id),
                author: PastAuthor::Customer,
                text,
                at,
            };
            let messages = texts.enumerate().map(message).collect();
            let past = PastConversation { from: self.address(who), display_name: None, messages };
            self.ctx.store.import(&past).await?;
            run_until_idle(&self.ctx).await?;
            let customer = self.customer(who).await?.context("who has said something is known")?;
            self.state(who, customer, facts, at).await?;
            run_until_idle(&self.ctx).await?;
            let episodes = self.ctx.store.episodes(customer, usize::MAX >> 1).await?.len();
            self.episodes_before.lock().expect("no holder of this lock panics").insert(who.clone(), episodes);
        }
        Ok(())
    }

    async fn state(&self, who: &str, customer: CustomerId, facts: &[String], at: Timestamp) -> anyhow::Result<()> {
        let conversation = self.conversation(who).await?.context("what was said stands in a conversation")?;
        let said = self.ctx.store.transcript(conversation.id, 0, facts.len()).await?;
        ensure!(said.len() == facts.len(), "{who}: what is known does not stand in one conversation");
        let mut statements = Vec::new();
        for (fact, message) in facts.iter().zip(&said) {
            let (key, value) = value_of(fact);
            let key = learn::key(key).with_context(|| format!("known: `{key}` is no key of a fact"))?;
            statements.push(Statement {
                key: key.name.to_owned(),
                value: value.to_owned(),
                stance: Stance::Stated,
                kind: key.kind,
                confidence: 1.0,
                source: message.id,
                valid_at: at,
                due_at: None,
            });
        }
        ledger::enter(&*self.ctx.store, &self.ctx.ids, customer, statements, at).await?;
        Ok(())
    }

    async fn act(&self, stage: &Stage, step: &Step, played: &mut Played) -> anyhow::Result<()> {
        let theirs = step.customer.is_some() || step.forget.is_some() || step.erase || step.memory.is_some();
        if let Some(who) = step.who.as_deref().or(theirs.then_some(ANA)) {
            who.clone_into(&mut self.who.lock().expect("no holder of this lock panics"));
        }
        let who = self.who();
        if let Some(length) = step.advance {
            stage.clock.advance(length);
            played.line(Speaker::Stage, &who, &format!("{length:#}"));
        }
        if let Some(words) = &step.customer {
            for text in words.all() {
                played.line(Speaker::Customer, &who, text);
                self.write(&who, text, if step.twice { 2 } else { 1 }).await?;
                stage.clock.advance(TYPED_WITHIN);
            }
            stage.clock.advance(self.ctx.config.turn.quiet);
        }
        if let Some(operator) = &step.operator {
            played.line(Speaker::Operator, &who, &told(operator));
            self.operate(action(operator)).await?;
        }
        self.demand(&who, step, played).await
    }

    /// Does what a customer may demand of us, and what is found out about who they are.
    async fn demand(&self, who: &str, step: &Step, played: &mut Played) -> anyhow::Result<()> {
        let (store, ids, now) = (&*self.ctx.store, &self.ctx.ids, self.ctx.clock.now());
        let customer = async |who: &str| {
            if self.customer(who).await?.is_none() {
                // Before any word of theirs.
                self.write(who, STARTED_TEXT, 1).await?;
                run_until_idle(&self.ctx).await?;
                self.channel.take();
            }
            self.customer(who).await?.with_context(|| format!("{who} can't begin"))
        };
        if let Some(key) = &step.forget {
            played.line(Speaker::Stage, who, &format!("{who} wants {key} forgotten"));
            let customer = customer(who).await?;
            // In every wording in which it was said.
            while let Some(fact) = store.facts(customer).await?.into_iter().find(|fact| fact.key == *key) {
                privacy::forget(store, ids, customer, fact.id, now).await?;
            }
        }
        if let Some(switch) = step.memory {
            played.line(Speaker::Stage, who, if switch.is_on() { "memory is on" } else { "memory is off" });
            store.set_memory(customer(who).await?, switch.is_on(), now).await?;
        }
        if step.erase {
            played.line(Speaker::Stage, who, &format!("{who} is erased"));
            // Who is one person with somebody who was erased is erased as well.
            if let Some(customer) = self.customer(who).await? {
                store.erase(customer, now).await?;
            }
        }
        if let Some(merging) = &step.merge {
            played.line(Speaker::Stage, who, &format!("{} and {} are one person", merging.part, merging.whole));
            let people = (customer(&merging.part).await?, customer(&merging.whole).await?);
            let merge = identity::merge(store, ids, people, "eval", now).await?;
            self.merges.lock().expect("no holder of this lock panics").push(merge.id);
        }
        if step.unmerge {
            played.line(Speaker::Stage, who, "they are two");
            let merge = self.merges.lock().expect("no holder of this lock panics").pop();
            identity::unmerge(store, ids, merge.context("nobody was merged")?, "eval", now).await?;
        }
        Ok(())
    }

    /// The customer writes; the update arrives `times` times.
    pub(super) async fn write(&self, who: &str, text: &str, times: usize) -> anyhow::Result<()> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let from = self.address(who);
        let event = match text {
            STARTED_TEXT => InboundEvent::Started { payload: None },
            words => InboundEvent::Message(MessageText::new(words)),
        };
        let external_id = format!("{}-{number}", from.external);
        let update = Inbound::new(from, external_id, event);
        for _ in 0..times {
            ingest::accept(&self.ctx, vec![update.clone()], None).await?;
        }
        Ok(())
    }

    async fn operate(&self, action: OperatorAction) -> anyhow::Result<()> {
        let Some(conversation) = self.conversation(&self.who()).await? else {
            bail!("an operator acts before the customer has written");
        };
        let action_id = Uuid::from_bytes(self.ctx.ids.random()).simple().to_string();
        operator::act(&self.ctx, self.operator, conversation.id, action, action_id).await?;
        Ok(())
    }

    /// The newest conversation of a customer of the script.
    pub(super) async fn conversation(&self, who: &str) -> anyhow::Result<Option<Conversation>> {
        Ok(self.ctx.store.conversation_at(&self.address(who)).await?)
    }

    /// A customer of the script, once they have written and until they are erased.
    pub(super) async fn customer(&self, who: &str) -> anyhow::Result<Option<CustomerId>> {
        Ok(self.ctx.store.customer_at(&self.address(who)).await?)
    }
}

/// `key = value`, parted; a text without a key is a key.
pub(super) fn value_of(fact: &str) -> (&str, &str) {
    fact.split_once(" = ").unwrap_or((fact, ""))
}

fn told(step: &OperatorStep) -> String {
    match step {
        OperatorStep::Take => "(takes it)".to_owned(),
        OperatorStep::Release => "(gives it back to the bot)".to_owned(),
        OperatorStep::Resolve => "(resolves it)".to_owned(),
        OperatorStep::Note(text) => format!("(notes) {text}"),
        OperatorStep::Reply(text) => text.clone(),
    }
}

fn action(step: &OperatorStep) -> OperatorAction {
    match step {
        OperatorStep::Take => OperatorAction::Take,
        OperatorStep::Release => OperatorAction::Release,
        OperatorStep::Resolve => OperatorAction::Resolve,
        OperatorStep::Reply(text) => OperatorAction::Reply(MessageText::new(text)),
        OperatorStep::Note(text) => OperatorAction::Note(MessageText::new(text)),
    }
}
