//! The system's clock.

use jiff::{Timestamp, Unit};

use crate::ports::clock::Clock;

/// UTC as the operating system tells it, cut to microseconds.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.round(Unit::Microsecond).unwrap_or(now)
    }
}
