//! What customers write, and what triage makes of it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::id::{ConversationId, Ids, MessageId, OperatorId};
use crate::domain::message::{Author, Citation, Message};
use crate::domain::text::MessageText;
use crate::engine::support::{data_dir, triage};

#[test]
fn rules_name_themselves() {
    let hits = triage().explain("pozovite operatora");
    assert_eq!(hits.len(), 1);
    assert_eq!((hits[0].rule.as_str(), hits[0].language), ("transliterated", Language::Ru));
    let labels = triage().rules("Вы идиоты!");
    assert_eq!(labels, [Labelled { label: Label::Emotional, confidence: 0.75, by: LabelSource::Rule }]);
    assert_eq!(triage().rules("отмените заказ"), [], "complex is not a rule's to give");
}

fn label(label: Label, confidence: f64, by: LabelSource) -> Labelled {
    Labelled { label, confidence, by }
}

#[test]
fn the_most_urgent_label_decides() {
    let triage = triage();
    let routed = |labels: &[(Label, f64)]| {
        let labels: Vec<Labelled> = labels.iter().map(|(name, c)| label(*name, *c, LabelSource::Rule)).collect();
        route(&labels, triage)
    };
    let safety = routed(&[(Label::HumanRequest, 1.0), (Label::Emotional, 0.9), (Label::SafetyLegal, 0.6)]);
    let destination = safety.hand_off.unwrap();
    assert_eq!((destination.reason, destination.priority), (HandoffReason::SafetyLegal, 1));
    assert_eq!(safety.does, Does::HandOff);
    let below = routed(&[(Label::Routine, 0.9), (Label::SafetyLegal, 0.2)]);
    assert_eq!((below.does, below.label, below.hand_off), (Does::Answer, Some(Label::Routine), None));
    let nothing = routed(&[]);
    assert_eq!((nothing.does, nothing.label), (Does::Answer, None));
    assert!(!nothing.small_talk, "where nothing holds, an answer still needs its source");
    assert!(routed(&[(Label::SmallTalk, 0.9)]).small_talk);
    assert!(!routed(&[(Label::SmallTalk, 0.9), (Label::Routine, 0.9)]).small_talk);
    assert_eq!(routed(&[(Label::OutOfScope, 0.9)]).does, Does::AskBack);
    assert_eq!(routed(&[(Label::OutOfScope, 0.9), (Label::Routine, 0.5)]).does, Does::Answer);
    assert_eq!(routed(&[(Label::Emotional, 0.9), (Label::Routine, 0.9)]).hand_off.unwrap().queue, "complaints");
}

#[test]
fn every_reason_has_a_destination() {
    let triage = triage();
    for reason in HandoffReason::ALL {
        let destination = triage.destination(reason);
        assert_eq!(destination.reason, reason);
        assert!(triage.queues().contains(&destination.queue));
    }
    assert_eq!(triage.destination(HandoffReason::Commercial).queue, "sales");
    assert_eq!(triage.destination(HandoffReason::PartDown).queue, "support");
    assert_eq!(triage.queues(), ["complaints", "sales", "support"]);
}

#[test]
fn details_are_asked_for_once_and_only_where_they_matter() {
    let triage = triage();
    let missing = |queue: &str, text: &str, known: &[&str]| triage.missing_details(queue, text, known);
    assert_eq!(missing("complaints", "Где мой заказ?! Безобразие", &[]), ["order_number"]);
    assert!(missing("complaints", "Где мой заказ?! Безобразие", &["order_number"]).is_empty());
    assert!(missing("complaints", "вы идиоты", &[]).is_empty(), "no order is spoken of");
    assert_eq!(missing("support", "посылка не пришла, позовите оператора", &[]), ["order_number"]);
    assert_eq!(missing("support", "please cancel the order", &[]), ["order_number"]);
    assert!(missing("support", "позовите оператора", &[]).is_empty());
    assert!(missing("sales", "нужно 200 полотенец, где мой заказ", &[]).is_empty());
}

