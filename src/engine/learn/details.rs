//! Messages that only tell who is writing: a name, an order number, a telephone. There is nothing in them to answer.

use super::extract;
use crate::domain::id::MessageId;
use crate::domain::memory::{FactKind, Statement};
use crate::engine::words;

/// What people say around such details, as [`words::folded`] spells it.
#[rustfmt::skip]
const AROUND: [&str; 60] = [
    "а", "алло", "вот", "вечер", "день", "добрый", "доброе", "доброго", "дня", "заказ", "заказа",
    "здравствуйте", "зовут", "и", "из", "имя", "мой", "мое", "моя", "меня", "мне", "на", "номер", "номером", "по",
    "почта", "под", "привет", "спасибо", "телефон", "тел", "утро", "это", "я", "м", "m", "am", "and", "for",
    "email", "good", "hello", "hi", "hey", "i", "im", "is", "it", "its", "mail", "my", "name", "no", "number",
    "order", "phone", "s", "thanks", "the", "this",
];

/// The details, where a message holds them and nothing else; empty for every other message.
pub fn only_details(text: &str, source: MessageId, at: jiff::Timestamp) -> Vec<Statement> {
    let facts = extract(text, source, at);
    let are_details = facts.iter().all(|fact| fact.kind == FactKind::Attribute);
    if facts.is_empty() || !are_details || text.contains('?') {
        return Vec::new();
    }
    let values: Vec<String> = facts.iter().flat_map(|fact| pieces(&fact.value)).collect();
    // A telephone number is written in groups and known as one; a city is known in the nominative.
    let told = |word: &String| {
        let is = |value: &String| value == word || words::stem(value) == words::stem(word);
        values.iter().any(|value| is(value) || (is_number(word) && value.contains(word)))
    };
    let rest = pieces(text).into_iter().filter(|word| !AROUND.contains(&word.as_str()) && !told(word));
    if rest.count() == 0 { facts } else { Vec::new() }
}

fn is_number(word: &str) -> bool {
    word.chars().all(char::is_numeric)
}

/// The words, where letters and digits that stand together count apart: `М123456` is `м` and `123456`.
fn pieces(text: &str) -> Vec<String> {
    let folded = words::folded(text);
    let runs = folded.split(|c: char| !c.is_alphanumeric()).flat_map(|word| {
        let chars: Vec<char> = word.chars().collect();
        let runs = chars.chunk_by(|a, b| a.is_numeric() == b.is_numeric());
        runs.map(|run| run.iter().collect::<String>()).collect::<Vec<_>>()
    });
    runs.filter(|run| !run.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::id::Ids;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let source = MessageId::fresh(&Ids::seeded(1), Timestamp::UNIX_EPOCH);
        let found = only_details(text, source, Timestamp::UNIX_EPOCH);
        let found: Vec<_> = found.iter().map(|fact| (fact.key.as_str(), fact.value.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn details_alone_are_told_from_questions_and_complaints() {
        check("Меня зовут Анна, номер заказа М-123456", &[("order_number", "М-123456"), ("name", "Анна")]);
        check("Здравствуйте! Заказ М-123456", &[("order_number", "М-123456")]);
        check("My name is Anna, order number M-123456.", &[("order_number", "М-123456"), ("name", "Anna")]);
        check("Мой телефон +7 916 123-45-67", &[("phone", "+79161234567")]);
        check("Это Анна из Казани", &[("name", "Анна"), ("city", "Казань")]);
        check("Меня зовут Анна, где заказ М-123456", &[]);
        check("Заказ М-123456?", &[]);
        check("Заказ М-123456 не приехал", &[]);
        check("М-123456 отмените", &[]);
        check("Спасибо", &[]);
        check("", &[]);
    }
}
