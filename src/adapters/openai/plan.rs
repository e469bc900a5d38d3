//! Which model is asked next, and when: order, back-off, budget and deadline of one call.
//!
//! Pure: the time and the randomness are arguments. [`super::chat`] does what the plan says.

use std::time::{Duration, Instant};

use super::fault::Fault;

/// Wait after the first failure of a model; doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(300);
/// Longest wait that we choose ourselves.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// The state of one call.
#[derive(Debug)]
pub(super) struct Plan {
    attempts_left: u32,
    until: Instant,
    jitter: f64,
    lanes: Vec<Lane>,
}

/// One model in one call.
#[derive(Debug, Clone, Copy)]
struct Lane {
    ready_at: Instant,
    failures: u32,
    spent: bool,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask that model, not before that time.
    Ask {
        /// Its number in the configured list.
        lane: usize,
        /// When.
        at: Instant,
    },
    /// Nothing is left to try.
    GiveUp,
}

impl Plan {
    /// A call that may make `attempts` attempts (at least one) before `until`. `ready_at` says for each model, in the
    /// configured order, from when it may be asked. `jitter`, 0 to 1, spreads our own waits over half of their length, so
    /// that calls that failed together don't come back together; it is one for a call, so that its models keep their
    /// order.
    pub(super) fn new(attempts: u32, until: Instant, jitter: f64, ready_at: impl IntoIterator<Item = Instant>) -> Self {
        let lanes = ready_at.into_iter().map(|ready_at| Lane { ready_at, failures: 0, spent: false }).collect();
        Self { attempts_left: attempts.max(1), until, jitter: jitter.clamp(0.0, 1.0), lanes }
    }

    /// The model that is ready soonest; of several, the one that failed least, then the first in the list. Models that
    /// `allowed` refuses are passed over.
    pub(super) fn next(&self, now: Instant, allowed: impl Fn(usize) -> bool) -> Step {
        if self.attempts_left == 0 || now >= self.until {
            return Step::GiveUp;
        }
        let ready = |lane: &Lane| lane.ready_at.max(now);
        self.lanes
            .iter()
            .enumerate()
            .filter(|(number, lane)| !lane.spent && ready(lane) < self.until && allowed(*number))
            .min_by_key(|(number, lane)| (ready(lane), lane.failures, *number))
            .map_or(Step::GiveUp, |(lane, state)| Step::Ask { lane, at: ready(state) })
    }

    /// An attempt begins.
    pub(super) fn begun(&mut self) {
        self.attempts_left = self.attempts_left.saturating_sub(1);
    }

