//! What operators do, and how the bot keeps silent meanwhile.

use firstline::domain::conversation::{OperatorAction, Ownership};
use firstline::domain::handoff::{HandoffReason, HandoffState};
use firstline::domain::message::Author;
use firstline::domain::text::MessageText;
use firstline::ports::desk::DeskStore;
use firstline::ports::store::{Loop, OperatorOutcome, TimerKind};
use futures_util::future::join_all;

use crate::support::{Stage, at, not_sent, reply, take, texts, web};

fn note(text: &str) -> OperatorAction {
    OperatorAction::Note(MessageText::new(text))
}

async fn timers(stage: &Stage) -> Vec<TimerKind> {
    let mut due = Vec::new();
    while let Some(timer) = stage.store.claim_timer(&stage.claim(), at(365 * 86_400)).await.unwrap() {
        stage.store.finish_timer(&timer).await.unwrap();
        due.push(timer.kind);
    }
    due
}

pub(crate) async fn taking_silences_the_bot(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["Раз, ", "два, ", "три"], 10).await;
    let first = stage.next_part(11).await.unwrap();
    let before = stage.conversation(id).await.epoch;
    let ann = stage.operator();
    stage.acts(ann, id, take(), 12).await;

    let after = stage.conversation(id).await;
    assert_eq!((after.ownership, after.epoch), (Ownership::Human(ann), before + 1));
    // What was on its way can't be called back; what was not, is.
    stage.sent(&first, 13).await;
    assert_eq!(stage.next_part(1000).await, None);
    assert_eq!(stage.figure("select count(*) from outbox where state = 'cancelled'").await, 2);

    let handoff = stage.store.handoff(id).await.unwrap().unwrap();
    assert_eq!((handoff.reason, handoff.state), (HandoffReason::Taken, HandoffState::Claimed));
    assert_eq!((handoff.operator, handoff.opened_at, handoff.claimed_at), (Some(ann), at(12), Some(at(12))));

    // Taking what one has changes nothing; replying goes out.
    stage.acts(ann, id, take(), 14).await;
    assert_eq!(stage.conversation(id).await.epoch, before + 1);
    stage.acts(ann, id, reply("Я Анна, сейчас посмотрю"), 15).await;
    assert_eq!(stage.conversation(id).await.epoch, before + 1);
    assert_eq!(stage.delivers(16).await, ["Я Анна, сейчас посмотрю"]);
    let said = stage.store.transcript(id, 0, 10).await.unwrap();
    assert_eq!(said[2].author, Author::Operator(ann));
    assert_eq!(said[2].delivered_at, Some(at(16)));
}

pub(crate) async fn releasing_an_unanswered_message_wakes_the_bot(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    let ann = stage.operator();
    stage.acts(ann, id, take(), 1).await;
    assert_eq!(stage.store.depth().await.unwrap().unanswered, 0);
    stage.writes(&web("ana"), "Алло?", 2).await;
    stage.acts(ann, id, OperatorAction::Release, 100).await;

    let after = stage.conversation(id).await;
    assert_eq!((after.ownership, after.handled_seq), (Ownership::Bot, 0));
    assert_eq!(stage.store.handoff(id).await.unwrap().unwrap().state, HandoffState::Released);
    assert_eq!(stage.store.handoff(id).await.unwrap().unwrap().closed_at, Some(at(100)));
    assert_eq!(stage.store.depth().await.unwrap().unanswered, 2);
    let deadline = stage.store.claim_timer(&stage.claim(), at(190)).await.unwrap().unwrap();
    assert_eq!((deadline.kind, deadline.due_at), (TimerKind::ReplyDeadline, at(190)), "anew, from the release");
    let lease = stage.lease(100).await.expect("at once");
    assert_eq!(texts(&stage.load(&lease).await.unread), ["Где заказ?", "Алло?"]);
}

