//! One process on SQLite, killed again and again.

use std::collections::HashSet;
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
const DRAIN: Duration = Duration::from_mins(1);

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
    let (mut starts, mut cut) = (Vec::new(), Cut::default());
    let setting = &stage.settings[0];
    let kills = variable("FIRSTLINE_TEST_KILLS").and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    for _ in 0..kills {
        if rng.random_bool(0.4) {
            let faults = [Fault::TooMany(1), Fault::ShowThenReset, Fault::Reset, Fault::Html(502)];
            stage.telegram.fail_next_sends(1, faults[rng.random_range(0..faults.len())]);
        }
        // Some die while they start, some at any moment, some by what they have done: in a time that is the machine's.
        if rng.random_bool(0.25) {
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..400))).await;
        } else {
            let start = setting.ready(&mut process).await;
            starts.push(start);
            if rng.random_bool(0.5) {
                let longest = start.mul_f64(1.5).clamp(Duration::from_millis(1_500), Duration::from_secs(6));
                tokio::time::sleep(longest.mul_f64(rng.random())).await;
            } else {
                works(&stage.telegram, start, &mut rng).await;
            }
        }
        process.kill();
        stage.telegram.hold_sends(false);
        cut.look(&stage.database).await;
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
        "SIGKILL: {kills} kills, of them {} in the middle of {} turns and {} in the middle of {} sends, \
         {CUSTOMERS} customers, {figures:?}; cold start {cold:?}, {} starts lived to be ready, median {:?}, longest {:?}; \
         all in {:?}",
        cut.kills_in_turns,
        cut.turns.len(),
        cut.kills_in_sends,
        cut.sends.len(),
        starts.len(),
        starts.get(starts.len() / 2),
        starts.last(),
        began.elapsed()
    );
    // Not a run in which nothing happened. A busy machine spends it on starts, and bursts become one turn.
    let customers = usize::try_from(CUSTOMERS).unwrap();
    assert!(cut.kills_in_turns >= kills / 5 && cut.kills_in_sends >= kills / 10, "too few died at work: {cut:?}");
    assert!(figures.replies >= customers / 2 && figures.duplicates >= figures.messages, "{figures:?}");
    assert!(figures.takeovers >= customers / 4 && figures.while_thinking > 0, "{figures:?}");
}

/// Lets a process send so much, and with luck it dies in the middle of the last: a send takes no time on loopback, so
/// that Telegram keeps some answers to itself. Its customers may all wait for people: it is not waited for longer than a
/// machine of this speed needs.
async fn works(telegram: &FakeTelegram, start: Duration, rng: &mut StdRng) {
    let most = start.mul_f64(3.0).clamp(Duration::from_secs(2), Duration::from_secs(6));
    let sends = || telegram.calls("sendMessage").len();
    let enough = sends() + rng.random_range(1..5);
    telegram.wait(most, || sends() >= enough).await;
    if rng.random_bool(0.7) {
        telegram.hold_sends(true);
        telegram.wait(most, || !telegram.held_sends().is_empty()).await;
    }
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..100))).await;
}

/// What kills have interrupted: turns by their lease, sends by their attempt.
#[derive(Debug, Default)]
struct Cut {
    turns: HashSet<(String, i64)>,
    sends: HashSet<(String, i64)>,
    kills_in_turns: usize,
    kills_in_sends: usize,
}

impl Cut {
    /// Looks at what the process that has just died left behind, and an earlier one did not.
    async fn look(&mut self, database: &Database) {
        let before = (self.turns.len(), self.sends.len());
        self.turns.extend(database.turns_under_way().await);
        self.sends.extend(database.sends_under_way().await);
        self.kills_in_turns += usize::from(self.turns.len() > before.0);
        self.kills_in_sends += usize::from(self.sends.len() > before.1);
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
