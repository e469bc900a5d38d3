//! What strangers write that looks like a fact of theirs and is none, by kind.

use jiff::Timestamp;

use super::extract;
use crate::domain::id::{Ids, MessageId};

fn left(key: &str, texts: &[&str]) {
    let at = Timestamp::UNIX_EPOCH;
    for text in texts {
        let stated = extract(text, MessageId::fresh(&Ids::seeded(1), at), at);
        assert!(stated.iter().all(|fact| fact.key != key), "{key}: {text}: {stated:?}");
    }
}

fn kept(key: &str, cases: &[(&str, &str)]) {
    let at = Timestamp::UNIX_EPOCH;
    for (text, value) in cases {
        let stated = extract(text, MessageId::fresh(&Ids::seeded(1), at), at);
        let values: Vec<&str> = stated.iter().filter(|fact| fact.key == key).map(|fact| fact.value.as_str()).collect();
        assert_eq!(values, [*value], "{key}: {text}");
    }
}

#[test]
fn numbers_that_are_no_orders_of_theirs() {
    left(
        "order_number",
        &[
            "Are the kettles at £19 (art. 220144) the same as those at £34, only smaller?",
            "is M-100500 a size or an order number?",
            "My customer number is 550123",
            "our purchase order 771200 covers it",
            "551920 or 551902, can't read my own writing",
            "can you see order 551920? it's my mum's",
            "The number you gave me, 553311, is dead",
            "order 55129 belongs to the flat upstairs",
            "the guy behind me in the queue had order 551234",
        ],
    );
    kept("order_number", &[("order 551920 or rather 551902", "М-551902"), ("551920, no sorry, 551902", "М-551902")]);
}

#[test]
fn telephones_and_mailboxes_of_others() {
    left(
        "phone",
        &[
            "Contact Dave on 07700 900512, he's the site manager",
            "you've got me down as 07700 900512, that's wrong",
            "07700 900512 belongs to my ex",
            "got three calls off 07700 900616 today is that yourselves",
            "Please delete 07700 900512 from my account",
        ],
    );
    kept(
        "phone",
        &[
            ("my phone is +1 217 555 0191, sorry no, +1 217 555 0119", "+12175550119"),
            ("text 07700 900612, that's me, not 07700 900611, that's the old one", "07700900612"),
        ],
    );
    left("email", &["the acct is in my mother's name (Ros Pickett, rp@aol.com)", "please remove kate@example.com"]);
}

#[test]
fn streets_towns_and_names_of_others() {
    left(
        "address",
        &[
            "It got delivered to 20 Park Row. I'm at 22.",
            "next door (20 Park Row) has it",
            "leave it at 20 Park Row with Doreen",
            "Please take 20 Park Row off my account",
            "billing address is 14 Mill Lane",
            "I used to live at 14 Mill Lane",
        ],
    );
    kept(
        "address",
        &[
            ("our old place was 20 Park Row, we're now at 5 Hill Street, Bristol", "5 Hill Street"),
            ("Please bill 20 Park Row and deliver to 5 Hill Street, Bristol", "5 Hill Street"),
        ],
    );
    left(
        "city",
        &["I'm in Berlin till Friday on a trip", "The hotel in Bristol never got it", "I'm from Leeds originally"],
    );
    left(
        "name",
        &[
            "Ship it to 15520 County Road 9, Spencer",
            "Thank you, Megan.",
            "Winston (the cat) says hi",
            "My name is wrong on my label",
        ],
    );
    kept("name", &[("You've spelt my name Katharine, it's Catherine.", "Catherine")]);
    left(
        "company",
        &[
            "my accountant, Webb & Co Ltd, wants the VAT invoice",
            "The sofa's label reads Webb Upholstery Ltd",
            "I compared you with Acme Ltd",
            "Acme Ltd recommended you",
        ],
    );
    kept("company", &[("It's Fergal Mulcahy of Mulcahy Joinery Limited.", "Mulcahy Joinery Limited.")]);
}

#[test]
fn calls_and_writing_that_nobody_asked_for() {
    left(
        "contact_preference",
        &[
            "im a night nurse so nobody should knock or ring at my door before 3pm, ever",
            "I waited for your call between 3 and 4",
            "stop ringing me at seven in the morning",
            "They only call in the mornings",
            "no calls from you, three days now",
        ],
    );
    left(
        "contact_channel",
        &[
            "so if you could just mail one thank you",
            "You used to answer on Telegram",
            "You can reach me by email or phone",
        ],
    );
}

#[test]
fn what_is_said_and_is_no_claim_and_no_constraint() {
    left(
        "claim",
        &[
            "I'm Denise, not Dennis like your label says lol",
            "you wrote my name wrong",
            "the lady in front of me was promised a refund",
        ],
    );
    left(
        "constraint",
        &[
            "I'm allergic to bad service",
            "The wheelchair ramp I ordered is short",
            "The dog is fine with strangers",
            "we run a home for the deaf",
        ],
    );
}

#[test]
fn goods_that_nobody_bought_from_us() {
    left(
        "product",
        &[
            "I got a bruise from your trolley",
            "Everyone in our street buys tents from you",
            "I ordered a different one",
            "The amount I paid for is wrong",
            "I saw the rug you sold to my friend",
            "The free pillow that came with the duvet is flat",
            "I paid for my laptop to be set up",
        ],
    );
    kept(
        "product",
        &[
            ("I got a blue scarf in place of the red scarf I ordered, 55129", "red scarf"),
            ("We bought the bunk bed for our grandkids from you", "bunk bed"),
            ("the freezer we purchased from you won't turn on", "freezer"),
        ],
    );
}
