//! What time it is.

use jiff::Timestamp;

/// Time as an argument: nothing inside asks the operating system.
pub trait Clock: Send + Sync {
    /// The time now, in UTC, cut to microseconds: what the databases keep.
    fn now(&self) -> Timestamp;
}
