//! Plays a script over the engine and flow that serve customers, and says where it went otherwise.

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::script::{EndState, Expect, Meanwhile, OperatorStep, Script, Step};
use super::stage::{Interruption, ManualClock, RecordingChannel, ScriptedModel};
use crate::domain::channel::{Address, Inbound, InboundEvent};
use crate::domain::conversation::{Conversation, OperatorAction, Ownership};
use crate::domain::handoff::{Handoff, HandoffState};
use crate::domain::id::OperatorId;
use crate::domain::text::MessageText;
use crate::flow::{Ctx, Progress, deliver, indexing, ingest, operator, timers, turn};
use crate::ports::channel::Channel;

/// More rounds than any script needs: beyond it, something works on itself.
const ROUNDS: usize = 1_000;

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
    /// The operator of the script.
    pub operator: OperatorId,
}

/// How a script went.
#[derive(Debug, Default)]
pub struct Played {
    /// The dialogue as it went, a line an utterance.
    pub transcript: Vec<String>,
    /// Where it went otherwise than expected.
    pub failures: Vec<String>,
}

/// Plays `script`.
///
/// # Errors
/// Where the product itself fails.
pub async fn play(stage: &Stage, script: &Script) -> anyhow::Result<Played> {
    let address = Address {
        channel: stage.channel.kind(),
        account: stage.channel.account().to_owned(),
        external: script.id.clone(),
    };
    let player = Arc::new(Player {
        ctx: Arc::clone(&stage.ctx),
        address,
        operator: stage.operator,
        sent: std::sync::atomic::AtomicU64::new(0),
    });
    if let Some(model) = &stage.model {
        model.interrupted_by(Arc::clone(&player) as Arc<dyn Interruption>);
    }
    let mut played = Played::default();
    for (number, step) in script.turns.iter().enumerate() {
        player.act(stage, step, &mut played).await?;
        run_until_idle(&stage.ctx).await?;
        player.check(stage, step, number + 1, &mut played).await?;
    }
    player.check_end(&script.end_state, &mut played).await?;
    if let Some(left) = stage.model.as_ref().map(|model| model.lines_left()).filter(|left| *left > 0) {
        played.failures.push(format!("{left} lines of the scripted model were never asked for"));
    }
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
    anyhow::bail!("there is still work after {ROUNDS} rounds")
}

struct Player {
    ctx: Arc<Ctx>,
    address: Address,
    operator: OperatorId,
    sent: std::sync::atomic::AtomicU64,
}

#[async_trait]
impl Interruption for Player {
    async fn interrupt(&self, meanwhile: &Meanwhile) {
        let done = match meanwhile {
            Meanwhile::Customer(text) => self.write(text, 1).await,
            Meanwhile::OperatorTakes => self.operate(OperatorAction::Take).await,
        };
        done.expect("a script's interruption can be done");
    }
}

impl Player {
    async fn act(&self, stage: &Stage, step: &Step, played: &mut Played) -> anyhow::Result<()> {
        if let Some(length) = step.advance {
            stage.clock.advance(length);
            played.transcript.push(format!("-- {length:#}"));
        }
        if let Some(words) = &step.customer {
            for text in words.all() {
                played.transcript.push(format!("customer: {text}"));
                self.write(text, if step.twice { 2 } else { 1 }).await?;
            }
            stage.clock.advance(self.ctx.config.turn.quiet);
        }
        match &step.operator {
            None => {}
            Some(OperatorStep::Take) => self.operate(OperatorAction::Take).await?,
            Some(OperatorStep::Release) => self.operate(OperatorAction::Release).await?,
            Some(OperatorStep::Resolve) => self.operate(OperatorAction::Resolve).await?,
            Some(OperatorStep::Reply(text)) => self.operate(OperatorAction::Reply(MessageText::new(text))).await?,
            Some(OperatorStep::Note(text)) => self.operate(OperatorAction::Note(MessageText::new(text))).await?,
        }
        Ok(())
    }

    /// The customer writes; the update arrives `times` times.
    async fn write(&self, text: &str, times: usize) -> anyhow::Result<()> {
        let number = self.sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let event = if text == crate::domain::channel::STARTED_TEXT {
            InboundEvent::Started
        } else {
            InboundEvent::Message(MessageText::new(text))
        };
        let update = Inbound {
            from: self.address.clone(),
            external_id: format!("{}-{number}", self.address.external),
            event,
            sent_at: None,
            display_name: None,
            language: None,
        };
        for _ in 0..times {
            ingest::accept(&self.ctx, vec![update.clone()], None).await?;
        }
        Ok(())
    }

    async fn operate(&self, action: OperatorAction) -> anyhow::Result<()> {
        let Some(conversation) = self.conversation().await? else {
            anyhow::bail!("an operator acts before the customer has written");
        };
        let action_id = Uuid::from_bytes(self.ctx.ids.random()).simple().to_string();
        operator::act(&self.ctx, self.operator, conversation.id, action, action_id).await?;
        Ok(())
    }

    async fn conversation(&self) -> anyhow::Result<Option<Conversation>> {
        Ok(self.ctx.store.conversation_at(&self.address).await?)
    }

