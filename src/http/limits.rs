//! How often somebody may do something. Everything is kept in memory and bounded: an attacker can fill no map.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

/// Keys that are remembered at most; beyond that, those that are closest to being free again are forgotten.
const KEYS: usize = 20_000;

/// A number of requests a minute, or an hour, for each key, after the generic cell rate algorithm: one instant a key is all
/// it takes, a whole span's worth may come at once, and waiting gives it back evenly.
pub(crate) struct Rates {
    most: u32,
    span: SignedDuration,
    /// Until when each key has used up its allowance.
    used_until: Mutex<HashMap<String, Timestamp>>,
}

impl Rates {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { most: per_minute.max(1), span: SignedDuration::from_mins(1), used_until: Mutex::default() }
    }

    /// So many an hour.
    pub(crate) fn hourly(most: u32) -> Self {
        Self { most: most.max(1), span: SignedDuration::from_hours(1), used_until: Mutex::default() }
    }

    /// Takes one request of `key`'s allowance, or says how long to wait.
    pub(crate) fn take(&self, key: &str, now: Timestamp) -> Result<(), SignedDuration> {
        let step = self.span / i32::try_from(self.most).unwrap_or(i32::MAX);
        let mut used_until = self.used_until.lock().expect("no holder of this lock panics");
        let used = used_until.get(key).copied().unwrap_or(now).max(now);
        let ahead = used.duration_since(now);
        let most = self.span - step;
        if ahead > most {
            return Err(ahead - most);
        }
        make_room(&mut used_until, now, |until| *until);
        used_until.insert(key.to_owned(), used.saturating_add(step).unwrap_or(used));
        Ok(())
    }
}

/// Failed attempts, with a wait that doubles after the first few.
#[derive(Default)]
pub(crate) struct Attempts {
    seen: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    wait_until: Timestamp,
    forget_at: Timestamp,
}

/// A key of [`Attempts`], with what is allowed under it.
pub(crate) struct Allowance {
    /// What is counted.
    pub(crate) key: String,
    /// Attempts without any wait.
    pub(crate) free: u32,
    /// Longest wait.
    pub(crate) longest: SignedDuration,
}

impl Attempts {
    /// Counts an attempt as failed before it is tried, so that attempts at the same time count as well; or says how
    /// long to wait, and counts nothing.
    pub(crate) fn begin(&self, allowances: &[Allowance], now: Timestamp) -> Result<(), SignedDuration> {
        let mut seen = self.seen.lock().expect("no holder of this lock panics");
        let waits = allowances.iter().filter_map(|one| seen.get(&one.key)).map(|failures| failures.wait_until);
        if let Some(until) = waits.max().filter(|until| *until > now) {
            return Err(until.duration_since(now));
        }
        for one in allowances {
            make_room(&mut seen, now, |failures| failures.forget_at);
            let before = seen.get(&one.key).filter(|failures| failures.forget_at > now).map_or(0, |f| f.count);
            let count = before.saturating_add(1);
            let wait = match count.checked_sub(one.free) {
                None | Some(0) => SignedDuration::ZERO,
                Some(over) => SignedDuration::from_secs(1_i64 << (over - 1).min(20)).min(one.longest),
            };
            let wait_until = now.saturating_add(wait).unwrap_or(now);
            let forget_at = wait_until.saturating_add(SignedDuration::from_hours(1)).unwrap_or(wait_until);
            seen.insert(one.key.clone(), Failures { count, wait_until, forget_at });
        }
        Ok(())
    }

    /// The attempt was right after all: what was counted under these keys is forgotten.
    pub(crate) fn succeeded(&self, keys: &[&str]) {
        let mut seen = self.seen.lock().expect("no holder of this lock panics");
        for key in keys {
            seen.remove(*key);
        }
    }
}

/// Before one more is put in: forgets what is over, and where that is not enough, the quarter that is over first.
fn make_room<T>(map: &mut HashMap<String, T>, now: Timestamp, over_at: impl Fn(&T) -> Timestamp) {
    if map.len() < KEYS {
        return;
    }
    map.retain(|_, value| over_at(value) > now);
    if map.len() < KEYS {
        return;
    }
    let mut ends: Vec<Timestamp> = map.values().map(&over_at).collect();
    let quarter = ends.len() / 4;
    let (_, cut, _) = ends.select_nth_unstable(quarter);
    let cut = *cut;
    map.retain(|_, value| over_at(value) > cut);
}

/// Open streams: so many in all, and so many for each key.
pub(crate) struct Streams {
    most: usize,
    most_each: usize,
    open: Mutex<HashMap<String, usize>>,
}

