//! Accounts of Telegram Business that the bot answers for.

use firstline::domain::channel::{InboundEvent, Press};
use firstline::domain::text::MessageText;
use firstline::ports::channel::Channel;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::updates::decode;
use super::{Ending, Fault, connect, ending, part, poll};
use crate::support::fake_telegram::FakeTelegram;

const OWNER: i64 = 900;
const CONNECTION: &str = "Ab-3_x";
const CUSTOMER: &str = "21@Ab-3_x";

/// A message in the customer's chat with the account.
#[expect(clippy::needless_pass_by_value, reason = "what json! makes is written in place")]
fn message(from: i64, extra: Value) -> Value {
    let mut message = json!({
        "message_id": 5, "date": 1_700_000_000, "business_connection_id": CONNECTION, "text": "Где заказ?",
        "chat": { "id": 21, "type": "private", "first_name": "Борис" },
        "from": { "id": from, "is_bot": false, "first_name": if from == OWNER { "Ольга" } else { "Борис" } },
    });
    message.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    message
}

#[test]
fn each_side_of_a_business_chat_is_told_apart() {
    let said = decode("business_message", &message(21, json!({}))).unwrap().unwrap();
    assert_eq!((said.from.external.as_str(), said.message_id.as_deref()), (CUSTOMER, Some("5")));
    assert_eq!(said.event, InboundEvent::Message(MessageText::new("Где заказ?")));

    let over = decode("business_message", &message(OWNER, json!({}))).unwrap().unwrap();
    assert_eq!(over.event, InboundEvent::TakenOver(MessageText::new("Где заказ?")));
    assert_eq!((over.from.external.as_str(), over.display_name.as_deref()), (CUSTOMER, Some("Борис")));
    let photo = json!({ "text": null, "photo": [{ "file_id": "x" }] });
    let over = decode("business_message", &message(OWNER, photo)).unwrap().unwrap();
    assert_eq!((over.event, over.attachments.len()), (InboundEvent::TakenOver(MessageText::new("[photo]")), 0));

    let bot = json!({ "sender_business_bot": { "id": 42, "is_bot": true, "first_name": "Мята" } });
    for nobody in [message(OWNER, bot), message(OWNER, json!({ "is_from_offline": true }))] {
        assert_eq!(decode("business_message", &nobody).unwrap(), None, "an account that speaks by itself is nobody");
    }
    let put_off = decode("business_message", &message(21, json!({ "is_from_offline": true }))).unwrap();
    assert!(matches!(put_off.unwrap().event, InboundEvent::Message(_)), "a customer's own timer is the customer");
}

#[test]
fn edits_deletions_and_taps_find_the_chat() {
    let edit = decode("edited_business_message", &message(21, json!({ "text": "М-2" }))).unwrap().unwrap();
    let edited = InboundEvent::Edited { message_id: "5".to_owned(), text: MessageText::new("М-2") };
    assert_eq!((edit.event, edit.from.external.as_str()), (edited, CUSTOMER));
    assert_eq!(
        decode("edited_business_message", &message(OWNER, json!({}))).unwrap(),
        None,
        "the owner's is not theirs"
    );

    let chat = json!({ "id": 21, "type": "private" });
    let gone = json!({ "business_connection_id": CONNECTION, "chat": chat, "message_ids": [5, 6] });
    let gone = decode("deleted_business_messages", &gone).unwrap().unwrap();
    let deleted = InboundEvent::Deleted { message_ids: vec!["5".to_owned(), "6".to_owned()] };
    assert_eq!((gone.event, gone.from.external.as_str()), (deleted, CUSTOMER));
    let nothing = json!({ "business_connection_id": CONNECTION, "chat": chat, "message_ids": [] });
    assert_eq!(decode("deleted_business_messages", &nothing).unwrap(), None);

    let tap =
        |from: i64| json!({ "id": "q", "from": { "id": from }, "message": message(42, json!({})), "data": "human" });
    let tapped = decode("callback_query", &tap(21)).unwrap().unwrap();
    assert_eq!(tapped.from.external, CUSTOMER);
    assert!(matches!(tapped.event, InboundEvent::Pressed(Press { .. })));
    assert_eq!(decode("callback_query", &tap(OWNER)).unwrap(), None, "the owner sees the buttons as well");
}

