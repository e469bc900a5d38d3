//! Buttons under what we say, and how satisfied customers were.

use firstline::domain::channel::{Address, Button, Inbound, InboundEvent, Press};
use firstline::domain::conversation::{OperatorAction, Ownership};
use firstline::domain::csat;
use firstline::domain::id::ConversationId;
use firstline::domain::text::MessageText;
use firstline::ports::desk::DeskStore;
use firstline::ports::store::{Accepted, Loop, NewMessage, OperatorOutcome, Question};
use jiff::SignedDuration;

use crate::support::{Stage, at, reply, telegram, timing, update, web, words};

const QUESTION: &str = "Как вам?";
const THANKS: &str = "Спасибо за оценку.";

pub(crate) async fn buttons_go_with_the_last_part(stage: &Stage) {
    stage.writes(&web("ana"), "Где заказ?", 0).await;
    let lease = stage.lease(10).await.unwrap();
    let input = stage.load(&lease).await;
    let person = vec![Button { title: "Позвать \"человека\"".to_owned(), payload: "human".to_owned() }];
    let said = NewMessage { buttons: person.clone(), ..stage.message(&["Какой ", "заказ?"]) };
    stage.store.commit_turn(&lease, &stage.turn(&input, Some(said)), at(10)).await.unwrap();

    let first = stage.next_part(11).await.unwrap();
    assert_eq!(first.buttons, [], "the customer chooses when all is said");
    stage.sent(&first, 11).await;
    let last = stage.next_part(12).await.unwrap();
    assert_eq!(last.buttons, person);
    stage.sent(&last, 12).await;
    let feed = stage.store.feed(&web("ana"), 0, 10).await.unwrap();
    let offered: Vec<&[Button]> = feed.iter().map(|item| &item.buttons[..]).collect();
    assert_eq!(offered, [&[][..], &person]);
}

/// An operator answers and resolves, and the customer is asked. Ends at second 30.
async fn resolved(stage: &Stage, from: &Address) -> ConversationId {
    let (id, _) = stage.writes(from, "Где заказ?", 0).await;
    let ann = stage.operator();
    stage.acts(ann, id, reply("В пути"), 10).await;
    let mut commit = stage.action(ann, id, OperatorAction::Resolve).await;
    let message = NewMessage { buttons: csat::buttons(id), ..stage.message(&[QUESTION]) };
    commit.question = Some(Question { message, thanks: MessageText::new(THANKS) });
    assert_eq!(stage.store.commit_operator(&commit, at(20)).await.unwrap(), OperatorOutcome::Done);
    assert_eq!(stage.store.commit_operator(&commit, at(21)).await.unwrap(), OperatorOutcome::Again);
    assert_eq!(stage.delivers(30).await, ["В пути", QUESTION], "it is asked once");
    id
}

async fn accepts(stage: &Stage, update: Inbound, now: i64) -> Accepted {
    stage.store.accept(&[update], None, &timing(), at(now)).await.unwrap().remove(0)
}

fn tap(from: &Address, key: &str, about: ConversationId, score: usize) -> Inbound {
    let button = csat::buttons(about).swap_remove(score - 1);
    let press = Press { payload: button.payload, title: Some(button.title), acknowledge: None };
    update(from, key, InboundEvent::Pressed(press))
}

const SCORE: &str = "select coalesce(max(score), 0) from csat";
const CONVERSATIONS: &str = "select count(*) from conversations";

pub(crate) async fn a_tap_is_a_score_once_and_thanked_for(stage: &Stage) {
    let ana = telegram("ana");
    let id = resolved(stage, &ana).await;
    assert_eq!(stage.figure("select count(*) from csat where kind = 'human' and score is null").await, 1);

    let taken = accepts(stage, tap(&ana, "tap", id, 4), 40).await;
    assert!(matches!(taken, Accepted::New { conversation, .. } if conversation == id), "{taken:?}");
    let again = accepts(stage, tap(&ana, "tap", id, 4), 41).await;
    assert!(matches!(again, Accepted::Duplicate { .. }), "{again:?}");
    assert_eq!(accepts(stage, tap(&ana, "another", id, 1), 42).await, Accepted::Noted, "the first one counts");
    assert_eq!(stage.figure(SCORE).await, 4);
    assert_eq!(stage.delivers(50).await, [THANKS]);
    assert_eq!(stage.lease(1_000).await, None, "no turn begins");
    assert_eq!((stage.owner(id).await, stage.figure(CONVERSATIONS).await), (Ownership::Resolved, 1));
    let said = stage.store.transcript(id, 0, 10).await.unwrap();
    let lines: Vec<&str> = said.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(lines, ["Где заказ?", "В пути", QUESTION, "4", THANKS]);
    assert_eq!(stage.store.depth().await.unwrap().unanswered, 0);
}