/// The right to one open stream; given back when it is dropped.
pub(crate) struct OpenStream {
    streams: Arc<Streams>,
    key: String,
}

impl Streams {
    pub(crate) fn new(most: usize, most_each: usize) -> Arc<Self> {
        Arc::new(Self { most, most_each, open: Mutex::default() })
    }

    /// Opens a stream for `key`, unless it, or all together, have enough.
    pub(crate) fn open(self: &Arc<Self>, key: &str) -> Option<OpenStream> {
        let mut open = self.open.lock().expect("no holder of this lock panics");
        let all: usize = open.values().sum();
        let of_key = open.get(key).copied().unwrap_or(0);
        if all >= self.most || of_key >= self.most_each {
            return None;
        }
        open.insert(key.to_owned(), of_key + 1);
        Some(OpenStream { streams: Arc::clone(self), key: key.to_owned() })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().expect("no holder of this lock panics");
        let left = open.get(&self.key).copied().unwrap_or(1).saturating_sub(1);
        if left == 0 {
            open.remove(&self.key);
        } else {
            open.insert(self.key.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_minutes_worth_may_come_at_once_and_comes_back_evenly() {
        let rates = Rates::new(3);
        for _ in 0..3 {
            assert_eq!(rates.take("ana", at(0)), Ok(()));
        }
        assert_eq!(rates.take("ana", at(0)), Err(SignedDuration::from_secs(20)));
        assert_eq!(rates.take("bob", at(0)), Ok(()), "others are not held up");
        assert_eq!(rates.take("ana", at(20)), Ok(()));
        assert_eq!(rates.take("ana", at(20)), Err(SignedDuration::from_secs(20)));
    }

    proptest! {
        #[test]
        fn no_order_of_requests_gets_more_than_two_allowances_a_minute(
            steps in prop::collection::vec(0..30_i64, 1..200), per_minute in 1..40_u32,
        ) {
            let rates = Rates::new(per_minute);
            let mut now = 0;
            let mut granted = Vec::new();
            for step in steps {
                now += step;
                match rates.take("ana", at(now)) {
                    Ok(()) => granted.push(now),
                    Err(wait) => prop_assert!(wait > SignedDuration::ZERO && wait <= SignedDuration::from_mins(1)),
                }
            }
            for (index, from) in granted.iter().enumerate() {
                let within = granted[index..].iter().take_while(|at| **at < from + 60).count();
                prop_assert!(within <= 2 * per_minute as usize);
            }
        }
    }

    fn allowance(key: &str, free: u32) -> Allowance {
        Allowance { key: key.to_owned(), free, longest: SignedDuration::from_secs(8) }
    }

    #[test]
    fn failures_wait_longer_and_longer_up_to_the_longest() {
        let attempts = Attempts::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..8 {
            match attempts.begin(&[allowance("ana", 2)], at(now)) {
                Ok(()) => waits.push(0),
                Err(wait) => {
                    waits.push(wait.as_secs());
                    now += wait.as_secs();
                    assert_eq!(attempts.begin(&[allowance("ana", 2)], at(now)), Ok(()));
                }
            }
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 8]);
        attempts.succeeded(&["ana"]);
        assert_eq!(attempts.begin(&[allowance("ana", 2)], at(now)), Ok(()));
    }

    #[test]
    fn one_key_that_must_wait_holds_the_others_and_counts_nothing() {
        let attempts = Attempts::default();
        for _ in 0..3 {
            attempts.begin(&[allowance("address", 2)], at(0)).unwrap();
            attempts.succeeded(&["login"]);
        }
        assert!(attempts.begin(&[allowance("login", 1), allowance("address", 2)], at(0)).is_err());
        assert_eq!(attempts.begin(&[allowance("login", 1)], at(0)), Ok(()));
        assert_eq!(attempts.begin(&[allowance("login", 1)], at(0)), Ok(()), "the refused one was not counted");
    }

    #[test]
    fn maps_stay_bounded() {
        let rates = Rates::new(1);
        for number in 0..KEYS + 10 {
            rates.take(&number.to_string(), at(0)).unwrap();
        }
        assert!(rates.used_until.lock().unwrap().len() <= KEYS);
    }

    #[test]
    fn streams_are_counted_and_given_back() {
        let streams = Streams::new(3, 2);
        let first = streams.open("ana").unwrap();
        let _second = streams.open("ana").unwrap();
        assert!(streams.open("ana").is_none());
        let _third = streams.open("bob").unwrap();
        assert!(streams.open("eve").is_none(), "all together have enough");
        drop(first);
        assert!(streams.open("ana").is_some());
    }
}
