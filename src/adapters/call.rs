//! What became of one request to a messenger, whichever it is.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::time::Duration;

use super::http_client::innermost;
use crate::ports::Retry;
use crate::ports::channel::SendError;

/// Why a call brought no result; `R` is an answer of the messenger's that is not a success. Nothing here holds the address or
/// the body: tokens and customers' words may be in them.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError<R: Debug + Display> {
    /// There was no connection, so nothing was sent.
    #[error("no connection: {0}")]
    NoConnection(String),
    /// The request may have arrived: it went out, at least in part, and no answer came that could be understood.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// An answer that is not a success.
    #[error("{0}")]
    Refused(R),
}

impl<R: Debug + Display> CallError<R> {
    /// A request that failed; `never_left`: while it was put together, or before there was a connection.
    pub(super) fn of_request(never_left: bool, error: &(dyn Error + 'static)) -> Self {
        let why = innermost(error);
        if never_left { Self::NoConnection(why) } else { Self::NoAnswer(why) }
    }

    /// What it means for a send.
    pub(super) fn of_send(self, refused: impl FnOnce(&R) -> SendError) -> SendError {
        match self {
            Self::NoConnection(why) => SendError::NotSent { why, retry: Retry::Later },
            Self::NoAnswer(why) => SendError::Unknown { why },
            Self::Refused(refusal) => refused(&refusal),
        }
    }
}

/// How long we wait for a messenger that can be polled.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// For news, in one poll: whole seconds count.
    pub news: Duration,
    /// For the answer to any other call, and for the answer to a poll after its `news` are over.
    pub answer: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { news: Duration::from_secs(25), answer: Duration::from_secs(20) }
    }
}
