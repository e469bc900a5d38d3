//! Handoffs: the queue entry first, the template's package with it, the model's when it is written.

use jiff::Timestamp;

use super::wake::Bell;
use super::{Ctx, FlowError, compose, draft, recall};
use crate::domain::conversation::Conversation;
use crate::domain::customer::Customer;
use crate::domain::handoff::{Handoff, HandoffReason, HandoffState, Package, PackageAuthor};
use crate::domain::id::HandoffId;
use crate::domain::memory::{Remembered, Statement};
use crate::domain::message::{Author, Message};
use crate::domain::text::Language;
use crate::domain::turn::Decision;
use crate::engine::learn;
use crate::engine::package::{self, Material};
use crate::engine::triage::{Destination, Evidence, Heard, route};
use crate::engine::turn::State;
use crate::ports::store::{HandoffCommit, NewHandoff, TurnInput};
use crate::prompt::phrases::Phrase;

/// How much of a conversation a package is made from, in messages.
const TRANSCRIPT: usize = 60;

/// The template's package and the words for the customer, for a turn that ends in a handoff.
///
/// # Errors
/// [`FlowError`].
pub async fn package_and_notice(
    ctx: &Ctx,
    input: &TurnInput,
    state: &State,
    reason: HandoffReason,
) -> Result<(Package, String), FlowError> {
    let messages: Vec<Message> = input.window.iter().chain(&input.unread).cloned().collect();
    let memory = if state.recall.memory.is_empty() {
        // The turn ended before recall: facts and episodes come from the ledger, without the index.
        known(ctx, &input.customer).await?
    } else {
        state.recall.memory.clone()
    };
    let language = state.input().language;
    let package = package::template(&Material {
        conversation: &input.conversation,
        customer: &input.customer,
        messages: &messages,
        memory: &memory,
        sections: &state.recall.sections,
        reason,
        language,
        zone: &ctx.config.company.timezone,
    });
    let notice = notice(ctx, language, reason, &messages, &memory);
    Ok((package, notice))
}

/// Facts and episodes straight from the ledger.
async fn known(ctx: &Ctx, customer: &Customer) -> Result<Vec<Remembered>, FlowError> {
    const EPISODES: usize = 5;
    if !customer.remembered {
        return Ok(Vec::new());
    }
    let customer = customer.id;
    let facts = ctx.store.facts(customer).await.map_err(FlowError::store("facts"))?;
    let episodes = ctx.store.episodes(customer, EPISODES).await.map_err(FlowError::store("episodes"))?;
    Ok(facts.into_iter().map(Remembered::Fact).chain(episodes.into_iter().map(Remembered::Episode)).collect())
}

/// What the customer is told: what happens next, and the one detail that is missing, if memory does not hold it.
fn notice(ctx: &Ctx, language: Language, reason: HandoffReason, messages: &[Message], memory: &[Remembered]) -> String {
    let mut words = compose::phrase(ctx, language, Phrase::Handoff(reason));
    let told = stated(messages);
    let queue = ctx.words.triage.destination(reason).queue;
    for key in ctx.words.triage.missing_details(&queue, &customer_words(messages), &[]) {
        let fact = memory.iter().find_map(|item| match item {
            Remembered::Fact(fact) if fact.key == key => Some(fact.value.clone()),
            _ => None,
        });
        let value = told.iter().rev().find(|fact| fact.key == key).map(|fact| fact.value.clone()).or(fact);
        if let Some(detail) = compose::detail(ctx, language, &key, value.as_deref()) {
            words.push_str("\n\n");
            words.push_str(&detail);
        }
    }
    words
}

/// What the customer has stated in these messages.
fn stated(messages: &[Message]) -> Vec<Statement> {
    let said = messages.iter().filter(|message| message.author == Author::Customer);
    said.flat_map(|message| learn::extract(message.text.as_str(), message.id, message.received_at)).collect()
}

/// The handoff of a decision, ready for the store.
pub fn new_handoff(ctx: &Ctx, decision: &Decision, now: Timestamp) -> Option<NewHandoff> {
    let Decision::HandOff { reason, queue, priority, package, .. } = decision else { return None };
    Some(build(ctx, *reason, queue.clone(), *priority, (**package).clone(), now))
}

