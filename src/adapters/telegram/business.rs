//! Accounts of Telegram Business for which the bot answers: whether it may.
//!
//! The owner grants and withdraws the right in the settings of their account. Telegram tells us when that changes; what was
//! told before a start is asked for once. Only a right that is there is remembered: what was withdrawn is asked for anew
//! with each send, so that a right that is given back holds at once, in each process.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use teloxide::Bot;
use teloxide::payloads::GetBusinessConnection;
use teloxide::types::BusinessConnectionId;

use super::call::call;
use super::outcome;
use crate::ports::Retry;
use crate::ports::channel::SendError;

/// Why nothing is sent through a connection; the desk shows it.
const CLOSED: &str = "the owner of the business account does not let the bot answer: Telegram Business, Chatbots, \
    \"reply to messages\"";

/// What Telegram says of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Connection {
    pub(super) id: String,
    /// It is on, and the owner lets the bot answer.
    pub(super) may_reply: bool,
}

impl Connection {
    /// Reads a `BusinessConnection`. The right stood beside its fellows before there were rights.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let right = value["rights"].get("can_reply").unwrap_or(&value["can_reply"]);
        Some(Self { id: value["id"].as_str()?.to_owned(), may_reply: value["is_enabled"] == true && *right == true })
    }
}

/// Connections through which the bot may answer, as far as we know.
#[derive(Default)]
pub(super) struct Connections(Mutex<HashSet<String>>);

impl Connections {
    /// Hears what Telegram says of a connection.
    pub(super) fn hear(&self, connection: Connection) {
        self.with(|open| if connection.may_reply { open.insert(connection.id) } else { open.remove(&connection.id) });
    }

    /// Makes sure that the bot may answer through this connection.
    pub(super) async fn open(&self, bot: &Bot, id: &str, within: Duration) -> Result<(), SendError> {
        if self.with(|open| open.contains(id)) {
            return Ok(());
        }
        let asked = call(bot, &GetBusinessConnection::new(BusinessConnectionId(id.to_owned())), within).await;
        let told = asked.map_err(|error| match outcome::of_send(error) {
            // It was a question: whatever became of it, nothing was sent.
            SendError::Unknown { why } => SendError::NotSent { why, retry: Retry::Later },
            other => other,
        })?;
        match Connection::read(&told) {
            Some(connection) if connection.id == id && connection.may_reply => {
                self.hear(connection);
                Ok(())
            }
            _ => Err(SendError::Refused { why: CLOSED.to_owned(), unreachable: false }),
        }
    }

    /// Asks again before the next send.
    pub(super) fn doubt(&self, id: &str) {
        self.with(|open| open.remove(id));
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
