//! How fast we send: no faster than a channel takes it, and not at all for a while where it keeps refusing.
//!
//! Kept in the process. Time is an argument, and the pace of the account and that of the address are granted together or
//! not at all: what waits for the one must not use up the other.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

use crate::domain::channel::{Address, ChannelKind};
use crate::ports::channel::Pace;

/// Refusals for haste, with nothing sent in between, after which the whole account pauses.
const REFUSALS: usize = 3;

/// How long a refusal counts.
const REFUSED_FOR: SignedDuration = SignedDuration::from_mins(1);

/// Addresses that are remembered before those are let go of that may be written to anyway.
const ADDRESSES: usize = 4_096;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// What was sent lately, by account and by address.
#[derive(Default)]
pub struct Paces(Mutex<HashMap<(ChannelKind, String), Account>>);

/// One account on one channel.
#[derive(Default)]
struct Account {
    /// The newest sends, oldest first.
    sent: VecDeque<Timestamp>,
    /// What was put off goes one after the other, and not all at the first moment that is free.
    put_off_until: Timestamp,
    paused_until: Timestamp,
    refused: Vec<Timestamp>,
    /// By address, when its sends would be over had they gone evenly.
    addresses: HashMap<String, Timestamp>,
}

impl Paces {
    /// Grants a send now, or says when it may be asked for again.
    ///
    /// # Errors
    /// That time, which is in the future.
    pub fn grant(&self, to: &Address, pace: Option<Pace>, now: Timestamp) -> Result<(), Timestamp> {
        self.with(to, |account| account.grant(&to.external, pace, now))
    }

    /// Hears that the channel took something.
    pub fn taken(&self, to: &Address) {
        self.with(to, |account| account.refused.clear());
    }

    /// Hears that the channel refused a send for haste, and for how long.
    pub fn refused(&self, to: &Address, wait: SignedDuration, now: Timestamp) {
        self.with(to, |account| account.note_refusal(wait, now));
    }

    fn with<T>(&self, to: &Address, act: impl FnOnce(&mut Account) -> T) -> T {
        let mut accounts = self.0.lock().expect("no holder of this lock panics");
        act(accounts.entry((to.channel, to.account.clone())).or_default())
    }
}

impl Account {
    fn grant(&mut self, external: &str, pace: Option<Pace>, now: Timestamp) -> Result<(), Timestamp> {
        let apart = pace.map_or(SignedDuration::ZERO, |pace| SECOND / clamped(pace.account_per_second.get()));
        if self.paused_until > now {
            return Err(self.put_off(self.paused_until, apart));
        }
        let Some(pace) = pace else { return Ok(()) };
        let ahead = pace.between * (clamped(pace.burst.get()) - 1);
        let even = self.addresses.get(external).copied().unwrap_or(now).max(now);
        if even - ahead > now {
            return Err(even - ahead);
        }
        let most = usize::try_from(pace.account_per_second.get()).unwrap_or(usize::MAX);
        while self.sent.front().is_some_and(|sent| *sent + SECOND <= now) {
            self.sent.pop_front();
        }
        if self.sent.len() >= most {
            let free = self.sent.front().map_or(now, |oldest| *oldest + SECOND);
            return Err(self.put_off(free, apart));
        }
        self.sent.push_back(now);
        if self.addresses.len() >= ADDRESSES {
            self.addresses.retain(|_, even| *even > now);
        }
        self.addresses.insert(external.to_owned(), even + pace.between);
        Ok(())
    }

    fn put_off(&mut self, free: Timestamp, apart: SignedDuration) -> Timestamp {
        self.put_off_until = free.max(self.put_off_until + apart);
        self.put_off_until
    }

    fn note_refusal(&mut self, wait: SignedDuration, now: Timestamp) {
        self.refused.retain(|at| now.duration_since(*at) < REFUSED_FOR);
        self.refused.push(now);
        if self.refused.len() >= REFUSALS {
            tracing::warn!(wait_s = wait.as_secs(), "the channel keeps refusing for haste: the account pauses");
            self.paused_until = self.paused_until.max(now + wait);
        }
    }
}