/// A conversation: lines begun by `c:`, `b:` (the bot without a source), `a:` (with one) or `o:`.
fn conversation(lines: &[&str]) -> Vec<Message> {
    let ids = Ids::seeded(3);
    let now = jiff::Timestamp::UNIX_EPOCH;
    let conversation = ConversationId::fresh(&ids, now);
    let operator = OperatorId::fresh(&ids, now);
    lines
        .iter()
        .zip(1..)
        .map(|(line, seq)| {
            let (who, text) = line.split_once(':').unwrap();
            let author = match who {
                "c" => Author::Customer,
                "a" | "b" => Author::Bot,
                _ => Author::Operator(operator),
            };
            let cited = Citation {
                source: "ru/refund-time".to_owned(), title: "Когда вернутся деньги".to_owned()
            };
            Message {
                id: MessageId::fresh(&ids, now),
                conversation,
                seq,
                author,
                text: MessageText::new(text.trim()),
                citations: if who == "a" { vec![cited] } else { Vec::new() },
                received_at: now,
                delivered_at: None,
            }
        })
        .collect()
}

#[test]
fn several_questions_are_complex() {
    let triage = triage();
    let count = |text: &str| Evidence::read(triage, text, &[], None).questions;
    for (expected, text) in [
        (1, "Где мой заказ?"),
        (1, "Где мой заказ? Когда он придёт?"),
        (1, "Здравствуйте! Подскажите, сколько стоит доставка? Спасибо"),
        (1, "Сколько стоит доставка? И когда привезёте?"),
        (1, "Можно вернуть сковороду? Деньги когда вернутся?"),
        (1, "А? Что?"),
        (1, "спасибо"),
        (2, "Сколько стоит доставка? И какая гарантия на блендер?"),
        (2, "сколько стоит доставка и можно ли оплатить баллами"),
        (2, "Где мой заказ? А ещё не могу войти в личный кабинет, что делать?"),
        (3, "Какая гарантия на чайник? Как войти в аккаунт? Где ваш шоурум?"),
        (1, "where is my order? when will it arrive?"),
        (1, "Can I return the pan? How do I get a refund?"),
        (2, "What is the warranty on the kettle? Also, do you deliver to Kazan?"),
        (2, "how much is delivery and can I use two promo codes"),
    ] {
        assert_eq!(count(text), expected, "{text}: {:?}", questions(text));
    }
}

#[test]
fn coming_back_is_complex() {
    let triage = triage();
    let read = |earlier: &[&str], text: &str, coverage| Evidence::read(triage, text, &conversation(earlier), coverage);
    let asked = ["c: Когда вернутся деньги за возврат?", "a: В течение 10 дней."];
    assert!(read(&asked, "так когда вернутся деньги за возврат", Some(0.9)).asked_again);
    assert!(!read(&asked, "а где ваш шоурум", Some(0.9)).asked_again);
    assert!(!read(&asked, "спасибо", Some(0.0)).unanswerable_again, "thanks are no question");
    assert!(read(&asked, "а если карта закрыта счёт арестован", Some(0.2)).unanswerable_again);
    assert!(!read(&asked, "а если карта закрыта", Some(0.8)).unanswerable_again);
    assert!(!read(&[], "а если карта закрыта", Some(0.1)).unanswerable_again, "the first contact is no return");
    let unanswered = ["c: Когда вернутся деньги за возврат?"];
    assert!(!read(&unanswered, "когда вернутся деньги за возврат?", Some(0.9)).asked_again, "nobody has answered yet");
    let asked_back = ["c: Когда вернутся деньги за возврат?", "b: Уточните номер заказа?"];
    assert!(!read(&asked_back, "Когда вернутся деньги за возврат", Some(0.9)).asked_again, "a question is no answer");
    assert_eq!(read(&[], "отмените заказ М-123456", Some(0.9)).change.as_deref(), Some("order change"));
    let label = read(&asked, "так когда вернутся деньги за возврат", Some(0.9)).label().unwrap();
    assert_eq!((label.label, label.by), (Label::Complex, LabelSource::Policy));
    assert_eq!(Evidence { questions: 1, ..Evidence::default() }.label(), None);
}

