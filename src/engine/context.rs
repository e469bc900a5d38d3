//! What fits into a prompt: best first, within a budget of tokens that is counted by the caller.

/// Keeps items from the front while their cost fits into `budget`; an item that does not fit is left out, smaller ones
/// after it may still be kept.
pub fn best_within<T>(items: Vec<T>, mut budget: usize, cost: impl Fn(&T) -> usize) -> Vec<T> {
    let mut kept = Vec::new();
    for item in items {
        let cost = cost(&item);
        if cost <= budget {
            budget -= cost;
            kept.push(item);
        }
    }
    kept
}

/// Keeps the newest (last) items whose cost fits into `budget`, without holes: a dialogue is read from some point on.
pub fn newest_within<T>(mut items: Vec<T>, mut budget: usize, cost: impl Fn(&T) -> usize) -> Vec<T> {
    let mut first = items.len();
    for (place, item) in items.iter().enumerate().rev() {
        let cost = cost(item);
        if cost > budget {
            break;
        }
        budget -= cost;
        first = place;
    }
    items.split_off(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_budget_is_never_overdrawn(items in prop::collection::vec(0_usize..50, 0..30), budget in 0_usize..300) {
            let best = best_within(items.clone(), budget, |cost| *cost);
            prop_assert!(best.iter().sum::<usize>() <= budget);
            let newest = newest_within(items.clone(), budget, |cost| *cost);
            prop_assert!(newest.iter().sum::<usize>() <= budget);
            prop_assert!(items.ends_with(&newest));
            let fits = items.iter().sum::<usize>() <= budget;
            prop_assert!(!fits || (best == items && newest == items), "what fits is kept whole");
        }
    }
}
