//! Sends owed to a channel, and how they end.

use jiff::{SignedDuration, Timestamp};

use super::channel::{Address, Button};
use super::id::{ConversationId, MessageId, OutboxId};
use super::text::MessageText;

/// A send that a worker has claimed: one part of one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Outbound {
    /// The outbox row.
    pub id: OutboxId,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// The message of which this is a part.
    pub message: MessageId,
    /// Number of the part, from 0.
    pub part: i64,
    /// Where it goes.
    pub to: Address,
    /// The words of this part.
    pub text: MessageText,
    /// Buttons under it.
    pub buttons: Vec<Button>,
    /// The same for every attempt at this part; sent along where the channel takes one.
    pub dedupe_key: String,
    /// Attempts so far, this one included.
    pub attempts: i64,
    /// When the customer wrote last from there, by the channel's clock where it tells.
    pub last_inbound_at: Option<Timestamp>,
}

/// Why a part was not sent whose channel lets us write only for a while after the customer did. The desk has words for it.
pub const WINDOW_CLOSED: &str = "the customer wrote too long ago: the channel takes nothing but templates now";

/// How an attempt to send ended.
#[derive(Debug, Clone, PartialEq)]
pub enum SendOutcome {
    /// The channel took it; its own id of the message, where it gives one.
    Sent(Option<String>),
    /// Certainly not sent; worth another try at that time.
    NotSent {
        /// When to try again.
        retry_at: Timestamp,
        /// Why, without anybody's words.
        why: String,
    },
    /// It would be sent faster than the channel takes it: no attempt was made, and none is counted.
    TooSoon {
        /// When it may be tried.
        retry_at: Timestamp,
    },
    /// Nobody can tell: the request went out and no answer came. Never blindly sent again.
    Unknown {
        /// Why, without anybody's words.
        why: String,
    },
    /// It can't be sent, now or later.
    Dead {
        /// Why, without anybody's words.
        why: String,
        /// The customer can't be reached on this address any more (blocked, gone).
        unreachable: bool,
    },
}

/// How long to wait before attempt number `attempts + 1`: doubled each time from one second, at most five minutes.
pub fn backoff(attempts: i64) -> SignedDuration {
    let exponent = u32::try_from(attempts.clamp(1, 9) - 1).unwrap_or(0);
    SignedDuration::from_secs((1_i64 << exponent).min(300))
}
