//! A conversation, and who owns it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::Address;
use super::id::{ConversationId, CustomerId, OperatorId};
use super::text::Language;

/// Who answers in a conversation.
///
/// Every change of owner raises the conversation's epoch; what was prepared under an older epoch is never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "owner", content = "operator")]
pub enum Ownership {
    /// The bot answers.
    Bot,
    /// Waiting for a person; the bot is silent but for notices already promised.
    Queued,
    /// A person answers; the bot is silent.
    Human(OperatorId),
    /// Closed. The customer's next message opens a new conversation.
    Resolved,
}

/// What an operator does to a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorAction {
    /// Take the conversation over, from the queue or from the bot.
    Take,
    /// Say something to the customer; counts as taking where nobody has.
    Reply(super::text::MessageText),
    /// Say something to colleagues.
    Note(super::text::MessageText),
    /// Give it back to the bot.
    Release,
    /// Close it.
    Resolve,
}

/// Why an operator's action can't be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another operator holds it.
    #[error("another operator holds this conversation")]
    HeldBy(OperatorId),
    /// It is closed.
    #[error("the conversation is resolved")]
    AlreadyResolved,
    /// The bot has it already.
    #[error("the bot holds this conversation already")]
    NotHeld,
}

impl Ownership {
    /// The owner after `operator` does `action`: the whole rule of who may do what, in one place. Whoever writes past us
    /// can't give the chat back here, so that everybody may take it from them.
    ///
    /// # Errors
    /// [`Refused`], with nothing changed.
    pub fn after(self, action: &OperatorAction, operator: OperatorId) -> Result<Self, Refused> {
        use OperatorAction::{Note, Release, Reply, Resolve, Take};
        match (self, action) {
            (owner, Note(_)) => Ok(owner),
            (Ownership::Resolved, _) => Err(Refused::AlreadyResolved),
            (Ownership::Human(holder), _) if holder != operator && holder != OperatorId::OUTSIDE => {
                Err(Refused::HeldBy(holder))
            }
            (_, Take | Reply(_)) => Ok(Ownership::Human(operator)),
            (Ownership::Bot, Release) => Err(Refused::NotHeld),
            (_, Release) => Ok(Ownership::Bot),
            (_, Resolve) => Ok(Ownership::Resolved),
        }
    }
}

/// All messages with one customer on one address, from opening to resolution.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Its key.
    pub id: ConversationId,
    /// The person.
    pub customer: CustomerId,
    /// Where replies go.
    pub address: Address,
    /// Who answers.
    pub ownership: Ownership,
    /// Raised by every change of owner.
    pub epoch: i64,
    /// Sequence of the newest message.
    pub last_seq: i64,
    /// Every customer message up to here has been replied to, handed over or ignored with a reason.
    pub handled_seq: i64,
    /// The language of the customer's last words.
    pub language: Option<Language>,
    /// When the customer was last told that a machine answers.
    pub disclosed_at: Option<Timestamp>,
    /// How many times in a row the bot asked back.
    pub ask_backs: i64,
    /// How many turns in a row failed.
    pub failures: i64,
    /// First message.
    pub opened_at: Timestamp,
    /// Newest message, whoever wrote it.
    pub last_activity_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::super::id::Ids;
    use super::super::text::MessageText;
    use super::*;

    #[test]
    fn the_rule_of_ownership() {
        let ids = Ids::seeded(1);
        let [ann, bob] = [(); 2].map(|()| OperatorId::fresh(&ids, Timestamp::UNIX_EPOCH));
        let reply = || OperatorAction::Reply(MessageText::new("hello"));
        assert_eq!(Ownership::Queued.after(&OperatorAction::Take, ann), Ok(Ownership::Human(ann)));
        assert_eq!(Ownership::Bot.after(&reply(), ann), Ok(Ownership::Human(ann)));
        assert_eq!(Ownership::Human(ann).after(&reply(), bob), Err(Refused::HeldBy(ann)));
        assert_eq!(Ownership::Human(ann).after(&OperatorAction::Release, ann), Ok(Ownership::Bot));
        assert_eq!(Ownership::Bot.after(&OperatorAction::Release, ann), Err(Refused::NotHeld));
        assert_eq!(Ownership::Resolved.after(&OperatorAction::Take, ann), Err(Refused::AlreadyResolved));
        let outside = Ownership::Human(OperatorId::OUTSIDE);
        assert_eq!(outside.after(&OperatorAction::Take, ann), Ok(Ownership::Human(ann)));
        assert_eq!(outside.after(&OperatorAction::Release, ann), Ok(Ownership::Bot));
        let note = OperatorAction::Note(MessageText::new("to colleagues"));
        assert_eq!(Ownership::Human(ann).after(&note, bob), Ok(Ownership::Human(ann)));
    }
}
