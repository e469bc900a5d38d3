//! What proves that two customers are one person, and what does not.

use firstline::domain::channel::{Address, ChannelKind, Inbound, InboundEvent, Press, SharedContact};
use firstline::domain::id::{ConversationId, CustomerId};
use firstline::domain::proof::CONFIRM_LINK;
use firstline::flow::{identity, proof};
use firstline::ports::desk::DeskStore;
use firstline::ports::identity::Identity;
use firstline::ports::privacy::Privacy;
use firstline::ports::proof::{NewLink, Proofs};
use firstline::ports::store::{Accepted, Loop};
use jiff::SignedDuration;

use crate::support::{Stage, at, telegram, texts, timing, update, web, words};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";
const PHONE: &str = "+79161234567";
const HOUR: i64 = 3_600;
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

fn whatsapp(who: &str) -> Address {
    Address { channel: ChannelKind::WhatsApp, account: "number".to_owned(), external: who.to_owned() }
}

/// A link from `from` to Telegram, good for an hour.
async fn link(stage: &Stage, token: &str, from: &Address, now: i64) -> bool {
    let link = NewLink {
        from: from.clone(),
        channel: ChannelKind::Telegram,
        account: "bot".to_owned(),
        expires_at: at(now + HOUR),
    };
    stage.store.add_link(token, &link, at(now)).await.unwrap()
}

async fn accepts(stage: &Stage, update: Inbound, now: i64) -> Accepted {
    stage.store.accept(&[update], None, &timing(), at(now)).await.unwrap().remove(0)
}

/// Somebody comes by a link.
async fn opens(stage: &Stage, token: &str, who: &Address, now: i64) -> (ConversationId, CustomerId) {
    let start = InboundEvent::Started { payload: None };
    let opened = Inbound { link: Some(token.to_owned()), ..update(who, &format!("start {now}"), start) };
    let Accepted::New { conversation, .. } = accepts(stage, opened, now).await else { panic!("it opens the chat") };
    (conversation, stage.conversation(conversation).await.customer)
}

async fn writes(stage: &Stage, from: &Address, text: &str, now: i64) -> CustomerId {
    let (conversation, _) = stage.writes(from, text, now).await;
    stage.conversation(conversation).await.customer
}

/// How many others somebody turns out to be.
async fn merged(stage: &Stage, customer: CustomerId, now: i64) -> usize {
    proof::merge_kin(&stage.store, &stage.ids, customer, Some(YEAR), at(now)).await.unwrap()
}

async fn asked(stage: &Stage, id: ConversationId, now: i64) -> bool {
    let epoch = stage.conversation(id).await.epoch;
    stage.store.ask_about_link(id, epoch, &stage.message(&["Это вы?"]), at(now)).await.unwrap()
}

pub(crate) async fn who_is_new_and_comes_by_a_link_is_who_asked_for_it(stage: &Stage) {
    assert!(!link(stage, TOKEN, &web("ana"), 0).await, "who has not written is nobody yet");
    let ana = writes(stage, &web("ana"), "Где заказ?", 1).await;
    assert!(link(stage, TOKEN, &web("ana"), 2).await);
    let (_, new) = opens(stage, TOKEN, &telegram("7"), 3).await;
    assert_eq!(merged(stage, new, 4).await, 1);
    assert_eq!(stage.store.whole(new).await.unwrap(), Some(ana), "who was here first keeps the key");
    assert_eq!(stage.store.merges(ana).await.unwrap()[0].by, "proof:link");

    let (_, thief) = opens(stage, TOKEN, &telegram("8"), 5).await;
    assert_eq!(merged(stage, thief, 6).await, 0, "a link is good once");
    assert_eq!(merged(stage, ana, 7).await, 0);
}

pub(crate) async fn a_link_holds_for_its_time_and_place(stage: &Stage) {
    writes(stage, &web("ana"), "Где заказ?", 0).await;
    assert!(link(stage, TOKEN, &web("ana"), 1).await && link(stage, OTHER, &web("ana"), 1).await);
    let (_, late) = opens(stage, TOKEN, &telegram("7"), 1 + HOUR).await;
    assert_eq!(merged(stage, late, 2 + HOUR).await, 0, "its time is over");
    let (_, elsewhere) = opens(stage, OTHER, &whatsapp("7"), 3).await;
    assert_eq!(merged(stage, elsewhere, 4).await, 0, "it leads to Telegram");
    assert_eq!(stage.figure("select count(*) from proofs").await, 0);
}

