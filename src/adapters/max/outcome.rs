//! What a failed call means for a send, for a poll, and for whoever asked.
//!
//! | answer | send |
//! | --- | --- |
//! | no connection (refused, name, TLS), 429, 503, any other 3xx and 4xx that is not MAX's own | certainly not sent |
//! | 401, `verify.token` | not sent: the token is wrong, and messages wait until it is right |
//! | 403, 404, and codes that say that the dialog is denied, suspended or not there | refused: out of reach |
//! | other 4xx, and a success that says that it is none | refused for good |
//! | time-out, reset, answer that can't be read, 5xx other than 503 | nobody can tell |
//!
//! MAX knows no key by which a send could be repeated safely, and does not document whether a 5xx was sent: 502 and 504 come
//! from what stands in front of the server that sends, and 500 from anywhere in it; 503 is the refusal to begin.

use jiff::SignedDuration;

use super::MaxError;
use super::call::{CallError, Refusal};
use crate::ports::Retry;
use crate::ports::channel::{FetchError, PollError, SendError};

/// Parts of codes which say that this customer can't be written to, whatever the status.
const GONE: [&str; 3] = ["denied", "suspended", "not.found"];

pub(super) fn of_send(error: CallError) -> SendError {
    error.of_send(of_refused_send)
}

fn of_refused_send(refusal: &Refusal) -> SendError {
    let why = refusal.brief();
    match (refusal.status, &refusal.code) {
        (429 | 503, _) => SendError::NotSent { why, retry: retry(refusal) },
        (300..=499, None) => SendError::NotSent { why, retry: Retry::Later },
        (500.., _) => SendError::Unknown { why },
        _ if refusal.is_unknown_token() => {
            SendError::NotSent { why: MaxError::UnknownToken.to_string(), retry: Retry::Later }
        }
        (403 | 404, _) => SendError::Refused { why, unreachable: true },
        (_, code) => {
            let unreachable = code.as_ref().is_some_and(|code| GONE.iter().any(|gone| code.contains(gone)));
            SendError::Refused { why, unreachable }
        }
    }
}

pub(super) fn of_poll(error: &CallError) -> PollError {
    let (why, retry) = match error {
        CallError::Refused(refusal) if refusal.is_unknown_token() => (MaxError::UnknownToken.to_string(), Retry::Never),
        CallError::Refused(refusal) if matches!(refusal.status, 405 | 409) => {
            (format!("{refusal}; max posts to a webhook: delete it, or set max.mode to \"webhook\""), Retry::Later)
        }
        CallError::Refused(refusal) => (refusal.to_string(), retry(refusal)),
        CallError::NoConnection(_) | CallError::NoAnswer(_) => (error.to_string(), Retry::Later),
    };
    PollError { why, retry }
}

/// Of asking where a film lies.
pub(super) fn of_fetch(error: &CallError) -> FetchError {
    let why = error.to_string();
    match error {
        CallError::Refused(refusal) if matches!(refusal.status, 400 | 403 | 404) => FetchError::Gone { why },
        _ => FetchError::NotNow { why },
    }
}

fn retry(refusal: &Refusal) -> Retry {
    refusal.retry_after.map_or(Retry::Later, |seconds| Retry::After(SignedDuration::from_secs(seconds.into())))
}

impl From<CallError> for MaxError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NoConnection(why) | CallError::NoAnswer(why) => Self::Unreachable(why),
            CallError::Refused(refusal) if refusal.is_unknown_token() => Self::UnknownToken,
            CallError::Refused(refusal) if refusal.code.is_none() => Self::Unreachable(refusal.to_string()),
            CallError::Refused(refusal) => Self::Refused(refusal.to_string()),
        }
    }
}
