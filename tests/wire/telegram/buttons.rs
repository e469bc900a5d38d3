//! Buttons: under the message, acknowledged, and gone once one is tapped.

use firstline::domain::channel::InboundEvent;
use firstline::domain::outbox::Outbound;
use firstline::ports::channel::Channel;
use serde_json::json;

use super::{CHAT, Fault, buttons, connect, part, poll, with_customer};

#[tokio::test]
async fn choices_stand_under_the_message_and_are_gone_once_one_is_tapped() {
    let fake = with_customer().await;
    let telegram = connect(&fake);
    let scores = Outbound { buttons: buttons(&["1", "2", "3"]), ..part("11", "Как вам?") };
    let person =
        Outbound { buttons: buttons(&["Да", "Позвать человека"]), ..part("11", "Это всё?") };
    for one in [&scores, &person] {
        assert!(one.buttons.len() <= telegram.limits().buttons);
        telegram.send(one).await.unwrap();
    }
    let button = |title: &str| json!({ "text": title, "callback_data": format!("to {title}") });
    let shown = |call: usize| fake.calls("sendMessage")[call]["reply_markup"]["inline_keyboard"].clone();
    assert_eq!(shown(0), json!([[button("1"), button("2"), button("3")]]));
    assert_eq!(shown(1), json!([[button("Да")], [button("Позвать человека")]]));

    let position = poll(&telegram, None).await.unwrap().cursor.unwrap().position;
    fake.customer_taps(CHAT, "to 2");
    let tapped = poll(&telegram, Some(&position)).await.unwrap().updates.remove(0);
    let InboundEvent::Pressed(press) = &tapped.event else { panic!("{tapped:?}") };
    assert_eq!((press.payload.as_str(), press.title.as_deref()), ("to 2", Some("2")));
    assert!(fake.calls("answerCallbackQuery").is_empty(), "it is not stored yet");
    telegram.stored(&tapped).await;
    assert_eq!(fake.calls("answerCallbackQuery").len(), 1);
    let left = fake.buttons(CHAT);
    assert_eq!(left.iter().map(|(title, _)| title.as_str()).collect::<Vec<_>>(), ["Да", "Позвать человека"]);

    // What can't be acknowledged any more is nobody's concern.
    fake.fail_next("answerCallbackQuery", 1, Fault::Error(400, "Bad Request: query is too old"));
    telegram.stored(&tapped).await;
    assert_eq!(fake.calls("answerCallbackQuery").len(), 2);
}
