//! What a webhook says, read with tolerance: Meta adds fields and kinds several times a year, and began to leave phones out
//! in 2026. Only what is needed to answer must be there.
//!
//! One webhook serves all numbers of all businesses that an app sees, and a body holds several changes. What can't be read
//! is counted and left out, so that the rest is not lost with it.

use serde_json::Value;

use super::outcome;
use super::person::{self, Person, word};
use super::{message, person::address};
use crate::domain::channel::{DeliveryReport, DeliveryState, Inbound, InboundEvent};

/// What a body held.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// What concerns us, in Meta's order.
    pub(super) updates: Vec<Inbound>,
    /// Things that should be for us and can't be read.
    pub(super) unread: usize,
    /// Changes of other numbers.
    pub(super) others: usize,
    /// Codes of faults that Meta tells of.
    pub(super) faults: Vec<i64>,
}

/// Reads a body. `None` if it is no notification of WhatsApp's.
pub(super) fn read(account: &str, body: &Value) -> Option<Read> {
    let entries = body.get("entry")?.as_array()?;
    let mut read = Read::default();
    for change in entries.iter().flat_map(|entry| list(entry, "changes")) {
        read.change(account, change);
    }
    Some(read)
}

impl Read {
    fn change(&mut self, account: &str, change: &Value) {
        // While another app of the business has the conversation, we only stand by.
        if word(change, "field") == Some("standby") {
            return;
        }
        let value = &change["value"];
        match value.get("metadata").and_then(|number| word(number, "phone_number_id")) {
            Some(number) if number == account => self.value(account, value),
            Some(_) => self.others += 1,
            // News of the business account, its templates, its quality: not for customers.
            None if value.get("messages").is_none() && value.get("statuses").is_none() => {}
            None => self.unread += 1,
        }
    }

    fn value(&mut self, account: &str, value: &Value) {
        let contacts = list(value, "contacts");
        // Who has another key now must be known by it before they write.
        for update in list(value, "user_id_update") {
            let moved = person::id_update(account, update).map(|moved| vec![message::dated(moved, update)]);
            self.take(moved);
        }
        for message in list(value, "messages") {
            self.take(message::read(account, message, contacts));
        }
        for echo in list(value, "message_echoes") {
            self.take(message::read_echo(account, echo));
        }
        for status in list(value, "statuses") {
            self.take(report(account, status));
        }
        self.faults.extend(list(value, "errors").iter().filter_map(|fault| fault["code"].as_i64()));
    }

    fn take(&mut self, read: Option<Vec<Inbound>>) {
        match read {
            Some(updates) => self.updates.extend(updates),
            None => self.unread += 1,
        }
    }
}

/// Reads one entry of `statuses`; it is empty for those that say nothing about delivery. The receiver may be missing where
/// the send failed: the message is found by its id then, and the address is nobody's.
fn report(account: &str, status: &Value) -> Option<Vec<Inbound>> {
    let (id, name) = (word(status, "id")?, word(status, "status")?);
    let Some(state) = state_of(name) else { return Some(Vec::new()) };
    let receiver = Person::new(word(status, "recipient_user_id"), word(status, "recipient_id"));
    let code = list(status, "errors")
        .iter()
        .find_map(|error| error["code"].as_i64())
        .filter(|_| state == DeliveryState::Failed);
    let (why, unreachable) = code.map(outcome::of_status).unzip();
    let report = DeliveryReport {
        provider_id: id.to_owned(),
        dedupe_key: word(status, "biz_opaque_callback_data").map(str::to_owned),
        state,
        why,
        unreachable: unreachable.unwrap_or(false),
        billed: status.get("pricing").and_then(billed),
    };
    let to = address(account, receiver.as_ref().map_or("", Person::key));
    let inbound = Inbound::new(to, format!("{id}:{name}"), InboundEvent::Receipt(report));
    Some(vec![message::dated(inbound, status)])
}

/// A voice note that was played was seen.
fn state_of(status: &str) -> Option<DeliveryState> {
    match status {
        "sent" => Some(DeliveryState::Sent),
        "delivered" => Some(DeliveryState::Delivered),
        "read" | "played" => Some(DeliveryState::Read),
        "failed" => Some(DeliveryState::Failed),
        _ => None,
    }
}

/// The category, unless this message is free.
fn billed(pricing: &Value) -> Option<String> {
    let is_free = pricing["billable"] == false || word(pricing, "type").is_some_and(|kind| kind.starts_with("free"));
    word(pricing, "category").filter(|_| !is_free).map(str::to_owned)
}

fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
