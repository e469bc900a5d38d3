//! What ingest stores, and what it does not store twice.

use firstline::domain::channel::{ChannelKind, Cursor, InboundEvent};
use firstline::domain::conversation::{OperatorAction, Ownership};
use firstline::domain::handoff::{HandoffReason, HandoffState};
use firstline::domain::message::Author;
use firstline::domain::text::Language;
use firstline::ports::desk::DeskStore;
use firstline::ports::store::{Accepted, Loop, StoreError, TimerKind};
use futures_util::future::join_all;

use crate::support::{Stage, at, reply, take, telegram, texts, timing, update, web, words};

pub(crate) async fn first_contact_makes_everything(stage: &Stage) {
    let mut first = update(&web("ana"), "1", words("Где мой заказ?"));
    first.display_name = Some("Ана".to_owned());
    let accepted = stage.store.accept(&[first], None, &timing(), at(0)).await.unwrap();
    let [Accepted::New { message, conversation, seq: 1 }] = accepted[..] else { panic!("{accepted:?}") };

    let found = stage.conversation(conversation).await;
    assert_eq!(found.address, web("ana"));
    assert_eq!(found.ownership, Ownership::Bot);
    assert_eq!((found.last_seq, found.handled_seq), (1, 0));
    assert_eq!((found.opened_at, found.last_activity_at), (at(0), at(0)));
    let customer = stage.store.customer(found.customer).await.unwrap().unwrap();
    assert_eq!(customer.display_name.as_deref(), Some("Ана"));
    assert_eq!((customer.language, customer.created_at), (Some(Language::Ru), at(0)));
    assert_eq!(stage.store.customer_at(&web("ana")).await.unwrap(), Some(found.customer));

    let said = stage.store.transcript(conversation, 0, 10).await.unwrap();
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].id, said[0].author, said[0].text.as_str()), (message, Author::Customer, "Где мой заказ?"));
    assert_eq!((said[0].received_at, said[0].delivered_at), (at(0), Some(at(0))));
    let feed = stage.store.feed(&web("ana"), 0, 10).await.unwrap();
    assert_eq!(feed.iter().map(|item| item.message.id).collect::<Vec<_>>(), [message]);

    let deadline = stage.store.claim_timer(&stage.claim(), at(90)).await.unwrap().unwrap();
    assert_eq!(
        (deadline.conversation, deadline.kind, deadline.due_at),
        (conversation, TimerKind::ReplyDeadline, at(90))
    );
    let end = stage.store.claim_timer(&stage.claim(), at(6 * 3600)).await.unwrap();
    assert!(end.is_some_and(|timer| timer.kind == TimerKind::ReplyDeadline), "a claim runs out");
    let end = stage.store.claim_timer(&stage.claim(), at(6 * 3600)).await.unwrap().unwrap();
    assert_eq!((end.kind, end.due_at), (TimerKind::EpisodeEnd, at(6 * 3600)));
    assert_eq!(stage.store.depth().await.unwrap().unanswered, 1);
}

pub(crate) async fn duplicates_change_nothing(stage: &Stage) {
    let first = update(&web("ana"), "1", words("Здравствуйте"));
    let second = update(&web("ana"), "2", words("Вопрос"));
    let batch = [first.clone(), second, first.clone()];
    let accepted = stage.store.accept(&batch, None, &timing(), at(0)).await.unwrap();
    let [Accepted::New { message, conversation, seq: 1 }, Accepted::New { seq: 2, .. }, again] = &accepted[..] else {
        panic!("{accepted:?}")
    };
    let seen = Accepted::Duplicate { message: Some(*message), conversation: Some(*conversation), seq: 1 };
    assert_eq!(*again, seen);

    // A week later and in other words: the key decides.
    let late = update(&web("ana"), "1", words("Другое"));
    let accepted = stage.store.accept(&[late], None, &timing(), at(7 * 86_400)).await.unwrap();
    assert_eq!(accepted, [seen]);
    assert_eq!(texts(&stage.store.transcript(*conversation, 0, 10).await.unwrap()), ["Здравствуйте", "Вопрос"]);

    // The same number on another account is another update.
    let mut elsewhere = first;
    elsewhere.from.account.push_str("-second");
    let accepted = stage.store.accept(&[elsewhere], None, &timing(), at(1)).await.unwrap();
    assert!(matches!(accepted[..], [Accepted::New { .. }]), "{accepted:?}");
}

