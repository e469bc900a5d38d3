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

#[test]
fn streets_of_other_countries_from_their_unit_to_their_flat() {
    kept(
        "address",
        &[
            ("Deliver to: 3/16 Kauri Lane, Nelson 7010", "3/16 Kauri Lane"),
            ("We're at Shed 4, 118 Coonawarra Road, Darwin 0820", "Shed 4, 118 Coonawarra Road"),
            ("Ship to Plot 14, Admiralty Way, Lekki, Lagos", "Plot 14, Admiralty Way"),
            ("deliver to House 23, Street 7, F-10/2, Islamabad", "House 23, Street 7"),
            ("Send it to B-204, Green Park Apartments, Andheri West, Mumbai", "B-204, Green Park Apartments"),
            ("Deliver to 1420 NW 5th Ave, Apt 3B, Portland OR 97209", "1420 NW 5th Ave, Apt 3B"),
            (
                "Deliver to Flat 302, Sai Residency, 4th Cross Road, Bengaluru",
                "Flat 302, Sai Residency, 4th Cross Road",
            ),
            ("Delivery please to Blk 348 Ang Mo Kio Ave 3 #09-12, Singapore", "Blk 348 Ang Mo Kio Ave 3 #09-12"),
            ("Deliver to Am Sandtorkai 41, Hamburg", "Am Sandtorkai 41"),
            ("Deliver to Friedrichstr. 12, 10117 Berlin", "Friedrichstr 12"),
            ("My address is Kungsgatan 14, lgh 1102, Stockholm", "Kungsgatan 14, lgh 1102"),
            ("delivery is planned at Gedimino pr. 20-7, Vilnius", "Gedimino pr 20-7"),
            ("it goes to Bağdat Caddesi 315, apt 9", "Bağdat Caddesi 315, apt 9"),
            ("Please deliver to 14 bis rue Victor Hugo, Paris", "14 bis rue Victor Hugo"),
            ("Please send it to P.O. Box 4417, Nairobi", "PO Box 4417"),
            ("New address is Unit 9, 203 Brunswick Rd, Geelong, not the one on file", "Unit 9, 203 Brunswick Rd"),
        ],
    );
    left(
        "address",
        &[
            "At 5 Via Garibaldi there is a shop with your logo. Is this your shop?",
            "The parcel label shows 'Recipient: Omar Haddad, Rue Neuve 112'. Funny, nobody of that name lives here.",
            "Your competitor in Hamburg, Am Sandtorkai 41, sells it for 20 euro",
            "Exit 14, Pacific Highway is where the crash was",
            "I'm on bus 14, Oxford Road",
            "Do you deliver to Am Sandtorkai 41?",
        ],
    );
}

#[test]
fn what_follows_a_street_is_a_town_and_nobodys_name() {
    kept(
        "city",
        &[
            ("Deliver to: 3/16 Kauri Lane, Nelson 7010", "Nelson"),
            ("It is 203 Brunswick Rd, Geelong VIC 3220", "Geelong"),
            ("My address: 14 Adeola Odeku Street, Victoria Island, Lagos", "Lagos"),
            ("New one please to Am Alten Deich 9a, Hinterhaus, 26506 Norden", "Norden"),
            ("Address stays Calle Mayor 14, 3B in Alcalá de Henares", "Alcalá de Henares"),
            ("Merhaba, Cem Yıldırım here from Izmir", "Izmir"),
            ("Reto Zgraggen from Chur. My phone: +41 79 555 01 62", "Chur"),
        ],
    );
    left("city", &["Hi, Sarah Jones from Marketing here. Could you send the invoice?", "The city's traffic is awful"]);
    left(
        "name",
        &[
            "My address: 14 Adeola Odeku Street, Victoria Island, Lagos",
            "Bring it to 123 Rizal Street, Barangay San Jose, Quezon City",
            "My new address is Apt 1204, Marina Heights Tower, Dubai Marina",
            "We live at The Old Schoolhouse, Killarney, Co. Kerry",
            "(1) Customer: Nordwind Hausverwaltung GmbH",
        ],
    );
    left(
        "company",
        &[
            "My new address is Apt 1204, Marina Heights Tower, Dubai Marina",
            "We live at The Old Schoolhouse, Killarney, Co. Kerry",
            "The Peak Design phone mount I got from you is magnetic!",
        ],
    );
    kept(
        "name",
        &[
            ("hi its Dieter again, Dieter Haubold, the printer pulls three sheets", "Dieter Haubold"),
            ("Respectfully\nDipl.-Ing. Ottokar Hrdlicka", "Ottokar Hrdlicka"),
            ("The 12th of May, thanks. – Bronte Vassallo, workshop manager", "Bronte Vassallo"),
            ("thx, Piripi Waaka  +64 22 555 0150", "Piripi Waaka"),
            ("Call before noon, I play cards after. Opal Tidwell's the name", "Opal Tidwell"),
        ],
    );
}

#[test]
fn whose_number_mailbox_and_order_it_is() {
    left("email", &["my flatmate Rafael has an account with you under rafa.m@mail.example, could he add me?"]);
    left(
        "phone",
        &[
            "My flatmate has a phone from you, the number on the box is 07700 900123",
            "Was going to give +61 470 550 188 but that's hubby's old one",
        ],
    );
    kept("phone", &[("Kindly ring me on +234 803 555 0144 after 4pm", "+2348035550144")]);
    left("order_number", &["The Ivanovs next door have lost a parcel, order 7710233 I believe. They don't write."]);
    kept("company", &[("I buy for Ferretería Luque S.L. and 150 is too much", "Ferretería Luque S.L.")]);
    left("contact_preference", &["You people always call me at 7 pm for surveys, funny"]);
    left("contact_channel", &["Is WhatsApp better from now on or email?"]);
    left(
        "claim",
        &[
            "I have it from your competitor that your paint peels",
            "So I've told the bot, I've told Kevin, I'll tell you too: the kitchen tap spits.",
        ],
    );
    kept("call_time", &[("I don't want calls between 9 and 5, but after six is fine: +1 415 555 0133", "after six")]);
}

#[test]
fn goods_beside_an_order_from_us_or_due() {
    kept(
        "product",
        &[
            ("the Petzl headlamps in order M-391155 flicker", "Petzl headlamps"),
            ("The thermostat heads Danfoss RA2990 from you are very good", "thermostat heads Danfoss RA2990"),
            ("we bought the Sea to Summit dry bags from you", "Sea to Summit dry bags"),
            ("Need the De'Longhi Dedica I ordered (M-559018) dropped to the site", "De'Longhi Dedica"),
            ("I want to return a duvet, order 735081", "duvet"),
            ("The bookcase is due on Saturday, don't forget", "bookcase"),
            ("2. What came: a mixer tap Grohe Eurosmart, cartridge cracked", "mixer tap Grohe Eurosmart"),
        ],
    );
    left(
        "product",
        &[
            "The sofa from your shop window, how much is it?",
            "order 712345, the tracking page won't open",
            "order 712345, name Okafor, Leeds branch",
            "Order: 337610\nCost centre: 55018",
            "The lamp comes on at 8 every evening by itself",
            "I bought it March 7. When I signed up, the page promised lifetime repairs.",
        ],
    );
}
