//! What operators do. An operator's action does not wait for a lease: it is fenced by the epoch, and takes effect at
//! once, so that a bot that is still thinking finds itself fenced out.

use super::Ctx;
use super::wake::Bell;
use super::{compose, handoff};
use crate::domain::conversation::{Conversation, OperatorAction, Ownership, Refused};
use crate::domain::csat;
use crate::domain::handoff::Package;
use crate::domain::id::{ConversationId, HandoffId, OperatorId};
use crate::domain::text::{Language, MessageText};
use crate::ports::store::{OperatorCommit, OperatorOutcome, Question, StoreError};
use crate::prompt::phrases::Phrase;

/// How often a decision is made anew because the conversation moved meanwhile.
const TRIES: usize = 5;

/// Why an operator's action was not done.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// There is no such conversation.
    #[error("there is no such conversation")]
    NotFound,
    /// The rules forbid it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It kept changing while we tried.
    #[error("the conversation keeps changing: try again")]
    Busy,
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

/// Does `action`. `action_id` is made by the page; the same one a second time does nothing.
///
/// # Errors
/// [`OperatorError`].
pub async fn act(
    ctx: &Ctx,
    operator: OperatorId,
    conversation: ConversationId,
    action: OperatorAction,
    action_id: String,
) -> Result<(), OperatorError> {
    for _ in 0..TRIES {
        let found = ctx.store.conversation(conversation).await.map_err(OperatorError::Store)?;
        let found = found.ok_or(OperatorError::NotFound)?;
        let owner = found.ownership.after(&action, operator)?;
        let message = match &action {
            OperatorAction::Reply(text) => Some(compose::message(ctx, &found.address, text.as_str(), Vec::new())),
            OperatorAction::Note(text) => Some(compose::note(ctx, text.as_str())),
            OperatorAction::Take | OperatorAction::Release | OperatorAction::Resolve => None,
        };
        // Where the bot has it, nobody has written a package yet.
        let package = match (found.ownership, owner) {
            (Ownership::Bot, Ownership::Human(_)) => taken(ctx, &found).await,
            _ => Package::default(),
        };
        let now = ctx.clock.now();
        let commit = OperatorCommit {
            action_id: action_id.clone(),
            operator,
            conversation,
            epoch: found.epoch,
            action: action.clone(),
            owner,
            message,
            question: question(ctx, &found, &action),
            handoff: HandoffId::fresh(&ctx.ids, now),
            package,
            timing: ctx.timing(),
        };
        match ctx.store.commit_operator(&commit, now).await.map_err(OperatorError::Store)? {
            OperatorOutcome::Done => {
                for bell in [Bell::Turns, Bell::Deliveries, Bell::Timers, Bell::Indexing] {
                    ctx.wake.ring(bell);
                }
                ctx.wake.changed(conversation);
                return Ok(());
            }
            OperatorOutcome::Again => return Ok(()),
            OperatorOutcome::Moved => {}
        }
    }
    Err(OperatorError::Busy)
}

/// What the customer is asked when their conversation is resolved, where that is wanted.
fn question(ctx: &Ctx, conversation: &Conversation, action: &OperatorAction) -> Option<Question> {
    if !ctx.config.csat.ask || *action != OperatorAction::Resolve {
        return None;
    }
    let language = conversation.language.unwrap_or(Language::Ru);
    let words = compose::phrase(ctx, language, Phrase::CsatQuestion);
    let buttons = csat::buttons(conversation.id);
    Some(Question {
        message: compose::offering(ctx, &conversation.address, &words, Vec::new(), buttons),
        thanks: MessageText::new(compose::phrase(ctx, language, Phrase::CsatThanks)),
    })
}

/// The package of a conversation that is taken from the bot. The operator gets the conversation in any case.
async fn taken(ctx: &Ctx, conversation: &Conversation) -> Package {
    handoff::package_of_taken(ctx, conversation).await.unwrap_or_else(|error| {
        tracing::warn!(conversation.id = %conversation.id, error = &error as &dyn std::error::Error, "no package");
        Package::default()
    })
}