pub(crate) async fn parallel_duplicates_make_one(stage: &Stage) {
    stage.open_connections().await;
    let update = [update(&web("ana"), "1", words("Здравствуйте"))];
    let timing = timing();
    let calls = (0..16).map(|_| stage.store.accept(&update, None, &timing, at(0)));
    let accepted: Vec<Accepted> = join_all(calls).await.into_iter().flat_map(|call| call.unwrap()).collect();
    let new = accepted.iter().filter(|one| matches!(one, Accepted::New { .. })).count();
    assert_eq!(new, 1, "{accepted:?}");
    for one in &accepted {
        let (Accepted::New { seq, .. } | Accepted::Duplicate { seq, .. }) = one else { panic!("{one:?}") };
        assert_eq!(*seq, 1);
    }
    assert_eq!(stage.figure("select count(*) from messages").await, 1);
    assert_eq!(stage.figure("select count(*) from customers").await, 1);
}

pub(crate) async fn parallel_first_words_share_a_conversation(stage: &Stage) {
    stage.open_connections().await;
    let timing = timing();
    for round in 0..6 {
        let who = web(&format!("customer {round}"));
        let updates: Vec<_> = (0..12).map(|n| [update(&who, &format!("{round} {n}"), words("Алло"))]).collect();
        let calls = updates.iter().map(|update| stage.store.accept(update, None, &timing, at(0)));
        let mut seqs = Vec::new();
        for call in join_all(calls).await {
            let accepted = call.unwrap();
            let [Accepted::New { seq, .. }] = accepted[..] else { panic!("{accepted:?}") };
            seqs.push(seq);
        }
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=12).collect::<Vec<_>>());
    }
    assert_eq!(stage.figure("select count(*) from conversations").await, 6);
    assert_eq!(stage.figure("select count(*) from customers").await, 6);
    assert_eq!(stage.figure("select count(*) from addresses").await, 6);
}

pub(crate) async fn what_comes_at_once_was_said_one_after_the_other(stage: &Stage) {
    let said = ["Меня зовут Анна", "то есть Алла", "Алла Петрова"];
    let batch: Vec<_> =
        said.iter().enumerate().map(|(n, text)| update(&web("ana"), &format!("in-one-{n}"), words(text))).collect();
    let accepted = stage.store.accept(&batch, None, &timing(), at(0)).await.unwrap();
    let [Accepted::New { conversation, .. }, ..] = accepted[..] else { panic!("{accepted:?}") };
    let told = stage.store.transcript(conversation, 0, 10).await.unwrap();
    assert_eq!(texts(&told), said);
    assert!(told.is_sorted_by(|a, b| a.received_at < b.received_at), "a correction is newer than what it corrects");
}

pub(crate) async fn a_burst_is_one_turn(stage: &Stage) {
    stage.writes(&web("ana"), "Здравствуйте", 0).await;
    assert_eq!(stage.lease(1).await, None, "the customer may still be typing");
    stage.writes(&web("ana"), "Где мой заказ", 1).await;
    assert_eq!(stage.lease(2).await, None, "the second message begins the wait anew");
    stage.writes(&web("ana"), "М-123456?", 2).await;
    assert_eq!(stage.lease(3).await, None);
    let lease = stage.lease(4).await.unwrap();
    assert_eq!(texts(&stage.load(&lease).await.unread), ["Здравствуйте", "Где мой заказ", "М-123456?"]);
}

pub(crate) async fn a_burst_can_not_postpone_for_ever(stage: &Stage) {
    for now in 0..8 {
        stage.writes(&web("ana"), "ещё", now).await;
        assert_eq!(stage.lease(now).await, None);
    }
    assert!(stage.lease(8).await.is_some(), "eight seconds after the first message it is the bot's turn");
}

pub(crate) async fn the_cursor_goes_with_the_batch(stage: &Stage) {
    assert_eq!(stage.store.cursor(ChannelKind::Telegram, "bot").await.unwrap(), None);
    let cursor = |position: &str| Cursor {
        channel: ChannelKind::Telegram,
        account: "bot".to_owned(),
        position: position.to_owned(),
    };
    let batch = [update(&telegram("7"), "1", words("Привет"))];
    stage.store.accept(&batch, Some(&cursor("100")), &timing(), at(0)).await.unwrap();
    assert_eq!(stage.store.cursor(ChannelKind::Telegram, "bot").await.unwrap().as_deref(), Some("100"));
    // Nothing that we understand came, and yet it was read.
    stage.store.accept(&[], Some(&cursor("101")), &timing(), at(1)).await.unwrap();
    assert_eq!(stage.store.cursor(ChannelKind::Telegram, "bot").await.unwrap().as_deref(), Some("101"));
    assert_eq!(stage.store.cursor(ChannelKind::Telegram, "other").await.unwrap(), None);
}

