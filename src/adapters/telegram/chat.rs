//! Where a message goes: the chat, and the business connection through which the bot answers in somebody's name.

use crate::domain::channel::{Address, ChannelKind};

/// A chat that the bot may write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chat {
    pub(super) id: i64,
    /// The business connection, where the customer writes to an account for which the bot answers.
    pub(super) connection: Option<String>,
}

impl Chat {
    /// The chat of an address: `11`, or `11@connection`. The same person writing to the bot and to a connected account is
    /// in two chats, and what was said in one is not shown in the other.
    pub(super) fn of(address: &Address) -> Option<Self> {
        let (id, connection) = match address.external.split_once('@') {
            Some((id, connection)) => (id, Some(connection.to_owned()).filter(|connection| !connection.is_empty())),
            None => (address.external.as_str(), None),
        };
        Some(Self { id: id.parse().ok()?, connection })
    }

    /// The address of this chat, on that bot.
    pub(super) fn address(&self, account: &str) -> Address {
        let external = match &self.connection {
            Some(connection) => format!("{}@{connection}", self.id),
            None => self.id.to_string(),
        };
        Address { channel: ChannelKind::Telegram, account: account.to_owned(), external }
    }
}