    /// The attempt failed.
    pub(super) fn failed(&mut self, lane: usize, fault: &Fault, now: Instant) {
        let lane = &mut self.lanes[lane];
        lane.failures += 1;
        let doubled = FIRST_WAIT * 2_u32.saturating_pow(lane.failures.min(10) - 1);
        let wait = doubled.min(LONGEST_WAIT).mul_f64(0.5 + 0.5 * self.jitter);
        match fault {
            Fault::Down(_) | Fault::Empty => lane.ready_at = now + wait,
            Fault::Busy { after, .. } => {
                // A wait longer than any call is as good as none: the model is out of this one.
                let wait = after.unwrap_or(wait).min(Duration::from_hours(24));
                lane.ready_at = now + wait;
            }
            Fault::Refused(_)
            | Fault::NotFound
            | Fault::Rejected(_)
            | Fault::TooLong
            | Fault::Unsupported(_)
            | Fault::Unusable(_) => lane.spent = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn down() -> Fault {
        Fault::Down("status 500".to_owned())
    }

    fn busy(after: Duration) -> Fault {
        Fault::Busy { why: "status 429".to_owned(), after: Some(after) }
    }

    fn any(_: usize) -> bool {
        true
    }

    fn plan(models: usize, attempts: u32, now: Instant) -> Plan {
        Plan::new(attempts, now + 45 * SECOND, 1.0, vec![now; models])
    }

    #[test]
    fn the_next_model_is_asked_at_once_and_the_first_one_again_after_a_wait() {
        let now = Instant::now();
        let mut plan = plan(2, 5, now);
        assert_eq!(plan.next(now, any), Step::Ask { lane: 0, at: now });
        plan.failed(0, &down(), now);
        assert_eq!(plan.next(now, any), Step::Ask { lane: 1, at: now });
        plan.failed(1, &down(), now);
        assert_eq!(plan.next(now, any), Step::Ask { lane: 0, at: now + FIRST_WAIT });
        plan.failed(0, &down(), now + FIRST_WAIT);
        assert_eq!(plan.next(now + FIRST_WAIT, any), Step::Ask { lane: 1, at: now + FIRST_WAIT });
    }

    #[test]
    fn waits_double_and_are_spread() {
        let now = Instant::now();
        for (jitter, factor) in [(0.0, 0.5), (1.0, 1.0)] {
            let mut plan = Plan::new(9, now + 45 * SECOND, jitter, [now]);
            for doubling in 0..3 {
                plan.failed(0, &down(), now);
                let wait = (FIRST_WAIT * 2_u32.pow(doubling)).mul_f64(factor);
                assert_eq!(plan.next(now, any), Step::Ask { lane: 0, at: now + wait });
            }
        }
    }

    #[test]
    fn a_wanted_wait_is_kept_to_the_end_or_the_model_is_left_out() {
        let now = Instant::now();
        let mut alone = plan(1, 3, now);
        alone.failed(0, &busy(10 * SECOND), now);
        assert_eq!(alone.next(now, any), Step::Ask { lane: 0, at: now + 10 * SECOND });
        alone.failed(0, &busy(45 * SECOND), now);
        assert_eq!(alone.next(now, any), Step::GiveUp);
        let mut two = plan(2, 3, now);
        two.failed(0, &busy(Duration::MAX), now);
        assert_eq!(two.next(now, any), Step::Ask { lane: 1, at: now });
    }

    #[test]
    fn what_would_be_refused_again_is_not_asked_again() {
        let now = Instant::now();
        for fault in [Fault::Refused(String::new()), Fault::TooLong, Fault::Unusable(String::new())] {
            let mut plan = plan(2, 9, now);
            plan.failed(0, &fault, now);
            assert_eq!(plan.next(now, any), Step::Ask { lane: 1, at: now });
            plan.failed(1, &fault, now);
            assert_eq!(plan.next(now + SECOND, any), Step::GiveUp);
        }
    }

    #[test]
    fn a_resting_model_is_passed_over() {
        let now = Instant::now();
        assert_eq!(plan(2, 3, now).next(now, |lane| lane != 0), Step::Ask { lane: 1, at: now });
        assert_eq!(plan(2, 3, now).next(now, |_| false), Step::GiveUp);
    }

    proptest! {
        /// However attempts end, there are never more of them than allowed, and none begins at or after the deadline.
        #[test]
        fn budget_and_deadline_hold(
            models in 1_usize..4,
            attempts in 1_u32..8,
            ends in proptest::collection::vec((0_u8..4, 0_u64..20_000, 0_u64..30_000), 20),
            jitter in 0.0..1.0_f64,
        ) {
            let began = Instant::now();
            let until = began + 45 * SECOND;
            let mut plan = Plan::new(attempts, until, jitter, vec![began; models]);
            let (mut now, mut made) = (began, 0);
            for (kind, takes, wanted) in ends {
                let Step::Ask { lane, at } = plan.next(now, any) else { break };
                prop_assert!(at >= now && at < until);
                plan.begun();
                made += 1;
                now = at + Duration::from_millis(takes);
                let fault = match kind {
                    0 => down(),
                    1 => busy(Duration::from_millis(wanted)),
                    2 => Fault::Empty,
                    _ => Fault::Unusable(String::new()),
                };
                plan.failed(lane, &fault, now);
            }
            prop_assert!(made <= attempts);
        }
    }
}