#[test]
fn the_shipped_file_is_whole() {
    let triage = triage();
    let mut count: BTreeMap<Language, usize> = BTreeMap::new();
    let mut labels: BTreeMap<(Language, Label), usize> = BTreeMap::new();
    for (language, of, text) in triage.examples() {
        *count.entry(language).or_default() += 1;
        for label in of {
            *labels.entry((language, *label)).or_default() += 1;
        }
        let detected = Language::detect(text);
        let transliterated = language == Language::Ru && detected == Some(Language::En);
        assert!(
            detected.is_none_or(|detected| detected == language) || transliterated,
            "{text} stands under {language}"
        );
    }
    assert!(count[&Language::Ru] >= 150 && count[&Language::En] >= 100, "{count:?}");
    for language in Language::ALL {
        for label in Label::ALL.into_iter().filter(|label| *label != Label::Complex) {
            assert!(labels.get(&(language, label)).is_some_and(|count| *count >= 10), "{language} {}", label.name());
        }
    }
    for (label, policy) in triage.labels() {
        if policy.does == Does::HandOff {
            assert!(
                policy.threshold_is_written || (policy.threshold - policy.costs.break_even()).abs() < 1e-12,
                "{}",
                label.name()
            );
        }
    }
}

#[test]
fn rules_agree_with_the_examples() {
    let triage = triage();
    for (_, labels, text) in triage.examples() {
        for hit in triage.explain(text).into_iter().filter(|hit| hit.label != Label::Complex) {
            assert!(labels.contains(&hit.label), "{text}: the rule {} says {}", hit.rule, hit.label.name());
        }
    }
}

#[test]
fn nearest_examples_label_what_resembles_them() {
    let triage = triage();
    let best = |text: &str| triage.nearest(text).first().map(|labelled| labelled.label);
    for (expected, text) in [
        (Label::Routine, "сколько стоит доставка в Казань"),
        (Label::Routine, "какие сроки возврата?"),
        (Label::SmallTalk, "здраствуйте"),
        (Label::SmallTalk, "спасибо вам большое"),
        (Label::Commercial, "нужно 300 полотенец для гостиницы"),
        (Label::Emotional, "ужасный магазин, больше никогда не закажу"),
        (Label::OutOfScope, "какая погода в питере"),
        (Label::Routine, "how long is the warranty on a lamp"),
        (Label::SmallTalk, "hello!"),
        (Label::Commercial, "wholesale price for our hotel"),
        (Label::OutOfScope, "write a poem about love"),
        (Label::HumanRequest, "speak to an agent"),
    ] {
        assert_eq!(best(text), Some(expected), "{text}: {:?}", triage.nearest(text));
    }
    let spoken_against = triage.nearest("я с оператором уже общалась час назад");
    assert!(spoken_against.iter().all(|labelled| labelled.label != Label::HumanRequest), "{spoken_against:?}");
    assert_eq!(triage.nearest("xyzzy plugh"), [], "far from all is labelled by none");
    assert_eq!(triage.nearest(""), []);
}

/// Leave one out: how well the examples label each other, and that a higher confidence means being right more often.
#[test]
fn examples_label_each_other() {
    let triage = triage();
    let results = triage.examples.leave_one_out();
    let (mut right, mut sure, mut sure_right) = (0, 0, 0);
    for (_, labels, given) in &results {
        let Some(best) = given.first() else { continue };
        let is_right = labels.contains(&best.label);
        right += usize::from(is_right);
        if best.confidence >= 0.6 {
            sure += 1;
            sure_right += usize::from(is_right);
        }
    }
    let all = results.len();
    let mut of_label: BTreeMap<(&str, &str), [usize; 3]> = BTreeMap::new();
    for (language, labels, given) in &results {
        let count = of_label.entry((language.code(), labels[0].name())).or_default();
        count[0] += 1;
        count[1] += usize::from(given.first().is_some_and(|best| labels.contains(&best.label)));
        count[2] += usize::from(given.is_empty());
    }
    let decided = |labels: &[Label], needless: bool| {
        results
            .iter()
            .filter(|(_, own, _)| labels.contains(&own[0]))
            .filter(|(_, _, given)| {
                let route = route(given, triage);
                if needless { route.does != Does::Answer } else { route.does == Does::HandOff }
            })
            .count()
    };
    let needless = decided(&[Label::Routine, Label::SmallTalk], true);
    let handed = |label: Label| decided(&[label], false);
    eprintln!(
        "not answered of routine and small talk: {needless}; handed over: emotional {}, commercial {}, safety {}, human {}",
        handed(Label::Emotional),
        handed(Label::Commercial),
        handed(Label::SafetyLegal),
        handed(Label::HumanRequest),
    );
    eprintln!("label: all, right, unlabelled: {of_label:?}");
    eprintln!("leave one out: {right} of {all} right; with 0.6 or more: {sure_right} of {sure} right");
    assert!(right * 100 >= all * 65, "{right} of {all}");
    assert!(sure_right * 100 >= sure * 85, "{sure_right} of {sure}");
    assert!(needless * 100 <= all * 3, "{needless} questions would not be answered");
}