pub(crate) async fn somebody_elses_tap_is_no_score(stage: &Stage) {
    let id = resolved(stage, &telegram("ana")).await;
    assert_eq!(accepts(stage, tap(&telegram("bob"), "tap", id, 1), 40).await, Accepted::Noted);
    assert_eq!((stage.figure(SCORE).await, stage.figure(CONVERSATIONS).await), (0, 1));
}

pub(crate) async fn a_digit_answers_while_nothing_new_was_begun(stage: &Stage) {
    let ana = telegram("ana");
    let id = resolved(stage, &ana).await;
    let digit = Inbound { message_id: Some("m5".to_owned()), ..update(&ana, "digit", words(" 5 ")) };
    assert!(matches!(accepts(stage, digit, 40).await, Accepted::New { conversation, .. } if conversation == id));
    assert_eq!((stage.figure(SCORE).await, stage.delivers(41).await), (5, vec![THANKS.to_owned()]));

    // Asked and answered: the next digit is a message.
    let (next, _) = stage.writes(&ana, "5", 50).await;
    assert_ne!(next, id);
    assert!(stage.lease(100).await.is_some(), "which is answered");
}

pub(crate) async fn a_digit_is_a_message_where_it_can_be_no_answer(stage: &Stage) {
    let (ana, bob) = (telegram("ana"), telegram("bob"));
    let id = resolved(stage, &ana).await;
    let (new, _) = stage.writes(&ana, "Ещё вопрос", 40).await;
    assert_eq!(stage.writes(&ana, "2", 41).await.0, new, "something new was begun");
    // A tap is about what was asked, also then.
    accepts(stage, tap(&ana, "late", id, 3), 42).await;
    assert_eq!(stage.figure(SCORE).await, 3);
    assert_eq!(stage.owner(new).await, Ownership::Bot);

    let asked = resolved(stage, &bob).await;
    let day = SignedDuration::from_hours(24).as_secs();
    assert_ne!(stage.writes(&bob, "4", 20 + day).await.0, asked, "it was too long ago");
    assert_eq!(stage.figure("select count(*) from csat where score is null").await, 1);
}

pub(crate) async fn who_helped_is_kept_with_the_question(stage: &Stage) {
    let ana = web("ana");
    let (id, _) = stage.writes(&ana, "Где заказ?", 0).await;
    stage.answers(&["В пути"], 10).await;
    let ann = stage.operator();
    let question = || Question { message: stage.message(&[QUESTION]), thanks: MessageText::new(THANKS) };
    let mut commit = stage.action(ann, id, OperatorAction::Resolve).await;
    commit.question = Some(question());
    stage.store.commit_operator(&commit, at(20)).await.unwrap();
    assert_eq!(stage.figure("select count(*) from csat where kind = 'bot'").await, 1);

    let (id, _) = stage.writes(&ana, "А теперь?", 30).await;
    stage.answers(&["Всё ещё"], 40).await;
    assert_eq!(
        stage.delivers(45).await,
        [QUESTION, "Всё ещё"],
        "what is not said by then is withdrawn, and was no help"
    );
    stage.acts(ann, id, reply("Завтра"), 50).await;
    let mut commit = stage.action(ann, id, OperatorAction::Resolve).await;
    commit.question = Some(question());
    stage.store.commit_operator(&commit, at(60)).await.unwrap();
    assert_eq!(stage.figure("select count(*) from csat where kind = 'assisted'").await, 1);
}

pub(crate) async fn the_rest_of_an_album_is_waited_for(stage: &Stage) {
    let none =
        firstline::ports::store::Timing { quiet: SignedDuration::ZERO, quiet_most: SignedDuration::ZERO, ..timing() };
    let picture = |key: &str| Inbound { more_follows: true, ..update(&web("ana"), key, words("[фото] Вот")) };
    stage.store.accept(&[picture("1")], None, &none, at(0)).await.unwrap();
    assert_eq!(stage.lease(0).await, None);
    stage.store.accept(&[picture("2")], None, &none, at(0)).await.unwrap();
    let lease = stage.lease(1).await.unwrap();
    assert_eq!(stage.load(&lease).await.unread.len(), 2);
}
