//! The smallest value of a smooth function: limited-memory BFGS with a backtracking line search.

/// How many steps are remembered.
const MEMORY: usize = 8;

/// How often a step is halved before it is given up.
const HALVINGS: usize = 30;

/// A function: gives the value at the first argument and overwrites the second with the gradient there.
pub type Objective<'a> = dyn FnMut(&[f64], &mut [f64]) -> f64 + 'a;

/// One remembered step: where it went, and how the gradient changed.
struct Step {
    moved: Vec<f64>,
    turned: Vec<f64>,
    product: f64,
}

/// Goes downhill from `x` for at most `iterations` steps.
pub fn minimise(objective: &mut Objective<'_>, mut x: Vec<f64>, iterations: usize) -> Vec<f64> {
    let mut gradient = vec![0.0; x.len()];
    let mut value = objective(&x, &mut gradient);
    let mut steps: Vec<Step> = Vec::with_capacity(MEMORY);
    for iteration in 0..iterations {
        let direction = direction(&gradient, &steps);
        let slope = dot(&direction, &gradient);
        if slope > -1e-12 {
            break;
        }
        let first = if iteration == 0 { (1.0 / dot(&gradient, &gradient).sqrt()).min(1.0) } else { 1.0 };
        let Some((next, next_gradient, next_value)) = search(objective, &x, &direction, value, slope, first) else {
            break;
        };
        let moved: Vec<f64> = next.iter().zip(&x).map(|(next, x)| next - x).collect();
        let turned: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(next, now)| next - now).collect();
        let product = dot(&moved, &turned);
        if product > 1e-10 {
            if steps.len() == MEMORY {
                steps.remove(0);
            }
            steps.push(Step { moved, turned, product });
        }
        let gained = value - next_value;
        (x, gradient, value) = (next, next_gradient, next_value);
        if gained < 1e-7 * value.abs() {
            break;
        }
    }
    x
}

/// The first point along `direction` that is low enough, halving the step.
fn search(
    objective: &mut Objective<'_>,
    x: &[f64],
    direction: &[f64],
    value: f64,
    slope: f64,
    first: f64,
) -> Option<(Vec<f64>, Vec<f64>, f64)> {
    let mut length = first;
    let mut gradient = vec![0.0; x.len()];
    for _ in 0..HALVINGS {
        let next: Vec<f64> = x.iter().zip(direction).map(|(x, along)| x + length * along).collect();
        let found = objective(&next, &mut gradient);
        if found <= value + 1e-4 * length * slope {
            return Some((next, gradient, found));
        }
        length *= 0.5;
    }
    None
}

/// Downhill as the remembered steps bend it (the two-loop recursion).
fn direction(gradient: &[f64], steps: &[Step]) -> Vec<f64> {
    let mut along: Vec<f64> = gradient.iter().map(|value| -value).collect();
    let mut shares = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let share = dot(&step.moved, &along) / step.product;
        add(&mut along, -share, &step.turned);
        shares.push(share);
    }
    if let Some(last) = steps.last() {
        let scale = last.product / dot(&last.turned, &last.turned);
        for value in &mut along {
            *value *= scale;
        }
    }
    for (step, share) in steps.iter().zip(shares.into_iter().rev()) {
        let other = dot(&step.turned, &along) / step.product;
        add(&mut along, share - other, &step.moved);
    }
    along
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], share: f64, of: &[f64]) {
    for (to, of) in to.iter_mut().zip(of) {
        *to += share * of;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_valley_is_found() {
        // Rosenbrock's banana in two dimensions, lowest at (1, 1).
        let mut banana = |x: &[f64], gradient: &mut [f64]| {
            let bend = x[1] - x[0] * x[0];
            gradient[0] = -400.0 * x[0] * bend - 2.0 * (1.0 - x[0]);
            gradient[1] = 200.0 * bend;
            100.0 * bend * bend + (1.0 - x[0]) * (1.0 - x[0])
        };
        let found = minimise(&mut banana, vec![-1.2, 1.0], 200);
        assert!(found.iter().all(|x| (x - 1.0).abs() < 1e-3), "{found:?}");
    }
}
