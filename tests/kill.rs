//! The real binary under SIGKILL and SIGSTOP: what the store says at the end is audited against what customers saw.
//!
//! The fake Telegram delivers every update twice and in any order, operators take conversations away from a bot that is
//! thinking, and processes die or freeze at random moments. A seed is printed; `FIRSTLINE_TEST_SEED` repeats its choices
//! (not the scheduling of the machine).
#![expect(clippy::unwrap_used, reason = "what a test can't go on without")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration but the environment, and no tracker of tasks"
)]

mod support;

#[path = "kill/audit.rs"]
mod audit;
#[path = "kill/customers.rs"]
mod customers;
#[path = "kill/database.rs"]
mod database;
#[path = "kill/desk.rs"]
mod desk;
#[path = "kill/frozen.rs"]
mod frozen;
#[path = "kill/killed.rs"]
mod killed;
#[path = "kill/process.rs"]
mod process;
#[path = "kill/races.rs"]
mod races;

/// One test at a time: they measure how long things take.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A variable of the environment, where it says something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The seed of this run, printed so that it can be repeated.
fn seed() -> u64 {
    let given = variable("FIRSTLINE_TEST_SEED").and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| u64::from(std::process::id()) ^ 0x5eed_0000);
    eprintln!("seed: FIRSTLINE_TEST_SEED={seed}");
    seed
}