fn build(
    ctx: &Ctx,
    reason: HandoffReason,
    queue: String,
    priority: i64,
    package: Package,
    now: Timestamp,
) -> NewHandoff {
    NewHandoff {
        id: HandoffId::fresh(&ctx.ids, now),
        reason,
        queue,
        priority,
        package,
        package_due_at: ctx.model.is_some().then_some(now),
        unclaimed_notice_at: now + ctx.config.handoff.unclaimed_notice_after,
    }
}

/// What is to be told of a conversation that goes to people without a turn, and what it was made of.
struct Told {
    package: Package,
    messages: Vec<Message>,
    memory: Vec<Remembered>,
    language: Language,
}

/// `None` where the customer is forgotten.
async fn told(ctx: &Ctx, conversation: &Conversation, reason: HandoffReason) -> Result<Option<Told>, FlowError> {
    let customer = ctx.store.customer(conversation.customer).await.map_err(FlowError::store("customer"))?;
    let Some(customer) = customer else { return Ok(None) };
    let messages = transcript(ctx, conversation).await?;
    let memory = known(ctx, &customer).await?;
    let language = conversation.language.or(customer.language).unwrap_or(Language::Ru);
    let package = package::template(&Material {
        conversation,
        customer: &customer,
        messages: &messages,
        memory: &memory,
        sections: &[],
        reason,
        language,
        zone: &ctx.config.company.timezone,
    });
    Ok(Some(Told { package, messages, memory, language }))
}

/// What an operator receives who takes a conversation that nobody handed over.
///
/// # Errors
/// [`FlowError`].
pub async fn package_of_taken(ctx: &Ctx, conversation: &Conversation) -> Result<Package, FlowError> {
    let told = told(ctx, conversation, HandoffReason::Taken).await?;
    Ok(told.map(|told| told.package).unwrap_or_default())
}

/// Hands a conversation over without a turn: a deadline passed, a send stayed unknown, a part is down.
///
/// # Errors
/// [`FlowError`].
pub async fn open(ctx: &Ctx, conversation: &Conversation, reason: HandoffReason) -> Result<(), FlowError> {
    let Some(Told { package, messages, memory, language }) = told(ctx, conversation, reason).await? else {
        return Ok(());
    };
    let now = ctx.clock.now();
    // Of what was promised the customer hears from a person.
    let words = (reason != HandoffReason::PromiseDue).then(|| notice(ctx, language, reason, &messages, &memory));
    let told = words.map(|words| compose::with_disclosure(ctx, conversation, language, &words, now));
    let disclosed = told.as_ref().is_some_and(|(_, disclosed)| *disclosed);
    let Destination { queue, priority, .. } = ctx.words.triage.destination(reason);
    let commit = HandoffCommit {
        conversation: conversation.id,
        epoch: conversation.epoch,
        handoff: build(ctx, reason, queue, priority, package, now),
        notice: told.map(|(words, _)| compose::message(ctx, &conversation.address, &words, Vec::new())),
        disclosed,
    };
    let opened = ctx.store.commit_handoff(&commit, now).await.map_err(FlowError::store("commit_handoff"))?;
    tracing::info!(conversation.id = %conversation.id, reason = reason.name(), opened, "handed over without a turn");
    ctx.wake.ring(Bell::Deliveries);
    ctx.wake.ring(Bell::Timers);
    ctx.wake.changed(conversation.id);
    Ok(())
}

/// Writes the package of an open handoff anew: by the template where it was emptied or the customer has written more, then by
/// the model, where one is configured and can. A model's package stands until the model has written the next one, or can't.
/// What they have written may make it more urgent.
///
/// # Errors
/// [`FlowError`].
pub async fn write_package(ctx: &Ctx, conversation: &Conversation) -> Result<(), FlowError> {
    let handoff = ctx.store.handoff(conversation.id).await.map_err(FlowError::store("handoff"))?;
    let Some(mut handoff) = handoff.filter(|one| matches!(one.state, HandoffState::Open | HandoffState::Claimed))
    else {
        return Ok(());
    };
    let news = news(ctx, conversation, &handoff).await?;
    if !news.is_empty() {
        raise(ctx, &mut handoff, &news).await?;
    }
    let is_new = news.is_empty() && handoff.package != Package::default();
    let by_model = handoff.package.written_by == PackageAuthor::Model;
    if !is_new && !by_model {
        fall_back(ctx, conversation, &mut handoff).await?;
    }
    if !by_the_model(ctx, conversation, &mut handoff).await? && !is_new && by_model {
        fall_back(ctx, conversation, &mut handoff).await?;
    }
    Ok(())
}

