//! What figures are worth: intervals, paired differences, and whether a change can be told from none.
//!
//! Everything is a share of cases, or of checks in them. Two runs over the same cases are compared case by case: what both
//! got right or wrong says nothing of the change. Cases are what is drawn again (a dialogue is one case), so that many checks
//! of one dialogue don't pass for many dialogues.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

/// Draws of a bootstrap.
const DRAWS: usize = 2_000;
/// The normal quantiles of 97.5 % and of 80 %.
const Z_TWO_SIDED: f64 = 1.959_963_984_540_054;
const Z_POWER: f64 = 0.841_621_233_572_914;

/// What one case adds to a share: so many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// How many.
    pub hits: f64,
    /// Of how many.
    pub of: f64,
}

/// A share with its interval at 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The share.
    pub value: f64,
    /// The upper end.
    pub high: f64,
}

/// Wilson's score interval of `hits` of `of`, which need not be whole where runs were repeated.
/// (E. B. Wilson, 1927; it keeps within 0 and 1 and is right for few cases and for shares near the ends.)
pub fn wilson(Part { hits, of }: Part) -> Interval {
    if of <= 0.0 {
        return Interval { low: 0.0, value: 0.0, high: 1.0 };
    }
    let (z2, share) = (Z_TWO_SIDED * Z_TWO_SIDED, hits / of);
    let middle = (share + z2 / (2.0 * of)) / (1.0 + z2 / of);
    let half = Z_TWO_SIDED * (share * (1.0 - share) / of + z2 / (4.0 * of * of)).sqrt() / (1.0 + z2 / of);
    Interval { low: (middle - half).max(0.0), value: share, high: (middle + half).min(1.0) }
}

/// The share of all parts together.
pub fn share(parts: impl Iterator<Item = Part>) -> Part {
    parts.fold(Part::default(), |all, part| Part { hits: all.hits + part.hits, of: all.of + part.of })
}

/// The difference of a share between two runs over the same cases, with the interval of a bootstrap that draws cases.
pub fn paired_difference(pairs: &[(Part, Part)], seed: u64) -> Interval {
    drawn(pairs, seed, |pairs| {
        let (mut before, mut after) = (Part::default(), Part::default());
        for (a, b) in pairs {
            before = Part { hits: before.hits + a.hits, of: before.of + a.of };
            after = Part { hits: after.hits + b.hits, of: after.of + b.of };
        }
        let value = |part: Part| if part.of > 0.0 { part.hits / part.of } else { 0.0 };
        value(after) - value(before)
    })
}

/// A figure of cases, with the interval of a bootstrap that draws cases.
fn drawn<T>(cases: &[T], seed: u64, figure: impl Fn(&mut dyn Iterator<Item = &T>) -> f64) -> Interval {
    let value = figure(&mut cases.iter());
    if cases.len() < 2 {
        return Interval { low: value, value, high: value };
    }
    let mut random = StdRng::seed_from_u64(seed);
    let mut drawn: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let picks: Vec<usize> = (0..cases.len()).map(|_| random.random_range(0..cases.len())).collect();
            figure(&mut picks.iter().map(|at| &cases[*at]))
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    Interval { low: drawn[DRAWS / 40], value, high: drawn[DRAWS - 1 - DRAWS / 40] }
}

/// The two-sided exact p of McNemar's test: `fixed` cases went from wrong to right, `broken` the other way.
pub fn mcnemar(fixed: usize, broken: usize) -> f64 {
    let (all, less) = (fixed + broken, fixed.min(broken));
    if all == 0 {
        return 1.0;
    }
    // Binomial(all, ½) up to `less`, in logarithms: 2^-all is nothing for many cases.
    let (mut log_ways, mut tail) = (0.0_f64, 0.0_f64);
    for successes in 0..=less {
        if successes > 0 {
            log_ways += ((all - successes + 1) as f64 / successes as f64).ln();
        }
        tail += (log_ways - all as f64 * std::f64::consts::LN_2).exp();
    }
    (2.0 * tail).min(1.0)
}

/// How likely all of `k` further runs pass, where `passed` of `runs` did (tau-bench's pass^k). `None` with fewer than `k` runs.
pub fn pass_k(passed: usize, runs: usize, k: usize) -> Option<f64> {
    if runs < k {
        return None;
    }
    let ways = |n: usize| (0..k).map(|taken| n.saturating_sub(taken) as f64).product::<f64>();
    Some(ways(passed) / ways(runs))
}

