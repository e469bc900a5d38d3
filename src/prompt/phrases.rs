//! What the bot says by itself, in both languages: `prompts/phrases.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::value::Value;
use minijinja::{Environment, context};
use serde::Deserialize;
use toml::Spanned;

use super::render::{PromptErrors, environment, place};
use crate::domain::handoff::HandoffReason;
use crate::domain::text::Language;

/// Something that the bot says by itself, with what stands in it. Where it is said is told in `prompts/phrases.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each phrase is described in prompts/phrases.toml, once")]
pub enum Phrase<'a> {
    Disclosure { company: &'a str },
    Greeting { company: &'a str },
    SmallTalk(SmallTalk),
    OutOfScope { company: &'a str },
    ArticleQuote { title: &'a str, heading: &'a str, text: &'a str },
    AskWhich { titles: &'a [&'a str] },
    Rephrase,
    AskOrderNumber,
    KnownOrderNumber { order_number: &'a str },
    Noted { name: Option<&'a str>, order_number: Option<&'a str> },
    Unclaimed,
    ContinueHere,
    ConfirmLink,
    LinkIsMine,
    Handoff(HandoffReason),
    CallHuman,
    CsatQuestion,
    CsatThanks,
}

/// Politeness that needs no article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmallTalk {
    /// Hello.
    Greeting,
    /// Thank you.
    Thanks,
    /// Goodbye.
    Bye,
}

impl Phrase<'_> {
    /// One of each, with something in every place: what a file of phrases is checked with. Among them is every key that
    /// the file must have.
    pub fn samples() -> Vec<Phrase<'static>> {
        const COMPANY: &str = "Мята";
        let mut samples = vec![
            Phrase::Disclosure { company: COMPANY },
            Phrase::Greeting { company: COMPANY },
            Phrase::SmallTalk(SmallTalk::Greeting),
            Phrase::SmallTalk(SmallTalk::Thanks),
            Phrase::SmallTalk(SmallTalk::Bye),
            Phrase::OutOfScope { company: COMPANY },
            Phrase::ArticleQuote {
                title: "Подарочные карты",
                heading: "Можно ли вернуть карту?",
                text: "Нет, деньги за карту не возвращаются.",
            },
            Phrase::ArticleQuote {
                title: "Подарочные карты", heading: "", text: "Карта действует 12 месяцев."
            },
            Phrase::AskWhich { titles: &["Курьер по Москве", "Пункты выдачи"] },
            Phrase::Rephrase,
            Phrase::AskOrderNumber,
            Phrase::KnownOrderNumber { order_number: "М-123456" },
            Phrase::Noted { name: Some("Анна"), order_number: Some("М-123456") },
            Phrase::Noted { name: None, order_number: None },
            Phrase::Unclaimed,
            Phrase::CallHuman,
            Phrase::CsatQuestion,
            Phrase::CsatThanks,
            Phrase::ContinueHere,
            Phrase::ConfirmLink,
            Phrase::LinkIsMine,
        ];
        samples.extend(HandoffReason::ALL.into_iter().map(Phrase::Handoff));
        samples
    }

    /// The key in the file; `None` where nothing is said.
    fn key(self) -> Option<&'static str> {
        Some(match self {
            Phrase::Disclosure { .. } => "disclosure",
            Phrase::Greeting { .. } => "greeting",
            Phrase::SmallTalk(SmallTalk::Greeting) => "small_talk_greeting",
            Phrase::SmallTalk(SmallTalk::Thanks) => "small_talk_thanks",
            Phrase::SmallTalk(SmallTalk::Bye) => "small_talk_bye",
            Phrase::OutOfScope { .. } => "out_of_scope",
            Phrase::ArticleQuote { .. } => "article_quote",
            Phrase::AskWhich { .. } => "ask_which",
            Phrase::Rephrase => "rephrase",
            Phrase::AskOrderNumber => "ask_order_number",
            Phrase::KnownOrderNumber { .. } => "known_order_number",
            Phrase::Noted { .. } => "noted",
            Phrase::Unclaimed => "unclaimed",
            Phrase::CallHuman => "button_call_human",
            Phrase::CsatQuestion => "csat_question",
            Phrase::CsatThanks => "csat_thanks",
            Phrase::ContinueHere => "continue_here",
            Phrase::ConfirmLink => "confirm_link",
            Phrase::LinkIsMine => "button_link_is_mine",
            Phrase::Handoff(reason) => match reason {
                HandoffReason::HumanRequest => "handoff_human_request",
                HandoffReason::SafetyLegal => "handoff_safety_legal",
                HandoffReason::Emotional => "handoff_emotional",
                HandoffReason::Commercial => "handoff_commercial",
                HandoffReason::Complex => "handoff_complex",
                HandoffReason::NoAnswer | HandoffReason::Ungrounded | HandoffReason::ModelAsked => "handoff_no_answer",
                HandoffReason::PartDown | HandoffReason::Deadline => "handoff_part_down",
                HandoffReason::Limit => "handoff_limit",
                HandoffReason::Unsupported => "handoff_unsupported",
                HandoffReason::UnknownSend => "handoff_unknown_send",
                // A person is there, or will be, and speaks for themselves.
                HandoffReason::Taken | HandoffReason::PromiseDue => return None,
            },
        })
    }

    /// What stands in it.
    fn values(self) -> Value {
        match self {
            Phrase::Disclosure { company } | Phrase::Greeting { company } | Phrase::OutOfScope { company } => {
                context! { company }
            }
            Phrase::ArticleQuote { title, heading, text } => context! { title, heading, text },
            Phrase::AskWhich { titles } => context! { titles => titles.iter().copied().collect::<Value>() },
            Phrase::KnownOrderNumber { order_number } => context! { order_number },
            Phrase::Noted { name, order_number } => context! { name, order_number },
            Phrase::SmallTalk(_)
            | Phrase::Rephrase
            | Phrase::AskOrderNumber
            | Phrase::Unclaimed
            | Phrase::CallHuman
            | Phrase::CsatQuestion
            | Phrase::CsatThanks
            | Phrase::ContinueHere
            | Phrase::ConfirmLink
            | Phrase::LinkIsMine
            | Phrase::Handoff(_) => context! {},
        }
    }
}