/// Has the package written by the template.
async fn fall_back(ctx: &Ctx, conversation: &Conversation, handoff: &mut Handoff) -> Result<(), FlowError> {
    let Some(Told { package, .. }) = told(ctx, conversation, handoff.reason).await? else { return Ok(()) };
    // What the bot had tried when it gave up is not found again.
    let package = Package { tried: either(package.tried, &handoff.package.tried), ..package };
    attach(ctx, handoff, package).await
}

/// Has the package written by the model; false where there is none, or it can't.
async fn by_the_model(ctx: &Ctx, conversation: &Conversation, handoff: &mut Handoff) -> Result<bool, FlowError> {
    let Some(model) = &ctx.model else { return Ok(false) };
    let messages = transcript(ctx, conversation).await?;
    let memory = recall::memory(ctx, conversation.customer, &customer_words(&messages)).await?;
    match draft::package(ctx, &**model, conversation, &messages, &memory, handoff).await {
        Ok(package) => attach(ctx, handoff, package).await.map(|()| true),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "no package by the model, the template's stands");
            Ok(false)
        }
    }
}

async fn attach(ctx: &Ctx, handoff: &mut Handoff, package: Package) -> Result<(), FlowError> {
    let attached = ctx.store.attach_package(handoff.id, &handoff.package, &package).await;
    attached.map_err(FlowError::store("attach_package"))?;
    ctx.wake.changed(handoff.conversation);
    handoff.package = package;
    Ok(())
}

fn either<T: Clone>(first: Vec<T>, other: &[T]) -> Vec<T> {
    if first.is_empty() { other.to_vec() } else { first }
}

/// What the customer has written since they wait, where nobody has come yet.
async fn news(ctx: &Ctx, conversation: &Conversation, handoff: &Handoff) -> Result<String, FlowError> {
    if handoff.state != HandoffState::Open {
        return Ok(String::new());
    }
    let mut messages = transcript(ctx, conversation).await?;
    messages.retain(|message| message.received_at >= handoff.opened_at);
    Ok(customer_words(&messages))
}

/// What is written by somebody who waits may be more urgent than what they wait for: then others must see it, and sooner.
async fn raise(ctx: &Ctx, handoff: &mut Handoff, news: &str) -> Result<(), FlowError> {
    let triage = &ctx.words.triage;
    let scores = recall::heard(ctx, news).await;
    let heard = Heard { classifier: scores.as_deref(), model: None };
    let labels = triage.labels_of(news, &triage.rules(news), heard, &Evidence::read(triage, news, &[], None));
    let Some(to) = route(&labels, triage).hand_off.filter(|to| to.priority < handoff.priority) else { return Ok(()) };
    let raised = ctx.store.raise_handoff(handoff.id, to.reason, &to.queue, to.priority).await;
    if raised.map_err(FlowError::store("raise_handoff"))? {
        tracing::info!(handoff.id = %handoff.id, reason = to.reason.name(), "who waits has written something more urgent");
        ctx.wake.changed(handoff.conversation);
        Destination { reason: handoff.reason, queue: handoff.queue, priority: handoff.priority } = to;
    }
    Ok(())
}

async fn transcript(ctx: &Ctx, conversation: &Conversation) -> Result<Vec<Message>, FlowError> {
    let after = conversation.last_seq - i64::try_from(TRANSCRIPT).unwrap_or(0);
    let messages = ctx.store.transcript(conversation.id, after, TRANSCRIPT).await;
    let mut messages = messages.map_err(FlowError::store("transcript"))?;
    let marks = ctx.store.marks(conversation.id, after).await.map_err(FlowError::store("marks"))?;
    let unsaid: Vec<i64> =
        marks.iter().filter(|mark| mark.deleted || mark.replaced_by.is_some()).map(|mark| mark.seq).collect();
    messages.retain(|message| !matches!(message.author, Author::Note(_)) && !unsaid.contains(&message.seq));
    Ok(messages)
}

fn customer_words(messages: &[Message]) -> String {
    let said = messages.iter().filter(|message| message.author == Author::Customer);
    said.map(|message| message.text.as_str()).collect::<Vec<_>>().join("\n")
}
