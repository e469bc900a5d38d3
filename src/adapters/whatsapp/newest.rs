//! The newest message of each customer: WhatsApp shows that we write only as an answer to a message of theirs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// So many customers are remembered, and at most as many again.
const CUSTOMERS: usize = 4_000;

/// Bounded and forgetful: who is not in it, or wrote to another process, sees no typing, and that is all.
#[derive(Default)]
pub(super) struct Newest(Mutex<Generations>);

/// When the first is full it becomes the second, and what was the second is forgotten.
#[derive(Default)]
struct Generations {
    young: HashMap<String, String>,
    old: HashMap<String, String>,
}

impl Newest {
    /// Remembers a message of the customer with that key.
    pub(super) fn put(&self, customer: &str, message: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.young.len() >= CUSTOMERS && !kept.young.contains_key(customer) {
            kept.old = std::mem::take(&mut kept.young);
        }
        kept.young.insert(customer.to_owned(), message.to_owned());
    }

    /// Their newest message.
    pub(super) fn of(&self, customer: &str) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.young.get(customer).or_else(|| kept.old.get(customer)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_kept_and_memory_is_bounded() {
        let newest = Newest::default();
        newest.put("a", "1");
        newest.put("a", "2");
        assert_eq!(newest.of("a").as_deref(), Some("2"));
        assert_eq!(newest.of("b"), None);
        for number in 0..CUSTOMERS {
            newest.put(&number.to_string(), "x");
        }
        assert_eq!(newest.of("a").as_deref(), Some("2"), "still in the older half");
        for number in 0..=CUSTOMERS {
            newest.put(&format!("more {number}"), "x");
        }
        assert_eq!(newest.of("a"), None);
        let kept = newest.0.lock().unwrap();
        assert!(kept.young.len() + kept.old.len() <= 2 * CUSTOMERS);
    }
}