/// A whole file, and small.
const SMALL: &str = r#"
[label.routine]
ru = "а"
en = "a"
does = "answer"
least_confidence = 0.4
priority = 9
missed = 0
needless = 1
LABELS
[other]
queue = "support"
priority = 5
[answer]
least_coverage = 0.6
least_margin = 0.05
least_confidence = 0.6
ask_back_most = 1
label_of_model = 0.8
[unsure]
sure = 0.8
close = 0.2
[[detail]]
fact = "order_number"
queues = ["support"]
[words]
small = '(?:a|an)'
[[rule]]
label = "human_request"
language = "en"
name = "first"
any = ['call {small} person', 'person']
[[rule]]
label = "human_request"
language = "en"
name = "second"
any = ['human']
[[example]]
labels = ["small_talk"]
language = "en"
say = ["hi"]
"#;

fn small() -> String {
    let others = Label::ALL.into_iter().filter(|label| *label != Label::Routine).map(|label| {
        format!(
            "[label.{}]\nru = \"а\"\nen = \"a\"\ndoes = \"hand_off\"\nleast_confidence = 0.6\nthreshold = 0.5\nqueue = \"sales\"\npriority = 1\nmissed = 2\nneedless = 1\n",
            label.name()
        )
    });
    SMALL.replace("LABELS", &others.collect::<String>())
}

#[test]
fn faults_are_placed() {
    let whole = small();
    assert!(Triage::parse(&whole, "t.toml").is_ok());
    for (from, to, part) in [
        ("least_margin = 0.05", "least_margin = oops", "must be quoted"),
        ("label = \"human_request\"", "label = \"human\"", "unknown variant `human`"),
        ("any = ['human']", "any = ['hu(man']", "unclosed group"),
        ("call {small} person", "call {smal} person", "no piece `smal`"),
        ("threshold = 0.5", "threshold = 1.6", "between 0 and 1"),
        ("least_confidence = 0.6\nthreshold", "least_confidence = 1.6\nthreshold", "between 0 and 1"),
        ("sure = 0.8", "sure = 8", "of [unsure] are between 0 and 1"),
        ("priority = 1\n", "priority = 12\n", "between 1 and 9"),
        ("queue = \"sales\"\n", "", "names no queue"),
        ("[label.small_talk]", "[label.smalltalk]", "no label `smalltalk`"),
        ("fact = \"order_number\"", "fact = \"order\"", "no fact `order`"),
        ("queues = [\"support\"]", "queues = [\"suport\"]", "no label goes to a queue `suport`"),
        ("name = \"second\"", "name = \"first\"", "two rules `first`"),
        ("labels = [\"small_talk\"]", "labels = [\"complex\"]", "not from examples"),
        ("labels = [\"small_talk\"]", "labels = []", "no label"),
        ("say = [\"hi\"]", "say = [\" \"]", "empty"),
        ("least_coverage = 0.6", "least_cover = 0.6", "unknown field"),
        ("least_coverage = 0.6", "least_coverage = 6", "between 0 and 1"),
        ("any = ['human']", "any = ['hu?m?a?n?', 'x?']", "asks for nothing"),
        ("any = ['human']", "any = []", "looks for nothing"),
        ("missed = 2", "missed = -2", "not be negative"),
        ("ru = \"а\"", "ru = \"\"", "no description"),
    ] {
        assert!(whole.contains(from), "{from}");
        let broken = whole.replacen(from, to, 1);
        let error = Triage::parse(&broken, "t.toml").unwrap_err();
        assert!(error.message.contains(part), "{from}: {error}");
        assert!(error.to_string().starts_with(&format!("t.toml:{}:{}: ", error.line, error.column)));
        let line = whole[..whole.find(from).unwrap()].matches('\n').count() + 1;
        let near = if to.is_empty() || part.contains("description") || part.contains("least") { 8 } else { 1 };
        assert!(error.line.abs_diff(line) <= near || part == "between 0 and 1", "{from} is in line {line}: {error}");
    }
    let error = Triage::parse("", "t.toml").unwrap_err();
    assert!(error.to_string().starts_with("t.toml:1:1: "), "{error}");
    let error =
        Triage::parse(&whole.replacen("any = ['human']", "any = ['human', 'hu(man']", 1), "t.toml").unwrap_err();
    assert_eq!(error.column, 17, "the pattern at fault, not the list: {error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_is_survived(texts in prop::collection::vec(any::<String>(), 1..8)) {
        for text in &texts {
            for labelled in triage().rules(text).into_iter().chain(triage().nearest(text)) {
                prop_assert!((0.0..=1.0).contains(&labelled.confidence));
            }
            Evidence::read(triage(), text, &[], Some(0.5));
        }
    }
}