pub(crate) async fn what_was_answered_stays_answered(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Вопрос боту", 0).await;
    stage.answers(&["Ответ бота"], 10).await;
    stage.delivers(11).await;
    let ann = stage.operator();
    stage.acts(ann, id, take(), 12).await;
    stage.writes(&web("ana"), "Вопрос человеку", 13).await;
    stage.acts(ann, id, reply("Ответ человека"), 14).await;
    stage.acts(ann, id, OperatorAction::Release, 15).await;
    assert_eq!(stage.lease(1000).await, None);
    assert_eq!(stage.store.depth().await.unwrap().unanswered, 0);
    assert!(!timers(stage).await.contains(&TimerKind::ReplyDeadline));

    // A turn that decided to say nothing has answered too.
    stage.writes(&web("ana"), "Спасибо", 20).await;
    let lease = stage.lease(30).await.unwrap();
    let commit = stage.turn(&stage.load(&lease).await, None);
    stage.store.commit_turn(&lease, &commit, at(31)).await.unwrap();
    stage.acts(ann, id, take(), 32).await;
    stage.acts(ann, id, OperatorAction::Release, 33).await;
    assert_eq!(stage.lease(1000).await, None);

    // A handoff without a turn has not: the bot is asked once more when people give it back.
    stage.writes(&web("ana"), "Ещё вопрос", 40).await;
    let handoff = stage.handoff_commit(id, Some(stage.message(&["Зову коллегу"])), 140).await;
    assert!(stage.store.commit_handoff(&handoff, at(140)).await.unwrap());
    stage.acts(ann, id, OperatorAction::Release, 150).await;
    let lease = stage.lease(150).await.unwrap();
    assert_eq!(texts(&stage.load(&lease).await.unread), ["Ещё вопрос"]);
}

pub(crate) async fn a_withdrawn_answer_is_owed_again(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    stage.answers(&["В пути"], 10).await;
    let ann = stage.operator();
    stage.acts(ann, id, take(), 11).await;
    assert_eq!(stage.delivers(12).await, Vec::<String>::new());
    assert_eq!(stage.figure("select count(*) from turns where state = 'withdrawn'").await, 1);
    stage.acts(ann, id, OperatorAction::Release, 13).await;
    let lease = stage.lease(13).await.expect("the customer has seen nothing");
    let input = stage.load(&lease).await;
    assert_eq!(texts(&input.unread), ["Где заказ?"]);
    assert!(input.window.is_empty(), "what was never said is not in the window");
    let commit = stage.turn(&input, Some(stage.message(&["Правда в пути"])));
    stage.store.commit_turn(&lease, &commit, at(14)).await.unwrap();
    assert_eq!(stage.delivers(15).await, ["Правда в пути"]);
    assert_eq!(stage.figure("select count(*) from turns where state = 'committed'").await, 1);
}

pub(crate) async fn pressing_twice_does_it_once(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    let ann = stage.operator();
    let commit = stage.action(ann, id, reply("Смотрю")).await;
    let presses = join_all((0..6).map(|_| stage.store.commit_operator(&commit, at(1)))).await;
    let mut outcomes: Vec<OperatorOutcome> = presses.into_iter().map(Result::unwrap).collect();
    outcomes.retain(|outcome| *outcome != OperatorOutcome::Again);
    assert_eq!(outcomes, [OperatorOutcome::Done]);
    assert_eq!(stage.store.commit_operator(&commit, at(500)).await.unwrap(), OperatorOutcome::Again);
    assert_eq!(stage.delivers(2).await, ["Смотрю"]);
    assert_eq!(texts(&stage.store.transcript(id, 0, 10).await.unwrap()), ["Где заказ?", "Смотрю"]);

    // The same key of another operator is another action.
    let mut other = stage.action(stage.operator(), id, note("вижу")).await;
    other.action_id.clone_from(&commit.action_id);
    assert_eq!(stage.store.commit_operator(&other, at(3)).await.unwrap(), OperatorOutcome::Done);
}

pub(crate) async fn a_stale_decision_is_refused_and_may_be_repeated(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Верните деньги!", 0).await;
    let ann = stage.operator();
    let late = stage.action(ann, id, reply("Здравствуйте")).await;
    stage.hands_over(HandoffReason::Emotional, 1, 10).await;
    assert_eq!(stage.store.commit_operator(&late, at(11)).await.unwrap(), OperatorOutcome::Moved);
    assert_eq!(stage.owner(id).await, Ownership::Queued);
    assert_eq!(stage.store.transcript(id, 2, 10).await.unwrap(), []);

    let mut again = stage.action(ann, id, reply("Здравствуйте")).await;
    again.action_id = late.action_id;
    assert_eq!(stage.store.commit_operator(&again, at(12)).await.unwrap(), OperatorOutcome::Done);
    assert_eq!(stage.owner(id).await, Ownership::Human(ann));
}