    async fn open_handoff(&self) -> anyhow::Result<Option<Handoff>> {
        let Some(conversation) = self.conversation().await? else { return Ok(None) };
        let handoff = self.ctx.store.handoff(conversation.id).await?;
        Ok(handoff.filter(|handoff| matches!(handoff.state, HandoffState::Open | HandoffState::Claimed)))
    }

    async fn check(&self, stage: &Stage, step: &Step, number: usize, played: &mut Played) -> anyhow::Result<()> {
        let seen: Vec<String> = stage.channel.take().iter().map(|part| part.text.as_str().to_owned()).collect();
        played.transcript.extend(seen.iter().map(|text| format!("bot: {text}")));
        let expect = &step.expect;
        let mut fail = |why: String| played.failures.push(format!("step {number}: {why}"));
        if let Some(replies) = expect.replies.filter(|replies| *replies != seen.len()) {
            fail(format!("the customer sees {} messages, not {replies}", seen.len()));
        }
        let all = seen.join("\n");
        check_words("the customer sees", &all, &expect.says, &expect.says_not, &mut fail);
        if let Some(model) = &stage.model {
            let shown: Vec<String> =
                model.take_shown().into_iter().map(|request| format!("{}\n{}", request.system, request.user)).collect();
            check_words("the prompt has", &shown.join("\n"), &expect.prompt_has, &expect.prompt_has_not, &mut fail);
        }
        if let Some(conversation) = self.conversation().await? {
            self.check_turn(expect, &conversation, &mut fail).await?;
        }
        Ok(())
    }

    async fn check_turn(
        &self,
        expect: &Expect,
        conversation: &Conversation,
        fail: &mut impl FnMut(String),
    ) -> anyhow::Result<()> {
        let owner = owner_name(conversation.ownership);
        if let Some(expected) = expect.owner.as_ref().filter(|expected| *expected != owner) {
            fail(format!("{owner} owns the conversation, not {expected}"));
        }
        if expect.decision.is_some() {
            let turn = self.ctx.store.last_turn(conversation.id).await?;
            let decision = turn.as_ref().map(|turn| turn.decision.clone());
            if decision != expect.decision {
                fail(format!("the decision is {decision:?}, not {:?}", expect.decision));
            }
        }
        if let Some(expected) = &expect.reason {
            let reason = self.ctx.store.handoff(conversation.id).await?.map(|handoff| handoff.reason.name());
            if reason != Some(expected.as_str()) {
                fail(format!("the reason is {reason:?}, not {expected}"));
            }
        }
        if let Some(expected) = &expect.cites {
            let messages = self.ctx.store.transcript(conversation.id, 0, usize::MAX >> 1).await?;
            let last = messages.iter().rev().find(|message| !message.citations.is_empty());
            let cited: Vec<&str> =
                last.iter().flat_map(|last| &last.citations).map(|one| one.source.as_str()).collect();
            for source in expected.iter().filter(|source| !cited.contains(&source.as_str())) {
                fail(format!("{source} is not cited; cited are {cited:?}"));
            }
        }
        Ok(())
    }

    async fn check_end(&self, end: &EndState, played: &mut Played) -> anyhow::Result<()> {
        let mut fail = |why: String| played.failures.push(format!("at the end: {why}"));
        let handoff = self.open_handoff().await?;
        let open = usize::from(handoff.is_some());
        if let Some(expected) = end.handoffs_open.filter(|expected| *expected != open) {
            fail(format!("{open} handoffs are open, not {expected}"));
        }
        let package = match &handoff {
            Some(handoff) => serde_json::to_string(&handoff.package)?,
            None => String::new(),
        };
        check_words("the package has", &package, &end.package_has, &end.package_has_not, &mut fail);
        let Some(customer) = self.ctx.store.customer_at(&self.address).await? else { return Ok(()) };
        let facts = self.ctx.store.facts(customer).await?;
        let known: Vec<String> = facts.iter().map(|fact| format!("{} = {}", fact.key, fact.value)).collect();
        for fact in end.facts.iter().filter(|fact| !known.contains(fact)) {
            fail(format!("`{fact}` is not remembered; remembered are {known:?}"));
        }
        for key in end.no_facts.iter().filter(|key| facts.iter().any(|fact| &fact.key == *key)) {
            fail(format!("a fact `{key}` is remembered"));
        }
        let episodes = self.ctx.store.episodes(customer, usize::MAX >> 1).await?.len();
        if let Some(expected) = end.episodes.filter(|expected| *expected != episodes) {
            fail(format!("there are {episodes} episodes, not {expected}"));
        }
        Ok(())
    }
}

fn owner_name(owner: Ownership) -> &'static str {
    match owner {
        Ownership::Bot => "bot",
        Ownership::Queued => "queued",
        Ownership::Human(_) => "human",
        Ownership::Resolved => "resolved",
    }
}

fn check_words(what: &str, text: &str, has: &[String], has_not: &[String], fail: &mut impl FnMut(String)) {
    for word in has.iter().filter(|word| !text.contains(word.as_str())) {
        fail(format!("nothing that {what} holds `{word}`"));
    }
    for word in has_not.iter().filter(|word| text.contains(word.as_str())) {
        fail(format!("something that {what} holds `{word}`"));
    }
}