/// One row of the public triage data.
#[derive(serde::Deserialize)]
struct Row {
    text: String,
    label: String,
    source: String,
    lang: String,
}

fn rows(path: &std::path::Path) -> Vec<Row> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The data is about banks, hotels and insurance, so only labels that mean the same everywhere are measured:
/// people asked for, several issues at once, and what rules say about questions that are routine.
#[test]
fn measured_on_public_data() {
    let Some(dir) = data_dir("triage on public data") else { return };
    let triage = triage();
    let says = |text: &str, label: Label| triage.explain(text).iter().any(|hit| hit.label == label);
    let mut rows_of = rows(&dir.join("triage/dev.jsonl"));
    rows_of.extend(rows(&dir.join("triage/train.jsonl")).into_iter().filter(|row| row.label == "human_request"));
    rows_of.extend(rows(&dir.join("triage/share_alike/dev.jsonl")));
    let of = |label: &str| rows_of.iter().filter(|row| row.label == label).collect::<Vec<_>>();
    let people = of("human_request");
    let missed: Vec<&&Row> = people.iter().filter(|row| !says(&row.text, Label::HumanRequest)).collect();
    for row in &missed {
        eprintln!("missed: {} ({})", row.text, row.source);
    }
    let routine: Vec<&Row> = of("routine").into_iter().filter(|row| !row.source.contains("alchemy")).collect();
    let wrong = |label: Label| routine.iter().filter(|row| says(&row.text, label)).collect::<Vec<_>>();
    let (called, threatened, cursed) = (wrong(Label::HumanRequest), wrong(Label::SafetyLegal), wrong(Label::Emotional));
    for row in called.iter().chain(&threatened).chain(&cursed).take(60) {
        eprintln!("needless: {} ({})", row.text, row.source);
    }
    let recall = 100 - (missed.len() * 100).div_ceil(people.len());
    eprintln!("human_request by rules: recall {recall} % of {}", people.len());
    eprintln!(
        "of {} routine questions rules say: human_request {}, safety_legal {}, emotional {}",
        routine.len(),
        called.len(),
        threatened.len(),
        cursed.len()
    );
    let composed = rows(&dir.join("triage/composed_multi_issue.jsonl"));
    for language in ["en", "ru"] {
        let all: Vec<&Row> = composed.iter().filter(|row| row.lang == language).collect();
        let seen = all.iter().filter(|row| Evidence::read(triage, &row.text, &[], None).questions > 1).count();
        eprintln!("two issues seen in {language}: {seen} of {}", all.len());
    }
    let single: Vec<&&Row> = routine.iter().filter(|row| row.source == "banking77").collect();
    let split = single.iter().filter(|row| Evidence::read(triage, &row.text, &[], None).questions > 1).count();
    eprintln!("one issue taken for two: {split} of {}", single.len());
    assert!(recall >= 90, "{recall} %");
    assert!(called.len() * 100 <= routine.len());
    assert!(threatened.len() * 100 <= routine.len());
}
