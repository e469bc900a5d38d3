//! The person helped.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

/// What a site vouches for of a visitor of its web chat, by a token that it has signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their number, verified by the site, in E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Their mail address, verified by the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl Claims {
    /// What may be entered among the facts: keys and values.
    pub fn proven(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let phone = self.phone.as_deref().map(|phone| ("phone", phone));
        phone.into_iter().chain(self.email.as_deref().map(|email| ("email", email)))
    }
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
