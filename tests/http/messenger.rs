//! What a messenger tells beside new words, as the desk shows it; and what the messenger is told.

use firstline::domain::channel::{
    Address, Attachment, AttachmentKind, ChannelKind, DeliveryReport, DeliveryState, Inbound, InboundEvent,
    SharedContact,
};
use firstline::domain::handoff::HandoffReason;
use firstline::domain::text::MessageText;
use firstline::flow::{Progress, deliver, ingest, timers};
use jiff::SignedDuration;

use crate::support::{Served, serve};

fn from(external_id: &str, event: InboundEvent) -> Inbound {
    let ana = Address {
        channel: ChannelKind::Telegram,
        account: "myata_bot".to_owned(),
        external: "7001234567890".to_owned(),
    };
    Inbound::new(ana, external_id, event)
}

fn said(id: &str, text: &str) -> Inbound {
    let mut said = from(id, InboundEvent::Message(MessageText::new(text)));
    said.message_id = Some(id.to_owned());
    said
}

async fn takes(served: &Served, update: Inbound) {
    ingest::accept(&served.ctx, vec![update], None).await.unwrap();
}

/// Sends what is due by the flow itself; returns how often that was tried.
async fn delivers(served: &Served) -> usize {
    let mut tries = 0;
    while deliver::tick(&served.ctx).await.unwrap() == Progress::Worked {
        tries += 1;
    }
    tries
}

async fn rings(served: &Served) {
    while timers::tick(&served.ctx).await.unwrap() == Progress::Worked {}
}

async fn page(served: &Served) -> String {
    let mut desk = served.at_desk("ann").await;
    let id = served.conversation().await;
    desk.page(&format!("/desk/c/{id}")).await
}

#[tokio::test]
async fn a_messenger_is_told_what_is_stored_and_once() {
    let served = serve().await;
    for _ in 0..2 {
        takes(&served, said("m1", "Где заказ?")).await;
        takes(&served, from("blocked", InboundEvent::Blocked)).await;
    }
    served.ctx.errands.done().await;
    let mut told = served.told.lock().unwrap().clone();
    told.sort_unstable();
    assert_eq!(told, ["blocked", "m1"]);
}

#[tokio::test]
async fn the_desk_shows_files_changes_and_how_far_an_answer_came() {
    let served = serve().await;
    served.operator("ann", "Анна").await;
    let mut first = said("m1", "Вот чек, карта 4111 1111 1111 1111");
    first.attachments = vec![Attachment {
        kind: AttachmentKind::Document,
        remote: "a file id".to_owned(),
        name: Some("чек 4111 1111 1111 1111.pdf".to_owned()),
        mime: None,
        size: Some(1_449_000),
        seconds: None,
        transcript: None,
    }];
    takes(&served, first).await;
    served.turn("Спасибо", Vec::new(), None).await;
    assert_eq!(delivers(&served).await, 1);
    let shown = page(&served).await;
    assert!(shown.contains(">File<") && shown.contains("1.4 MB") && shown.contains(".pdf"), "{shown}");
    assert!(!shown.contains("4111 1111") && shown.contains("class=\"tick sent\""), "{shown}");

    let report = DeliveryReport {
        provider_id: "sent Спасибо".to_owned(),
        dedupe_key: None,
        state: DeliveryState::Read,
        why: None,
        unreachable: false,
        billed: None,
    };
    takes(&served, from("report", InboundEvent::Receipt(report))).await;
    let text = MessageText::new("Вот другой чек");
    takes(&served, from("edit", InboundEvent::Edited { message_id: "m1".to_owned(), text })).await;
    let shown = page(&served).await;
    assert!(shown.contains("class=\"tick read\"") && shown.contains("the customer corrected this in"), "{shown}");
    assert!(shown.contains(">corrects"), "{shown}");

    takes(&served, from("delete", InboundEvent::Deleted { message_ids: vec!["m1".to_owned()] })).await;
    takes(&served, from("echo", InboundEvent::TakenOver(MessageText::new("Это Ольга")))).await;
    let shown = page(&served).await;
    assert_eq!(shown.matches("deleted by the customer").count(), 2, "{shown}");
    assert!(shown.contains("A colleague in the messenger") && !shown.contains(".pdf"), "{shown}");
    assert!(shown.contains("name=\"action\" value=\"take\""), "anybody may take it: {shown}");
}

#[tokio::test]
async fn who_is_fast_waits_and_who_waited_too_long_is_not_written_to() {
    let served = serve().await;
    served.operator("ann", "Анна").await;
    takes(&served, said("m1", "Раз")).await;
    served.turn("Ответ на раз", Vec::new(), None).await;
    takes(&served, said("m2", "Два")).await;
    served.turn("Ответ на два", Vec::new(), None).await;
    // The first goes, the second is put off, and nobody turns in circles meanwhile.
    assert_eq!(delivers(&served).await, 2);
    served.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(delivers(&served).await, 1);

    takes(&served, said("m3", "Три")).await;
    served.turn("Ответ на три", Vec::new(), None).await;
    served.clock.advance(SignedDuration::from_hours(25));
    assert_eq!(delivers(&served).await, 1);
    let shown = page(&served).await;
    assert!(shown.contains("not delivered") && shown.contains("the customer has not written"), "{shown}");
    rings(&served).await;
    let handoff = served.ctx.store.handoff(served.conversation().await).await.unwrap().unwrap();
    assert_eq!(handoff.reason, HandoffReason::UnknownSend, "a person sees that it did not arrive");
}

#[tokio::test]
async fn a_number_that_is_vouched_for_is_known_at_once() {
    let served = serve().await;
    let contact = |id: &str, is_own, phone: &str| {
        let contact = SharedContact { phone: phone.to_owned(), name: Some("Анна".to_owned()), is_own };
        from(id, InboundEvent::Contact(contact))
    };
    takes(&served, contact("1", false, "79991234567")).await;
    takes(&served, contact("2", true, "no number at all")).await;
    rings(&served).await;
    let customer = served.ctx.store.queue(1).await.unwrap()[0].customer.id;
    assert_eq!(served.ctx.store.facts(customer).await.unwrap(), []);
    takes(&served, contact("3", true, "79997654321")).await;
    rings(&served).await;
    let facts = served.ctx.store.facts(customer).await.unwrap();
    assert_eq!(facts.iter().map(|fact| fact.value.as_str()).collect::<Vec<_>>(), ["+79997654321"]);
}
