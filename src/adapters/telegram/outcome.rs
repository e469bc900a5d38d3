//! What a failed call means for a send, for a poll, and for whoever asked.
//!
//! | answer | send |
//! | --- | --- |
//! | no connection (refused, name, TLS), 429, 503, any other 3xx and 4xx that is not Telegram's own | certainly not sent |
//! | 401, 404 | not sent: the token is wrong, and messages wait until it is right |
//! | 403, 400 and other 4xx | refused for good |
//! | 403 and 400 that speak of a business connection | refused: its owner must let the bot answer; the customer is there |
//! | time-out, reset, answer that can't be read, 5xx other than 503 | nobody can tell |
//!
//! Telegram does not document whether a 5xx was sent. 502 and 504 come from what stands in front of the server that sends,
//! and 500 from anywhere in it; 503 is the refusal to begin.

use jiff::SignedDuration;

use super::TelegramError;
use super::call::{CallError, Refusal};
use crate::ports::Retry;
use crate::ports::channel::{FetchError, PollError, SendError};

/// Words of a 400 which say that this chat can't be written to, now or later. A 403 always says so.
const GONE: [&str; 6] =
    ["chat not found", "user not found", "deactivated", "peer_id_invalid", "user_is_blocked", "bot was blocked"];

/// A word of refusals that are about a business connection, and not about the customer.
const OF_CONNECTION: &str = "business";

pub(super) fn of_send(error: CallError) -> SendError {
    error.of_send(of_refused_send)
}

fn of_refused_send(refusal: &Refusal) -> SendError {
    let why = refusal.to_string();
    if let Some(chat) = refusal.migrated_to {
        return SendError::Refused { why: format!("{why}; the chat is {chat} now"), unreachable: false };
    }
    match refusal.status {
        429 | 503 => SendError::NotSent { why, retry: retry(refusal) },
        300..=499 if refusal.description.is_none() => SendError::NotSent { why, retry: Retry::Later },
        401 | 404 => SendError::NotSent { why: TelegramError::UnknownToken.to_string(), retry: Retry::Later },
        400..=499 if why.to_lowercase().contains(OF_CONNECTION) => SendError::Refused { why, unreachable: false },
        403 => SendError::Refused { why, unreachable: true },
        400..=499 => {
            let words = why.to_lowercase();
            SendError::Refused { unreachable: GONE.iter().any(|gone| words.contains(gone)), why }
        }
        _ => SendError::Unknown { why },
    }
}

/// What a failed question where a file is means. Telegram has no code of its own for one that is too big, or gone.
pub(super) fn of_fetch(error: &CallError) -> FetchError {
    match error {
        CallError::Refused(refusal) if is_unknown_token(refusal) => {
            FetchError::NotNow { why: TelegramError::UnknownToken.to_string() }
        }
        CallError::Refused(refusal) if matches!(refusal.status, 400 | 403) => {
            FetchError::Gone { why: refusal.to_string() }
        }
        CallError::Refused(_) | CallError::NoConnection(_) | CallError::NoAnswer(_) => {
            FetchError::NotNow { why: error.to_string() }
        }
    }
}

pub(super) fn of_poll(error: &CallError) -> PollError {
    let (why, retry) = match error {
        CallError::Refused(refusal) if is_unknown_token(refusal) => {
            (TelegramError::UnknownToken.to_string(), Retry::Never)
        }
        CallError::Refused(refusal) if refusal.status == 409 => {
            (format!("{refusal}; {}", mend_of_conflict(refusal)), Retry::Later)
        }
        CallError::Refused(refusal) => (refusal.to_string(), retry(refusal)),
        CallError::NoConnection(_) | CallError::NoAnswer(_) => (error.to_string(), Retry::Later),
    };
    PollError { why, retry }
}

fn mend_of_conflict(refusal: &Refusal) -> &'static str {
    if refusal.description.as_ref().is_some_and(|words| words.contains("webhook")) {
        "a webhook is set for this bot: delete it, or set telegram.mode to \"webhook\""
    } else {
        "another process polls this bot: stop it, or give one of them a bot of its own"
    }
}

/// Telegram answers 401 to a token that was revoked, and 404 to one that never was.
fn is_unknown_token(refusal: &Refusal) -> bool {
    matches!(refusal.status, 401 | 404) && refusal.description.is_some()
}

fn retry(refusal: &Refusal) -> Retry {
    refusal.retry_after.map_or(Retry::Later, |seconds| Retry::After(SignedDuration::from_secs(seconds.into())))
}

impl From<CallError> for TelegramError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NoConnection(why) | CallError::NoAnswer(why) => Self::Unreachable(why),
            CallError::Refused(refusal) if is_unknown_token(&refusal) => Self::UnknownToken,
            CallError::Refused(refusal) if refusal.description.is_none() => Self::Unreachable(refusal.to_string()),
            CallError::Refused(refusal) => Self::Refused(refusal.to_string()),
        }
    }
}