pub(crate) async fn two_operators_can_not_both_take(stage: &Stage) {
    stage.writes(&web("ana"), "Верните деньги!", 0).await;
    let id = stage.hands_over(HandoffReason::Emotional, 1, 10).await;
    let mut commits = Vec::new();
    for _ in 0..5 {
        commits.push(stage.action(stage.operator(), id, take()).await);
    }
    let outcomes = join_all(commits.iter().map(|commit| stage.store.commit_operator(commit, at(11)))).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    let winners: Vec<_> = (0..5).filter(|n| outcomes[*n] == OperatorOutcome::Done).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    assert!(outcomes.iter().filter(|outcome| **outcome == OperatorOutcome::Moved).count() == 4, "{outcomes:?}");
    let winner = commits[winners[0]].operator;
    assert_eq!(stage.owner(id).await, Ownership::Human(winner));
    assert_eq!(stage.store.handoff(id).await.unwrap().unwrap().operator, Some(winner));
}

pub(crate) async fn a_note_stays_among_colleagues(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    let ann = stage.operator();
    let mut commit = stage.action(ann, id, note("осторожно, юрист")).await;
    // Parts of a note would be a fault of ours; they must not reach the customer even so.
    commit.message = Some(stage.message(&["осторожно, юрист"]));
    assert_eq!(stage.store.commit_operator(&commit, at(1)).await.unwrap(), OperatorOutcome::Done);
    assert_eq!(stage.owner(id).await, Ownership::Bot);
    assert_eq!(stage.next_part(2).await, None);
    assert_eq!(texts(&stage.store.transcript(id, 0, 10).await.unwrap()), ["Где заказ?", "осторожно, юрист"]);
    let feed = stage.store.feed(&web("ana"), 0, 10).await.unwrap();
    assert_eq!(feed.iter().map(|item| item.message.text.as_str()).collect::<Vec<_>>(), ["Где заказ?"]);
    // It is not something newer that the turn would have to see.
    stage.answers(&["В пути"], 10).await;
    assert_eq!(stage.delivers(11).await, ["В пути"]);
}

pub(crate) async fn resolving_ends_everything(stage: &Stage) {
    stage.writes(&web("ana"), "Верните деньги!", 0).await;
    let id = stage.hands_over(HandoffReason::Emotional, 1, 10).await;
    let ann = stage.operator();
    stage.acts(ann, id, reply("Вернули"), 11).await;
    stage.writes(&web("ana"), "Спасибо", 12).await;
    stage.acts(ann, id, OperatorAction::Resolve, 20).await;
    assert_eq!(stage.owner(id).await, Ownership::Resolved);
    let handoff = stage.store.handoff(id).await.unwrap().unwrap();
    assert_eq!((handoff.state, handoff.closed_at), (HandoffState::Resolved, Some(at(20))));
    let end = stage.store.claim_timer(&stage.claim(), at(20)).await.unwrap().unwrap();
    assert_eq!((end.kind, end.due_at), (TimerKind::EpisodeEnd, at(20)));
    stage.store.finish_timer(&end).await.unwrap();
    assert_eq!(timers(stage).await, []);
    assert_eq!(stage.lease(1000).await, None);
    assert_eq!(stage.delivers(21).await, ["Вернули"], "what a person said is sent");
    assert_eq!(stage.store.depth().await.unwrap().queued, 0);

    // Straight from the bot, with an answer pending: that one is not.
    let (id, _) = stage.writes(&web("bob"), "Question", 30).await;
    stage.answers(&["Answer"], 40).await;
    stage.acts(ann, id, OperatorAction::Resolve, 41).await;
    assert_eq!(stage.delivers(42).await, Vec::<String>::new());
    assert_eq!(stage.store.handoff(id).await.unwrap(), None);
    // Colleagues may still say something about it.
    stage.acts(ann, id, note("закрыто по просьбе"), 43).await;
}

