//! The person helped.

use jiff::Timestamp;

use super::id::CustomerId;
use super::text::Language;

/// A person who writes to us, on one address or several.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Our key. Never a phone number: channels may hide it, and numbers are recycled.
    pub id: CustomerId,
    /// The name that a channel shows, until a fact says better.
    pub display_name: Option<String>,
    /// The language last written in.
    pub language: Option<Language>,
    /// First contact.
    pub created_at: Timestamp,
    /// Whether anything may be learnt of them and recalled. Where not, the bot answers all the same.
    pub remembered: bool,
}
