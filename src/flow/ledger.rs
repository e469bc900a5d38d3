//! Changes of a customer's ledger: read, merged by the engine, written if nobody changed it in between.

use jiff::Timestamp;

use super::FlowError;
use crate::domain::conversation::{Conversation, OperatorAction};
use crate::domain::handoff::Package;
use crate::domain::id::{CustomerId, FactId, HandoffId, Ids, MessageId, OperatorId};
use crate::domain::memory::{Fact, LedgerChange, Stance, Statement};
use crate::domain::text::MessageText;
use crate::engine::ledger::forgotten_hash;
use crate::engine::{self, learn};
use crate::ports::ledger::{Entry, Forgotten, Unlearning};
use crate::ports::store::{NewMessage, OperatorCommit, OperatorOutcome, Store, Timing};

/// How often an entry is made anew because somebody else changed the ledger in between.
pub(super) const TRIES: usize = 8;

/// What these statements make of a customer's ledger as it is now.
///
/// # Errors
/// [`FlowError`].
pub(super) async fn entry(
    store: &dyn Store,
    ids: &Ids,
    customer: CustomerId,
    statements: Vec<Statement>,
    now: Timestamp,
) -> Result<Entry, FlowError> {
    let state = store.ledger(customer).await.map_err(FlowError::store("ledger"))?;
    let statements = admissible(&state.forgotten, statements);
    let mut all = state.statements;
    all.extend(statements.iter().cloned());
    let change = engine::ledger::merge(customer, &state.facts, &all, || FactId::fresh(ids, now), now);
    Ok(Entry { customer, number: state.number, statements, change })
}

/// What may be learnt: nothing that was forgotten since it was said.
fn admissible(forgotten: &[Forgotten], mut statements: Vec<Statement>) -> Vec<Statement> {
    if !forgotten.is_empty() {
        statements.retain(|statement| {
            let is = |gone: &Forgotten| gone.hash == forgotten_hash(gone.customer, &statement.key, &statement.value);
            forgotten.iter().all(|gone| gone.at < statement.valid_at || !is(gone))
        });
    }
    statements
}

/// Brings a customer's ledger in line with what their messages of a conversation say now: what was learnt of words that
/// were taken back, or said otherwise since, goes, in all its versions; what was stated without learning becomes a fact.
///
/// # Errors
/// [`FlowError`].
pub async fn bring_in_line(
    store: &dyn Store,
    ids: &Ids,
    conversation: &Conversation,
    now: Timestamp,
) -> Result<(), FlowError> {
    let customer = conversation.customer;
    for _ in 0..TRIES {
        let state = store.ledger(customer).await.map_err(FlowError::store("ledger"))?;
        let sources = store.unsaid(conversation.id).await.map_err(FlowError::store("unsaid"))?;
        let known: Vec<Fact> = state.facts.into_iter().filter(|fact| !sources.contains(&fact.source)).collect();
        let mut stated = state.statements;
        stated.retain(|statement| !sources.contains(&statement.source));
        let stated = admissible(&state.forgotten, stated);
        let change = engine::ledger::merge(customer, &known, &stated, || FactId::fresh(ids, now), now);
        if sources.is_empty() && change == LedgerChange::default() {
            return Ok(());
        }
        let entry = Entry { customer, number: state.number, statements: Vec::new(), change };
        let unlearning = Unlearning { entry, sources };
        if store.unlearn(&unlearning, now).await.map_err(FlowError::store("unlearn"))? {
            return Ok(());
        }
    }
    Err(FlowError::Busy)
}

/// What an operator says of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amendment {
    /// It is this instead.
    Value(String),
    /// It is so no longer: moved away, a promise kept.
    Ended,
    /// It never was so.
    Never,
}

/// Why a fact was not amended.
#[derive(Debug, thiserror::Error)]
pub enum AmendError {
    /// There is no such fact of this customer that we know of now.
    #[error("there is no such fact of this customer")]
    NotFound,
    /// The value can't be one of this key.
    #[error("that can't be a value of `{0}`")]
    Value(String),
    /// The step that failed.
    #[error(transparent)]
    Flow(#[from] FlowError),
}

/// Lets an operator amend a fact. A note in the conversation in which it was said tells colleagues, and is the source of
/// what is known from then on.
///
/// # Errors
/// [`AmendError`].
pub async fn amend(
    store: &dyn Store,
    ids: &Ids,
    operator: OperatorId,
    (customer, fact): (CustomerId, FactId),
    amendment: &Amendment,
    now: Timestamp,
) -> Result<LedgerChange, AmendError> {
    let state = store.ledger(customer).await.map_err(FlowError::store("ledger"))?;
    let fact = state.facts.into_iter().find(|known| known.id == fact).ok_or(AmendError::NotFound)?;
    let note = MessageId::fresh(ids, now);
    let says = |stance: Stance, value: &str| Statement {
        key: fact.key.clone(),
        value: value.to_owned(),
        stance,
        kind: fact.kind,
        confidence: 1.0,
        source: note,
        valid_at: now,
        due_at: fact.due_at,
    };
    let (statements, words) = match amendment {
        Amendment::Value(value) => {
            let new = learn::admit(says(Stance::Stated, value)).ok_or_else(|| AmendError::Value(fact.key.clone()))?;
            let words = format!("{}: {} → {}", fact.key, fact.value, new.value);
            (vec![says(Stance::Ended, &fact.value), new], words)
        }
        Amendment::Ended => (vec![says(Stance::Ended, &fact.value)], format!("{}: {} ✓", fact.key, fact.value)),
        Amendment::Never => (vec![says(Stance::Retracted, &fact.value)], format!("{}: {} ✗", fact.key, fact.value)),
    };
    let note = NewMessage {
        id: note,
        text: MessageText::new(words),
        parts: Vec::new(),
        buttons: Vec::new(),
        citations: Vec::new(),
    };
    write_note(store, ids, operator, fact.source, note, now).await?;
    Ok(enter(store, ids, customer, statements, now).await?)
}

/// Writes a note of an operator into the conversation of a message.
async fn write_note(
    store: &dyn Store,
    ids: &Ids,
    operator: OperatorId,
    beside: MessageId,
    note: NewMessage,
    now: Timestamp,
) -> Result<(), AmendError> {
    for _ in 0..TRIES {
        let found = store.conversation_of(beside).await.map_err(FlowError::store("conversation_of"))?;
        let found = found.ok_or(AmendError::NotFound)?;
        let action = OperatorAction::Note(note.text.clone());
        let commit = OperatorCommit {
            action_id: note.id.to_string(),
            operator,
            conversation: found.id,
            epoch: found.epoch,
            owner: found.ownership,
            action,
            message: Some(note.clone()),
            question: None,
            handoff: HandoffId::fresh(ids, now),
            package: Package::default(),
            timing: Timing::default(),
        };
        let done = store.commit_operator(&commit, now).await.map_err(FlowError::store("commit_operator"))?;
        if done != OperatorOutcome::Moved {
            return Ok(());
        }
    }
    Err(FlowError::Busy.into())
}

/// Enters statements into a customer's ledger and returns what they changed.
///
/// # Errors
/// [`FlowError`].
pub async fn enter(
    store: &dyn Store,
    ids: &Ids,
    customer: CustomerId,
    statements: Vec<Statement>,
    now: Timestamp,
) -> Result<LedgerChange, FlowError> {
    for _ in 0..TRIES {
        let entry = entry(store, ids, customer, statements.clone(), now).await?;
        if store.commit_entry(&entry, now).await.map_err(FlowError::store("commit_entry"))? {
            return Ok(entry.change);
        }
    }
    Err(FlowError::Busy)
}
