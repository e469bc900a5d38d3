//! A medium in which customers write.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use jiff::SignedDuration;

use super::Retry;
use crate::domain::channel::{Address, Attachment, ChannelKind, Cursor, Inbound};
use crate::domain::outbox::Outbound;

/// One account on one channel.
#[async_trait]
pub trait Channel: Send + Sync {
    /// The medium.
    fn kind(&self) -> ChannelKind;

    /// Our bot or number on it.
    fn account(&self) -> &str;

    /// What the channel can carry.
    fn limits(&self) -> Limits;

    /// For how long after the customer's newest message we may write freely to this address; `None`: always.
    fn window(&self, _to: &Address) -> Option<SignedDuration> {
        self.limits().window
    }

    /// Sends one part and waits for the channel's word. Makes exactly one attempt.
    ///
    /// # Errors
    /// [`SendError`], whose kind decides what becomes of the outbox row.
    async fn send(&self, part: &Outbound) -> Result<Receipt, SendError>;

    /// Makes ready to receive, once after a start: tells a channel that pushes where to post. `public_url` is the address
    /// under which we are reached from outside, without a slash at its end.
    ///
    /// # Errors
    /// [`PollError`]; tried again then.
    async fn prepare(&self, _public_url: &str) -> Result<(), PollError> {
        Ok(())
    }

    /// After how long [`Self::prepare`] is to be called once more, for channels that push and may stop by themselves.
    /// `None`: once is enough.
    fn prepared_again_after(&self) -> Option<SignedDuration> {
        None
    }

    /// Shows the customer that an answer is being written; failures are not worth a word.
    async fn show_typing(&self, _to: &Address) {}

    /// Fetches what came since `cursor`, for channels that are polled; waits for news as long as the channel allows.
    /// `None` where the channel pushes.
    ///
    /// # Errors
    /// [`PollError`].
    async fn poll(&self, _cursor: Option<&str>) -> Option<Result<Polled, PollError>> {
        None
    }

    /// Answers the question by which a channel makes sure that a webhook is ours (`GET` with these parameters): the body
    /// to answer with, or `None` to refuse.
    fn handshake(&self, _parameters: &HashMap<String, String>) -> Option<String> {
        None
    }

    /// Told of an update once it is stored: taps are acknowledged, messages shown as read. Failures are not worth a word.
    async fn stored(&self, _update: &Inbound) {}

    /// Opens a file that a customer sent; read piece by piece, it never has to fit into memory.
    ///
    /// # Errors
    /// [`FetchError`].
    async fn fetch(&self, _attachment: &Attachment) -> Result<ByteStream, FetchError> {
        Err(FetchError::Gone { why: "this channel has no files".to_owned() })
    }

    /// Verifies and decodes a webhook's body, for channels that push.
    ///
    /// # Errors
    /// [`DecodeError`].
    fn decode(&self, _headers: &HashMap<String, String>, _body: &[u8]) -> Result<Vec<Inbound>, DecodeError> {
        Err(DecodeError::Forged)
    }
}

/// What a channel can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest text of one part, in UTF-16 units.
    pub text_units: usize,
    /// Sending the same dedupe key twice shows once: an unknown outcome may be tried again.
    pub idempotent: bool,
    /// For how long after the customer's newest message we may write freely; `None`: always.
    pub window: Option<SignedDuration>,
    /// How many buttons one message may bear; more are written out.
    pub buttons: usize,
    /// Longest text of a part with buttons, in UTF-16 units.
    pub buttoned_units: usize,
    /// How fast we may send.
    pub pace: Option<Pace>,
}

impl Limits {
    /// A channel that takes texts up to that length and has no other limit.
    pub const fn text(text_units: usize) -> Self {
        Self { text_units, idempotent: false, window: None, buttons: 0, buttoned_units: text_units, pace: None }
    }
}

/// How fast we may send, as the channel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Messages a second on the whole account.
    pub account_per_second: NonZeroU32,
    /// The shortest time between two messages to one address.
    pub between: SignedDuration,
    /// Messages to one address that may follow each other at once, before `between` holds.
    pub burst: NonZeroU32,
}

/// A file's bytes as they come.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, FetchError>> + Send>>;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Another try may do.
    #[error("the file can't be fetched now: {why}")]
    NotNow {
        /// Without anybody's words.
        why: String,
    },
    /// It is gone, or larger than the channel gives out.
    #[error("the file can't be fetched: {why}")]
    Gone {
        /// Without anybody's words.
        why: String,
    },
}

/// The channel's word that it took a part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The channel's own id of the message.
    pub provider_id: Option<String>,
}

/// Why a part was not, or not certainly, sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Certainly not sent; another try may do.
    #[error("not sent: {why}")]
    NotSent {
        /// Without anybody's words.
        why: String,
        /// When.
        retry: Retry,
    },
    /// The request went out and no answer came.
    #[error("nobody can tell whether it was sent: {why}")]
    Unknown {
        /// Without anybody's words.
        why: String,
    },
    /// Refused for good.
    #[error("refused: {why}")]
    Refused {
        /// Without anybody's words.
        why: String,
        /// The customer can't be reached on this address any more.
        unreachable: bool,
    },
}

/// What a poll brought.
#[derive(Debug)]
pub struct Polled {
    /// Updates in the channel's order; those that can't be understood are counted in `malformed` and left out.
    pub updates: Vec<Inbound>,
    /// How far the channel has been read, to be stored with the updates.
    pub cursor: Option<Cursor>,
    /// Updates that could not be decoded.
    pub malformed: usize,
}

/// Why a poll brought nothing.
#[derive(Debug, thiserror::Error)]
#[error("polling failed: {why}")]
pub struct PollError {
    /// Without secrets.
    pub why: String,
    /// When to try again.
    pub retry: Retry,
}

/// Why a webhook's body was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The signature or secret is missing or wrong.
    #[error("the request is not signed by the channel")]
    Forged,
    /// Signed, but not understood.
    #[error("the update can't be read: {0}")]
    Malformed(String),
}
