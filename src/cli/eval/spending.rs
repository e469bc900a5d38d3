//! What a run costs, and where it must stop.

use anyhow::bail;

use super::RunArgs;
use crate::config::Config;
use crate::eval::report::Economy;

/// What was asked of models so far, in all that a command does.
#[derive(Default)]
pub(super) struct Spending {
    /// What a token costs that is read, and one that is written.
    prices: Option<(f64, f64)>,
    budget: Option<f64>,
    tokens: (u64, u64),
}

impl Spending {
    /// Nothing yet.
    ///
    /// # Errors
    /// Where there is a budget and the model has no price.
    pub(super) fn of(config: &Config, args: &RunArgs) -> anyhow::Result<Self> {
        let model = config.model.first().map(|model| (model.price_read / 1e6, model.price_written / 1e6));
        let prices = model.filter(|(read, written)| *read > 0.0 || *written > 0.0);
        if args.budget.is_some() && prices.is_none() {
            bail!("--budget: the model has no price: set price_read and price_written of [[model]] in config.toml");
        }
        Ok(Self { prices, budget: args.budget, tokens: (0, 0) })
    }

    pub(super) fn add(&mut self, (read, written): (u64, u64)) {
        self.tokens = (self.tokens.0 + read, self.tokens.1 + written);
    }

    /// What these and so many more tokens cost.
    fn money_with(&self, (more_read, more_written): (u64, u64)) -> Option<f64> {
        let (read, written) = (self.tokens.0 + more_read, self.tokens.1 + more_written);
        self.prices.map(|(of_read, of_written)| read as f64 * of_read + written as f64 * of_written)
    }

    pub(super) fn money(&self) -> Option<f64> {
        self.money_with((0, 0))
    }

    /// Whether the budget is spent with so many more tokens.
    pub(super) fn is_over_with(&self, more: (u64, u64)) -> bool {
        self.budget.zip(self.money_with(more)).is_some_and(|(budget, money)| money >= budget)
    }

    /// Notes it in a report.
    pub(super) fn tell(&self, economy: &mut Economy) {
        (economy.tokens, economy.money) = (self.tokens, self.money());
    }
}
