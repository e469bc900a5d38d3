//! How a message sounds: a coarse, lexical reading for summaries and handoff packages, not for decisions.

use std::sync::LazyLock;

use regex::Regex;

use super::words::{folded, spellings};
use crate::domain::text::Language;

/// A customer's mood, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    /// Thanks us.
    Pleased,
    /// Nothing stands out.
    Calm,
    /// Complains, or shouts.
    Tense,
    /// Complains and shouts, or insults.
    Upset,
}

impl Mood {
    /// One word for people.
    pub fn word(self, language: Language) -> &'static str {
        match (self, language) {
            (Mood::Pleased, Language::Ru) => "доволен",
            (Mood::Calm, Language::Ru) => "спокоен",
            (Mood::Tense, Language::Ru) => "напряжён",
            (Mood::Upset, Language::Ru) => "расстроен",
            (Mood::Pleased, Language::En) => "pleased",
            (Mood::Calm, Language::En) => "calm",
            (Mood::Tense, Language::En) => "tense",
            (Mood::Upset, Language::En) => "upset",
        }
    }

    /// The mood of one message.
    pub fn of(text: &str) -> Self {
        let folded = folded(text);
        let spellings = spellings(&folded);
        let any = |pattern: &Regex| spellings.iter().any(|spelling| pattern.is_match(spelling));
        let complains = any(&COMPLAINT);
        let strain = usize::from(complains) + usize::from(is_loud(text)) + 2 * usize::from(any(&INSULT));
        match strain {
            0 if any(&THANKS) => Mood::Pleased,
            0 => Mood::Calm,
            1 if !complains && any(&THANKS) => Mood::Pleased,
            1 => Mood::Tense,
            _ => Mood::Upset,
        }
    }
}

/// Whether a message is shouted: most of it in capitals, or marks in rows.
pub fn is_loud(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    let shouted_words = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() >= 3)
        .filter(|word| word.chars().all(char::is_uppercase))
        .count();
    let rows = ["!!", "?!", "!?", "???"].iter().any(|row| text.contains(row));
    rows || (letters >= 8 && shouted_words >= 2 && capitals * 10 >= letters * 8)
}

fn pattern(alternatives: &str) -> Regex {
    Regex::new(&format!(r"\b(?:{alternatives})\b")).expect("the patterns below compile")
}

static COMPLAINT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"безобрази\w+|ужас\w*|кошмар\w*|отврат\w+|хамств\w+|хамит\w*|обман\w*|надоел\w*|возмущ\w+|возмутит\w+|разочаров\w+|достали|издева\w+|позор\w*|сколько можно|до сих пор (?:не|нет)|уже (?:\w+ ){0,2}(?:дней|день|дня|недел\w+|месяц\w*) (?:жду|не)|никто не (?:отвечает|ответил|перезвонил|помог)|ужасн\w+|бардак\w*|беспредел\w*|жалоб\w+|недоволь\w+|недоволен|отвратительн\w+|злюсь|бесит|бесите|задолбал\w*|нервы|нервов|расстроен\w*|обидн\w+|нахам\w+|нагруб\w+|груб(?:ит|ят|о|ость)|испорч\w+|испортил\w+|в шоке|цирк|вр(?:ете|али|ут)|(?:со|на)врал\w*|стыдно|кинули|отписк\w+|ridiculous|terribl\w+|awful\w*|worst|unacceptabl\w+|disgust\w+|scam\w*|fed up|angry|furious|disappoint\w+|frustrat\w+|annoy\w+|useless|appalling|outrag\w+|horribl\w+|sick of|still (?:waiting|no|not|havent)|nobody (?:answers|replies|helps|cares)|complain\w*|pathetic|joke|upset|rude\w*|ruined|lied|lies|kidding me|disgrace\w*|in tears|regret\w*|ignor(?:ed|ing)|never again|never buying|shame",
    )
});

static INSULT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"идиот\w*|дебил\w*|туп(?:ой|ые|ая|ица|ицы|орыл\w+)|мошенник\w*|жулик\w*|урод\w*|твар(?:ь|и)|сволоч\w*|козл(?:ы|ина|ов)|придур\w+|кретин\w*|ублюд\w+|мраз(?:ь|и)|скотин\w*|аферист\w*|ворюг\w*|лохотрон\w*|шараг\w+|шарашк\w+|говн\w+|дерьм\w+|хрень|хрен\w*|пош(?:ел|ли|ла) (?:вы |ты )?(?:на|к)|бля\w*|сук(?:а|и)|нах(?:уй|ер|рен)|ху(?:й|йн\w+|ево)|пизд\w+|еб(?:ан\w+|ать)|idiot\w*|moron\w*|stupid|scammers?|crooks?|thieves|liars?|bastards?|assholes?|fuck\w*|shit\w*|bullshit|crap|morons?|screw you|piss off|damn|incompetent",
    )
});

static THANKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"спасибо\w*|спс|благодар\w+|супер|отлично|класс|выручили|здорово|thanks|thank you|thx|great|perfect|awesome|cheers|appreciate\w*",
    )
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moods() {
        let check = |text: &str, mood| assert_eq!(Mood::of(text), mood, "{text}");
        check("Где мой заказ?", Mood::Calm);
        check("Спасибо, всё пришло!", Mood::Pleased);
        check("СПАСИБО БОЛЬШОЕ, ВЫРУЧИЛИ", Mood::Pleased);
        check("Это безобразие", Mood::Tense);
        check("Спасибо, но это уже ужас какой-то", Mood::Tense);
        check("ГДЕ МОЙ ЗАКАЗ", Mood::Tense);
        check("БЕЗОБРАЗИЕ!!! Верните деньги", Mood::Upset);
        check("Вы мошенники", Mood::Upset);
        check("Thanks, that helps", Mood::Pleased);
        check("This is unacceptable!!", Mood::Upset);
        check("Order M-123456, please", Mood::Calm);
        check("OK", Mood::Calm);
    }

    #[test]
    fn capitals_alone_are_loud_only_in_number() {
        assert!(!is_loud("СДЭК или ПВЗ?"));
        assert!(!is_loud("Оплатил через СБП, заказ М-123456"));
        assert!(is_loud("ВЕРНИТЕ МНЕ ДЕНЬГИ"));
        assert!(is_loud("ну где?!"));
    }
}