pub(crate) async fn a_batch_is_stored_whole_or_not_at_all(stage: &Stage) {
    stage.writes(&web("ana"), "Здравствуйте", 0).await;
    stage.change_rows("update conversations set language = 'tlh'").await;
    let batch = [update(&web("bob"), "b1", words("Hello")), update(&web("ana"), "a2", words("Алло"))];
    let cursor = Cursor { channel: ChannelKind::Web, account: "main".to_owned(), position: "9".to_owned() };
    let refused = stage.store.accept(&batch, Some(&cursor), &timing(), at(1)).await;
    assert!(matches!(refused, Err(StoreError::Corrupt { table: "conversations", .. })), "{refused:?}");
    assert_eq!(stage.store.customer_at(&web("bob")).await.unwrap(), None);
    assert_eq!(stage.store.cursor(ChannelKind::Web, "main").await.unwrap(), None);

    stage.change_rows("update conversations set language = null").await;
    let accepted = stage.store.accept(&batch, Some(&cursor), &timing(), at(2)).await.unwrap();
    assert!(matches!(accepted[..], [Accepted::New { .. }, Accepted::New { .. }]), "{accepted:?}");
}

pub(crate) async fn what_is_not_text_has_a_line(stage: &Stage) {
    let batch = [
        update(&telegram("7"), "1", InboundEvent::Started { payload: None }),
        update(&telegram("7"), "2", InboundEvent::Unsupported("photo".to_owned())),
    ];
    let accepted = stage.store.accept(&batch, None, &timing(), at(0)).await.unwrap();
    let Accepted::New { conversation, .. } = accepted[0] else { panic!("{accepted:?}") };
    assert_eq!(texts(&stage.store.transcript(conversation, 0, 10).await.unwrap()), ["/start", "[photo]"]);
    assert_eq!(stage.conversation(conversation).await.language, None, "a command is in no language");
    let lease = stage.lease(10).await.unwrap();
    assert_eq!(stage.load(&lease).await.unread.len(), 2);
}

pub(crate) async fn people_own_what_is_written_to_them(stage: &Stage) {
    stage.writes(&web("ana"), "Позовите человека", 0).await;
    let id = stage.hands_over(HandoffReason::HumanRequest, 1, 10).await;
    let (_, seq) = stage.writes(&web("ana"), "Вы тут?", 11).await;
    let queued = stage.conversation(id).await;
    assert_eq!((queued.ownership, queued.handled_seq), (Ownership::Queued, seq));

    let ann = stage.operator();
    stage.acts(ann, id, take(), 20).await;
    let (_, seq) = stage.writes(&web("ana"), "Алло", 21).await;
    assert_eq!(stage.conversation(id).await.handled_seq, seq);
    assert_eq!(stage.lease(1000).await, None, "nobody but the person owes an answer");
    assert_eq!(stage.store.depth().await.unwrap().unanswered, 0);
    while let Some(timer) = stage.store.claim_timer(&stage.claim(), at(86_400)).await.unwrap() {
        assert_ne!(timer.kind, TimerKind::ReplyDeadline);
        stage.store.finish_timer(&timer).await.unwrap();
    }
}

pub(crate) async fn after_resolution_a_new_conversation_opens(stage: &Stage) {
    let (first, _) = stage.writes(&web("ana"), "Спасибо", 0).await;
    let ann = stage.operator();
    stage.acts(ann, first, OperatorAction::Resolve, 1).await;
    let (second, seq) = stage.writes(&web("ana"), "И ещё вопрос", 2).await;
    assert_ne!(first, second);
    assert_eq!(seq, 1);
    let [old, new] = [stage.conversation(first).await, stage.conversation(second).await];
    assert_eq!(old.customer, new.customer);
    assert_eq!((old.ownership, new.ownership), (Ownership::Resolved, Ownership::Bot));
    assert_eq!(stage.store.conversation_at(&web("ana")).await.unwrap().unwrap().id, second);
    let feed = stage.store.feed(&web("ana"), 0, 10).await.unwrap();
    let positions: Vec<i64> = feed.iter().map(|item| item.position).collect();
    assert_eq!(positions, [1, 2], "one feed over all conversations");
}