fn clamped(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    fn to(external: &str) -> Address {
        Address { channel: ChannelKind::Telegram, account: "bot".to_owned(), external: external.to_owned() }
    }

    fn pace(account: u32, between_ms: i64, burst: u32) -> Pace {
        Pace {
            account_per_second: NonZeroU32::new(account).expect("not zero"),
            between: SignedDuration::from_millis(between_ms),
            burst: NonZeroU32::new(burst).expect("not zero"),
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_785_000_000_000 + millis).expect("a time")
    }

    proptest! {
        /// Whoever asks, in whatever rhythm: the channel gets no more than it takes, and whoever waits as long as they are
        /// told gets through in the end.
        #[test]
        fn no_faster_than_the_channel_takes_it(
            asks in prop::collection::vec((0_i64..400, 0_usize..4), 1..200),
            account in 1_u32..8, between in 100_i64..2_000, burst in 1_u32..4,
        ) {
            let (paces, pace) = (Paces::default(), pace(account, between, burst));
            let (mut now, mut sent) = (0, Vec::new());
            for (later, who) in asks {
                now += later;
                match paces.grant(&to(&who.to_string()), Some(pace), at(now)) {
                    Ok(()) => sent.push((now, who)),
                    Err(retry) => prop_assert!(retry > at(now)),
                }
            }
            for (first, _) in &sent {
                let within = sent.iter().filter(|(when, _)| (*first..first + 1_000).contains(when)).count();
                prop_assert!(within <= account as usize, "{within} in a second");
            }
            for who in 0..4 {
                let times: Vec<i64> = sent.iter().filter(|(_, one)| *one == who).map(|(when, _)| *when).collect();
                for (n, first) in times.iter().enumerate() {
                    let fit = |last: &i64| i64::from(burst) + (last - first) / between;
                    prop_assert!(times[n..].iter().zip(1..).all(|(last, count)| count <= fit(last)), "{times:?}");
                }
            }
            let (mut waited, who) = (at(now), to("0"));
            for _ in 0..100 {
                match paces.grant(&who, Some(pace), waited) {
                    Ok(()) => return Ok(()),
                    Err(retry) => waited = retry,
                }
            }
            prop_assert!(false, "nobody gets through");
        }
    }

    #[test]
    fn one_address_does_not_hold_up_another() {
        let (paces, pace) = (Paces::default(), pace(30, 1_000, 3));
        for _ in 0..3 {
            assert_eq!(paces.grant(&to("ana"), Some(pace), at(0)), Ok(()));
        }
        assert_eq!(paces.grant(&to("ana"), Some(pace), at(0)), Err(at(1_000)));
        assert_eq!(paces.grant(&to("bob"), Some(pace), at(0)), Ok(()));
        assert_eq!(paces.grant(&to("ana"), Some(pace), at(1_000)), Ok(()));
        assert_eq!(paces.grant(&to("ana"), Some(pace), at(1_000)), Err(at(2_000)));
    }

    #[test]
    fn what_is_put_off_does_not_come_back_all_at_once() {
        let (paces, pace) = (Paces::default(), pace(2, 1, 9));
        for who in ["ana", "bob"] {
            assert_eq!(paces.grant(&to(who), Some(pace), at(0)), Ok(()));
        }
        let later: Vec<_> = (0..3).map(|n| paces.grant(&to(&n.to_string()), Some(pace), at(0))).collect();
        assert_eq!(later, [Err(at(1_000)), Err(at(1_500)), Err(at(2_000))]);
    }

    #[test]
    fn an_account_that_is_refused_again_and_again_pauses() {
        let (paces, wait) = (Paces::default(), SignedDuration::from_secs(30));
        for n in 0..2 {
            paces.refused(&to("ana"), wait, at(n));
            assert_eq!(paces.grant(&to("bob"), None, at(n)), Ok(()));
        }
        paces.taken(&to("bob"));
        for n in 2..5 {
            assert_eq!(paces.grant(&to("bob"), None, at(n)), Ok(()), "something was taken in between");
            paces.refused(&to("ana"), wait, at(n));
        }
        assert_eq!(paces.grant(&to("bob"), None, at(5)), Err(at(30_004)));
        assert_eq!(paces.grant(&to("bob"), None, at(30_004)), Ok(()));
    }
}
