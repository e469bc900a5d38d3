//! What we said we would do.

use std::sync::LazyLock;

use regex::Regex;

use super::{LINES_MOST, Material, QUOTE};
use crate::domain::handoff::PackageLine;
use crate::domain::memory::{Fact, FactKind, Remembered};
use crate::domain::message::Author;
use crate::engine::quote::quoted;
use crate::engine::words::{folded, sentences};

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this module compile")
}

static RUSSIAN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:вернем|верну|сделаем|сделаю|перезвоним|перезвоню|позвоним|позвоню|свяжемся|свяжусь|отправим|отправлю|вышлем|вышлю|пришлем|пришлю|ответим|отвечу|уточним|уточню|проверим|проверю|выясним|выясню|решим|решу|заменим|заменю|компенсируем|возместим|доставим|привезем|передадим|передам|напишем|напишу|сообщим|сообщу|разберемся|разберусь|оформим|оформлю|начислим|начислю|отменим|отменю|изменим|исправим|исправлю|организуем|поможем|помогу|продлим|обещаем|обещаю|гарантируем)\b|\b(?:оператор|менеджер|специалист|сотрудник|курьер|коллега|человек|кто то из (?:наших|коллег)\w*)(?: \w+){0,4} (?:ответит|напишет|позвонит|перезвонит|свяжется|привезет|приедет|подключится|поможет|проверит|продолжит)\b|\b(?:коллеги|менеджеры|операторы|специалисты)(?: \w+){0,4} (?:ответят|напишут|позвонят|перезвонят|свяжутся|проверят|помогут)\b",
    )
});

static DENIED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bне \w+"));

// Apostrophes matter here: "we'll" is a promise, "well" is none.
static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:we|i)(?:['’]ll| will|['’]re going to| are going to|['’]m going to| am going to)\b|\b(?:we|i) (?:promise|guarantee)\b|\b(?:operator|manager|specialist|colleague|agent|courier|person|someone|somebody|teammate)(?: from \w+ \w+| of ours| here)? will\b",
    )
});

static NOT_ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:we|i)(?:['’]ll| will) (?:not|never|be unable|only be able)\b|\b(?:can(?:no|['’])t|cannot) promise\b",
    )
});

/// What was promised before and is still open, and sentences of ours with a commitment, the newest, in the order in which
/// they were said.
pub(super) fn promises(material: &Material<'_>) -> Vec<PackageLine> {
    let mut lines = open(material);
    lines.extend(in_talk(material));
    lines
}

/// Promises of the ledger, those that fall due first before the others.
fn open(material: &Material<'_>) -> Vec<PackageLine> {
    let mut facts: Vec<&Fact> = material
        .memory
        .iter()
        .filter_map(|item| match item {
            Remembered::Fact(fact) if fact.kind == FactKind::Promise => Some(fact),
            _ => None,
        })
        .filter(|fact| material.messages.iter().all(|message| message.id != fact.source))
        .collect();
    facts.sort_by_key(|fact| (fact.due_at.is_none(), fact.due_at, fact.valid_at));
    let line = |fact: &Fact| {
        let due = fact
            .due_at
            .map_or_else(String::new, |due| format!(", {} {}", material.say("срок", "due"), material.day(due)));
        let words = quoted(&fact.value, QUOTE, material.language);
        let opening = material.say("обещано", "promised");
        let text = format!("{opening} {}{due}: {words}", material.day(fact.valid_at));
        PackageLine { text, messages: vec![fact.source] }
    };
    facts.into_iter().take(LINES_MOST).map(line).collect()
}

fn in_talk(material: &Material<'_>) -> Vec<PackageLine> {
    let mut lines: Vec<PackageLine> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for message in material.messages.iter().rev() {
        let who = match message.author {
            Author::Bot => material.say("бот", "the bot"),
            Author::Operator(_) => material.say("оператор", "an operator"),
            Author::Customer | Author::Note(_) => continue,
        };
        for sentence in sentences(message.text.as_str()).into_iter().rev().filter(|sentence| commits(sentence)) {
            let same = folded(sentence);
            if lines.len() == LINES_MOST || seen.contains(&same) {
                continue;
            }
            seen.push(same);
            let words = quoted(sentence, QUOTE, material.language);
            let text = format!("{who}, {}: {words}", material.day(message.received_at));
            lines.push(PackageLine { text, messages: vec![message.id] });
        }
    }
    lines.reverse();
    lines
}

fn commits(sentence: &str) -> bool {
    if sentence.contains('?') {
        return false;
    }
    // «Не вернём» is no promise, «не знаю когда, но вернём» is one.
    let folded = folded(sentence);
    RUSSIAN.is_match(&DENIED.replace_all(&folded, ""))
        || (ENGLISH.is_match(sentence) && !NOT_ENGLISH.is_match(sentence))
}