pub(crate) async fn blocking_ends_the_conversation(stage: &Stage) {
    let (id, _) = stage.writes(&telegram("7"), "Позовите человека", 0).await;
    stage.hands_over(HandoffReason::HumanRequest, 1, 10).await;
    let ann = stage.operator();
    stage.acts(ann, id, reply("Слушаю вас"), 11).await;
    assert_eq!(stage.store.depth().await.unwrap().owed, 1, "taking withdrew the notice, the reply is owed");
    let blocked = update(&telegram("7"), "blocked-1", InboundEvent::Blocked);
    let accepted = stage.store.accept(std::slice::from_ref(&blocked), None, &timing(), at(20)).await.unwrap();
    assert_eq!(accepted, [Accepted::Noted]);
    assert_eq!(stage.owner(id).await, Ownership::Resolved);
    assert_eq!(stage.next_part(1000).await, None);
    let lost = stage.store.undelivered(id).await.unwrap();
    assert!(lost.len() == 1 && lost[0].state == "dead", "{lost:?}");
    assert_eq!(stage.store.handoff(id).await.unwrap().unwrap().state, HandoffState::Resolved);
    let timer = stage.store.claim_timer(&stage.claim(), at(20)).await.unwrap().unwrap();
    assert_eq!((timer.kind, timer.due_at), (TimerKind::EpisodeEnd, at(20)));

    let again = stage.store.accept(&[blocked], None, &timing(), at(21)).await.unwrap();
    assert_eq!(again, [Accepted::Duplicate { message: None, conversation: Some(id), seq: 0 }]);
    let stranger = update(&telegram("8"), "blocked-2", InboundEvent::Blocked);
    assert_eq!(stage.store.accept(&[stranger], None, &timing(), at(22)).await.unwrap(), [Accepted::Noted]);
    assert_eq!(stage.store.customer_at(&telegram("8")).await.unwrap(), None, "no customer for a word that never came");
}

pub(crate) async fn names_and_languages_are_kept(stage: &Stage) {
    let mut first = update(&telegram("7"), "1", InboundEvent::Started { payload: None });
    first.language = Some(Language::En);
    first.display_name = Some("Ann".to_owned());
    let mut second = update(&telegram("7"), "2", words("Привет"));
    second.display_name = Some("Анна".to_owned());
    let third = update(&telegram("7"), "3", words("Вопрос"));
    stage.store.accept(&[first, second, third], None, &timing(), at(0)).await.unwrap();
    let id = stage.store.customer_at(&telegram("7")).await.unwrap().unwrap();
    let customer = stage.store.customer(id).await.unwrap().unwrap();
    assert_eq!(customer.display_name.as_deref(), Some("Анна"));
    assert_eq!(customer.language, Some(Language::En), "the channel's word stands until a turn has read theirs");
    stage.answers(&["Здравствуйте!"], 10).await;
    assert_eq!(stage.store.customer(id).await.unwrap().unwrap().language, Some(Language::Ru));
    let conversation = stage.store.conversation_at(&telegram("7")).await.unwrap().unwrap();
    assert_eq!(conversation.language, Some(Language::Ru));
}

pub(crate) async fn any_text_can_be_stored(stage: &Stage) {
    let odd = "a'b\"; drop table messages; -- \u{202e}\u{200b}🎁 $1 ?1 %s \\ \r\n\t";
    let long = "щ".repeat(100_000);
    let (id, _) = stage.writes(&web("o'hara"), odd, 0).await;
    stage.writes(&web("o'hara"), &long, 0).await;
    stage.writes(&web("o'hara"), "до\0после", 0).await;
    stage.writes(&web("o'hara"), "", 0).await;
    let said = stage.store.transcript(id, 0, 10).await.unwrap();
    assert_eq!(texts(&said), [odd, &long, "до\u{fffd}после", ""]);
    assert!(stage.store.conversation_at(&web("o'hara")).await.unwrap().is_some());
    // Times are kept to the microsecond, also before 1970.
    let early = jiff::Timestamp::from_microsecond(-1).unwrap();
    let update = update(&web("old"), "old", words("x"));
    stage.store.accept(&[update], None, &timing(), early).await.unwrap();
    assert_eq!(stage.store.conversation_at(&web("old")).await.unwrap().unwrap().opened_at, early);
}
