//! The seams of Firstline: a trait stands where we leave the process or meet nondeterminism, and a test must replace it.

pub mod channel;
pub mod clock;
pub mod desk;
pub mod identity;
pub mod index;
pub mod ledger;
pub mod model;
pub mod privacy;
pub mod proof;
pub mod store;
pub mod visitors;

use jiff::SignedDuration;

/// Whether trying again can help; every port's error answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Yes, with the usual back-off.
    Later,
    /// Yes, but not before this long.
    After(SignedDuration),
    /// No.
    Never,
}
