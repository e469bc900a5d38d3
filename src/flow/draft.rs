//! Drafts by the language model: prompt, call, parse, and the one repair of a malformed reply.

use jiff::{SignedDuration, Zoned};

use super::Ctx;
use crate::domain::conversation::Conversation;
use crate::domain::handoff::{Handoff, Package};
use crate::domain::memory::{Fact, FactKind, Remembered};
use crate::domain::message::{Author, Message};
use crate::domain::text::Language;
use crate::domain::turn::Draft;
use crate::engine::context::{best_within, newest_within};
use crate::engine::learn;
use crate::engine::package::{By, Said, checked};
use crate::engine::turn::State;
use crate::ports::ledger::EpisodeInput;
use crate::ports::model::{ChatError, ChatModel, ChatReply, ChatRequest};
use crate::ports::store::TurnInput;
use crate::prompt::{
    AnswerContext, EpisodeContext, EpisodeDraft, FactKey, PackageContext, PromptError, Rendered, RepairContext,
    ReplyError, answer_schema, episode_schema, package_schema, parse_answer, parse_episode, parse_package,
};

/// Longest package or summary, in tokens.
const REPORT_TOKENS: u32 = 1_200;

/// Why there is no draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The prompt can't be rendered.
    #[error("the prompt can't be rendered")]
    Prompt(#[source] PromptError),
    /// No model answered.
    #[error("no model answered")]
    Model(#[source] ChatError),
    /// The reply is malformed, and so is its repair.
    #[error("the reply can't be read, nor its repair")]
    Reply(#[source] ReplyError),
}

/// Asks the model for a reply to the turn's new messages.
///
/// # Errors
/// [`DraftError`].
pub async fn ask(ctx: &Ctx, model: &dyn ChatModel, state: &mut State, input: &TurnInput) -> Result<Draft, DraftError> {
    let context = answer_context(ctx, model, state, input);
    let rendered = ctx.words.prompts.answer(&context).map_err(DraftError::Prompt)?;
    state.record.prompt_hash = Some(rendered.hash.clone());
    let task = Task {
        name: "answer",
        rendered,
        schema: answer_schema(),
        max_tokens: ctx.config.budget.reply_tokens,
        parse: |json: &str| parse_answer(json, &context),
    };
    let (draft, reply) = task.run(ctx, model).await?;
    state.record.model = Some(reply.model);
    state.record.tokens_in = reply.tokens_in;
    state.record.tokens_out = reply.tokens_out;
    state.record.model_ms = u64::try_from(reply.took.as_millis()).unwrap_or(0);
    Ok(draft)
}

/// What the model is shown, cut to the budget: articles and memories best first, the window newest first.
fn answer_context(ctx: &Ctx, model: &dyn ChatModel, state: &State, input: &TurnInput) -> AnswerContext {
    let budget = &ctx.config.budget;
    let words = |text: &str| model.count_tokens(text);
    let of_memory = |item: &Remembered| words(&item.text());
    let of_message = |message: &Message| words(message.text.as_str());
    let remembered = best_within(state.recall.memory.clone(), budget.memory_tokens, of_memory);
    let sections = state.recall.sections.clone();
    let sections = best_within(sections, budget.knowledge_tokens, |section| words(&section.text));
    let spent = remembered.iter().map(of_memory).sum::<usize>()
        + sections.iter().map(|section| words(&section.text)).sum::<usize>()
        + input.unread.iter().map(of_message).sum::<usize>();
    let left = budget.prompt_tokens.saturating_sub(spent);
    AnswerContext {
        company: ctx.config.company.name.clone(),
        language: state.input().language,
        now: local_time(ctx),
        may_ask: input.conversation.ask_backs < ctx.words.triage.answer.ask_back_most,
        remembered,
        sections,
        window: newest_within(input.window.clone(), left, of_message),
        unread: input.unread.clone(),
    }
}

/// Lets the model write the package of a handoff.
///
/// # Errors
/// [`DraftError`].
pub async fn package(
    ctx: &Ctx,
    model: &dyn ChatModel,
    conversation: &Conversation,
    messages: &[Message],
    memory: &[Remembered],
    handoff: &Handoff,
) -> Result<Package, DraftError> {
    let language = conversation.language.unwrap_or(Language::Ru);
    let context = PackageContext {
        company: ctx.config.company.name.clone(),
        operators: language,
        language,
        now: local_time(ctx),
        reason: handoff.reason,
        remembered: best_within(memory.to_vec(), ctx.config.budget.memory_tokens, |item| {
            model.count_tokens(&item.text())
        }),
        messages: newest_within(messages.to_vec(), ctx.config.budget.prompt_tokens, |message| {
            model.count_tokens(message.text.as_str())
        }),
    };
    let task = Task {
        name: "package",
        rendered: ctx.words.prompts.package(&context).map_err(DraftError::Prompt)?,
        schema: package_schema(),
        max_tokens: REPORT_TOKENS,
        parse: |json: &str| parse_package(json, &context),
    };
    let (written, _) = task.run(ctx, model).await?;
    let in_talk = context.messages.iter().map(|message| Said {
        message: message.id,
        at: message.received_at,
        text: message.text.as_str().to_owned(),
        by: if message.author == Author::Customer { By::Customer } else { By::Us },
    });
    let remembered = context.remembered.iter().filter_map(|item| {
        let promised = matches!(item, Remembered::Fact(fact) if fact.kind == FactKind::Promise);
        let by = if promised { By::Us } else { By::Earlier };
        Some(Said { message: item.message()?, at: item.at(), text: item.text(), by })
    });
    let said: Vec<Said> = in_talk.chain(remembered).collect();
    Ok(checked(written, &handoff.package, &said, &ctx.config.company.name, &ctx.config.company.timezone))
}

/// Lets the model sum up a finished stretch of conversation, with the facts that hold in view.
///
/// # Errors
/// [`DraftError`].
pub async fn episode(
    ctx: &Ctx,
    model: &dyn ChatModel,
    input: &EpisodeInput,
    facts: &[Fact],
) -> Result<EpisodeDraft, DraftError> {
    let of_customers = learn::KEYS.iter().filter(|key| key.kind != FactKind::Promise);
    let keys: Vec<FactKey> =
        of_customers.map(|key| FactKey { name: key.name.to_owned(), meaning: key.meaning.to_owned() }).collect();
    let context = EpisodeContext {
        company: ctx.config.company.name.clone(),
        language: input.conversation.language.unwrap_or(Language::Ru),
        now: local_time(ctx),
        keys: keys.clone(),
        facts: facts.to_vec(),
        messages: newest_within(input.messages.clone(), ctx.config.budget.prompt_tokens, |message| {
            model.count_tokens(message.text.as_str())
        }),
    };
    let task = Task {
        name: "episode",
        rendered: ctx.words.prompts.episode(&context).map_err(DraftError::Prompt)?,
        schema: episode_schema(&keys),
        max_tokens: REPORT_TOKENS,
        parse: |json: &str| parse_episode(json, &context),
    };
    Ok(task.run(ctx, model).await?.0)
}

/// A question to the model, and how its answer is read.
struct Task<P> {
    name: &'static str,
    rendered: Rendered,
    schema: serde_json::Value,
    max_tokens: u32,
    parse: P,
}

impl<P> Task<P> {
    /// Asks, reads, and asks for one repair where the answer can't be read. The deadline is for both together.
    async fn run<T>(self, ctx: &Ctx, model: &dyn ChatModel) -> Result<(T, ChatReply), DraftError>
    where
        P: Fn(&str) -> Result<T, ReplyError>,
    {
        let within = ctx.config.model_calls.within;
        let request = ChatRequest {
            task: self.name,
            system: self.rendered.system,
            user: self.rendered.user,
            schema: self.schema.clone(),
            max_tokens: self.max_tokens,
            deadline: within,
        };
        let first = model.complete(&request).await.map_err(DraftError::Model)?;
        let fault = match (self.parse)(&first.json) {
            Ok(read) => return Ok((read, first)),
            Err(fault) => fault,
        };
        tracing::info!(task = self.name, %fault, "the reply can't be read and is to be repaired");
        let context =
            RepairContext { reply: first.json.clone(), fault: fault.to_string(), schema: self.schema.clone() };
        let rendered = ctx.words.prompts.repair(&context).map_err(DraftError::Prompt)?;
        let deadline = within.checked_sub(first.took).unwrap_or(SignedDuration::ZERO);
        let repair = ChatRequest { task: "repair", system: rendered.system, user: rendered.user, deadline, ..request };
        let second = model.complete(&repair).await.map_err(DraftError::Model)?;
        let read = (self.parse)(&second.json).map_err(DraftError::Reply)?;
        let both = ChatReply {
            tokens_in: first.tokens_in + second.tokens_in,
            tokens_out: first.tokens_out + second.tokens_out,
            took: first.took + second.took,
            ..second
        };
        Ok((read, both))
    }
}

fn local_time(ctx: &Ctx) -> Zoned {
    ctx.clock.now().to_zoned(ctx.config.company.timezone.clone())
}