/// The phrases, checked.
#[derive(Debug)]
pub struct Phrases {
    templates: Environment<'static>,
}

/// One phrase as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wording {
    ru: String,
    en: String,
}

impl Phrases {
    /// Reads the file, and renders every phrase in both languages to see that nothing is missing.
    ///
    /// # Errors
    /// [`PromptErrors`] with every fault, each with file, line and key.
    pub fn load(path: &Path) -> Result<Self, PromptErrors> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| PromptErrors::new(vec![format!("{file}: can't be read: {error}")]))?;
        Self::parse(&text, &file)
    }

    fn parse(text: &str, file: &str) -> Result<Self, PromptErrors> {
        let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let wordings: BTreeMap<String, Spanned<Wording>> = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(span.start));
            PromptErrors::new(vec![format!("{file}:{line}: {}", error.message())])
        })?;
        let mut faults = Vec::new();
        let known: Vec<&str> = Phrase::samples().into_iter().filter_map(Phrase::key).collect();
        let mut templates = environment();
        for (key, wording) in wordings {
            let line = line_of(wording.span().start);
            if !known.contains(&key.as_str()) {
                faults.push(format!("{file}:{line}: there is no phrase {key}"));
                continue;
            }
            let Wording { ru, en } = wording.into_inner();
            for (language, source) in [(Language::Ru, ru), (Language::En, en)] {
                let name = name(&key, language);
                if let Err(error) = templates.add_template_owned(name.clone(), source) {
                    faults.push(place(&error, &format!("{file}: {name}")));
                }
            }
        }
        let phrases = Self { templates };
        phrases.try_all(file, &mut faults);
        if faults.is_empty() { Ok(phrases) } else { Err(PromptErrors::new(faults)) }
    }

    /// The phrase in a language; empty where nothing is to be said.
    pub fn get(&self, language: Language, phrase: Phrase) -> String {
        // Every phrase was rendered at start with values of the same shape: an error here can't be, and an empty notice
        // would be the least bad that could come of it.
        self.try_get(language, phrase).unwrap_or_default()
    }

    fn try_get(&self, language: Language, phrase: Phrase) -> Result<String, minijinja::Error> {
        let Some(key) = phrase.key() else {
            return Ok(String::new());
        };
        let said = self.templates.get_template(&name(key, language))?.render(phrase.values())?;
        Ok(said.trim().to_owned())
    }

    fn try_all(&self, file: &str, faults: &mut Vec<String>) {
        for phrase in Phrase::samples() {
            let Some(key) = phrase.key() else {
                continue;
            };
            for language in Language::ALL {
                let name = name(key, language);
                let fault = match self.try_get(language, phrase) {
                    Ok(said) if said.is_empty() => format!("{file}: {name}: says nothing"),
                    Ok(_) => continue,
                    Err(error) if error.kind() == minijinja::ErrorKind::TemplateNotFound => {
                        format!("{file}: {key}: is missing")
                    }
                    Err(error) => place(&error, &format!("{file}: {name}")),
                };
                // A fault of the template was told already, when it was read.
                if !faults.contains(&fault) && !faults.iter().any(|told| told.contains(&name)) {
                    faults.push(fault);
                }
            }
        }
    }
}

