//! The principal parts of messages: the directions in which they differ most.
//!
//! Subspace iteration on the messages' second moments. Which axes are chosen inside the subspace does not matter here, since
//! all products in pairs are used, so a few rounds are enough, and nothing but sums, products and square roots is needed,
//! which are the same on every processor.

use std::iter::Sum;
use std::ops::{AddAssign, Mul};

use crate::engine::triage::PARTS;

/// Rounds of the iteration.
const ROUNDS: usize = 8;

/// The basis: a row a dimension of `places`, with what it contributes to each part.
pub fn basis(places: &[Vec<f32>]) -> Vec<f32> {
    let size = places.first().map_or(0, Vec::len);
    let moments = moments(places, size);
    let mut axes = beginning(size);
    for _ in 0..ROUNDS {
        axes = axes.iter().map(|axis| moments.iter().map(|row| product(row, axis)).collect()).collect();
        straighten(&mut axes);
    }
    #[expect(clippy::cast_possible_truncation, reason = "stored in 32 bits")]
    let row = |at: usize| axes.iter().map(move |axis| axis[at] as f32);
    (0..size).flat_map(row).collect()
}

/// Sums of products of every two dimensions.
fn moments(places: &[Vec<f32>], size: usize) -> Vec<Vec<f64>> {
    let mut moments = vec![vec![0.0_f64; size]; size];
    for place in places {
        for (row, one) in moments.iter_mut().zip(place).filter(|(_, one)| **one != 0.0) {
            for (sum, other) in row.iter_mut().zip(place) {
                *sum += f64::from(one * other);
            }
        }
    }
    moments
}

/// Axes that lean in all directions, the same every time: a linear congruential generator's numbers.
fn beginning(size: usize) -> Vec<Vec<f64>> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 23) - 1.0
    };
    let mut axes: Vec<Vec<f64>> = (0..PARTS).map(|_| (0..size).map(|_| next()).collect()).collect();
    straighten(&mut axes);
    axes
}

/// Makes axes of length 1 that stand upright on each other (Gram and Schmidt); of an axis that lies in the others nothing is
/// left.
fn straighten(axes: &mut [Vec<f64>]) {
    for at in 0..axes.len() {
        let (done, rest) = axes.split_at_mut(at);
        let Some(axis) = rest.first_mut() else { return };
        let before = product(axis, axis).sqrt();
        for other in done.iter() {
            let share = product(axis, other);
            for (value, along) in axis.iter_mut().zip(other) {
                *value -= share * along;
            }
        }
        let length = product(axis, axis).sqrt();
        let scale = if length > 1e-9 * before { 1.0 / length } else { 0.0 };
        for value in axis {
            *value *= scale;
        }
    }
}

/// The product of two rows: eight sums side by side, which is fast and in the same order on every processor.
pub(super) fn product<T: Copy + Default + Mul<Output = T> + AddAssign + Sum>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::default(); 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += *a * *b;
        }
    }
    sums.into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_hold_what_messages_differ_in() {
        // The first 40 of 200 dimensions vary a hundred times as much as the others.
        let value = |n: usize, at: usize| {
            let value = ((n * 31 + at * 17) % 101) as f32 / 50.0 - 1.0;
            if at < 40 { value } else { value / 100.0 }
        };
        let places: Vec<Vec<f32>> = (0..300).map(|n| (0..200).map(|at| value(n, at)).collect()).collect();
        let basis = basis(&places);
        for one in &places {
            let parts = crate::engine::triage::parts(one, &basis);
            let kept: f32 = parts.iter().map(|part| part * part).sum();
            let all: f32 = one.iter().map(|value| value * value).sum();
            assert!(kept > 0.99 * all, "{kept} of {all}");
        }
    }
}
