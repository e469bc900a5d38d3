//! What a failed call means for a send, for a file, and for whoever asked; and what the codes of a status mean.
//!
//! | answer | send |
//! | --- | --- |
//! | no connection (refused, name, TLS), 429, 503, any other 3xx and 4xx that is not Meta's own | certainly not sent |
//! | Meta's own error with a code of [`CODES`] | as that table says |
//! | Meta's own error with another code, 4xx | refused for good |
//! | time-out, reset, answer that can't be read, other 5xx | nobody can tell; a status tells it later by the dedupe key |

use jiff::SignedDuration;

use super::WhatsAppError;
use super::call::{CallError, Refusal};
use crate::ports::Retry;
use crate::ports::channel::{FetchError, SendError};

/// What is done about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Not sent, and it may go later: by itself, or when somebody has mended the account.
    Later,
    /// Not sent for haste: so many seconds are waited, and so many more after each further refusal. A burst to one customer
    /// is owed back at one message in six seconds; limits of the account are counted by the hour.
    Slower(i32),
    /// Never goes like this.
    Refused,
    /// Never goes to this customer.
    Unreachable,
}

/// The codes of Meta's list that call for something else than the status does: first and last of a range, what is done,
/// what they mean and what mends them. Told apart by the code alone; Meta changes the words.
const CODES: [(i64, i64, Class, &str); 31] = [
    (0, 0, Class::Later, TOKEN),
    (1, 2, Class::Later, "Meta has a fault of its own"),
    (3, 3, Class::Later, PERMISSION),
    (4, 4, Class::Slower(60), "the app calls too often"),
    (10, 10, Class::Later, PERMISSION),
    (190, 190, Class::Later, TOKEN),
    (200, 299, Class::Later, PERMISSION),
    (368, 368, Class::Later, BLOCKED),
    (80_007, 80_007, Class::Slower(60), "the business account calls too often"),
    (130_429, 130_429, Class::Slower(2), "the number sends too fast"),
    (130_472, 130_472, Class::Refused, "the customer is part of an experiment of Meta's and gets no such message"),
    (130_497, 130_497, Class::Refused, "the business may not write to customers of this country"),
    (131_000, 131_000, Class::Later, "Meta has a fault of its own"),
    (131_005, 131_005, Class::Later, PERMISSION),
    (131_016, 131_016, Class::Later, "WhatsApp is down for a while"),
    (
        131_026,
        131_026,
        Class::Unreachable,
        "the customer can't get it: no WhatsApp, too old an app, or terms not accepted",
    ),
    (131_030, 131_030, Class::Refused, "a test number writes only to the numbers on its list: add this one at Meta"),
    (131_031, 131_031, Class::Later, BLOCKED),
    (131_037, 131_037, Class::Later, "the number has no approved display name yet: set it at Meta"),
    (131_042, 131_042, Class::Later, "Meta can't charge the business account: mend its way of payment"),
    (131_045, 131_045, Class::Later, UNREGISTERED),
    (
        131_047,
        131_047,
        Class::Refused,
        "the customer last wrote more than 24 hours ago: only a template may go out now",
    ),
    (
        131_048,
        131_048,
        Class::Refused,
        "too many customers blocked or reported this number: look at its quality at Meta",
    ),
    (131_049, 131_049, Class::Refused, "Meta spares this customer further marketing; trying again does not help"),
    (131_050, 131_050, Class::Refused, "the customer wants no marketing from this number"),
    (131_051, 131_051, Class::Refused, "WhatsApp does not know this type of message"),
    (131_052, 131_053, Class::Later, "the file could not be loaded"),
    (131_056, 131_056, Class::Slower(6), "too many messages to this customer in a short time"),
    (131_057, 131_057, Class::Later, "the business account is being maintained"),
    (132_000, 132_069, Class::Refused, "the template can't be used: look at it at Meta"),
    (133_010, 133_010, Class::Later, UNREGISTERED),
];

const TOKEN: &str =
    "Meta does not take the token: make one of a system user that does not expire, and set whatsapp.token";
const PERMISSION: &str = "the token may not do this: give its system user the number, with whatsapp_business_messaging";
const UNREGISTERED: &str = "the number is not registered for the Cloud API: register it at Meta";
const BLOCKED: &str = "Meta has blocked the account: see its account quality page";

fn entry(code: i64) -> Option<(Class, &'static str)> {
    let found = CODES.into_iter().find(|(first, last, ..)| (*first..=*last).contains(&code));
    found.map(|(_, _, class, meaning)| (class, meaning))
}

/// A code of a status for people, without anybody's words, and whether the customer can't be reached.
pub(super) fn of_status(code: i64) -> (String, bool) {
    match entry(code) {
        Some((class, meaning)) => (format!("{code}: {meaning}"), class == Class::Unreachable),
        None => (format!("{code}: see Meta's list of error codes"), false),
    }
}

/// `attempts` so far, the failed one included.
pub(super) fn of_send(error: CallError, attempts: i64) -> SendError {
    error.of_send(|refusal| of_refused_send(refusal, attempts))
}

fn of_refused_send(refusal: &Refusal, attempts: i64) -> SendError {
    let why = refusal.to_string();
    match refusal.told.as_ref().and_then(|told| entry(told.code)) {
        Some((Class::Later, _)) => SendError::NotSent { why, retry: retry(refusal) },
        Some((Class::Slower(seconds), _)) => {
            let times = i32::try_from(attempts.clamp(1, 100)).unwrap_or(1);
            let wait = SignedDuration::from_secs(seconds.into()) * times;
            let retry = if refusal.retry_after.is_some() { retry(refusal) } else { Retry::After(wait) };
            SendError::NotSent { why, retry }
        }
        Some((Class::Refused, _)) => SendError::Refused { why, unreachable: false },
        Some((Class::Unreachable, _)) => SendError::Refused { why, unreachable: true },
        None => match refusal.status {
            429 | 503 => SendError::NotSent { why, retry: retry(refusal) },
            300..=499 if refusal.told.is_none() => SendError::NotSent { why, retry: Retry::Later },
            400..=499 => SendError::Refused { why, unreachable: false },
            _ => SendError::Unknown { why },
        },
    }
}

fn retry(refusal: &Refusal) -> Retry {
    refusal.retry_after.map_or(Retry::Later, |seconds| Retry::After(SignedDuration::from_secs(seconds.into())))
}

/// Meta keeps files for a month or less, and says 4xx to those that are gone.
pub(super) fn of_fetch(error: &CallError) -> FetchError {
    let why = error.to_string();
    match error {
        CallError::Refused(Refusal { status: 400..=499, told: Some(told), .. }) if entry(told.code).is_none() => {
            FetchError::Gone { why }
        }
        CallError::NoConnection(_) | CallError::NoAnswer(_) | CallError::Refused(_) => FetchError::NotNow { why },
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.told {
            None => write!(f, "{} without a word of meta", self.status),
            Some(told) => match entry(told.code) {
                Some((_, meaning)) => write!(f, "{}: {meaning}", told.code),
                None => write!(f, "{}: {}", told.code, told.words),
            },
        }
    }
}

impl From<CallError> for WhatsAppError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NoConnection(why) | CallError::NoAnswer(why) => Self::Unreachable(why),
            CallError::Refused(refusal) if refusal.told.is_none() => Self::Unreachable(refusal.to_string()),
            CallError::Refused(refusal) => Self::Refused(refusal.to_string()),
        }
    }
}
