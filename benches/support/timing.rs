//! Times, and what they are worth.
#![allow(dead_code, reason = "each benchmark takes what it needs")]

use std::time::{Duration, Instant};

/// The fastest of so many rounds counts, since others share the processor.
pub(crate) fn fastest(rounds: usize, mut work: impl FnMut()) -> Duration {
    let timed = (0..rounds).map(|_| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    });
    timed.min().unwrap_or_default()
}

/// The machine's load, as Linux tells it.
pub(crate) fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}
