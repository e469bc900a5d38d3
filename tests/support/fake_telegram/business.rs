//! Accounts of Telegram Business that the bot answers for.

use std::collections::HashSet;

use firstline::adapters::clock::SystemClock;
use firstline::ports::clock::Clock as _;
use serde_json::{Value, json};

use super::{FakeTelegram, Line, State};

/// An account that is connected to the bot.
pub(super) struct Account {
    owner: i64,
    may_reply: bool,
    /// Customers who have written to it.
    pub(super) customers: HashSet<i64>,
}

impl FakeTelegram {
    /// The owner connects their account to the bot, or changes what it may do.
    pub fn connects(&self, connection: &str, owner: i64, may_reply: bool) -> i64 {
        let mut state = self.change();
        let customers = state.accounts.remove(connection).map(|account| account.customers).unwrap_or_default();
        state.accounts.insert(connection.to_owned(), Account { owner, may_reply, customers });
        let told = state.connection(connection).expect("it was made a moment ago");
        state.push("business_connection", told)
    }

    /// A customer writes to a connected account, or its owner to the customer.
    pub fn writes_to_account(&self, connection: &str, chat: i64, by_owner: bool, text: &str) -> i64 {
        let mut state = self.change();
        let owner = state.accounts[connection].owner;
        let could_be_written_to = state.people.contains_key(&chat);
        let mut message = state.message(chat, false, json!({ "business_connection_id": connection, "text": text }));
        // By this clock the day runs in which the account may answer.
        message["date"] = json!(SystemClock.now().as_second());
        if !could_be_written_to {
            // They know the account, not the bot.
            state.people.remove(&chat);
        }
        if by_owner {
            message["from"] = json!({ "id": owner, "is_bot": false, "first_name": "Ольга" });
        } else {
            state.accounts.get_mut(connection).expect("it is connected").customers.insert(chat);
            state.ledger.push((chat, Line { by_bot: false, text: text.to_owned() }));
        }
        state.push("business_message", message)
    }
}

impl State {
    /// A `BusinessConnection`.
    pub(super) fn connection(&self, id: &str) -> Option<Value> {
        let account = self.accounts.get(id)?;
        Some(json!({
            "id": id, "user": { "id": account.owner, "is_bot": false, "first_name": "Ольга" },
            "user_chat_id": account.owner, "date": 1_790_000_000, "is_enabled": true,
            "rights": if account.may_reply { json!({ "can_reply": true }) } else { json!({}) },
        }))
    }

    /// Whether the bot may write to that chat in the account's name.
    pub(super) fn may_reply(&self, connection: &str, chat: i64) -> bool {
        self.accounts.get(connection).is_some_and(|account| account.may_reply && account.customers.contains(&chat))
    }
}