/// The smallest difference that so many cases tell from none in four of five times, where the verdict of this share of
/// them changes.
pub fn detectable(cases: usize, discordant: f64) -> f64 {
    if cases == 0 { 1.0 } else { ((Z_TWO_SIDED + Z_POWER) * (discordant / cases as f64).sqrt()).min(1.0) }
}

/// How many cases such a difference needs.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number of cases, cut at the largest"
)]
pub fn needed(difference: f64, discordant: f64) -> usize {
    let per_case = (Z_TWO_SIDED + Z_POWER) / difference.abs().max(f64::EPSILON);
    (per_case * per_case * discordant.max(difference.abs())).ceil() as usize
}

/// What can be said of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The share rose.
    Better,
    /// It fell.
    Worse,
    /// It can't be told.
    NotDistinguishable,
}

/// A comparison over the same cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Cases that both runs have.
    pub cases: usize,
    /// After less before, with its interval.
    pub difference: Interval,
    /// Went from wrong to right.
    pub fixed: usize,
    /// Went from right to wrong.
    pub broken: usize,
    /// McNemar's exact p.
    pub p: f64,
    /// What so many cases can tell.
    pub detectable: f64,
    /// How many more cases the difference that was seen would need.
    pub more_cases: usize,
    /// What can be said.
    pub verdict: Verdict,
}

/// Compares two runs. The interval decides, and where whole cases change sides, the exact test as well: few cases make an
/// interval of draws too narrow.
pub fn compare(pairs: &[(Part, Part)], seed: u64) -> Comparison {
    let difference = paired_difference(pairs, seed);
    let value = |part: &Part| if part.of > 0.0 { part.hits / part.of } else { 0.0 };
    let (fixed, broken) = changed(pairs.iter().map(|(before, after)| value(after) - value(before)));
    let p = mcnemar(fixed, broken);
    let cases = pairs.len();
    let discordant = (fixed + broken + 1) as f64 / (cases + 2) as f64;
    let verdict = match difference {
        Interval { low, .. } if low > 0.0 && p < 0.05 => Verdict::Better,
        Interval { high, .. } if high < 0.0 && p < 0.05 => Verdict::Worse,
        _ => Verdict::NotDistinguishable,
    };
    let more_cases = match verdict {
        Verdict::NotDistinguishable => needed(difference.value, discordant).saturating_sub(cases),
        _ => 0,
    };
    Comparison { cases, difference, fixed, broken, p, detectable: detectable(cases, discordant), more_cases, verdict }
}

/// How many cases became better, and how many worse.
fn changed(differences: impl Iterator<Item = f64> + Clone) -> (usize, usize) {
    let fixed = differences.clone().filter(|difference| *difference > 1e-9).count();
    (fixed, differences.filter(|difference| *difference < -1e-9).count())
}

/// Compares a figure that is no share of cases but made of all of them: `figure` says how much it differs between the runs
/// over some cases. The interval alone decides, and tells as well how far it can tell.
pub fn compare_figures<T>(cases: &[T], seed: u64, figure: impl Fn(&mut dyn Iterator<Item = &T>) -> f64) -> Comparison {
    let difference = drawn(cases, seed, &figure);
    let (fixed, broken) = changed(cases.iter().map(|case| figure(&mut std::iter::once(case))));
    let detectable = (Z_TWO_SIDED + Z_POWER) * (difference.high - difference.low) / (2.0 * Z_TWO_SIDED);
    let verdict = verdict_of(difference);
    let of_needed = (detectable / difference.value.abs().max(f64::EPSILON)).powi(2);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number, cut at the largest")]
    let needed = (cases.len() as f64 * of_needed).ceil() as usize;
    let more_cases = if verdict == Verdict::NotDistinguishable { needed.saturating_sub(cases.len()) } else { 0 };
    Comparison {
        cases: cases.len(),
        difference,
        fixed,
        broken,
        p: mcnemar(fixed, broken),
        detectable,
        more_cases,
        verdict,
    }
}

/// What an interval says by itself.
fn verdict_of(difference: Interval) -> Verdict {
    match difference {
        Interval { low, .. } if low > 0.0 => Verdict::Better,
        Interval { high, .. } if high < 0.0 => Verdict::Worse,
        _ => Verdict::NotDistinguishable,
    }
}

