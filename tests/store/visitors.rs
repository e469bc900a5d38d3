//! Visitors of the web chat: tokens, feeds that become one, what was read.

use firstline::domain::channel::DeliveryState;
use firstline::domain::customer::Claims;
use firstline::domain::memory::FactKind;
use firstline::flow::identity;
use firstline::ports::desk::DeskStore;
use firstline::ports::ledger::Ledger;
use firstline::ports::visitors::{KnownVisitor, Visitors};

use crate::support::{Stage, at, reply, take, web};

fn anna() -> Claims {
    Claims { name: Some("Анна".to_owned()), phone: Some("+79161234567".to_owned()), email: None }
}

pub(crate) async fn visitors_are_remembered(stage: &Stage) {
    let (store, nobody) = (&stage.store, Claims::default());
    store.add_visitor("hash", &web("visitor-1"), &nobody, at(0)).await.unwrap();
    store.add_visitor("hash", &web("visitor-2"), &nobody, at(1)).await.unwrap();
    let known = KnownVisitor { address: web("visitor-1"), claims: nobody, stated: false };
    assert_eq!(store.visitor("hash").await.unwrap(), Some(known.clone()), "a token does not change hands");
    assert_eq!(store.visitor("other").await.unwrap(), None);
    assert_eq!(store.customer_at(&web("visitor-1")).await.unwrap(), None, "who wrote nothing is no customer yet");
    store.add_visitor("hash", &web("visitor-1"), &anna(), at(2)).await.unwrap();
    assert_eq!(store.visitor("hash").await.unwrap().unwrap().claims, anna(), "the site may say more later");
    store.end_visitor("hash").await.unwrap();
    assert_eq!(store.visitor("hash").await.unwrap(), None);
}

pub(crate) async fn what_a_site_vouches_for_is_stated_once(stage: &Stage) {
    let store = &stage.store;
    store.add_visitor("hash", &web("user-1"), &anna(), at(0)).await.unwrap();
    let (conversation, _) = stage.writes(&web("user-1"), "hello", 1).await;
    let message = store.transcript(conversation, 0, 1).await.unwrap()[0].id;
    for now in [2, 3] {
        store.state_claims("hash", message, at(now)).await.unwrap();
    }
    assert!(store.visitor("hash").await.unwrap().unwrap().stated);
    let customer = stage.conversation(conversation).await.customer;
    let stated = store.ledger(customer).await.unwrap().statements;
    assert_eq!(stated.len(), 1, "once: {stated:?}");
    assert_eq!((stated[0].key.as_str(), stated[0].value.as_str()), ("phone", "+79161234567"));
    assert_eq!((stated[0].source, stated[0].kind), (message, FactKind::Attribute));
    // The same words a second time change nothing; other words are news.
    store.add_visitor("hash", &web("user-1"), &anna(), at(4)).await.unwrap();
    assert!(store.visitor("hash").await.unwrap().unwrap().stated);
    let more = Claims { email: Some("anna@shop.example".to_owned()), ..anna() };
    store.add_visitor("hash", &web("user-1"), &more, at(5)).await.unwrap();
    assert!(!store.visitor("hash").await.unwrap().unwrap().stated);
}

pub(crate) async fn a_stranger_becomes_whom_the_site_knows(stage: &Stage) {
    let (conversation, _) = stage.writes(&web("stranger"), "as a stranger", 1).await;
    assert_eq!(stage.store.join(&web("nobody"), &web("user-1")).await.unwrap(), None);
    assert_eq!(
        stage.store.join(&web("stranger"), &web("user-1")).await.unwrap(),
        None,
        "there is nobody to merge with"
    );
    let (same, _) = stage.writes(&web("user-1"), "as myself", 2).await;
    assert_eq!(same, conversation, "the conversation goes on");
    assert_eq!(stage.store.customer_at(&web("stranger")).await.unwrap(), None);
}

