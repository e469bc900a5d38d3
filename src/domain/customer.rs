//! The person helped.

use jiff::Timestamp;
use serde::Serialize;

use super::channel::Address;
use super::id::{CustomerId, MergeId};
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

/// Where a customer writes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownAddress {
    /// The address.
    pub address: Address,
    /// Whose it was before any merge: the customer of whom it is the evidence.
    pub home: CustomerId,
    /// First contact from it.
    pub first_seen_at: Timestamp,
}

/// The finding that two customers are one person, until it is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merge {
    /// Its key.
    pub id: MergeId,
    /// Who became part of the other: this key stands for nobody of its own until the merge is undone.
    pub part: CustomerId,
    /// Whose key stands for both.
    pub whole: CustomerId,
    /// Who vouches for it: an operator's login, or `cli`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Who undid it, and when.
    pub undone: Option<Undone>,
}

/// That a merge was undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// An operator's login, or `cli`.
    pub by: String,
    /// When.
    pub at: Timestamp,
}
