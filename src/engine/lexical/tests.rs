//! What covers a question, and what does not.

use std::sync::LazyLock;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::text::Language;

fn article(id: &str, title: &str, sections: &[(&str, &str)]) -> Article {
    let section = |(heading, text): &(&str, &str)| Section { heading: (*heading).to_owned(), text: (*text).to_owned() };
    Article {
        id: id.to_owned(),
        file: format!("{id}.md").into(),
        title: title.to_owned(),
        language: Language::Ru,
        tags: Vec::new(),
        questions: Vec::new(),
        updated: date(2026, 8, 3),
        sections: sections.iter().map(section).collect(),
    }
}

fn shop() -> Vec<Article> {
    vec![
        article(
            "moscow",
            "Сколько стоит доставка курьером по Москве",
            &[("", "Внутри МКАД — 390 ₽."), ("Когда доставка бесплатная?", "От 5 000 ₽.")],
        ),
        article("payment", "Как оплатить заказ", &[("", "Картой или через СБП."), ("Можно ли вернуть?", "Да.")]),
        article("return", "Как вернуть товар", &[("", "Возврат оформляется на сайте."), ("Сколько дней?", "14 дней.")]),
        article("pre-order", "Как работает предзаказ", &[("", "Заказ придёт в Санкт-Петербург или wi-fi магазин.")]),
    ]
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let shop = shop();
    let texts = shop.iter().flat_map(|article| article.sections.iter().map(move |it| covered_text(article, it)));
    Vocabulary::of(texts)
});

/// The best coverage of a question, and the article that has it.
fn best(question: &str) -> (String, f32) {
    let mut best = (String::new(), 0.0);
    for article in shop() {
        for section in &article.sections {
            let coverage = VOCABULARY.coverage(question, &covered_text(&article, section));
            if coverage > best.1 {
                best = (article.id.clone(), coverage);
            }
        }
    }
    best
}

#[track_caller]
fn covered(question: &str, article: &str, least: f32) {
    let (found, coverage) = best(question);
    assert!(found == article && coverage >= least, "{question}: {found} covers {coverage}");
}

#[track_caller]
fn uncovered(question: &str, most: f32) {
    let (found, coverage) = best(question);
    assert!(coverage <= most, "{question}: {found} covers {coverage}");
}

#[test]
fn questions_that_an_article_answers_are_covered() {
    covered("сколько стоит доставка курьером по москве", "moscow", 0.95);
    covered("Здравствуйте! Подскажите, пожалуйста, сколько стоит доставка курьером по Москве? Спасибо", "moscow", 0.95);
    covered("скока стоит доставка курьером по мск", "moscow", 0.95);
    covered("возврат товара", "return", 0.95);
    covered("какая цена доставки", "moscow", 0.8);
}

#[test]
fn a_word_that_no_article_has_weighs_the_most() {
    uncovered("можно оплатить биткоином?", 0.45);
    uncovered("вы продаете диваны", 0.0);
    uncovered("доставка дрона на марс", 0.45);
}

#[test]
fn words_without_a_subject_cover_nothing() {
    for question in ["", "?!", "а можно?", "Здравствуйте!", "М-123456", "что мне делать", "how can i do it", "14"]
    {
        uncovered(question, 0.0);
    }
    let (_, plain) = best("доставка курьером");
    let (_, with_order) = best("доставка курьером 123456");
    assert!((plain - with_order).abs() < f32::EPSILON, "{plain}, {with_order}");
}

#[test]
fn misspelt_words_count_less_but_count() {
    let (_, right) = best("доставка курьером");
    for question in ["дотавка курьером", "доставка курьром", "доставка курьеорм"]
    {
        let (found, coverage) = best(question);
        assert!(found == "moscow" && coverage < right && coverage > right * 0.7, "{question}: {coverage}");
    }
    uncovered("дотсакв", 0.0);
    uncovered("кора", 0.0);
}

#[test]
fn the_index_is_asked_for_what_was_meant() {
    let check = |question: &str, searched: &str| assert_eq!(VOCABULARY.searched(question), searched);
    check("сколько стоит доставка", "сколько стоит доставка");
    check("дотавка", "дотавка доставка");
    check("питер", "питер петербург питер спб");
    check("wifi", "wifi wi fi");
    check("диван 15", "диван 15");
    assert_eq!(Vocabulary::default().searched("дотавка"), "дотавка");
}

#[test]
fn a_section_about_nothing_else_is_ahead() {
    let sections = ["Возврат\n\nа", "Возврат и обмен посуды\n\nа", "Обмен\n\nВозврат есть."];
    let vocabulary = Vocabulary::of(sections.map(str::to_owned).into_iter());
    let [only, more, text] = sections.map(|section| vocabulary.coverage("возврат", section));
    assert!(only > more && more > text && text > 0.0, "{only} {more} {text}");
    assert!((only - 1.0).abs() < 1e-6);
}

#[test]
fn slips_are_counted_with_swaps() {
    let check = |a: &str, b: &str, expected: usize| {
        assert_eq!(distance(a, b), expected, "{a} {b}");
        assert_eq!(distance(b, a), expected, "{b} {a}");
    };
    check("доставка", "доставка", 0);
    check("доставка", "дотсавка", 1);
    check("доставка", "достака", 1);
    check("доставка", "доставкаа", 1);
    check("доставка", "даставко", 2);
    check("доставка", "дом", 3);
    check("", "ab", 2);
}

fn found(coverages: &[(&str, f32)]) -> Vec<FoundSection> {
    let section = |(article, coverage): &(&str, f32)| FoundSection {
        article: (*article).to_owned(),
        title: String::new(),
        section: 0,
        heading: String::new(),
        text: String::new(),
        language: Language::Ru,
        score: 1.0,
        words: 0.0,
        meaning: None,
        coverage: *coverage,
        confidence: *coverage,
    };
    coverages.iter().map(section).collect()
}

#[test]
fn confidence_needs_coverage_and_a_lead() {
    let check = |coverages: &[(&str, f32)], expected| assert_eq!(confident(&found(coverages), 0.5, 0.1), expected);
    check(&[], None);
    check(&[("a", 0.5)], Some(0));
    check(&[("a", 0.49)], None);
    check(&[("a", 0.4), ("b", 0.9)], Some(1));
    check(&[("a", 0.85), ("b", 0.9)], None);
    check(&[("a", 0.9), ("a", 0.9), ("b", 0.6)], Some(0));
    check(&[("a", 0.9), ("a", 0.85)], Some(0));
}

proptest! {
    #[test]
    fn coverage_is_a_share(question in "[а-яa-z -]{0,40}", section in "[а-яa-z\\n -]{0,80}") {
        for vocabulary in [&VOCABULARY, &Vocabulary::default(), &Vocabulary::of([section.clone()].into_iter())] {
            let coverage = vocabulary.coverage(&question, &section);
            prop_assert!((0.0..=1.0).contains(&coverage), "{coverage}");
            prop_assert!(vocabulary.searched(&question).starts_with(&question));
        }
    }

    #[test]
    fn a_title_covers_itself(title in "[а-я]{6,12}( [а-я]{6,12}){0,3}") {
        let section = format!("{title}\n\nТекст.");
        let coverage = Vocabulary::of([section.clone()].into_iter()).coverage(&title, &section);
        prop_assert!(coverage > 0.999 || terms(&title).is_empty(), "{coverage}");
    }
}