/// What the visitor sees, with its positions.
async fn feed(stage: &Stage, who: &str) -> Vec<(i64, String)> {
    let feed = stage.store.feed(&web(who), 0, 100).await.unwrap();
    feed.into_iter().map(|item| (item.position, item.message.text.as_str().to_owned())).collect()
}

pub(crate) async fn joined_feeds_are_one_and_part_again(stage: &Stage) {
    stage.writes(&web("user-1"), "from my phone", 1).await;
    stage.answers(&["answered"], 10).await;
    stage.delivers(10).await;
    let operator = stage.operator();
    let (other, _) = stage.writes(&web("stranger"), "from my desk", 20).await;
    stage.acts(operator, other, take(), 21).await;
    let (part, whole) = stage.store.join(&web("stranger"), &web("user-1")).await.unwrap().unwrap();
    let merge = identity::merge(&stage.store, &stage.ids, (part, whole), "jwt", at(22)).await.unwrap();
    assert_eq!(
        stage.store.join(&web("stranger"), &web("user-1")).await.unwrap(),
        Some((whole, whole)),
        "a second time"
    );

    // What comes afterwards in the other conversation is told to whoever follows the known visitor's feed.
    stage.acts(operator, other, reply("from a person"), 23).await;
    stage.delivers(24).await;
    let texts = |feed: Vec<(i64, String)>| feed.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    let seen = feed(stage, "user-1").await;
    assert!(seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "{seen:?}");
    assert_eq!(texts(seen), ["from my phone", "answered", "from my desk", "from a person"]);
    let newest = stage.store.conversation_at(&web("user-1")).await.unwrap().unwrap();
    assert_eq!(newest.id, other, "a person has it: that is what the visitor is told");
    let (answered, _) = stage.writes(&web("user-1"), "to that person", 25).await;
    assert_eq!(answered, other, "and that is whom they answer");

    // A merge that was wrong is undone: each has their own words again, and positions go on.
    identity::unmerge(&stage.store, &stage.ids, merge.id, "ann", at(30)).await.unwrap().unwrap();
    assert_eq!(texts(feed(stage, "user-1").await), ["from my phone", "answered"]);
    stage.acts(operator, other, reply("only to the stranger"), 31).await;
    stage.delivers(32).await;
    let theirs = feed(stage, "stranger").await;
    assert!(theirs.windows(2).all(|pair| pair[0].0 < pair[1].0), "{theirs:?}");
    assert_eq!(theirs.last().unwrap().1, "only to the stranger");
}

pub(crate) async fn what_was_in_sight_is_read(stage: &Stage) {
    let (conversation, _) = stage.writes(&web("visitor"), "hello", 1).await;
    stage.answers(&["first, ", "second"], 10).await;
    stage.delivers(10).await;
    let operator = stage.operator();
    stage.acts(operator, conversation, take(), 20).await;
    stage.acts(operator, conversation, reply("not sent yet"), 21).await;
    let far = async || {
        let marks = stage.store.marks(conversation, 0).await.unwrap();
        marks.into_iter().map(|mark| (mark.seq, mark.delivery)).collect::<Vec<_>>()
    };
    assert_eq!(far().await, [(2, Some(DeliveryState::Sent))]);
    assert!(
        stage.store.read_up_to(&web("visitor"), 1, at(30)).await.unwrap().is_empty(),
        "their own words are no news"
    );
    assert!(stage.store.read_up_to(&web("other"), 9, at(30)).await.unwrap().is_empty(), "nobody reads for others");
    assert_eq!(stage.store.read_up_to(&web("visitor"), 9, at(31)).await.unwrap(), [conversation]);
    assert_eq!(far().await, [(2, Some(DeliveryState::Read))]);
    assert!(stage.store.read_up_to(&web("visitor"), 9, at(32)).await.unwrap().is_empty(), "once");
    stage.delivers(33).await;
    assert_eq!(far().await, [(2, Some(DeliveryState::Read)), (3, Some(DeliveryState::Sent))]);
}
