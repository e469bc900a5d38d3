//! Two that want the same conversation, in the order that does most harm: here the epoch is what tells them apart, since
//! the bot has the conversation again, or what is said belongs to no turn.
//!
//! Nothing is left to luck: the fakes hold their answers, and the row of the conversation is held in PostgreSQL, which
//! lets those who wait for it have it in the order in which they came.

use std::time::{Duration, Instant};

use super::customers::{CALLS_A_PERSON, Stage, THANKS};
use super::frozen::PATIENCE;
use crate::support::fake_telegram::Fault;

const TIMES: i64 = 3;

pub(crate) async fn all(stage: &Stage) {
    for time in 0..TIMES {
        let chat = 500 + 10 * time;
        taken_and_given_back_before_a_commit(stage, chat).await;
        taken_and_given_back_before_a_refusal(stage, chat + 1).await;
        taken_before_a_notice(stage, chat + 2).await;
    }
}

/// A person takes the conversation, then the turn stores its draft and wants to commit it; the person gives the
/// conversation back at once. The bot owes an answer to the same messages, and has a draft for exactly these: one that
/// was made before the person came.
async fn taken_and_given_back_before_a_commit(stage: &Stage, chat: i64) {
    let at = &stage.settings[0];
    let gate = stage.writes_for(chat, THANKS);
    tokio::time::timeout(PATIENCE, gate.arrived()).await.expect("the turn asks the model");
    let (conversation, _) = stage.database.conversation(chat).await.unwrap();
    let row = stage.database.hold(&conversation).await;
    let in_order = async {
        stage.database.queued_up(&row, 1).await;
        gate.release();
        stage.database.queued_up(&row, 2).await;
        row.let_go().await;
    };
    let (held, ()) = tokio::join!(stage.takes(at, chat), in_order);
    stage.gives_back(at, held.unwrap()).await;
    stage.telegram.wait_for_replies(chat, 1, PATIENCE).await;
}

/// A person takes the conversation and gives it back while a part is on its way, which Telegram refuses for now. It was
/// promised under an earlier epoch: it is not tried again, but the question is answered anew.
async fn taken_and_given_back_before_a_refusal(stage: &Stage, chat: i64) {
    let at = &stage.settings[0];
    stage.telegram.hold_sends(true);
    stage.telegram.fail_next_sends(1, Fault::TooMany(1));
    stage.writes(chat, THANKS);
    let on_its_way = stage.telegram.wait(PATIENCE, || stage.telegram.held_sends().contains(&chat)).await;
    assert!(on_its_way, "the reply goes out");
    let held = stage.takes(at, chat).await.unwrap();
    stage.gives_back(at, held).await;
    stage.telegram.hold_sends(false);
    stage.telegram.wait_for_replies(chat, 1, PATIENCE).await;
}

/// A person takes a conversation from the queue just before its customer is told that nobody has come yet.
async fn taken_before_a_notice(stage: &Stage, chat: i64) {
    let at = &stage.settings[0];
    stage.writes(chat, CALLS_A_PERSON);
    let began = Instant::now();
    let conversation = loop {
        match stage.database.conversation(chat).await {
            Some((conversation, owner)) if owner == "queued" => break conversation,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
        assert!(began.elapsed() < PATIENCE, "who calls a person gets into the queue");
    };
    let row = stage.database.hold(&conversation).await;
    let in_order = async {
        // Whoever sends that a colleague will come queues up as well, to say that it is sent.
        let before = stage.database.sends_in(&conversation).await;
        stage.database.queued_up(&row, before + 1).await;
        stage.database.queued_up(&row, before + 2).await;
        row.let_go().await;
    };
    let (held, ()) = tokio::join!(stage.takes(at, chat), in_order);
    let held = held.unwrap();
    stage.answers(at, &held).await;
    stage.telegram.wait_for_replies(chat, 1, PATIENCE).await;
    stage.gives_back(at, held).await;
}