/// A comparison without the part of its difference that is none of what is compared. What changed sides is as it was, so
/// the interval alone decides.
pub fn shifted(comparison: Comparison, shift: f64) -> Comparison {
    let Interval { low, value, high } = comparison.difference;
    let difference = Interval { low: low - shift, value: value - shift, high: high - shift };
    Comparison { difference, verdict: verdict_of(difference), ..comparison }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 0.0006
    }

    #[test]
    fn intervals_are_those_of_the_books() {
        for (hits, of, low, high) in [
            (20.0, 20.0, 0.839, 1.0),
            (19.0, 20.0, 0.764, 0.991),
            (90.0, 100.0, 0.826, 0.945),
            (320.0, 400.0, 0.758, 0.836),
        ] {
            let found = wilson(Part { hits, of });
            assert!(near(found.low, low) && near(found.high, high), "{hits} of {of}: {found:?}");
        }
        assert_eq!(wilson(Part::default()), Interval { low: 0.0, value: 0.0, high: 1.0 });
    }

    #[test]
    fn the_exact_test_needs_six_changes() {
        assert!(mcnemar(5, 0) > 0.05 && mcnemar(6, 0) < 0.05);
        assert!(mcnemar(9, 1) < 0.05 && mcnemar(8, 2) > 0.05);
        assert!(mcnemar(15, 5) < 0.05 && mcnemar(14, 6) > 0.05);
        assert!(mcnemar(27, 13) < 0.05 && mcnemar(26, 14) > 0.05);
        assert!(near(mcnemar(0, 0), 1.0) && near(mcnemar(3, 3), 1.0));
        assert!(mcnemar(2_000, 2_200) < 0.05, "no underflow");
    }

    #[test]
    fn all_of_k_runs() {
        assert_eq!(pass_k(4, 4, 4), Some(1.0));
        assert_eq!(pass_k(3, 4, 4), Some(0.0));
        assert_eq!(pass_k(3, 4, 2), Some(0.5));
        assert_eq!(pass_k(3, 3, 4), None);
    }

    #[test]
    fn needed_cases_are_those_of_the_table() {
        for (difference, discordant, cases) in [(0.02, 0.10, 1_958), (0.05, 0.20, 625), (0.10, 0.20, 154)] {
            let found = needed(difference, discordant);
            assert!(found.abs_diff(cases) <= cases / 100 + 5, "{difference} {discordant}: {found}");
        }
    }

    /// Runs over `cases` cases of which `wrong` are wrong before; each run flips this share of verdicts by chance, and the
    /// second one is right `better` more often.
    fn simulated(random: &mut StdRng, cases: usize, flips: f64, better: f64) -> Vec<(Part, Part)> {
        let part = |right: bool| Part { hits: f64::from(u8::from(right)), of: 1.0 };
        (0..cases)
            .map(|_| {
                let draw: f64 = random.random();
                // Discordant cases, of which more are mended than broken by `better` of all cases.
                match draw {
                    draw if draw < f64::midpoint(flips, better) => (part(false), part(true)),
                    draw if draw < flips => (part(true), part(false)),
                    _ => {
                        let right = random.random_bool(0.85);
                        (part(right), part(right))
                    }
                }
            })
            .collect()
    }

    #[test]
    fn the_same_prompt_twice_is_not_told_apart() {
        let told = (0..200).filter(|seed| {
            let pairs = simulated(&mut StdRng::seed_from_u64(*seed), 300, 0.10, 0.0);
            compare(&pairs, *seed).verdict != Verdict::NotDistinguishable
        });
        let told = told.count();
        assert!(told <= 16, "{told} of 200 are told apart");
    }

    #[test]
    fn a_difference_that_can_be_told_is_told_with_its_sign() {
        let (cases, flips) = (300, 0.15);
        let better = detectable(cases, flips);
        let told = (0..200_u64).filter(|seed| {
            let pairs = simulated(&mut StdRng::seed_from_u64(1_000 + seed), cases, flips, better);
            let found = compare(&pairs, *seed);
            assert_ne!(found.verdict, Verdict::Worse);
            found.verdict == Verdict::Better
        });
        let told = told.count();
        assert!(told >= 148, "{told} of 200 are told");
    }

    #[test]
    fn many_checks_of_one_dialogue_are_one_dialogue() {
        // Ten dialogues of fifty checks that change sides together: no test of 500 checks would be right.
        let told = (0..200).filter(|seed| {
            let mut random = StdRng::seed_from_u64(5_000 + seed);
            let pairs: Vec<(Part, Part)> = (0..10)
                .map(|_| {
                    let mut part = || Part { hits: if random.random_bool(0.5) { 50.0 } else { 10.0 }, of: 50.0 };
                    (part(), part())
                })
                .collect();
            compare(&pairs, *seed).verdict != Verdict::NotDistinguishable
        });
        let told = told.count();
        assert!(told <= 16, "{told} of 200 are told apart");
    }
}