#[tokio::test]
async fn the_bot_answers_in_the_accounts_name_while_it_may() {
    let fake = FakeTelegram::start().await;
    fake.connects(CONNECTION, OWNER, true);
    fake.writes_to_account(CONNECTION, 21, false, "Где заказ?");
    let telegram = connect(&fake);
    let polled = poll(&telegram, None).await.unwrap();
    assert_eq!((polled.updates.len(), polled.malformed), (1, 0), "a connection is nobody's message");

    let answer = part(CUSTOMER, "В пути");
    telegram.send(&answer).await.unwrap();
    telegram.show_typing(&answer.to).await;
    assert_eq!(fake.replies(21), ["В пути"]);
    let expected = json!({
        "business_connection_id": CONNECTION, "chat_id": 21, "text": "В пути",
        "link_preview_options": { "is_disabled": true },
    });
    assert_eq!(fake.calls("sendMessage"), [expected]);
    let typing = json!({ "business_connection_id": CONNECTION, "chat_id": 21, "action": "typing" });
    assert_eq!(fake.calls("sendChatAction"), [typing]);
    assert!(fake.calls("getBusinessConnection").is_empty(), "telegram has told it");

    assert_eq!(telegram.window(&answer.to), Some(SignedDuration::from_hours(24)));
    assert_eq!(telegram.window(&part("21", "").to), None, "in its own name the bot may always write");
    let own_name = telegram.send(&part("21", "В пути")).await.expect_err("they have never written to the bot");
    assert_eq!(ending(&own_name), Ending::Refused { unreachable: true });
}

#[tokio::test]
async fn what_is_known_of_a_connection_outlives_no_start_and_is_asked_for() {
    let fake = FakeTelegram::start().await;
    fake.connects(CONNECTION, OWNER, true);
    fake.writes_to_account(CONNECTION, 21, false, "Где заказ?");
    let telegram = connect(&fake);
    for fault in [Fault::Reset, Fault::Error(500, "Internal Server Error")] {
        fake.fail_next("getBusinessConnection", 1, fault);
        let error = telegram.send(&part(CUSTOMER, "В пути")).await.expect_err("nobody can tell whether it may");
        assert!(matches!(ending(&error), Ending::NotSent(_)), "{error}");
    }
    assert!(fake.calls("sendMessage").is_empty());
    for _ in 0..2 {
        telegram.send(&part(CUSTOMER, "В пути")).await.unwrap();
    }
    assert_eq!(fake.calls("getBusinessConnection").len(), 3, "two failed, one told, and that holds");
}

#[tokio::test]
async fn a_right_that_is_withdrawn_ends_sending_with_its_mend() {
    let fake = FakeTelegram::start().await;
    fake.connects(CONNECTION, OWNER, true);
    fake.writes_to_account(CONNECTION, 21, false, "Где заказ?");
    let telegram = connect(&fake);
    let position = poll(&telegram, None).await.unwrap().cursor.unwrap().position;
    telegram.send(&part(CUSTOMER, "раз")).await.unwrap();

    // Withdrawn, and not told yet: Telegram refuses, and the customer is as reachable as before.
    fake.connects(CONNECTION, OWNER, false);
    let refused = telegram.send(&part(CUSTOMER, "два")).await.expect_err("it may not");
    assert_eq!(ending(&refused), Ending::Refused { unreachable: false }, "{refused}");
    let sends = fake.calls("sendMessage").len();
    poll(&telegram, Some(&position)).await.unwrap();
    let refused = telegram.send(&part(CUSTOMER, "три")).await.expect_err("it may not");
    assert!(refused.to_string().contains("Chatbots"), "{refused}");
    assert_eq!(ending(&refused), Ending::Refused { unreachable: false });
    assert_eq!(fake.calls("sendMessage").len(), sends, "nothing is tried that can't be");

    fake.connects(CONNECTION, OWNER, true);
    telegram.send(&part(CUSTOMER, "четыре")).await.expect("given back, it holds before we are told");
    let gone = telegram.send(&part("21@gone", "пять")).await.expect_err("removed");
    assert_eq!(ending(&gone), Ending::Refused { unreachable: false }, "{gone}");
    assert_eq!(fake.replies(21), ["раз", "четыре"]);
}