pub(crate) async fn who_is_known_must_say_that_it_was_them(stage: &Stage) {
    let ana = writes(stage, &web("ana"), "Где заказ?", 0).await;
    writes(stage, &telegram("7"), "Здравствуйте", 1).await;
    assert!(link(stage, TOKEN, &web("ana"), 2).await);
    let (chat, known) = opens(stage, TOKEN, &telegram("7"), 3).await;
    assert_eq!(merged(stage, known, 4).await, 0, "they may have been sent the link of somebody else");
    writes(stage, &telegram("7"), "это я", 5).await;
    assert_eq!(merged(stage, known, 6).await, 0, "nobody has asked them");

    assert!(asked(stage, chat, 7).await);
    assert!(!asked(stage, chat, 8).await, "once");
    writes(stage, &web("stranger"), "это я", 9).await;
    writes(stage, &telegram("7"), "это не я", 10).await;
    assert_eq!(merged(stage, known, 11).await, 0);

    let press = Press { payload: CONFIRM_LINK.to_owned(), title: Some("Это я".to_owned()), acknowledge: None };
    accepts(stage, update(&telegram("7"), "tap", InboundEvent::Pressed(press)), 12).await;
    assert_eq!(merged(stage, known, 13).await, 1);
    assert_eq!(stage.store.whole(known).await.unwrap(), Some(ana));
    let said = stage.store.transcript(chat, 0, 20).await.unwrap();
    assert_eq!(texts(&said).last(), Some(&"/start"), "it opens the chat, and is no question");
    assert!(!asked(stage, chat, 14).await, "there is nothing to ask any more");
}

pub(crate) async fn only_the_link_that_was_asked_about_is_confirmed(stage: &Stage) {
    let ana = writes(stage, &web("ana"), "Где заказ?", 0).await;
    writes(stage, &web("eve"), "Пишу от чужого имени", 1).await;
    writes(stage, &telegram("7"), "Здравствуйте", 2).await;
    assert!(link(stage, OTHER, &web("eve"), 3).await && link(stage, TOKEN, &web("ana"), 3).await);
    opens(stage, OTHER, &telegram("7"), 4).await;
    let (chat, known) = opens(stage, TOKEN, &telegram("7"), 5).await;
    assert!(asked(stage, chat, 6).await);
    writes(stage, &telegram("7"), "Это я!", 7).await;
    assert_eq!(merged(stage, known, 8).await, 1);
    assert_eq!(stage.store.whole(known).await.unwrap(), Some(ana));
    writes(stage, &telegram("7"), "это я", 9).await;
    assert_eq!(merged(stage, ana, 10).await, 0, "the words were said of one link");
}

pub(crate) async fn a_number_that_two_channels_vouch_for_brings_together(stage: &Stage) {
    let said = Inbound {
        phone: Some(PHONE.to_owned()), ..update(&whatsapp("79161234567"), "w1", words("Где заказ?"))
    };
    let Accepted::New { conversation, .. } = accepts(stage, said, 0).await else { panic!("it is new") };
    let first = stage.conversation(conversation).await.customer;
    writes(stage, &telegram("7"), "мой номер +7 916 123-45-67", 1).await;
    let contact = |is_own| {
        let shared = SharedContact { phone: PHONE.to_owned(), name: None, is_own };
        update(&telegram("7"), &format!("contact {is_own}"), InboundEvent::Contact(shared))
    };
    accepts(stage, contact(false), 2).await;
    assert_eq!(merged(stage, first, 3).await, 0, "what somebody says of themselves is no proof");
    accepts(stage, contact(true), 4).await;
    let year = 365 * 24 * HOUR;
    assert_eq!(merged(stage, first, 4 + year).await, 0, "numbers are given to others");
    assert_eq!(merged(stage, first, 5).await, 1);

    let merge = stage.store.merges(first).await.unwrap().remove(0);
    assert_eq!(merge.by, "proof:phone");
    identity::unmerge(&stage.store, &stage.ids, merge.id, "ann", at(6)).await.unwrap();
    assert_eq!(merged(stage, first, 7).await, 0, "an operator's word stands against the same proof");
}

pub(crate) async fn what_is_taken_back_proves_nothing(stage: &Stage) {
    let said = Inbound {
        phone: Some(PHONE.to_owned()), ..update(&whatsapp("79161234567"), "w1", words("Где заказ?"))
    };
    accepts(stage, said, 0).await;
    let shared = SharedContact { phone: PHONE.to_owned(), name: None, is_own: true };
    let contact =
        Inbound { message_id: Some("m1".to_owned()), ..update(&telegram("7"), "c1", InboundEvent::Contact(shared)) };
    let Accepted::New { conversation, .. } = accepts(stage, contact, 1).await else { panic!("it is new") };
    accepts(stage, update(&telegram("7"), "d1", InboundEvent::Deleted { message_ids: vec!["m1".to_owned()] }), 2).await;
    let customer = stage.conversation(conversation).await.customer;
    assert_eq!(merged(stage, customer, 3).await, 0);
}

pub(crate) async fn who_is_not_to_be_remembered_is_nobodys_kin(stage: &Stage) {
    let ana = writes(stage, &web("ana"), "Где заказ?", 0).await;
    assert!(link(stage, TOKEN, &web("ana"), 1).await);
    opens(stage, TOKEN, &telegram("7"), 2).await;
    stage.store.set_memory(ana, false, at(3)).await.unwrap();
    assert_eq!(merged(stage, ana, 4).await, 0);
    assert!(!link(stage, OTHER, &web("ana"), 5).await);
}