pub(crate) async fn a_handoff_opens_once(stage: &Stage) {
    let (id, _) = stage.writes(&web("ana"), "Где заказ?", 0).await;
    let epoch = stage.conversation(id).await.epoch;
    let mut commits = Vec::new();
    for n in 0..4 {
        commits.push(stage.handoff_commit(id, Some(stage.message(&[&format!("Зову коллегу {n}")])), 100).await);
    }
    commits[0].disclosed = true;
    let outcomes = join_all(commits.iter().map(|commit| stage.store.commit_handoff(commit, at(100)))).await;
    assert_eq!(outcomes.into_iter().filter(|outcome| *outcome.as_ref().unwrap()).count(), 1);
    let after = stage.conversation(id).await;
    assert_eq!((after.ownership, after.epoch, after.handled_seq), (Ownership::Queued, epoch + 1, 1));
    assert_eq!(stage.delivers(101).await.len(), 1);
    assert_eq!(stage.figure("select count(*) from handoffs").await, 1);

    // Neither from the queue, nor from a person, nor after the end.
    let ann = stage.operator();
    for action in [None, Some(take()), Some(OperatorAction::Resolve)] {
        if let Some(action) = action {
            stage.acts(ann, id, action, 102).await;
        }
        let again = stage.handoff_commit(id, None, 103).await;
        assert!(!stage.store.commit_handoff(&again, at(103)).await.unwrap());
    }
    assert_eq!(stage.figure("select count(*) from handoffs").await, 1);

    // A later conversation may be handed over again, and its turn is fenced out by it.
    let (id, _) = stage.writes(&web("ana"), "Опять я", 200).await;
    let lease = stage.lease(210).await.unwrap();
    let input = stage.load(&lease).await;
    let mut commit = stage.handoff_commit(id, Some(stage.message(&["Я бот. Зову коллегу"])), 300).await;
    commit.disclosed = true;
    assert!(stage.store.commit_handoff(&commit, at(300)).await.unwrap());
    assert_eq!(stage.conversation(id).await.disclosed_at, Some(at(300)));
    let late = stage.turn(&input, Some(stage.message(&["Поздно"])));
    assert_eq!(
        stage.store.commit_turn(&lease, &late, at(301)).await.unwrap(),
        firstline::ports::store::Committed::Fenced
    );
    assert_eq!(stage.delivers(302).await, ["Я бот. Зову коллегу"]);
}

pub(crate) async fn a_notice_needs_its_epoch(stage: &Stage) {
    stage.writes(&web("ana"), "Позовите человека", 0).await;
    let id = stage.hands_over(HandoffReason::HumanRequest, 1, 10).await;
    let epoch = stage.conversation(id).await.epoch;
    let notice = stage.message(&["Коллега ещё занят"]);
    assert!(stage.store.commit_notice(id, epoch, &notice, at(610)).await.unwrap());
    let late = stage.message(&["Коллега всё ещё занят"]);
    stage.acts(stage.operator(), id, take(), 611).await;
    assert!(!stage.store.commit_notice(id, epoch, &late, at(612)).await.unwrap());
    assert_eq!(stage.delivers(613).await, Vec::<String>::new(), "a person has it: no notices any more");
}

pub(crate) async fn taking_from_the_queue_claims_the_handoff(stage: &Stage) {
    stage.writes(&web("ana"), "Позовите человека", 0).await;
    let id = stage.hands_over(HandoffReason::HumanRequest, 1, 10).await;
    // The notice is being retried while the operator replies: it must not come after the reply.
    let notice = stage.next_part(10).await.unwrap();
    let ann = stage.operator();
    stage.acts(ann, id, reply("Добрый день"), 11).await;
    assert!(stage.settle(&notice, not_sent(60), 12).await);
    assert_eq!(stage.delivers(12).await, ["Добрый день"]);
    assert_eq!(stage.next_part(1000).await, None);
    let handoff = stage.store.handoff(id).await.unwrap().unwrap();
    assert_eq!((handoff.state, handoff.reason), (HandoffState::Claimed, HandoffReason::HumanRequest));
    assert_eq!((handoff.operator, handoff.claimed_at, handoff.opened_at), (Some(ann), Some(at(11)), at(10)));
    let left = timers(stage).await;
    assert_eq!(left, [TimerKind::Package, TimerKind::EpisodeEnd], "nobody waits for an operator any more");
}
