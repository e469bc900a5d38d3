//! One process on SQLite, killed again and again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;

use super::audit::audit;
use super::customers::{Stage, lives, think};
use super::database::Database;
use super::desk::Desk;
use super::process::{Setting, Words};
use super::{ALONE, seed, variable};
use crate::support::fake_model::FakeModel;
use crate::support::fake_telegram::{FakeTelegram, Fault};

/// Kills of a run; `FIRSTLINE_TEST_KILLS` asks for another number.
const KILLS: usize = 40;
const CUSTOMERS: i64 = 20;

/// How long what is left may take when nothing fails any more.
const DRAIN: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_nothing_is_lost_and_nothing_is_said_twice() {
    let _alone = ALONE.lock().await;
    let (seed, began) = (seed(), Instant::now());
    let (words, directory) = (Words::new(), tempfile::tempdir().unwrap());
    let (telegram, model) = (FakeTelegram::start().await, FakeModel::start());
    think(&model, seed);
    let setting = Setting::new(directory.path(), &words, &telegram, &model, "");
    let mut process = setting.spawn();
    let cold = setting.ready(&mut process).await;
    let desk = Desk::enter(&setting, "anna", &setting.add_operator("anna")).await;
    let database = Database::sqlite(&setting.database_file()).await;
    telegram.deliver_twice(true);
    telegram.deliver_in_any_order(true);
    let stage = Arc::new(Stage::new(telegram, model, database, desk, vec![setting]));
    let stop = CancellationToken::new();
    let customers: Vec<_> = (1..=CUSTOMERS)
        .map(|chat| {
            let (stage, stop) = (Arc::clone(&stage), stop.clone());
            tokio::spawn(async move { lives(&stage, chat, seed, &stop).await })
        })
        .collect();

    let mut rng = StdRng::seed_from_u64(seed);
    let mut starts = Vec::new();
    let setting = &stage.settings[0];
    let kills = variable("FIRSTLINE_TEST_KILLS").and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    for _ in 0..kills {
        if rng.random_bool(0.4) {
            let faults = [Fault::TooMany(1), Fault::ShowThenReset, Fault::Reset, Fault::Html(502)];
            stage.telegram.fail_next_sends(1, faults[rng.random_range(0..faults.len())]);
        }
        // Some die while they start, most at work: by the clock of the machine's speed, not by a fixed one.
        if rng.random_bool(0.35) {
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..400))).await;
        } else {
            let start = setting.ready(&mut process).await;
            starts.push(start);
            let longest = start.mul_f64(1.5).clamp(Duration::from_millis(1_500), Duration::from_secs(8));
            tokio::time::sleep(longest.mul_f64(rng.random())).await;
        }
        process.kill();
        process = setting.spawn();
    }
    setting.ready(&mut process).await;
    stop.cancel();
    for customer in customers {
        customer.await.unwrap();
    }

    stage.telegram.wait_until_read(DRAIN).await;
    let owed = stage.database.drained(DRAIN).await;
    assert_eq!(owed, 0, "something is still owed after {DRAIN:?}:\n{}", tail(&setting.log()));
    let figures = audit(&stage).await;
    starts.sort_unstable();
    eprintln!(
        "SIGKILL: {kills} kills, {CUSTOMERS} customers, {figures:?}; cold start {cold:?}, {} starts lived to be ready, \
         median {:?}, longest {:?}; all in {:?}",
        starts.len(),
        starts.get(starts.len() / 2),
        starts.last(),
        began.elapsed()
    );
    // Not a run in which nothing happened. A busy machine spends it on starts, and bursts become one turn.
    let customers = usize::try_from(CUSTOMERS).unwrap();
    assert!(figures.named_replies >= customers / 2 && figures.takeovers >= customers / 4, "{figures:?}");
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
