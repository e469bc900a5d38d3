//! What is measured of a ranking, and the table.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::{Conversation, Question, Rankings};

/// Tokens for evidence.
const BUDGETS: [usize; 5] = [256, 512, 1024, 2048, 4096];

/// Draws of the bootstrap.
const DRAWS: usize = 4000;

/// How one question fared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Shares of its evidence among the first 1, 5, 10 and 20.
    pub(crate) recall: [f64; 4],
    hit: f64,
    ndcg: f64,
    reciprocal: f64,
    /// Shares of its evidence within the budgets.
    evidence: [f64; 5],
}

impl Measured {
    fn new(conversation: &Conversation, question: &Question, ranking: &[usize]) -> Self {
        let gold = question.gold.len() as f64;
        let ranks: Vec<usize> = (0..ranking.len()).filter(|rank| question.gold.contains(&ranking[*rank])).collect();
        let among = |first: usize| ranks.iter().filter(|rank| **rank < first).count() as f64;
        let gain = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
        let ideal: f64 = (0..question.gold.len().min(10)).map(gain).sum();
        let gained: f64 = ranks.iter().filter(|rank| **rank < 10).map(|rank| gain(*rank)).sum();
        let evidence = |budget: usize| {
            let mut left = budget;
            let fits = |turn: &&usize| {
                let tokens = conversation.turns[**turn].tokens;
                let fits = tokens <= left;
                left -= if fits { tokens } else { 0 };
                fits
            };
            let held = ranking.iter().take(400).filter(fits);
            held.filter(|turn| question.gold.contains(turn)).count() as f64 / gold
        };
        Self {
            recall: [1, 5, 10, 20].map(|first| among(first) / gold),
            hit: f64::from(among(10) > 0.0),
            ndcg: gained / ideal,
            reciprocal: ranks.first().map_or(0.0, |rank| 1.0 / (*rank as f64 + 1.0)),
            evidence: BUDGETS.map(evidence),
        }
    }

    /// Means in percent, in the order of the table's columns.
    pub(crate) fn figures(all: &[Self]) -> [f64; 12] {
        let mean = |of: &dyn Fn(&Self) -> f64| 100.0 * all.iter().map(of).sum::<f64>() / all.len() as f64;
        let [one, five, ten, twenty] = [0, 1, 2, 3].map(|at| mean(&|it| it.recall[at]));
        let [least, less, some, more, most] = [0, 1, 2, 3, 4].map(|at| mean(&|it| it.evidence[at]));
        let (hit, ndcg, reciprocal) = (mean(&|it| it.hit), mean(&|it| it.ndcg), mean(&|it| it.reciprocal));
        [one, five, ten, twenty, hit, ndcg, reciprocal, least, less, some, more, most]
    }
}

/// How the questions that `of` picks fared, in their order.
pub(crate) fn measure(
    conversations: &[Conversation],
    found: &Rankings,
    of: impl Fn(&Conversation, &Question) -> bool,
) -> Vec<Measured> {
    let asked = conversations.iter().zip(found).flat_map(|(conversation, rankings)| {
        let each = conversation.questions.iter().zip(rankings);
        each.map(move |(question, ranking)| (conversation, question, ranking))
    });
    let picked = asked.filter(|(conversation, question, _)| of(conversation, question));
    picked.map(|(conversation, question, ranking)| Measured::new(conversation, question, ranking)).collect()
}

/// A row for each run; what it finds beyond the first one, which is BM25.
pub(crate) fn print_part(
    part: &str,
    conversations: &[Conversation],
    runs: &[(&str, Rankings)],
    of: impl Fn(&Conversation, &Question) -> bool + Copy,
) {
    let measured: Vec<Vec<Measured>> = runs.iter().map(|(_, found)| measure(conversations, found, of)).collect();
    println!("\n{part}: {} questions; %, evidence within so many tokens", measured[0].len());
    print!("{:<28} R@1   R@5  R@10  R@20 Hit@10 nDCG@10 MRR ", "");
    println!("{}   R@10 at 95 %    beyond BM25", BUDGETS.map(|budget| format!("{budget:>6}")).concat());
    for ((name, _), all) in runs.iter().zip(&measured) {
        let ten: Vec<f64> = all.iter().map(|it| it.recall[2]).collect();
        let base = measured[0].iter().map(|it| it.recall[2]);
        let beyond: Vec<f64> = ten.iter().zip(base).map(|(ten, base)| ten - base).collect();
        print_figures(name, Measured::figures(all));
        println!("  {}  {}", interval(&ten), interval(&beyond));
    }
}

pub(crate) fn print_figures(name: &str, figures: [f64; 12]) {
    print!("{name:<27}");
    for figure in figures {
        print!(" {}", if figure.is_nan() { "    -".to_owned() } else { format!("{figure:>5.1}") });
    }
}

/// The middle 95 % of the means of samples drawn with replacement: the same samples for every run of the same questions.
fn interval(values: &[f64]) -> String {
    let mut random = StdRng::seed_from_u64(7);
    let draw = |_| {
        let sum: f64 = values.iter().map(|_| values[random.random_range(0..values.len())]).sum();
        100.0 * sum / values.len() as f64
    };
    let mut means: Vec<f64> = (0..DRAWS).map(draw).collect();
    means.sort_by(f64::total_cmp);
    format!("{:>5.1} to {:>4.1}", means[DRAWS / 40], means[DRAWS - DRAWS / 40 - 1])
}
