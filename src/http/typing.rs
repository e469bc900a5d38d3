//! Who is writing just now. Kept in memory, for seconds, and bounded: it is a courtesy, and nothing depends on it. Another
//! process does not hear of it.

use std::collections::HashMap;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

use crate::domain::id::ConversationId;

/// How long a sign lasts; whoever goes on writing gives another before.
const LASTS: SignedDuration = SignedDuration::from_secs(6);

/// Conversations that are remembered at most; beyond that a sign is not taken.
const MOST: usize = 4_096;

/// Which side of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// The visitor.
    Visitor,
    /// The person of ours who has the conversation.
    Operator,
}

/// Until when each side counts as writing.
#[derive(Default)]
pub(crate) struct Typing(Mutex<HashMap<(ConversationId, Side), Timestamp>>);

impl Typing {
    /// A sign that one is writing. True where nobody knew it yet.
    pub(crate) fn sign(&self, conversation: ConversationId, side: Side, now: Timestamp) -> bool {
        let mut until = self.0.lock().expect("no holder of this lock panics");
        if until.len() >= MOST {
            until.retain(|_, until| *until > now);
        }
        if until.len() >= MOST && !until.contains_key(&(conversation, side)) {
            return false;
        }
        let before = until.insert((conversation, side), now + LASTS);
        before.is_none_or(|until| until <= now)
    }

    /// What was written is sent.
    pub(crate) fn over(&self, conversation: ConversationId, side: Side) {
        self.0.lock().expect("no holder of this lock panics").remove(&(conversation, side));
    }

    /// One is writing.
    pub(crate) fn is_on(&self, conversation: ConversationId, side: Side, now: Timestamp) -> bool {
        let until = self.0.lock().expect("no holder of this lock panics");
        until.get(&(conversation, side)).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Ids;

    #[test]
    fn a_sign_lasts_for_seconds_and_is_news_once() {
        let (typing, now) = (Typing::default(), Timestamp::UNIX_EPOCH);
        let conversation = ConversationId::fresh(&Ids::seeded(1), now);
        assert!(typing.sign(conversation, Side::Visitor, now));
        assert!(!typing.sign(conversation, Side::Visitor, now + SignedDuration::from_secs(3)));
        assert!(typing.is_on(conversation, Side::Visitor, now + SignedDuration::from_secs(8)));
        assert!(!typing.is_on(conversation, Side::Operator, now));
        assert!(!typing.is_on(conversation, Side::Visitor, now + SignedDuration::from_secs(9)));
        assert!(typing.sign(conversation, Side::Visitor, now + SignedDuration::from_secs(9)));
        typing.over(conversation, Side::Visitor);
        assert!(!typing.is_on(conversation, Side::Visitor, now + SignedDuration::from_secs(9)));
    }

    #[test]
    fn no_more_is_remembered_than_fits() {
        let (typing, now, ids) = (Typing::default(), Timestamp::UNIX_EPOCH, Ids::seeded(1));
        for _ in 0..=MOST {
            typing.sign(ConversationId::fresh(&ids, now), Side::Visitor, now);
        }
        assert_eq!(typing.0.lock().unwrap().len(), MOST);
        assert!(typing.sign(ConversationId::fresh(&ids, now), Side::Visitor, now + LASTS), "what is over makes room");
    }
}
