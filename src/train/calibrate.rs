//! Calibration: what a raw score is multiplied with and what is added, so that of messages with 0.8 four in five have the label.

use crate::engine::triage::sigmoid;

/// Steps of Newton's method; it is there after a handful.
const STEPS: usize = 50;

/// How strongly the two numbers are held at 1 and 0: few messages have a label.
const HELD: f64 = 1.0;

/// One over the temperature, and the shift, of one label, from raw scores with whether the label holds.
pub fn fit(scores: &[(f64, bool)]) -> (f64, f64) {
    let (mut slope, mut shift) = (1.0_f64, 0.0_f64);
    for _ in 0..STEPS {
        // Gradient and Hessian of the loss, both with the hold.
        let (mut by_slope, mut by_shift) = (HELD * (slope - 1.0), HELD * shift);
        let (mut slope_slope, mut slope_shift, mut shift_shift) = (HELD, 0.0, HELD);
        for (raw, holds) in scores {
            let p = sigmoid(raw * slope + shift);
            let error = p - f64::from(u8::from(*holds));
            let weight = (p * (1.0 - p)).max(1e-9);
            by_slope += error * raw;
            by_shift += error;
            slope_slope += weight * raw * raw;
            slope_shift += weight * raw;
            shift_shift += weight;
        }
        let determinant = slope_slope * shift_shift - slope_shift * slope_shift;
        let step = (by_slope * shift_shift - by_shift * slope_shift) / determinant;
        let other = (by_shift * slope_slope - by_slope * slope_shift) / determinant;
        // A higher score must never mean a lower probability.
        slope = (slope - step).clamp(0.05, 20.0);
        shift = (shift - other).clamp(-10.0, 10.0);
        if step.abs() < 1e-9 && other.abs() < 1e-9 {
            break;
        }
    }
    (slope, shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overconfident_scores_are_cooled() {
        // Three of four are right, whatever the score of 4 promises.
        let scores: Vec<(f64, bool)> =
            (0..400).map(|n| if n % 2 == 0 { (4.0, n % 8 != 0) } else { (-4.0, n % 8 == 1) }).collect();
        let (slope, shift) = fit(&scores);
        let p = sigmoid(4.0 * slope + shift);
        assert!((p - 0.75).abs() < 0.02, "{p}");
        assert!(shift.abs() < 0.05);
    }

    #[test]
    fn a_label_that_nobody_has_stays_finite() {
        let (slope, shift) = fit(&[(-3.0, false), (-2.0, false)]);
        assert!(slope > 0.0 && slope.is_finite() && shift.is_finite());
    }
}
