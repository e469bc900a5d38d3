//! A first reply that an operator may send as it is: it greets, shows that the conversation was read, asks for nothing
//! that is known and promises nothing.

use super::Material;
use super::known::{Known, addressed_as, known, orders};
use crate::domain::handoff::HandoffReason;
use crate::domain::text::Language;

/// Orders named in one reply.
const ORDERS: usize = 3;

pub(super) fn suggested(material: &Material<'_>) -> String {
    let known = known(material);
    let greeting = match (addressed_as(material, &known), material.language) {
        (Some(name), Language::Ru) => format!("{name}, здравствуйте!"),
        (Some(name), Language::En) => format!("Hello {name}!"),
        (None, Language::Ru) => "Здравствуйте!".to_owned(),
        (None, Language::En) => "Hello!".to_owned(),
    };
    let regret = match material.reason {
        HandoffReason::Emotional => material.say("Мне жаль, что так получилось.", "I am sorry that it came to this."),
        _ => "",
    };
    let read = material.say(
        "Вашу переписку я вижу, повторять ничего не нужно.",
        "I have your conversation in front of me, so there is no need to repeat anything.",
    );
    let parts = [greeting.as_str(), regret, read, &order(material, &known)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The orders named in this conversation, or else the last one that the customer ever named.
fn order(material: &Material<'_>, known: &[Known]) -> String {
    let mut named: Vec<&Known> = orders(known).filter(|one| one.now).take(ORDERS).collect();
    if named.is_empty() {
        named.extend(orders(known).next());
    }
    // In the order in which the customer named them.
    named.sort_by_key(|one| one.at);
    let numbers: Vec<&str> = named.iter().map(|one| one.value.as_str()).collect();
    let list = numbers.join(", ");
    match (numbers.len(), material.language) {
        (0, _) => String::new(),
        (1, Language::Ru) => format!("Номер заказа {list} у меня есть."),
        (_, Language::Ru) => format!("Номера заказов {list} у меня есть."),
        (1, Language::En) => format!("I have your order number, {list}."),
        (_, Language::En) => format!("I have your order numbers, {list}."),
    }
}