/// `greeting.ru`
fn name(key: &str, language: Language) -> String {
    format!("{key}.{language}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../prompts/phrases.toml");

    fn shipped() -> Phrases {
        Phrases::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/phrases.toml"))).unwrap()
    }

    fn faults(text: &str) -> String {
        Phrases::parse(text, "phrases.toml").unwrap_err().to_string()
    }

    #[test]
    fn every_phrase_is_said_in_both_languages() {
        let phrases = shipped();
        for phrase in Phrase::samples().into_iter().filter(|phrase| phrase.key().is_some()) {
            let [ru, en] = Language::ALL.map(|language| phrases.get(language, phrase));
            assert_eq!(Language::detect(&ru), Some(Language::Ru), "{phrase:?}: {ru}");
            assert!(!en.is_empty() && en != ru, "{phrase:?}");
            for said in [&ru, &en] {
                assert!(!said.contains("{{") && !said.contains("{%"), "{said}");
                assert!(said.matches('!').count() <= 1, "{said}");
            }
            for word in ["Вы ", "Вас ", "Вам ", "Ваш ", "Ваша "] {
                let inside =
                    ru.split(['.', '!', '?', '\n', ':']).any(|part| part.trim_start().contains(&format!(" {word}")));
                assert!(!inside, "«вы» with a small letter: {ru}");
            }
            for promise in ["минут", "час", "сегодня же", "скоро", "minute", "hour", "soon"] {
                assert!(
                    !ru.contains(promise) && !en.to_lowercase().contains(promise),
                    "no time is promised: {ru} {en}"
                );
            }
        }
        assert_eq!(phrases.get(Language::Ru, Phrase::Handoff(HandoffReason::Taken)), "");
    }

    #[test]
    fn values_stand_in_their_places() {
        let phrases = shipped();
        let quote =
            Phrase::ArticleQuote { title: "Возврат", heading: "", text: "14 дней.\n• с чеком" };
        assert_eq!(phrases.get(Language::Ru, quote), "14 дней.\n• с чеком\n\nИсточник: Возврат");
        let which = Phrase::AskWhich { titles: &["Курьер", "Почта"] };
        assert_eq!(phrases.get(Language::Ru, which), "Уточните, пожалуйста, что вас интересует:\n• Курьер\n• Почта");
        let known = Phrase::KnownOrderNumber { order_number: "{{ company }}" };
        assert!(phrases.get(Language::En, known).contains("{{ company }}"), "values are never rendered again");
        assert!(phrases.get(Language::Ru, Phrase::Disclosure { company: "Мята" }).contains("«Мята»"));
    }

    #[test]
    fn faults_are_told_with_file_line_and_key() {
        let missing = SHIPPED.replace("[unclaimed]", "[unclaimd]");
        let missing = faults(&missing);
        assert!(missing.contains("phrases.toml: unclaimed: is missing"), "{missing}");
        assert!(missing.contains(": there is no phrase unclaimd"), "{missing}");
        let unknown = faults(&SHIPPED.replace("бот «{{ company }}». Если", "бот «{{ hours }}». Если"));
        assert!(unknown.contains("disclosure.ru:1: undefined value"), "{unknown}");
        assert!(!unknown.contains("disclosure.en"), "{unknown}");
        let broken = faults(&SHIPPED.replace("{% endfor %}", ""));
        assert!(broken.contains("ask_which.ru:") && broken.contains("syntax error"), "{broken}");
        let typo = faults("[unclaimed]\nru = \"x\"\nem = \"y\"\n");
        assert!(typo.contains("phrases.toml:3") && typo.contains("em"), "{typo}");
        let one_language = faults("\n[unclaimed]\nru = \"x\"\n");
        assert!(one_language.contains("phrases.toml:2") && one_language.contains("en"), "{one_language}");
        assert!(Phrases::load(Path::new("/nowhere/phrases.toml")).unwrap_err().to_string().contains("can't be read"));
        let silent = faults(&SHIPPED.replace("ru = \"Здравствуйте! Чем помочь?\"", "ru = \" \""));
        assert!(silent.contains("small_talk_greeting.ru: says nothing"), "{silent}");
    }
}
