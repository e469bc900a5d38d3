//! A circuit breaker: an endpoint that keeps failing is left alone for a while, then tried with one request.
//!
//! Pure: the time is an argument.

use std::time::{Duration, Instant};

/// The state of one endpoint.
#[derive(Debug)]
pub(super) struct Breaker {
    failures_to_open: u32,
    rest: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Requests pass; so many have failed in a row.
    Closed(u32),
    /// Nothing passes before that time.
    Open(Instant),
    /// One request is out to see whether the endpoint is back.
    Probing,
}

/// The right to make one request. Its verdict is given back with [`Breaker::succeeded`], [`Breaker::failed`] or
/// [`Breaker::abandoned`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pass {
    probe: bool,
}

impl Breaker {
    /// Closed; opens after `failures_to_open` failures in a row (at least one), for `rest`.
    pub(super) fn new(failures_to_open: u32, rest: Duration) -> Self {
        Self { failures_to_open: failures_to_open.max(1), rest, state: State::Closed(0) }
    }

    /// Whether [`Self::admit`] would let a request pass now.
    pub(super) fn allows(&self, now: Instant) -> bool {
        match self.state {
            State::Closed(_) => true,
            State::Open(until) => now >= until,
            State::Probing => false,
        }
    }

    /// Lets a request pass, or not. After the rest, one passes, and the others wait for its verdict.
    pub(super) fn admit(&mut self, now: Instant) -> Option<Pass> {
        if !self.allows(now) {
            return None;
        }
        let probe = matches!(self.state, State::Open(_));
        if probe {
            self.state = State::Probing;
        }
        Some(Pass { probe })
    }

    /// The endpoint answered.
    pub(super) fn succeeded(&mut self, pass: Pass) {
        match self.state {
            State::Closed(_) => self.state = State::Closed(0),
            State::Probing if pass.probe => self.state = State::Closed(0),
            // The request began before the breaker opened: the probe decides, not a straggler.
            State::Open(_) | State::Probing => {}
        }
    }

    /// The endpoint failed.
    pub(super) fn failed(&mut self, pass: Pass, now: Instant) {
        match self.state {
            State::Closed(failures) if failures + 1 < self.failures_to_open => {
                self.state = State::Closed(failures + 1);
            }
            State::Closed(_) => self.state = State::Open(now + self.rest),
            State::Probing if pass.probe => self.state = State::Open(now + self.rest),
            State::Open(_) | State::Probing => {}
        }
    }

    /// Nobody waited for the verdict: the next request may probe.
    pub(super) fn abandoned(&mut self, pass: Pass, now: Instant) {
        if pass.probe && self.state == State::Probing {
            self.state = State::Open(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(30);

    fn opened(at: Instant) -> Breaker {
        let mut breaker = Breaker::new(2, REST);
        for _ in 0..2 {
            let pass = breaker.admit(at).unwrap();
            breaker.failed(pass, at);
        }
        breaker
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let now = Instant::now();
        let mut breaker = Breaker::new(2, REST);
        for _ in 0..5 {
            let pass = breaker.admit(now).unwrap();
            breaker.failed(pass, now);
            let pass = breaker.admit(now).unwrap();
            breaker.succeeded(pass);
        }
        assert!(breaker.allows(now));
        assert!(!opened(now).allows(now));
    }

    #[test]
    fn after_the_rest_exactly_one_passes_and_its_success_closes() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(breaker.admit(now + REST.saturating_sub(Duration::from_millis(1))), None);
        let probe = breaker.admit(now + REST).unwrap();
        assert_eq!(breaker.admit(now + REST * 9), None);
        breaker.succeeded(probe);
        assert!(breaker.admit(now + REST).is_some());
        assert!(breaker.admit(now + REST).is_some());
    }

    #[test]
    fn a_failed_probe_opens_it_for_another_rest() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + REST;
        let probe = breaker.admit(later).unwrap();
        breaker.failed(probe, later);
        assert!(!breaker.allows(later + REST / 2));
        assert!(breaker.allows(later + REST));
    }

    #[test]
    fn an_abandoned_probe_lets_the_next_one_try() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let probe = breaker.admit(now + REST).unwrap();
        breaker.abandoned(probe, now + REST);
        assert!(breaker.admit(now + REST).is_some());
    }

    #[test]
    fn stragglers_decide_nothing() {
        let now = Instant::now();
        let mut breaker = Breaker::new(1, REST);
        let (first, second) = (breaker.admit(now).unwrap(), breaker.admit(now).unwrap());
        breaker.failed(first, now);
        breaker.succeeded(second);
        assert!(!breaker.allows(now), "a late success must not close an open breaker");
        let probe = breaker.admit(now + REST).unwrap();
        breaker.failed(second, now + REST);
        breaker.abandoned(second, now + REST);
        assert!(!breaker.allows(now + REST * 2), "the probe is still out");
        breaker.succeeded(probe);
        assert!(breaker.allows(now + REST));
    }
}
